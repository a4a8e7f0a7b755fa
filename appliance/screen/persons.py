"""The person list: who on it may be the holder, in bands, each with the verdict of every field.

The name alone finds (name_search.py); what it then comes to is verdicts.py's to say. Whoever has more than one name on
the list is one match, by the best of them.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Final, Protocol

from appliance.errors import Malformed
from appliance.formats.person_index import QUALITIES, PersonIndex
from appliance.judged import Band, FieldVerdict, MatchBasis
from appliance.model import TravelDocument
from appliance.screen.births import birth_verdict
from appliance.screen.documents import ListDamaged
from appliance.screen.name_search import FoundName, NameSearch
from appliance.screen.names import Name
from appliance.screen.verdicts import NAME_POSSIBLE, ORDER, judge, matcher, name_band, weighed

MATCHES_MAX: Final = 16
"""Matches given for one traveller; of more, those of the lowest band and the least likeness are left out."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonMatch:
    """A listed person who may be the holder.

    Attributes:
        likeness: Of the names, 0 to 1; for ordering, never shown.
        matcher: Version of the code and the forms, and the thresholds: headquarters can replay the match.
        fields: Traveller and list side by side.
        notice: Colour of the INTERPOL notice, "" where the source has none.
        revision: Of the entry's content, 16 hexadecimal digits.
        basis: What band and fields were worked out from.
    """

    entry: str
    source: str
    band: Band
    likeness: float
    matcher: str
    fields: tuple[FieldVerdict, ...]
    notice: str
    revision: str
    basis: MatchBasis


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
    quality: str

    @property
    def rank(self) -> tuple[int, float, int]:
        return ORDER.index(self.band), self.found.likeness, -self.person


class IndexedPersons:
    """The list of a release.

    Args:
        index: As opened.
    """

    def __init__(self, index: PersonIndex) -> None:
        self._index = index
        self._search = NameSearch(index)
        self._matcher = matcher(index.header.forms.version)

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
        return tuple(sorted(matches, key=lambda match: (ORDER.index(match.band), match.likeness), reverse=True))

    def _bearers(self, document: TravelDocument, traveller: Name) -> Iterator[_Bearer]:
        for found in self._search.find(traveller, NAME_POSSIBLE):
            common = traveller.common or found.name.common
            for packed in self._index.bearers[found.number]:
                person, quality = packed >> 2, QUALITIES[packed & 3]
                birth = birth_verdict(document.date_of_birth, self._index.births(person))
                yield _Bearer(name_band(found.likeness, quality, birth, common=common), found, person, quality)

    def _match(self, document: TravelDocument, traveller: Name, bearer: _Bearer) -> PersonMatch:
        person = self._index.person(bearer.person)
        basis = MatchBasis(
            traveller=weighed(traveller),
            cut=traveller.cut,
            listed=weighed(bearer.found.name),
            quality=bearer.quality,
            births=self._index.births(bearer.person),
            nationalities=person.nationalities,
            sex=person.sex,
        )
        judged = judge(document, basis)
        assert judged is not None, "it was found by its name"
        return PersonMatch(
            entry=person.entry,
            source=self._index.source(person),
            band=judged.band,
            likeness=judged.likeness,
            matcher=self._matcher,
            fields=judged.fields,
            notice=person.notice,
            revision=person.revision.hex(),
            basis=basis,
        )


class NoPersons:
    """In place of a list that cannot be searched; `why` in plain words."""

    def __init__(self, why: str) -> None:
        self.why = why
        self.dated: date | None = None

    def match(self, document: TravelDocument) -> tuple[PersonMatch, ...]:
        """Raises ListDamaged, whoever is asked for."""
        del document
        raise ListDamaged(self.why)
