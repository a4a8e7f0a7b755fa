"""What every source of lists shares: the shape of what is read, its place, lines and dates within bounds.

A reader is a generator over open files. It yields what it read and what it could not read, by place and reason, and
goes on; it raises Malformed when nothing of the file can be trusted (wrong encoding, half a file, another format). The
caller then takes nothing of it. Whatever accuses (charges, remarks, narratives) has no field here and goes nowhere.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import IO, Final, NamedTuple

import msgspec

from appliance.errors import Malformed
from appliance.formats.lists import DocumentKey, ListedBirth, ListedName, ListedPerson, canonical_number
from appliance.formats.refusal import refusal
from appliance.parse.dates import BUDDHIST_OFFSET, BUDDHIST_YEAR_MIN
from provisioning.authority.countries import alpha2_code

NAMES_MAX: Final = 64
NAME_CHARACTERS_MAX: Final = 256
NUMBER_CHARACTERS_MAX: Final = 32
BIRTHS_MAX: Final = 32
NATIONALITIES_MAX: Final = 16
YEARS: Final = (range(1800, 2101), range(BUDDHIST_YEAR_MIN, 2100 + BUDDHIST_OFFSET + 1))
"""Birth years that a list may state: ours and Buddhist ones, which the index of persons turns into ours."""
APPROXIMATE_YEARS: Final = 2
"""A year that a list calls approximate may be off by this many; our reading of the word, no list gives a number."""

_BRACKETS: Final = re.compile(r"\([^()]*\)|\[[^\[\]]*\]")
_DATE: Final = re.compile(r"(\d{4})(?:[-/](\d{1,2})(?:[-/](\d{1,2}))?)?")


class Place(NamedTuple):
    """Where something stood.

    Attributes:
        unit: What the source is counted in: "line", "individual", "notice".
        number: From 1; a header is line 1.
        name: The source's own identifier, with its kind ("DATAID 6908"), when it can be read; never a person's name.
    """

    unit: str
    number: int
    name: str = ""

    def __str__(self) -> str:
        return f"{self.unit} {self.number}" + (f", {self.name}" if self.name else "")


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadPerson:
    """One readable person.

    Attributes:
        documents: Passports and identity cards, for the list of documents.
        notes: Parts that were left out, and why.
    """

    place: Place
    person: ListedPerson
    documents: tuple[DocumentKey, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldDocument:
    """A document that the source lists apart from its holder.

    Attributes:
        holder: `entry` of the person, who may come before or after it, or not at all.
    """

    place: Place
    holder: str
    document: DocumentKey


@dataclass(frozen=True, slots=True, kw_only=True)
class Rejected:
    """One line, notice or individual that was not taken, and why."""

    place: Place
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Remark:
    """What whoever imports must know of the file as a whole (an extract, a part that is not read)."""

    text: str


Item = ReadPerson | HeldDocument | Rejected | Remark
Files = Sequence[IO[bytes]]


class Unreadable(ValueError):
    """This line, or this part of it, breaks a rule; its text is the reason, without the content."""


# --- the parts of a person --------------------------------------------------------------------------------------------


def words(text: str) -> str:
    """`text` trimmed, with single spaces."""
    return " ".join(text.split())


def without_brackets(text: str) -> str:
    """`text` without what stands in brackets: remarks, as lists put them into names and numbers."""
    return _BRACKETS.sub(" ", text) if "(" in text or "[" in text else text


def listed_names(candidates: Iterable[tuple[str, str]], notes: list[str]) -> tuple[ListedName, ...]:
    """Names that differ, in order, each with the first quality given for it.

    Args:
        candidates: (text, "primary" | "good" | "low").
        notes: Receives what was left out.
    """
    names: dict[str, str] = {}
    for candidate, quality in candidates:
        name = words(without_brackets(candidate)).strip(" ,.")
        if len(name) > NAME_CHARACTERS_MAX:
            notes.append(f"a name of more than {NAME_CHARACTERS_MAX} characters")
        elif any(character.isalpha() for character in name):
            names.setdefault(name, quality)
        elif name:
            notes.append("a name without a letter")
    if len(names) > NAMES_MAX:
        notes.append(f"{len(names) - NAMES_MAX} names beyond the {NAMES_MAX}th")
    return tuple(ListedName(text=text, quality=quality) for text, quality in list(names.items())[:NAMES_MAX])


def document_number(text: str) -> str:
    """Letters and digits of a document number.

    Raises:
        Unreadable: There are none, more than 32, or some outside A-Z and 0-9, without which two numbers become one.
    """
    if any(character.isalnum() and not character.isascii() for character in text):
        raise Unreadable("a document number with letters or digits outside A-Z and 0-9")
    number = canonical_number(text)
    if not number:
        raise Unreadable("no document number")
    if len(number) > NUMBER_CHARACTERS_MAX:
        raise Unreadable(f"a document number of more than {NUMBER_CHARACTERS_MAX} characters")
    return number


def span(low: int, high: int, *, approximate: bool = False) -> ListedBirth:
    """Years, both included. Raises Unreadable when they are none."""
    if low > high or not any(low in years and high in years for years in YEARS):
        raise Unreadable("a birth date that is none")
    slack = APPROXIMATE_YEARS if approximate else 0
    return ListedBirth(year_from=low - slack, year_to=high + slack)


def partial_date(text: str) -> ListedBirth:
    """`YYYY-MM-DD`, `YYYY-MM` or `YYYY`, also with `/`; a month or day of 0 is not known. Raises Unreadable."""
    found = _DATE.fullmatch(text.strip())
    if found is None:
        raise Unreadable("a birth date that is none")
    year, month, day = (int(part or 0) for part in found.groups())
    span(year, year)
    try:
        date(year, month or 1, day if month and day else 1)
    except ValueError:
        raise Unreadable("a birth date that is none") from None
    return ListedBirth(year_from=year, year_to=year, month=month or None, day=(day or None) if month else None)


def partial_dates(texts: Iterable[str], notes: list[str]) -> Iterator[ListedBirth]:
    """Those of `texts` that are dates; the others are noted."""
    for text in texts:
        try:
            yield partial_date(text)
        except Unreadable as error:
            notes.append(str(error))


def alpha2_codes(texts: Iterable[str], notes: list[str]) -> Iterator[str]:
    """Codes of states for codes of two letters; what is none is noted."""
    for text in texts:
        code = alpha2_code(text)
        if code is None:
            notes.append("a nationality that is no known country")
        else:
            yield code


def listed_person(place: Place, fields: dict[str, object], notes: list[str]) -> ListedPerson | Rejected:
    """The person of these fields, cut to the bounds of formats/lists.py; a note says what was cut.

    Args:
        place: Where it stood.
        fields: Of `ListedPerson`; births and nationalities may repeat and be too many.
        notes: Receives what was cut.
    """
    if not fields["entry"] or not fields["names"]:
        return Rejected(place=place, why="no name" if fields["entry"] else "no identifier")
    for name, maximum in (("births", BIRTHS_MAX), ("nationalities", NATIONALITIES_MAX)):
        values = tuple(dict.fromkeys(fields.get(name, ())))  # type: ignore[call-overload]  # a tuple: the fields of one struct
        if len(values) > maximum:
            notes.append(f"{name} beyond the {maximum}th")
        fields[name] = values[:maximum]
    try:
        return msgspec.convert(fields, ListedPerson)
    except msgspec.ValidationError as error:
        return Rejected(place=place, why=refusal(error))


# --- lines ------------------------------------------------------------------------------------------------------------


def bounded_lines(file: IO[bytes], bytes_max: int) -> Iterator[tuple[int, bytes]]:
    """(number from 1, line with its end); one longer than `bytes_max` comes cut to one byte more than that."""
    number = 0
    while line := file.readline(bytes_max + 1):
        number += 1
        yield number, line
        while len(line) > bytes_max and not line.endswith(b"\n") and (line := file.readline(bytes_max + 1)):
            pass  # the rest of a line that is too long


def half(what: str, number: int) -> Malformed:
    """The file ends within a line: it was cut off, and nobody knows where it should have ended.

    Even a line that can be read may be half of one: of a document's number, or of a name.
    """
    return Malformed(what, f"it ends in the middle of line {number}: half a file, or its last line has no end")


def decoded(line: bytes, what: str, number: int) -> str:
    """The line as text. Raises Malformed: one wrong byte means that the file was written in another encoding."""
    try:
        text = line.decode("utf-8")
        wrong = line.find(b"\x00")  # UTF-16 without a mark is UTF-8, too, with a zero at every second place
    except UnicodeDecodeError as error:
        text, wrong = "", error.start
    if wrong >= 0:
        raise Malformed(what, f"line {number} is not UTF-8; save the file in that encoding", offset=wrong)
    return text
