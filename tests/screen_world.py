"""Documents, lists and instants for tests of screen and decide; every holder is synthetic."""

from collections.abc import Sequence
from datetime import UTC, date, datetime

import msgspec

from appliance.clock import Grade, Instant
from appliance.formats.list_key import DocumentsKey
from appliance.formats.lists import (
    DocumentKey,
    ListedBirth,
    ListedDocument,
    ListedName,
    ListedPerson,
)
from appliance.formats.pages import HeldBytes, PageFile
from appliance.formats.person_index import PersonIndex
from appliance.model import CheckDigit, DocumentFormat, PartialDate, TravelDocument
from appliance.screen.documents import DocumentList
from appliance.screen.lists import Lists
from appliance.screen.page_list import PageList
from appliance.screen.persons import IndexedPersons, PersonList
from provisioning.authority.list_files import documents_list
from provisioning.authority.person_index import person_index

DATED = date(2026, 11, 3)
LIST_KEY = bytes(range(32))


def instant(*, grade: Grade = Grade.NETWORK, day: str = "2026-11-15") -> Instant:
    wall_ms = int(datetime.fromisoformat(day).replace(tzinfo=UTC).timestamp() * 1000)
    return Instant(wall_ms=wall_ms, grade=grade, lower_bound_ms=1_793_000_000_000, boot_id="0" * 32, boot_ms=1)


def born(text: str) -> PartialDate:
    """From "1978-04-12", "1978-04", "1978" or ""."""
    parts = [int(part) for part in text.split("-")] if text else []
    year, month, day = (*parts, None, None, None)[:3]
    return PartialDate(raw=text, year=year, month=month, day=day, rule="as written")


def laid(
    name: str = "PHOMMASACK<<KHAMPHENG",
    *,
    number: str = "PA0047114",
    birth: str = "1978-04-12",
    number_holds: bool = True,
    **fields: object,
) -> TravelDocument:
    """A Lao passport as parse gives it; `name` as in a machine readable zone, `fields` of TravelDocument instead."""
    primary, _, secondary = name.replace("<<", "|", 1).partition("|")
    digit = CheckDigit(field="document_number", printed="7", computed="7" if number_holds else "3")
    document = TravelDocument(
        format=DocumentFormat.TD3,
        mrz=(),
        raw=(),
        repairs=(),
        document_code="P",
        issuing_state="LAO",
        nationality="",
        document_number=number,
        primary_identifier=primary.replace("<", " "),
        secondary_identifier=secondary.replace("<", " "),
        name_truncated=False,
        date_of_birth=born(birth),
        sex="",
        date_of_expiry=None,
        optional_data="",
        check_digits=(digit,),
    )
    return msgspec.structs.replace(document, **fields)


def person(
    *names: str,
    births: Sequence[ListedBirth] = (),
    quality: str = "primary",
    nationalities: tuple[str, ...] = (),
    sex: str = "",
    entry: str = "6900001",
) -> ListedPerson:
    return ListedPerson(
        entry=entry,
        source="UN Security Council",
        names=tuple(ListedName(text=name, quality=quality) for name in names),
        births=tuple(births),
        nationalities=nationalities,
        sex=sex,
    )


def birth(year: int, month: int | None = None, day: int | None = None, *, to: int | None = None) -> ListedBirth:
    return ListedBirth(year_from=year, year_to=to or year, month=month, day=day)


def documents(*keys: DocumentKey, fraud: str = "stolen") -> PageList:
    listed = ListedDocument(entry="LAO-2026-00117", source="stolen and lost documents", fraud=fraud)
    return PageList(
        PageFile(HeldBytes(documents_list(dict.fromkeys(keys, listed), dated=DATED, list_key=LIST_KEY))),
        DocumentsKey(LIST_KEY),
    )


def persons(*people: ListedPerson) -> IndexedPersons:
    return IndexedPersons(PersonIndex(person_index(people, dated=DATED)))


def lists(listed_documents: DocumentList | None = None, listed_persons: PersonList | None = None) -> Lists:
    """Verified lists, empty where none is given."""
    return Lists(version=7, documents=listed_documents or documents(), persons=listed_persons or persons())


STOLEN = DocumentKey(issuer="LAO", document_type="P", number="PA0047113")
