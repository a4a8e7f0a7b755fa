"""The persons list as boxes search it: `lists/persons.index`, laid out to be searched where it lies.

Headquarters writes it (provisioning/authority/person_index.py), the box never changes it, and has it outside of its
memory only sealed (list_key.py). Names are kept as the words that matching compares; one spelling is kept once, whoever
bears it. How words are read (name_forms.toml) travels inside, so box and headquarters never disagree about it. No
charges, remarks or addresses: they have no field.

README.md, "Persons index", has every byte. All of it is checked when it is opened, so a lookup cannot go wrong.
"""

import operator
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from itertools import pairwise, starmap
from typing import Annotated, Final, Literal

from msgspec import Meta

from appliance.errors import Malformed
from appliance.formats.cbor import convert, decode, pack, parse
from appliance.formats.lists import BIRTHS_MAX, NOTICES, REVISION_BYTES, ListedBirth, Source
from appliance.model import Noun, StateCode, Word

MAGIC: Final = b"LLPERS1\n"
HEADER_BYTES_MAX: Final = 262_144
INDEX_BYTES_MAX: Final = 384 * 1024 * 1024
"""One million persons of three names each."""
PERSON_BYTES_MAX: Final = 512
TOKEN_BYTES_MAX: Final = 64
ALIGNMENT: Final = 8
QUALITIES: Final = ("primary", "good", "low")
WHAT: Final = "persons index"

NameWord = Annotated[str, Meta(min_length=1, max_length=32, pattern=r"\A[A-Z0-9]+\Z")]
NameWords = Annotated[tuple[NameWord, ...], Meta(max_length=4_096)]
Fold = tuple[NameWord, Annotated[str, Meta(max_length=4, pattern=r"\A[A-Z]*\Z")]]


class NameForms(Noun, frozen=True, kw_only=True):
    """How names are read: reviewed data, what each list means stands in screen/name_forms.toml.

    Attributes:
        version: Counted up by one with every change.
        folds: Replaced in this order before two words are called alike.
        variants: One given name each, in several languages or for short; a list without them knows none.
    """

    version: Annotated[int, Meta(ge=1)]
    titles: NameWords
    particles: NameWords
    common: NameWords
    folds: Annotated[tuple[Fold, ...], Meta(max_length=256)]
    variants: Annotated[tuple[NameWords, ...], Meta(max_length=1_024)] = ()


class PersonsHeader(Noun, frozen=True, kw_only=True):
    """The beginning of the file.

    Attributes:
        schema: 1.
        dated: The day headquarters took in its content.
        sources: Who listed the persons; each names one by its place here.
        section_bytes: Length of each section, in the order of `SECTIONS`, without what aligns the next one.
    """

    schema: Annotated[int, Meta(ge=1, le=1)]
    dated: date
    forms: NameForms
    sources: Annotated[tuple[Source, ...], Meta(max_length=256)]
    section_bytes: Annotated[tuple[Annotated[int, Meta(ge=0, le=2**32 - 1)], ...], Meta(min_length=15, max_length=15)]


SECTIONS: Final = (
    "tokens", "folds",  # text: words, and the same with romanisations made one, apart by \n, sorted by word
    "keys", "key_starts", "key_tokens",  # block keys, ascending; the words under each
    "name_starts", "names",  # of each word: the names that have it
    "token_starts", "name_tokens",  # of each name: its words, in order
    "bearer_starts", "bearers",  # of each name: who bears it, person * 4 + place in QUALITIES
    "birth_starts", "births",  # of each person: year_from << 32 | year_to << 16 | month << 8 | day, 0 unknown
    "person_starts", "persons",  # of each person: CBOR
)  # fmt: skip
_Width = Literal["B", "I", "Q"]
_WIDTHS: Final[dict[str, _Width]] = {"tokens": "B", "folds": "B", "keys": "Q", "births": "Q", "persons": "B"}
"""Unsigned and little-endian: what is not here is of 32 bits ("I")."""
_WIDTH_BYTES: Final[dict[_Width, int]] = {"B": 1, "I": 4, "Q": 8}


class IndexedPerson(Noun, frozen=True, kw_only=True, omit_defaults=True):
    """What is shown of one listed person, besides names and birth dates.

    Attributes:
        entry, reference, nationalities, sex, notice: As in `ListedPerson`.
        source: Place in the header's `sources`.
        revision: Of the whole entry, names and birth dates too, as headquarters has it (formats/lists.py).
    """

    entry: Word
    source: Annotated[int, Meta(ge=0, le=255)]
    reference: Word = ""
    nationalities: Annotated[tuple[StateCode, ...], Meta(max_length=16)] = ()
    sex: Annotated[str, Meta(pattern=r"\A[MF]?\Z")] = ""
    notice: Annotated[str, Meta(pattern=rf"\A({'|'.join(NOTICES)})?\Z")] = ""
    revision: Annotated[bytes, Meta(min_length=REVISION_BYTES, max_length=REVISION_BYTES)]


@dataclass(frozen=True, slots=True)
class Rows:
    """Lists of numbers behind each other: row n is values[starts[n]:starts[n + 1]]."""

    starts: "memoryview[int]"
    values: "memoryview[int]"

    def __getitem__(self, number: int) -> "memoryview[int]":
        """One row."""
        return self.values[self.starts[number] : self.starts[number + 1]]

    def __len__(self) -> int:
        """How many rows there are."""
        return len(self.starts) - 1


