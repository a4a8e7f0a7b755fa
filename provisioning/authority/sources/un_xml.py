"""Lists in: the UN Security Council consolidated list, `CONSOLIDATED_LIST/INDIVIDUALS/INDIVIDUAL`.

Read as a stream, without entities or DTD. Elements may be present and empty; one ALIAS_NAME may hold several names
apart by `;`; countries are English names; two elements name a document's country. An individual that cannot be read is
rejected with its place and reason; a part of one that cannot be read (a birth date, a document of an unknown country)
is left out and reported; XML that is broken as a whole is refused.
"""

import re
from collections.abc import Iterator
from datetime import date
from typing import IO, Final
from xml.etree.ElementTree import Element, ParseError

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import iterparse

from appliance.errors import Malformed
from appliance.formats.lists import DocumentKey, ListedBirth
from provisioning.authority.countries import country_code
from provisioning.authority.sources.reading import (
    Files,
    Item,
    Place,
    ReadPerson,
    Rejected,
    Remark,
    Unreadable,
    document_number,
    listed_names,
    listed_person,
    span,
    without_brackets,
    words,
)

SOURCE: Final = "UN Security Council"
DEPTH_MAX: Final = 16
ELEMENTS_MAX: Final = 10_000
"""Of one entry."""
ENTRY_BYTES_MAX: Final = 1024 * 1024
"""Between two entries; the longest published one has about 20 KB."""

NAME_PARTS: Final = ("FIRST_NAME", "SECOND_NAME", "THIRD_NAME", "FOURTH_NAME")
SEX: Final = {"MALE": "M", "FEMALE": "F"}
_YEAR: Final = re.compile(r"[0-9]{4}")
_DAY: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


