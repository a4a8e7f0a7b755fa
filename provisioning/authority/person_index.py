"""Listed persons become `lists/persons.index`, which boxes search where it lies (formats/person_index.py).

One pass over the persons, in bounded pieces of memory: words, names and births are numbers from the start. What takes
long is reading each name once, about 15 s for a million.
"""

from array import array
from collections.abc import Iterable, Sequence
from datetime import date
from typing import Final

import msgspec

from appliance.formats.cbor import pack
from appliance.formats.lists import CANARY_PERSON, ListedBirth, ListedPerson, revision
from appliance.formats.person_index import (
    QUALITIES,
    IndexedPerson,
    PersonsHeader,
    encode_index,
    pack_birth,
)
from appliance.parse.dates import BUDDHIST_OFFSET, BUDDHIST_YEAR_MIN, THAI_REFORM_YEAR
from appliance.screen.alike_words import block_keys
from appliance.screen.names import shipped_reader

_QUALITY: Final = {name: place for place, name in enumerate(QUALITIES)}


class _Numbered(dict[str, int]):
    """Words by their number in the order in which they first came."""

    def __missing__(self, word: str) -> int:
        self[word] = number = len(self)
        return number


class _Table:
    """Rows of numbers behind each other."""

    def __init__(self, code: str = "I") -> None:
        self.starts, self.values = array("I", [0]), array(code)

    def add(self, row: Iterable[int]) -> None:
        self.values.extend(row)
        self.starts.append(len(self.values))

    def sections(self) -> tuple[bytes, bytes]:
        return self.starts.tobytes(), self.values.tobytes()


class _Builder:
    """What has been read so far."""

    def __init__(self) -> None:
        self.reader = shipped_reader()
        self.words, self.sources = _Numbered(), _Numbered()
        self.names: dict[tuple[int, ...], int] = {}
        self.bearers: list[array[int]] = []
        self.births, self.persons = _Table("Q"), _Table("B")

    def add(self, person: ListedPerson) -> None:
        number = len(self.births.starts) - 1
        for listed in person.names:
            key = tuple(self.words[token.text] for token in self.reader.read(listed.text).tokens)
            name = self.names.setdefault(key, len(self.names))
            if name == len(self.bearers):
                self.bearers.append(array("I"))
            self.bearers[name].append(4 * number + _QUALITY[listed.quality])
        self.births.add(pack_birth(_gregorian(birth)) for birth in person.births)
        shown = IndexedPerson(
            entry=person.entry,
            source=self.sources[person.source],
            reference=person.reference,
            nationalities=person.nationalities,
            sex=person.sex,
            notice=person.notice,
            revision=revision(person),
        )
        self.persons.add(pack(shown))


def _gregorian(birth: ListedBirth) -> ListedBirth:
    """A Buddhist year as ours; one before 1941 ran from April to March, so its first months may be a year later."""
    if birth.year_from < BUDDHIST_YEAR_MIN:
        return birth
    years = (birth.year_from - BUDDHIST_OFFSET, birth.year_to - BUDDHIST_OFFSET)
    later = years[1] < THAI_REFORM_YEAR and birth.month in (None, 1, 2, 3)
    return msgspec.structs.replace(birth, year_from=years[0], year_to=years[1] + later)


def person_index(persons: Iterable[ListedPerson], *, dated: date) -> bytes:
    """`lists/persons.index` of these persons and the canary; equal lists in equal order give equal bytes.

    Args:
        persons: In the order of the list.
        dated: The day headquarters took them in.
    """
    builder = _Builder()
    for person in persons:
        builder.add(person)
    builder.add(CANARY_PERSON)
    words = sorted(builder.words)
    place = {builder.words[word]: place for place, word in enumerate(words)}
    folds = [builder.reader.fold(word) for word in words]
    sections = (
        "\n".join(words).encode(),
        "\n".join(folds).encode(),
        *_keys(folds),
        *_names(builder.names, place),
        *_rows(builder.bearers),
        *builder.births.sections(),
        *builder.persons.sections(),
    )
    header = PersonsHeader(
        schema=1,
        dated=dated,
        forms=builder.reader.forms,
        sources=tuple(builder.sources),
        section_bytes=tuple(len(section) for section in sections),
    )
    return encode_index(header, sections)


def _keys(folds: Sequence[str]) -> tuple[bytes, bytes, bytes]:
    by_key: dict[int, array[int]] = {}
    for word, fold in enumerate(folds):
        for key in block_keys(fold):
            by_key.setdefault(key, array("I")).append(word)
    keys = array("Q", sorted(by_key))
    return keys.tobytes(), *_rows([by_key[key] for key in keys])


def _names(names: Iterable[tuple[int, ...]], place: dict[int, int]) -> tuple[bytes, bytes, bytes, bytes]:
    """Names by word and words by name; a name that has a word twice stands under it once."""
    by_word = [array("I") for _ in place]
    tokens = _Table()
    for name, words in enumerate(names):
        tokens.add(place[word] for word in words)
        for word in set(words):
            by_word[place[word]].append(name)
    return *_rows(by_word), *tokens.sections()


def _rows(rows: Iterable[Iterable[int]]) -> tuple[bytes, bytes]:
    table = _Table()
    for row in rows:
        table.add(row)
    return table.sections()
