"""Lists in: OpenSanctions' `entities.ftm.json`, one FollowTheMoney entity a line.

Persons come with all their names, nationalities, sex and birth dates; their passports and identity cards may be
entities of their own that name the `holder` and stand before or after it. Left out, by line: whatever is no person and
no such document; persons who are no target; persons whose only topics are roles (holders of office and their families:
nobody sought them). A `passportNumber` of the person itself has no country and cannot be looked up. Topics, programs,
notes and addresses are not taken.
"""

from collections.abc import Iterator
from typing import Final

import msgspec
from msgspec import Struct, field

from appliance.errors import Malformed
from appliance.formats.lists import DocumentKey
from appliance.formats.refusal import refusal
from provisioning.authority.countries import alpha2_code
from provisioning.authority.sources.opensanctions_csv import SOURCE
from provisioning.authority.sources.reading import (
    Files,
    HeldDocument,
    Item,
    Place,
    ReadPerson,
    Rejected,
    Unreadable,
    alpha2_codes,
    bounded_lines,
    decoded,
    document_number,
    half,
    listed_names,
    listed_person,
    partial_dates,
)

WHAT: Final = "entities.ftm.json"
LINE_BYTES_MAX: Final = 4 * 1024 * 1024
SEX: Final = {"male": "M", "female": "F"}
HELD_MAX: Final = 64
"""Holders times numbers of one document; more is no document."""
DOCUMENT_SCHEMAS: Final = ("Passport", "Identification")

Values = list[str]


class _Properties(Struct):
    """Of a person, a passport or an identification; other properties are not decoded."""

    name: Values = []
    alias: Values = []
    previous_name: Values = field(default=[], name="previousName")
    weak_alias: Values = field(default=[], name="weakAlias")
    birth_date: Values = field(default=[], name="birthDate")
    nationality: Values = []
    citizenship: Values = []
    gender: Values = []
    topics: Values = []
    passport_number: Values = field(default=[], name="passportNumber")
    holder: Values = []
    number: Values = []
    country: Values = []
    type: Values = []


class _Entity(Struct):
    id: str
    schema: str
    properties: _Properties
    target: bool = True


_DECODER: Final = msgspec.json.Decoder(_Entity)


def read_ftm(files: Files) -> Iterator[Item]:
    """Read the file as a stream; one file.

    Raises:
        Malformed: Not UTF-8, half a file, or its first line is no entity.
    """
    (file,) = files
    first = 0
    for number, raw in bounded_lines(file, LINE_BYTES_MAX):
        line = raw.removeprefix(b"\xef\xbb\xbf") if number == 1 else raw
        if not line.strip():
            continue
        first = first or number
        place = Place("line", number)
        if len(line) > LINE_BYTES_MAX:
            yield Rejected(place=place, why=f"more than {LINE_BYTES_MAX} bytes")
            continue
        decoded(line, WHAT, number)
        if not line.endswith(b"\n"):
            raise half(WHAT, number)
        try:
            entity = _DECODER.decode(line)
        except (msgspec.DecodeError, RecursionError) as error:
            if number == first:
                raise Malformed(WHAT, f"its first line is no entity ({refusal(error)})") from None
            yield Rejected(place=place, why=refusal(error))
        else:
            yield from _read(place, entity)
    if first == 0:
        raise Malformed(WHAT, "there is nothing in it")


def _read(place: Place, entity: _Entity) -> Iterator[Item]:
    if entity.schema in DOCUMENT_SCHEMAS:
        yield from _documents(place, entity)
    elif entity.schema != "Person":
        yield Rejected(place=place, why="not a person")
    elif not entity.target:
        yield Rejected(place=place, why="not a target of any list")
    elif entity.properties.topics and all(topic.startswith("role.") for topic in entity.properties.topics):
        yield Rejected(place=place, why="known for a role only, sought by nobody")
    else:
        yield _person(place, entity)


def _person(place: Place, entity: _Entity) -> ReadPerson | Rejected:
    properties = entity.properties
    notes = ["a passport number without its country"] * bool(properties.passport_number)
    names = [
        *((name, "primary") for name in properties.name),
        *((name, "good") for name in properties.alias + properties.previous_name),
        *((name, "low") for name in properties.weak_alias),
    ]
    sexes = {SEX.get(gender, "") for gender in properties.gender}
    person = listed_person(
        place,
        {
            "entry": entity.id,
            "source": SOURCE,
            "names": listed_names(names, notes),
            "births": partial_dates(properties.birth_date, notes),
            "nationalities": alpha2_codes(properties.nationality + properties.citizenship, notes),
            "sex": sexes.pop() if len(sexes) == 1 else "",
        },
        notes,
    )
    return person if isinstance(person, Rejected) else ReadPerson(place=place, person=person, notes=tuple(notes))


def _documents(place: Place, entity: _Entity) -> Iterator[HeldDocument | Rejected]:
    properties = entity.properties
    kind = " ".join(properties.type).lower()
    document_type = "P" if entity.schema == "Passport" or "passport" in kind else "I"
    issuers = {alpha2_code(country) for country in properties.country}
    issuer = issuers.pop() if len(issuers) == 1 else None
    try:
        numbers = {document_number(number) for number in properties.number}
    except Unreadable as error:
        yield Rejected(place=place, why=str(error))
        return
    if len(properties.holder) * len(numbers) > HELD_MAX:
        yield Rejected(place=place, why=f"more than {HELD_MAX} holders and numbers in one document")
        return
    if issuer is None or not numbers:
        yield Rejected(place=place, why="a document whose one country or whose number is not known")
        return
    for holder in properties.holder:
        for number in sorted(numbers):
            document = DocumentKey(issuer=issuer, document_type=document_type, number=number)
            yield HeldDocument(place=place, holder=holder, document=document)
