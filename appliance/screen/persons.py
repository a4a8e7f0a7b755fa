"""The person list: who on it may be the holder, in bands, each with the verdict of every field (screening.md §4).

1. Candidates share two block keys with the traveller's name (one, where a name has a single telling token).
2. The name alone is compared (names.py); under NAME_POSSIBLE nobody is found, whatever else agrees.
3. The birth date sets the band: STRONG needs it in full; a contradiction leaves WEAK; absence leaves POSSIBLE.
4. A name of low quality counts only together with a birth date; a common name with no more than a year drops a band.
5. Nationality and sex never find anybody and never raise a band: a contradiction lowers it by one, once (I6).
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Final

from appliance.formats.lists import ListedName, ListedPerson, PersonsFile, canonical_issuer
from appliance.model import Band, FieldVerdict, TravelDocument
from appliance.screen.births import BirthVerdict, compare_births, traveller_text
from appliance.screen.documents import ListDamaged
from appliance.screen.names import FORMS_VERSION, Name, block_keys, compare, read_name

NAME_STRONG: Final = 0.92
NAME_POSSIBLE: Final = 0.85
MATCHER: Final = f"names 1, forms {FORMS_VERSION}, strong {NAME_STRONG}, possible {NAME_POSSIBLE}"
"""Goes into every hit, so that headquarters can replay it."""

_ORDER: Final = (Band.WEAK, Band.POSSIBLE, Band.STRONG)
_TEXT_MAX: Final = 256


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonMatch:
    """A listed person who may be the holder.

    Attributes:
        likeness: Of the names, 0 to 1; for ordering, never shown.
        fields: Traveller and list side by side.
    """

    person: ListedPerson
    band: Band
    likeness: float
    fields: tuple[FieldVerdict, ...]


@dataclass(frozen=True, slots=True)
class _Entry:
    """One name of one listed person, ready for comparison."""

    name: Name
    listed: ListedName
    person: int


class PersonsInMemory:
    """The list of a small release, with its names indexed."""

    def __init__(self, file: PersonsFile) -> None:
        self.dated: date | None = file.dated
        self._persons = file.entries
        self._entries: list[_Entry] = []
        self._by_key: dict[str, list[int]] = {}
        for number, person in enumerate(file.entries):
            for listed in person.names:
                name = read_name(listed.text)
                for key in block_keys(name):
                    self._by_key.setdefault(key, []).append(len(self._entries))
                self._entries.append(_Entry(name, listed, number))

    def match(self, document: TravelDocument) -> tuple[PersonMatch, ...]:
        """Listed persons who may be the holder, best first; one match a person."""
        traveller = read_name(
            f"{document.primary_identifier} {document.secondary_identifier}", cut=document.name_truncated
        )
        best: dict[int, PersonMatch] = {}
        for entry in self._candidates(traveller):
            found = _judge(document, traveller, entry, self._persons[entry.person])
            if found and (entry.person not in best or _rank(found) > _rank(best[entry.person])):
                best[entry.person] = found
        return tuple(sorted(best.values(), key=_rank, reverse=True))

    def _candidates(self, traveller: Name) -> Iterator[_Entry]:
        keys = block_keys(traveller)
        shared = Counter(number for key in keys for number in self._by_key.get(key, ()))
        for number, count in shared.items():
            entry = self._entries[number]
            if count > 1 or min(traveller.telling, entry.name.telling) <= 1:
                yield entry


class NoPersons:
    """In place of a list that cannot be searched; `why` in plain words."""

    def __init__(self, why: str) -> None:
        self._why = why
        self.dated: date | None = None

    def match(self, document: TravelDocument) -> tuple[PersonMatch, ...]:
        """Raises ListDamaged, whoever is asked for."""
        del document
        raise ListDamaged(self._why)


PersonList = PersonsInMemory | NoPersons


def _rank(match: PersonMatch) -> tuple[int, float]:
    return _ORDER.index(match.band), match.likeness


def _judge(document: TravelDocument, traveller: Name, entry: _Entry, person: ListedPerson) -> PersonMatch | None:
    likeness = compare(traveller, entry.name)
    if likeness < NAME_POSSIBLE:
        return None
    birth, birth_text = compare_births(document.date_of_birth, person.births)
    others = (_nationality(document, person), _sex(document, person))
    band = _band(likeness, entry.listed.quality, birth, common=traveller.common or entry.name.common)
    if any(field.verdict == "contradicts" for field in others):
        band = _lower(band)
    return PersonMatch(
        person=person,
        band=band,
        likeness=likeness,
        fields=(
            FieldVerdict(
                field="name",
                traveller=traveller.text[:_TEXT_MAX],
                listed=entry.name.text[:_TEXT_MAX],
                verdict="equal" if sorted(traveller.text.split()) == sorted(entry.name.text.split()) else "alike",
            ),
            FieldVerdict(
                field="date_of_birth",
                traveller=traveller_text(document.date_of_birth),
                listed=birth_text[:_TEXT_MAX],
                verdict=birth.words,
            ),
            *others,
        ),
    )


def _band(likeness: float, quality: str, birth: BirthVerdict, *, common: bool) -> Band:
    if birth is BirthVerdict.CONTRADICTS:
        return Band.WEAK
    if birth is BirthVerdict.EQUAL:
        return Band.STRONG if likeness >= NAME_STRONG else Band.POSSIBLE
    if birth is BirthVerdict.ABSENT and quality == "low":
        return Band.WEAK
    if common and birth is not BirthVerdict.SWAPPED:
        return Band.WEAK
    return Band.POSSIBLE


def _lower(band: Band) -> Band:
    return _ORDER[max(0, _ORDER.index(band) - 1)]


def _nationality(document: TravelDocument, person: ListedPerson) -> FieldVerdict:
    mine = canonical_issuer(document.nationality)
    listed = {canonical_issuer(code) for code in person.nationalities}
    return _field("nationality", mine, ", ".join(sorted(listed)), agrees=mine in listed)


def _sex(document: TravelDocument, person: ListedPerson) -> FieldVerdict:
    mine = document.sex if document.sex in ("M", "F") else ""
    return _field("sex", mine, person.sex, agrees=mine == person.sex)


def _field(field: str, traveller: str, listed: str, *, agrees: bool) -> FieldVerdict:
    verdict = "absent" if not traveller or not listed else "equal" if agrees else "contradicts"
    return FieldVerdict(field=field, traveller=traveller, listed=listed[:_TEXT_MAX], verdict=verdict)
