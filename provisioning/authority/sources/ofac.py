"""Lists in: OFAC's list of specially designated nationals, CSV: sdn, alt, add, sdn_comments.

The files have no header; `-0-` stands for null, often with a space behind; names are "SURNAME, Given names". Each file
is known by its number of columns (12, 5, 6, 2), whatever it is called. Birth dates, nationalities, sex, passports and
weak aliases stand inside Remarks (ofac_remarks.py), which are cut at 1,000 characters and go on in sdn_comments. Rows
are bound together by `ent_num`: a row that names none of sdn.csv shows files of different days, and is reported.
Programs, titles and addresses are not taken.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from appliance.errors import Malformed
from provisioning.authority.sources.csv_records import csv_records
from provisioning.authority.sources.ofac_remarks import Remarks, read_remarks
from provisioning.authority.sources.reading import (
    Files,
    Item,
    Place,
    ReadPerson,
    Rejected,
    Remark,
    listed_names,
    listed_person,
    words,
)

SOURCE: Final = "OFAC SDN"
SHAPES: Final = {12: "sdn", 6: "add", 5: "alt", 2: "sdn_comments"}
NULL: Final = "-0-"
REMARKS_MAX: Final = 1_000
"""Where sdn.csv cuts them."""

Record = tuple[Place, list[str]] | Rejected
Records = Iterator[Record]


@dataclass(slots=True)
class _More:
    """What the other files say, by ent_num; both are small beside sdn.csv."""

    aliases: dict[str, list[str]] = field(default_factory=dict[str, list[str]])
    comments: dict[str, str] = field(default_factory=dict[str, str])
    named: dict[str, Place] = field(default_factory=dict[str, Place])


def read_ofac(files: Files) -> Iterator[Item]:
    """Read sdn.csv, and what of the others is there, in any order.

    Raises:
        Malformed: A file is not UTF-8, half, of no known shape or there twice; sdn.csv is missing.
    """
    shapes = _shapes(files)
    more = _More()
    for shape in ("alt", "add", "sdn_comments"):
        for record in shapes.get(shape, ()):
            if rejected := _more(shape, record, more):
                yield rejected
    seen: set[str] = set()
    for record in shapes["sdn"]:
        yield record if isinstance(record, Rejected) else _read(*record, more, seen)
    for number, place in more.named.items():
        if number not in seen:
            yield Rejected(place=place, why="it belongs to no entry of sdn.csv: files of different days")
    for shape in ("alt", "sdn_comments"):
        if shape not in shapes:
            yield Remark(text=f"{shape}.csv was not given: what it has is missing")


def _shapes(files: Files) -> dict[str, Records]:
    shapes: dict[str, Records] = {}
    for order, file in enumerate(files, start=1):
        what = f"OFAC file {order}"
        records = csv_records(file, what)
        first = next(records)
        shape = SHAPES.get(len(first[1])) if not isinstance(first, Rejected) else None
        if shape is None:
            raise Malformed(what, f"its first line has not the columns of {', '.join(SHAPES.values())}")
        if shape in shapes:
            raise Malformed(what, f"{shape}.csv is there twice")
        shapes[shape] = _with_first(first, records)
    if "sdn" not in shapes:
        raise Malformed("OFAC list", "sdn.csv is not among the files")
    return shapes


def _with_first(first: Record, rest: Records) -> Records:
    yield first
    yield from rest


def _more(shape: str, record: Record, more: _More) -> Rejected | None:
    if isinstance(record, Rejected):
        return Rejected(place=record.place._replace(unit=f"{shape} line"), why=record.why)
    place, cells = record
    place = place._replace(unit=f"{shape} line")
    number = cells[0].strip()
    if not _is_number(number):
        return Rejected(place=place, why="ent_num is no number")
    more.named.setdefault(number, place)
    if shape == "alt":
        more.aliases.setdefault(number, []).append(_cell(cells[3]))
    elif shape == "sdn_comments":
        more.comments[number] = more.comments.get(number, "") + _cell(cells[1])
    return None


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdecimal() and len(text) <= 10


def _cell(text: str) -> str:
    text = text.strip()
    return "" if text == NULL else text


def _read(place: Place, cells: list[str], more: _More, seen: set[str]) -> ReadPerson | Rejected:
    number = cells[0].strip()
    if not _is_number(number):
        return Rejected(place=place, why="ent_num is no number")
    place = place._replace(name=f"ent_num {number}")
    seen.add(number)
    if _cell(cells[2]).lower() != "individual":
        return Rejected(place=Place(place.unit, place.number), why="not a person")
    notes: list[str] = []
    remarks = _cell(cells[11])
    if len(remarks) >= REMARKS_MAX and number not in more.comments:
        notes.append("the end of its remarks, which sdn_comments.csv would have")
        remarks = remarks.rpartition(";")[0]
    read = read_remarks(remarks + more.comments.get(number, ""), notes)
    names = [(_cell(cells[1]), "primary"), *((name, "good") for name in more.aliases.get(number, ()))]
    return _person(place, number, names, read, notes)


def _person(
    place: Place, number: str, names: list[tuple[str, str]], read: Remarks, notes: list[str]
) -> ReadPerson | Rejected:
    candidates = [*names, *((name, "low") for name in read.weak_aliases)]
    person = listed_person(
        place,
        {
            "entry": number,
            "source": SOURCE,
            "reference": f"SDN {number}",
            "names": listed_names(((words(name.replace(",", " ")), quality) for name, quality in candidates), notes),
            "births": read.births,
            "nationalities": read.nationalities,
            "sex": read.sex,
        },
        notes,
    )
    if isinstance(person, Rejected):
        return person
    return ReadPerson(place=place, person=person, documents=tuple(read.documents), notes=tuple(notes))
