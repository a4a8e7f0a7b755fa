"""Lists in: INTERPOL's public notices, JSON as its web service gives it.

A file is a page of a query (`total`, `_embedded.notices[]`), the detail of one notice, or an array of details. Pages
and details of one notice are merged. The notice's colour stands only in its address (`_links.self.href`,
".../notices/v1/red/2021-75051"); without it nobody could tell the officer what to do, so such a notice is rejected.
Names and nationalities may be null, birth dates `YYYY/MM/DD` or shorter. A query shows its first 160 notices only.
Warrants and charges, pictures, marks and languages are not read.
"""

import re
from collections import Counter
from collections.abc import Iterator
from typing import IO, Final

import msgspec
from msgspec import Raw, Struct, field

from appliance.errors import Malformed
from appliance.formats.refusal import refusal
from provisioning.authority.sources.reading import (
    Files,
    Item,
    Place,
    ReadPerson,
    Rejected,
    Remark,
    alpha2_codes,
    listed_names,
    listed_person,
    partial_dates,
)

SOURCE: Final = "INTERPOL notices"
WHAT: Final = "INTERPOL notices"
FILE_BYTES_MAX: Final = 16 * 1024 * 1024
"""A file is read as a whole; a page has about 80 KB."""
COLOURS: Final = {
    "red": "red",
    "yellow": "yellow",
    "blue": "blue",
    "green": "green",
    "orange": "orange",
    "purple": "purple",
    "black": "black",
    "silver": "silver",
    "un": "special",
}
"""As an address spells them, and as lists do (formats/lists.py, NOTICES)."""
SEX: Final = ("M", "F")
_ENTITY: Final = re.compile(r"[0-9]{4}/[0-9]{1,12}")
_ADDRESS: Final = re.compile(r"/notices/v[0-9]{1,3}/([a-z]+)/")


class _Link(Struct):
    href: str = ""


class _Links(Struct):
    self_: _Link | None = field(default=None, name="self")


class _Notice(Struct):
    entity_id: str
    forename: str | None = None
    name: str | None = None
    date_of_birth: str | None = None
    nationalities: list[str | None] | None = None
    sex_id: str | None = None
    links: _Links | None = field(default=None, name="_links")


class _Embedded(Struct):
    notices: list[Raw] | None = None


class _File(Struct):
    """A page has `_embedded.notices`; a detail has `entity_id`, and an `_embedded` of its own."""

    total: int = 0
    embedded: _Embedded | None = field(default=None, name="_embedded")
    entity_id: str | None = None


def read_interpol(files: Files) -> Iterator[Item]:
    """Read pages and details, in any order.

    Raises:
        Malformed: A file is not whole JSON in UTF-8, or neither a page nor a detail.
    """
    shown: Counter[int] = Counter()
    for order, file in enumerate(files, start=1):
        total, notices = _notices(file)
        shown[total] += len(notices)
        unit = "notice" if len(files) == 1 else f"file {order}, notice"
        for number, raw in enumerate(notices, start=1):
            yield _read(raw, Place(unit, number))
    for total, count in sorted(shown.items()):
        if count < total:
            yield Remark(text=f"an extract: a query has {total} notices, {count} of them are in these pages")


def _notices(file: IO[bytes]) -> tuple[int, list[Raw]]:
    """(what the query found, 0 for details; its notices)."""
    data = file.read(FILE_BYTES_MAX + 1)
    if len(data) > FILE_BYTES_MAX:
        raise Malformed(WHAT, f"more than {FILE_BYTES_MAX} bytes")
    data = data.removeprefix(b"\xef\xbb\xbf")
    try:
        data.decode("utf-8")  # msgspec checks no text that it passes over
        if data.lstrip().startswith(b"["):
            return 0, msgspec.json.decode(data, type=list[Raw])
        content = msgspec.json.decode(data, type=_File)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Malformed(WHAT, refusal(error)) from None
    if content.embedded is not None and content.embedded.notices is not None:
        return content.total, content.embedded.notices
    if content.entity_id is None:
        raise Malformed(WHAT, "neither a page of notices nor the detail of one")
    return 0, [Raw(data)]


def _read(raw: Raw, place: Place) -> ReadPerson | Rejected:
    try:
        notice = msgspec.json.decode(raw, type=_Notice)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        return Rejected(place=place, why=refusal(error))
    if not _ENTITY.fullmatch(notice.entity_id):
        return Rejected(place=place, why="entity_id is not year/number")
    place = place._replace(name=notice.entity_id)
    href = notice.links.self_.href if notice.links and notice.links.self_ else ""
    address = _ADDRESS.search(href)
    colour = COLOURS.get(address[1]) if address else None
    if colour is None:
        return Rejected(place=place, why="no known colour of notice in its address (_links.self.href)")
    notes: list[str] = []
    person = listed_person(
        place,
        {
            "entry": f"{colour} {notice.entity_id}",
            "source": SOURCE,
            "reference": notice.entity_id,
            "names": listed_names([(f"{notice.forename or ''} {notice.name or ''}", "primary")], notes),
            "births": partial_dates([notice.date_of_birth] if notice.date_of_birth else [], notes),
            "nationalities": alpha2_codes([code for code in notice.nationalities or () if code], notes),
            "sex": notice.sex_id if notice.sex_id in SEX else "",
            "notice": colour,
        },
        notes,
    )
    return person if isinstance(person, Rejected) else ReadPerson(place=place, person=person, notes=tuple(notes))