class _Rationed:
    """A file that gives at most ENTRY_BYTES_MAX until `renew` is called, so that no element can fill the memory."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self._given = 0

    def read(self, size: int = -1) -> bytes:
        data = self._file.read(size)
        self._given += len(data)
        if self._given > ENTRY_BYTES_MAX:
            raise Malformed("UN list", f"an entry of more than {ENTRY_BYTES_MAX} bytes")
        return data

    def renew(self) -> None:
        self._given = 0


def read_un(files: Files) -> Iterator[Item]:
    """Read the list as a stream; one file.

    Raises:
        Malformed: Not XML, half of it, in another encoding than it says, with entities or a DTD, another root element,
            or an entry beyond the bounds.
    """
    (file,) = files
    attributes: dict[str, str] = {}
    for number, element in enumerate(_individuals(file, attributes), start=1):
        yield _read(element, number)
    if _DAY.match(generated := attributes.get("dateGenerated", "")):
        yield Remark(text=f"the list was generated on {generated[:10]}")


def _individuals(file: IO[bytes], attributes: dict[str, str]) -> Iterator[Element]:
    """Each INDIVIDUAL when it is complete; what came before is let go, so memory does not grow with the file.

    Args:
        file: The list.
        attributes: Receives those of the list itself.
    """
    path: list[Element] = []
    held = 0
    rationed = _Rationed(file)
    for event, element in _events(rationed):
        if event == "start":
            path.append(element)
            held += 1
            _check(path, held)
            if len(path) == 1:
                attributes |= element.attrib
            continue
        path.pop()
        if len(path) > 2:
            continue
        if element.tag == "INDIVIDUAL" and len(path) == 2:
            yield element
        held = 0
        rationed.renew()
        for done in (element, *path[-1:]):
            done.clear()


def _check(path: list[Element], held: int) -> None:
    if path[0].tag != "CONSOLIDATED_LIST":
        raise Malformed("UN list", "its first element is not CONSOLIDATED_LIST")
    if len(path) > DEPTH_MAX or held > ELEMENTS_MAX:
        raise Malformed("UN list", f"an entry of more than {DEPTH_MAX} levels or {ELEMENTS_MAX} elements")


def _events(file: _Rationed) -> Iterator[tuple[str, Element]]:
    try:
        yield from iterparse(file, events=("start", "end"), forbid_dtd=True)
    except ParseError as error:
        raise Malformed("UN list", f"not XML ({error})") from None
    except DefusedXmlException:
        raise Malformed("UN list", "it has a DTD or entities, which lists have no use for") from None
    except (LookupError, ValueError) as error:  # an encoding that expat or Python does not know
        raise Malformed("UN list", f"not XML ({error})") from None


def _read(element: Element, number: int) -> ReadPerson | Rejected:
    dataid = _text(element, "DATAID")
    place = Place("individual", number, f"DATAID {dataid}" if dataid.isdigit() and len(dataid) < 20 else "")
    notes: list[str] = []
    person = listed_person(
        place,
        {
            "entry": dataid,
            "source": SOURCE,
            "reference": _text(element, "REFERENCE_NUMBER"),
            "names": listed_names(_names(element), notes),
            "births": _births(element, notes),
            "nationalities": _nationalities(element, notes),
            "sex": SEX.get(_text(element, "GENDER").upper(), ""),
        },
        notes,
    )
    if isinstance(person, Rejected):
        return person
    documents = tuple(_documents(element, notes))
    return ReadPerson(place=place, person=person, documents=documents, notes=tuple(notes))


def _text(element: Element, path: str) -> str:
    """The trimmed text at `path`, "" when it is missing or empty."""
    return words(element.findtext(path) or "")


def _names(element: Element) -> Iterator[tuple[str, str]]:
    yield " ".join(part for part in (_text(element, tag) for tag in NAME_PARTS) if part), "primary"
    yield _text(element, "NAME_ORIGINAL_SCRIPT"), "low"
    for alias in element.iterfind("INDIVIDUAL_ALIAS"):
        quality = "low" if _text(alias, "QUALITY").lower() == "low" else "good"
        for name in _text(alias, "ALIAS_NAME").split(";"):
            yield name, quality


def _births(element: Element, notes: list[str]) -> Iterator[ListedBirth]:
    for birth in element.iterfind("INDIVIDUAL_DATE_OF_BIRTH"):
        texts = {tag: _text(birth, tag) for tag in ("DATE", "YEAR", "FROM_YEAR", "TO_YEAR")}
        if not any(texts.values()):
            continue
        try:
            yield _birth(texts, approximate=_text(birth, "TYPE_OF_DATE").upper().startswith("APPROX"))
        except ValueError:  # Unreadable, or no date of the calendar
            notes.append("a birth date that is none")


def _birth(texts: dict[str, str], *, approximate: bool) -> ListedBirth:
    """Raises ValueError when it is no date."""
    if texts["DATE"]:
        day = date.fromisoformat(texts["DATE"][:10])
        years = span(day.year, day.year, approximate=approximate)
        if approximate:
            return years
        return ListedBirth(year_from=day.year, year_to=day.year, month=day.month, day=day.day)
    low = texts["FROM_YEAR"] or texts["YEAR"] or texts["TO_YEAR"]
    high = texts["TO_YEAR"] or texts["YEAR"] or texts["FROM_YEAR"]
    if not _YEAR.fullmatch(low) or not _YEAR.fullmatch(high):
        raise Unreadable("a birth date that is none")
    return span(int(low), int(high), approximate=approximate)


def _nationalities(element: Element, notes: list[str]) -> Iterator[str]:
    for value in element.iterfind("NATIONALITY/VALUE"):
        name = words(value.text or "")
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
        text = without_brackets(_text(document, "NUMBER")).strip()
        country = _text(document, "ISSUING_COUNTRY") or _text(document, "COUNTRY_OF_ISSUE")
        if not text:
            continue
        code = country_code(country) if country else None
        document_type = "P" if "passport" in kind else "I" if "identi" in kind else None
        if code is None or document_type is None:
            notes.append("a document whose country or type is not known")
            continue
        try:
            yield DocumentKey(issuer=code, document_type=document_type, number=document_number(text))
        except Unreadable as error:
            notes.append(str(error))
