"""The person list: who on it may be the holder, in bands, each with the verdict of every field.

1. The name alone finds (name_search.py); under NAME_POSSIBLE nobody is found, whatever else agrees.
2. The birth date sets the band: STRONG needs it in full; a contradiction leaves WEAK; absence leaves POSSIBLE.
3. A name of low quality counts only together with a birth date; a common name with no more than a year drops a band.
4. Nationality and sex never find anybody and never raise a band: a contradiction lowers it by one, once (I6).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Final, Protocol

from appliance.errors import Malformed
from appliance.formats.lists import canonical_issuer
from appliance.formats.person_index import QUALITIES, IndexedPerson, PersonIndex
from appliance.model import Band, FieldVerdict, TravelDocument
from appliance.screen.births import BirthVerdict, compare_births, traveller_text
from appliance.screen.documents import ListDamaged
from appliance.screen.name_search import FoundName, NameSearch
from appliance.screen.names import Name

NAME_STRONG: Final = 0.92
NAME_POSSIBLE: Final = 0.85
MATCHES_MAX: Final = 16
"""Matches given for one traveller; of more, those of the lowest band and the least likeness are left out."""

_ORDER: Final = (Band.WEAK, Band.POSSIBLE, Band.STRONG)
_TEXT_MAX: Final = 256


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonMatch:
    """A listed person who may be the holder.

    Attributes:
        likeness: Of the names, 0 to 1; for ordering, never shown.
        matcher: Version of the code and the forms, and the thresholds: headquarters can replay the match.
        fields: Traveller and list side by side.
    """

    entry: str
    source: str
    band: Band
    likeness: float
    matcher: str
    fields: tuple[FieldVerdict, ...]


class PersonList(Protocol):
    """Listed persons."""

    @property
    def dated(self) -> date | None:
        """The day headquarters took its content in; None when the list cannot be searched."""
        ...

    def match(self, document: TravelDocument) -> tuple[PersonMatch, ...]:
        """Listed persons who may be the holder, best first; one match a person.

        Raises:
            ListDamaged: The list, or the entry that would be the answer, cannot be read.
        """
        ...


@dataclass(frozen=True, slots=True)
class _Bearer:
    """A listed person found by one of its names; the band as far as name and birth date say."""

    band: Band
    found: FoundName
    person: int
    birth: BirthVerdict
    birth_text: str

    @property
    def rank(self) -> tuple[int, float, int]:
        return _ORDER.index(self.band), self.found.likeness, -self.person


class IndexedPersons:
    """The list of a release.

    Args:
        index: As opened.
    """

    def __init__(self, index: PersonIndex) -> None:
        self._index = index
        self._search = NameSearch(index)
        version = self._search.reader.forms.version
        self._matcher = f"names 2, forms {version}, strong {NAME_STRONG}, possible {NAME_POSSIBLE}"

    @property
    def dated(self) -> date:
        """The day headquarters took its content in."""
        return self._index.header.dated

    def match(self, document: TravelDocument) -> tuple[PersonMatch, ...]:
        """Listed persons who may be the holder, best first; one match a person."""
        full = f"{document.primary_identifier} {document.secondary_identifier}"
        traveller = self._search.reader.read(full, cut=document.name_truncated)
        best: dict[int, _Bearer] = {}
        try:
            for bearer in self._bearers(document, traveller):
                if bearer.person not in best or bearer.rank > best[bearer.person].rank:
                    best[bearer.person] = bearer
            strongest = sorted(best.values(), key=lambda bearer: bearer.rank, reverse=True)[:MATCHES_MAX]
            matches = [self._match(document, traveller, bearer) for bearer in strongest]
        except Malformed as error:
            raise ListDamaged(str(error)) from error
        return tuple(sorted(matches, key=lambda match: (_ORDER.index(match.band), match.likeness), reverse=True))

    def _bearers(self, document: TravelDocument, traveller: Name) -> Iterator[_Bearer]:
        for found in self._search.find(traveller, NAME_POSSIBLE):
            common = traveller.common or found.name.common
            for packed in self._index.bearers[found.number]:
                person, quality = packed >> 2, QUALITIES[packed & 3]
                birth, text = compare_births(document.date_of_birth, self._index.births(person))
                yield _Bearer(_band(found.likeness, quality, birth, common=common), found, person, birth, text)

    def _match(self, document: TravelDocument, traveller: Name, bearer: _Bearer) -> PersonMatch:
        person, listed = self._index.person(bearer.person), bearer.found.name
        others = (_nationality(document, person), _sex(document, person))
        contradicted = any(field.verdict == "contradicts" for field in others)
        return PersonMatch(
            entry=person.entry,
            source=self._index.source(person),
            band=_lower(bearer.band) if contradicted else bearer.band,
            likeness=bearer.found.likeness,
            matcher=self._matcher,
            fields=(
                FieldVerdict(
                    field="name",
                    traveller=traveller.text[:_TEXT_MAX],
                    listed=listed.text[:_TEXT_MAX],
                    verdict="equal" if sorted(traveller.text.split()) == sorted(listed.text.split()) else "alike",
                ),
                FieldVerdict(
                    field="date_of_birth",
                    traveller=traveller_text(document.date_of_birth),
                    listed=bearer.birth_text[:_TEXT_MAX],
                    verdict=bearer.birth.words,
                ),
                *others,
            ),
        )


class NoPersons:
    """In place of a list that cannot be searched; `why` in plain words."""

    def __init__(self, why: str) -> None:
        self._why = why
        self.dated: date | None = None

    def match(self, document: TravelDocument) -> tuple[PersonMatch, ...]:
        """Raises ListDamaged, whoever is asked for."""
        del document
        raise ListDamaged(self._why)


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


def _nationality(document: TravelDocument, person: IndexedPerson) -> FieldVerdict:
    mine = canonical_issuer(document.nationality)
    listed = {canonical_issuer(code) for code in person.nationalities}
    return _field("nationality", mine, ", ".join(sorted(listed)), agrees=mine in listed)


def _sex(document: TravelDocument, person: IndexedPerson) -> FieldVerdict:
    mine = document.sex if document.sex in ("M", "F") else ""
    return _field("sex", mine, person.sex, agrees=mine == person.sex)


def _field(field: str, traveller: str, listed: str, *, agrees: bool) -> FieldVerdict:
    verdict = "absent" if not traveller or not listed else "equal" if agrees else "contradicts"
    return FieldVerdict(field=field, traveller=traveller, listed=listed[:_TEXT_MAX], verdict=verdict)
