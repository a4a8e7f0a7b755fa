"""Lists in: the UN Security Council consolidated list, `CONSOLIDATED_LIST/INDIVIDUALS/INDIVIDUAL` (screening.md §2).

Read as a stream, without entities or DTD. Elements may be present and empty; one ALIAS_NAME may hold several names
apart by `;`; countries are English names. An individual that cannot be read is rejected with its place and reason; a
part of one that cannot be read (a birth date, a document of an unknown country) is left out and reported; XML that is
broken as a whole is refused.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import IO, Final
from xml.etree.ElementTree import Element, ParseError

import msgspec
from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import iterparse

from appliance.errors import Malformed
from appliance.formats.lists import DocumentKey, ListedBirth, ListedName, ListedPerson, canonical_number
from provisioning.authority.countries import country_code

SOURCE: Final = "UN Security Council"
PERSONS_MAX: Final = 30_000
FILE_BYTES_MAX: Final = 64 * 1024 * 1024
"""The list has about 3 MB."""
DEPTH_MAX: Final = 16
ELEMENTS_MAX: Final = 10_000
"""Of one entry."""
APPROXIMATE_YEARS: Final = 2
"""A year that the list calls approximate may be off by this many; our reading of the word, the list gives none."""

NAME_PARTS: Final = ("FIRST_NAME", "SECOND_NAME", "THIRD_NAME", "FOURTH_NAME")
SEX: Final = {"MALE": "M", "FEMALE": "F"}
_BRACKETS: Final = re.compile(r"\([^()]*\)|\[[^\[\]]*\]")
_SPACES: Final = re.compile(r"\s+")


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadPerson:
    """One readable individual.

    Attributes:
        documents: Its passports and identity cards, for the list of documents.
        notes: Parts that were left out, and why.
    """

    person: ListedPerson
    documents: tuple[DocumentKey, ...]
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class RejectedPerson:
    """One individual that could not be read: its place in the file ("individual 17, DATAID 6908") and why."""

    where: str
    why: str


def read_persons(file: IO[bytes]) -> Iterator[ReadPerson | RejectedPerson]:
    """Read the list as a stream.

    Raises:
        Malformed: Not XML, with entities or a DTD, another root element, too deep, or more than PERSONS_MAX persons.
    """
    for number, element in enumerate(_individuals(file), start=1):
        if number > PERSONS_MAX:
            raise Malformed("UN list", f"more than {PERSONS_MAX} individuals")
        yield _read(element, number)


def _individuals(file: IO[bytes]) -> Iterator[Element]:
    """Each INDIVIDUAL when it is complete; what came before is let go, so memory does not grow with the file."""
    path: list[Element] = []
    held = 0
    for event, element in _events(file):
        if event == "start":
            path.append(element)
            held += 1
            _check(path, held)
            continue
        path.pop()
        if len(path) > 2:
            continue
        if element.tag == "INDIVIDUAL" and len(path) == 2:
            yield element
        held = 0
        for done in (element, *path[-1:]):
            done.clear()


def _check(path: list[Element], held: int) -> None:
    if path[0].tag != "CONSOLIDATED_LIST":
        raise Malformed("UN list", "its first element is not CONSOLIDATED_LIST")
    if len(path) > DEPTH_MAX or held > ELEMENTS_MAX:
        raise Malformed("UN list", f"an entry of more than {DEPTH_MAX} levels or {ELEMENTS_MAX} elements")


def _events(file: IO[bytes]) -> Iterator[tuple[str, Element]]:
    try:
        yield from iterparse(file, events=("start", "end"), forbid_dtd=True)
    except ParseError as error:
        raise Malformed("UN list", f"not XML ({error})") from None
    except DefusedXmlException:
        raise Malformed("UN list", "it has a DTD or entities, which lists have no use for") from None
    except (LookupError, ValueError) as error:  # an encoding that expat or Python does not know
        raise Malformed("UN list", f"not XML ({error})") from None


def _read(element: Element, number: int) -> ReadPerson | RejectedPerson:
    dataid = _text(element, "DATAID")
    where = f"individual {number}" + (f", DATAID {dataid}" if dataid.isdigit() and len(dataid) < 20 else "")
    notes: list[str] = []
    names = _names(element, notes)
    if not dataid or not names:
        return RejectedPerson(where=where, why="no DATAID" if not dataid else "no name")
    fields = {
        "entry": dataid,
        "source": SOURCE,
        "reference": _text(element, "REFERENCE_NUMBER"),
        "names": names,
        "births": tuple(_births(element, notes)),
        "nationalities": tuple(_nationalities(element, notes)),
        "sex": SEX.get(_text(element, "GENDER").upper(), ""),
    }
    try:
        person = msgspec.convert(fields, ListedPerson)
    except msgspec.ValidationError as error:
        return RejectedPerson(where=where, why=str(error))
    return ReadPerson(person=person, documents=tuple(_documents(element, notes)), notes=tuple(notes))


def _text(element: Element, path: str) -> str:
    """The trimmed text at `path`, "" when it is missing or empty."""
    return _SPACES.sub(" ", element.findtext(path) or "").strip()


def _names(element: Element, notes: list[str]) -> tuple[ListedName, ...]:
    names: dict[str, str] = {}
    primary = " ".join(part for part in (_text(element, tag) for tag in NAME_PARTS) if part)
    candidates = [(primary, "primary"), (_text(element, "NAME_ORIGINAL_SCRIPT"), "low")]
    for alias in element.iterfind("INDIVIDUAL_ALIAS"):
        quality = "low" if _text(alias, "QUALITY").lower() == "low" else "good"
        candidates += [(name, quality) for name in _text(alias, "ALIAS_NAME").split(";")]
    for candidate, quality in candidates:
        name = _SPACES.sub(" ", _BRACKETS.sub(" ", candidate)).strip(" ,.")
        if name and len(name) > 256:
            notes.append("a name of more than 256 characters")
        elif name:
            names.setdefault(name, quality)
    if len(names) > 64:
        notes.append(f"{len(names) - 64} names beyond the 64th")
    return tuple(ListedName(text=text, quality=quality) for text, quality in list(names.items())[:64])


def _births(element: Element, notes: list[str]) -> Iterator[ListedBirth]:
    for birth in element.iterfind("INDIVIDUAL_DATE_OF_BIRTH"):
        texts = {tag: _text(birth, tag) for tag in ("DATE", "YEAR", "FROM_YEAR", "TO_YEAR")}
        if not any(texts.values()):
            continue
        try:
            yield _birth(texts, approximate=_text(birth, "TYPE_OF_DATE").upper().startswith("APPROX"))
        except ValueError:
            notes.append("a birth date that is none")


def _birth(texts: dict[str, str], *, approximate: bool) -> ListedBirth:
    """Raises ValueError when it is no date."""
    slack = APPROXIMATE_YEARS if approximate else 0
    if texts["DATE"]:
        day = date.fromisoformat(texts["DATE"][:10])
        if slack:
            return ListedBirth(year_from=day.year - slack, year_to=day.year + slack)
        return ListedBirth(year_from=day.year, year_to=day.year, month=day.month, day=day.day)
    low = int(texts["FROM_YEAR"] or texts["YEAR"] or texts["TO_YEAR"])
    high = int(texts["TO_YEAR"] or texts["YEAR"] or texts["FROM_YEAR"])
    if not 1800 <= low <= high <= 2200:
        raise ValueError
    return ListedBirth(year_from=low - slack, year_to=high + slack)


def _nationalities(element: Element, notes: list[str]) -> Iterator[str]:
    for value in element.iterfind("NATIONALITY/VALUE"):
        name = _SPACES.sub(" ", value.text or "").strip()
        if not name:
            continue
        code = country_code(name)
        if code is None:
            notes.append("a nationality that is no known country")
        else:
            yield code


def _documents(element: Element, notes: list[str]) -> Iterator[DocumentKey]:
    for document in element.iterfind("INDIVIDUAL_DOCUMENT"):
        kind = _text(document, "TYPE_OF_DOCUMENT").lower()
        number = canonical_number(_BRACKETS.sub(" ", _text(document, "NUMBER")))
        country = _text(document, "ISSUING_COUNTRY") or _text(document, "COUNTRY_OF_ISSUE")
        if not number:
            continue
        code = country_code(country) if country else None
        document_type = "P" if "passport" in kind else "I" if "identi" in kind else None
        if code is None or document_type is None or len(number) > 32:
            notes.append("a document whose country or type is not known, or whose number is too long")
            continue
        yield DocumentKey(issuer=code, document_type=document_type, number=number)