class PersonIndex:
    """An opened index.

    Args:
        data: The file, as it was sealed.

    Attributes:
        header: Its beginning.
        tokens: Words of listed names, sorted; a word's number is its place.
        folds: Of each word.
        keys: Block keys, ascending.
        key_tokens: Words under each key.
        names: Names that have each word.
        name_tokens: Words of each name.
        bearers: Of each name, person * 4 + quality.

    Raises:
        Malformed: Anything but a whole index, in every number of it.
    """

    def __init__(self, data: bytes | memoryview) -> None:
        self.header, sections = _split(data)
        self.tokens, self.folds = _words(sections["tokens"]), _words(sections["folds"])
        self.keys = sections["keys"]
        self.key_tokens = _rows(sections, "key_starts", "key_tokens", of=len(self.keys), below=len(self.tokens))
        self.name_tokens = _rows(sections, "token_starts", "name_tokens", below=len(self.tokens))
        self.names = _rows(sections, "name_starts", "names", of=len(self.tokens), below=len(self.name_tokens))
        self._births = _rows(sections, "birth_starts", "births")
        self._persons = _rows(sections, "person_starts", "persons", of=len(self._births))
        count = len(self.name_tokens)
        self.bearers = _rows(sections, "bearer_starts", "bearers", of=count, below=4 * len(self._persons))
        if len(self.folds) != len(self.tokens) or not _ascending(self.keys) or not _ascending(self.tokens):
            raise Malformed(WHAT, "words or keys are not in order")

    def __len__(self) -> int:
        """How many persons it lists."""
        return len(self._persons)

    def births(self, person: int) -> tuple[int, ...]:
        """Birth dates of a person, packed. Raises Malformed for more of them than an entry has."""
        row = self._births[person]
        if len(row) > BIRTHS_MAX:
            raise Malformed("listed person", f"{len(row)} birth dates, at most {BIRTHS_MAX}")
        return tuple(row)

    def person(self, person: int) -> IndexedPerson:
        """What else is known of a person. Raises Malformed."""
        data = bytes(self._persons[person])
        return parse(data, IndexedPerson, what="listed person", bytes_max=PERSON_BYTES_MAX)

    def source(self, person: IndexedPerson) -> str:
        """Who listed the person. Raises Malformed."""
        if person.source >= len(self.header.sources):
            raise Malformed("listed person", "a source that the index does not have")
        return self.header.sources[person.source]


def pack_birth(birth: ListedBirth) -> int:
    """One birth date as a number of 64 bits."""
    return birth.year_from << 32 | birth.year_to << 16 | (birth.month or 0) << 8 | (birth.day or 0)


def unpack_birth(packed: int) -> ListedBirth:
    """A number of 64 bits as a birth date. Raises Malformed for a date of no calendar."""
    fields = {
        "year_from": packed >> 32,
        "year_to": packed >> 16 & 0xFFFF,
        "month": packed >> 8 & 0xFF or None,
        "day": packed & 0xFF or None,
    }
    return convert(fields, ListedBirth, what="listed birth")


def encode_index(header: PersonsHeader, sections: "tuple[bytes, ...]") -> bytes:
    """The file; `header.section_bytes` are the lengths of `sections`, which are in the order of `SECTIONS`."""
    packed = pack(header)
    parts = [MAGIC + len(packed).to_bytes(4, "little") + packed, *sections]
    return b"".join(part + bytes(-len(part) % ALIGNMENT) for part in parts)


def _split(data: bytes | memoryview) -> "tuple[PersonsHeader, dict[str, memoryview[int]]]":
    if len(data) > INDEX_BYTES_MAX:
        raise Malformed(WHAT, f"{len(data)} bytes, at most {INDEX_BYTES_MAX}")
    assert sys.byteorder == "little", "numbers are read where they lie"
    whole = memoryview(data)
    if bytes(whole[:8]) != MAGIC:
        raise Malformed(WHAT, "not one, or of another version")
    place = 12 + int.from_bytes(whole[8:12], "little")
    value = decode(bytes(whole[12 : min(place, HEADER_BYTES_MAX + 13)]), what=WHAT, bytes_max=HEADER_BYTES_MAX)
    header: PersonsHeader = convert(value, PersonsHeader, what=WHAT)
    sections: dict[str, memoryview[int]] = {}
    for name, length in zip(SECTIONS, header.section_bytes, strict=True):
        place += -place % ALIGNMENT
        section, width = whole[place : place + length], _WIDTHS.get(name, "I")
        place += length
        if len(section) != length or length % _WIDTH_BYTES[width]:
            raise Malformed(WHAT, f"section {name} is cut off")
        sections[name] = section.cast(width)
    if place + -place % ALIGNMENT != len(whole):
        raise Malformed(WHAT, f"{len(whole)} bytes, the sections end at {place}")
    return header, sections


def _words(section: "memoryview[int]") -> list[str]:
    try:
        text = bytes(section).decode("ascii")
    except UnicodeDecodeError:
        raise Malformed(WHAT, "words that are not ASCII") from None
    return text.split("\n") if text else []


def _rows(
    sections: "dict[str, memoryview[int]]", starts: str, values: str, *, of: int | None = None, below: int | None = None
) -> Rows:
    """The rows of a section, `of` so many, each value under `below`. Raises Malformed."""
    begin, content = sections[starts], sections[values]
    if not len(begin) or begin[0] != 0 or begin[-1] != len(content) or not _ascending(begin, equal=True):
        raise Malformed(WHAT, f"{starts} are not in order")
    if of is not None and len(begin) != of + 1:
        raise Malformed(WHAT, f"{starts}: {len(begin) - 1} rows, {of} expected")
    if below is not None and len(content) and max(content) >= below:
        raise Malformed(WHAT, f"{values} has a number out of range")
    return Rows(begin, content)


def _ascending(values: "Iterable[int] | Iterable[str]", *, equal: bool = False) -> bool:
    """Whether none is under the one before it; `equal` ones may follow each other."""
    holds = operator.le if equal else operator.lt
    return all(starmap(holds, pairwise(values)))
