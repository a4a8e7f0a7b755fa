"""Lists in: what is read of a CSV and of the UN list, and what is left out, by number and reason."""

import io
from datetime import date
from pathlib import Path

import pytest

from appliance.errors import Malformed
from appliance.formats.lists import (
    DocumentKey,
    ListedBirth,
)
from provisioning.authority.countries import country_code, issuer_code
from provisioning.authority.import_report import ImportReport
from provisioning.authority.import_verb import READERS
from provisioning.authority.sources.document_csv import LINE_BYTES_MAX, RANGE_MAX, DocumentRow, read_documents
from provisioning.authority.sources.reading import Item, ReadPerson, Rejected, Remark
from provisioning.authority.sources.un_xml import DEPTH_MAX, ENTRY_BYTES_MAX, read_un
from provisioning.authority.staging import Staging

VECTORS = Path(__file__).parents[1] / "vectors" / "lists"
TODAY = date(2026, 11, 3)
HEADER = b"din,issuing_country,doc_type\n"


def rows(text: bytes) -> list[DocumentRow | Rejected | Remark]:
    return list(read_documents(io.BytesIO(text)))


def traps() -> list[DocumentRow | Rejected | Remark]:
    with (VECTORS / "documents_traps.csv").open("rb") as file:
        return list(read_documents(file))


def test_readable_lines_are_taken_in_canonical_form() -> None:
    taken = [row for row in traps() if isinstance(row, DocumentRow)]
    assert [(row.place.number, row.op, [key.number for key in row.keys]) for row in taken] == [
        (2, "A", ["PA0047113"]),
        (3, "A", ["C11T002JM"]),
        (4, "A", ["LB7720001", "LB7720002", "LB7720003"]),
        (18, "D", ["PA0000014"]),
    ]
    assert taken[1].keys[0] == DocumentKey(issuer="D", document_type="P", number="C11T002JM")
    assert [row.listed.fraud for row in taken[:3]] == ["stolen", "lost", "stolen blank"]


def test_each_unreadable_line_is_named_with_its_number_and_reason() -> None:
    rejected = {row.place.number: row.why for row in traps() if isinstance(row, Rejected)}
    reasons = {
        6: "issuing_country is not a known code",
        7: "doc_type is none of",
        8: "no document number",
        9: "fraud_type is none of",
        10: "stolen_on is no date",
        11: "op is none of",
        12: "9 cells, the header has 10",
        13: "not CSV",
        14: "a range of -7 documents",
        15: "a range of 10000000 documents",
        16: "begin differently",
        17: "both din and a range",
        19: "reporting_country is not a known code",
    }
    for line, why in reasons.items():
        assert why in rejected[line], (line, rejected)
    assert set(rejected) == set(reasons)


@pytest.mark.parametrize(
    ("header", "why"),
    [
        (b"", "no column issuing_country"),
        (b"din,doc_type\n", "no column issuing_country"),
        (b"issuing_country,doc_type\n", "no column din"),
        (b"din,din,issuing_country,doc_type\n", "twice"),
        (b"\xff\xfe,x\n", "not UTF-8"),
        (b"PK\x03\x04" + b"\x00" * 40, "not UTF-8"),
        (b"x" * (LINE_BYTES_MAX + 1), "at most 4096"),
    ],
)
def test_a_file_without_a_usable_header_is_refused(header: bytes, why: str) -> None:
    with pytest.raises(Malformed, match=why):
        rows(header + b"PA0047113,LAO,P\n")


def test_a_byte_order_mark_and_windows_line_ends_are_read() -> None:
    (row,) = rows(b"\xef\xbb\xbfdin,issuing_country,doc_type\r\nPA0047113,LAO,P\r\n")
    assert isinstance(row, DocumentRow)


@pytest.mark.parametrize(
    ("line", "why"),
    [
        (b"P" * 5_000 + b",LAO,P\n", "bytes, at most"),
        (b"A" * 33 + b",LAO,P\n", "more than 32"),
        (b"PA1,LAO,P,extra\n", "4 cells"),
        (b"---,LAO,P\n", "no document number"),
    ],
)
def test_one_bad_line_leaves_the_others(line: bytes, why: str) -> None:
    rejected, taken = rows(HEADER + line + b"PA0047113,LAO,P\n")
    assert isinstance(rejected, Rejected)
    assert why in rejected.why
    assert str(rejected.place) == "line 2"
    assert isinstance(taken, DocumentRow)


def test_a_range_counts_the_digits_at_its_end_and_keeps_its_width() -> None:
    (row,) = rows(b"din_from,din_to,issuing_country,doc_type\nA1B0098,A1B0101,LAO,P\n")
    assert isinstance(row, DocumentRow)
    assert [key.number for key in row.keys] == ["A1B0098", "A1B0099", "A1B0100", "A1B0101"]


def test_the_longest_range_is_bounded() -> None:
    header = b"din_from,din_to,issuing_country,doc_type\n"
    (row,) = rows(header + f"B00000,B{RANGE_MAX - 1:05d},LAO,P\n".encode())
    assert isinstance(row, DocumentRow)
    assert len(row.keys) == RANGE_MAX
    assert isinstance(rows(header + f"B00000,B{RANGE_MAX:05d},LAO,P\n".encode())[0], Rejected)


# --- the UN list ------------------------------------------------------------------------------------------------------


def people(text: bytes) -> list[Item]:
    return list(read_un([io.BytesIO(text)]))


def un_traps() -> list[Item]:
    with (VECTORS / "un_traps.xml").open("rb") as file:
        return list(read_un([file]))


def test_an_individual_of_the_un_list_is_read_with_all_its_parts() -> None:
    read = un_traps()[0]
    assert isinstance(read, ReadPerson)
    person = read.person
    assert (person.entry, person.reference, person.sex) == ("9000001", "QDx.001", "M")
    assert [(name.text, name.quality) for name in person.names] == [
        ("EFREM DROZDOVSKY", "primary"),
        ("Ефрем Дроздовский", "low"),
        ("Yefrem Drozdovskiy", "good"),
        ("Efrem Drozdowski", "good"),
        ("the Tall", "low"),
    ]
    assert person.births == (
        ListedBirth(year_from=1961, year_to=1961, month=2, day=3),
        ListedBirth(year_from=1962, year_to=1962),
        ListedBirth(year_from=1963, year_to=1967),
        ListedBirth(year_from=1970, year_to=1973),
    )
    assert person.nationalities == ("RUS", "SYR")
    assert read.documents == (
        DocumentKey(issuer="RUS", document_type="P", number="N1234567"),
        DocumentKey(issuer="SYR", document_type="I", number="88001"),
    )
    assert read.notes == ()


def test_an_individual_with_every_element_of_the_schema_gives_only_what_identifies() -> None:
    """Namespaces, titles, comments, several days of update, two elements for a country, one of them empty."""
    with (VECTORS / "un_shape.xml").open("rb") as file:
        (read, remark) = read_un([file])
    assert isinstance(read, ReadPerson)
    person = read.person
    assert (person.entry, person.reference, person.sex, person.nationalities) == ("9200001", "KPx.901", "F", ("PRK",))
    assert [(name.text, name.quality) for name in person.names] == [
        ("TIBERIU QUASTENBERG AL-ZINDARI", "primary"),
        ("Tiberiu Kvastenberg", "good"),
        ("Tiberio Quastemberg", "good"),
        ("T. Quastenberg", "good"),
        ("Abu Quasar", "low"),
    ]
    assert person.births == (ListedBirth(year_from=1964, year_to=1968),)
    assert [(key.issuer, key.document_type, key.number) for key in read.documents] == [
        ("PRK", "P", "563410081"),
        ("PRK", "P", "D836110034"),
    ]
    assert read.notes == ()
    assert remark == Remark(text="the list was generated on 2026-10-12")


def test_the_day_on_which_the_list_was_generated_is_told() -> None:
    assert un_traps()[-1] == Remark(text="the list was generated on 2026-10-12")


def test_individuals_that_cannot_be_read_are_named_by_place() -> None:
    rejected = [read for read in un_traps() if isinstance(read, Rejected)]
    assert [(str(read.place), read.why) for read in rejected] == [
        ("individual 2, DATAID 9000002", "no name"),
        ("individual 3", "no identifier"),
    ]


def test_unreadable_parts_are_left_out_and_reported_and_the_person_is_taken() -> None:
    read = un_traps()[3]
    assert isinstance(read, ReadPerson)
    assert (read.person.births, read.person.nationalities, read.documents) == ((), (), ())
    assert sorted(read.notes) == [
        "a birth date that is none",
        "a birth date that is none",
        "a document whose country or type is not known",
        "a nationality that is no known country",
    ]


OPEN = b"<CONSOLIDATED_LIST><INDIVIDUALS>"
CLOSE = b"</INDIVIDUALS></CONSOLIDATED_LIST>"
ONE = b"<INDIVIDUAL><DATAID>1</DATAID><FIRST_NAME>A</FIRST_NAME></INDIVIDUAL>"


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (b"", "not XML"),
        (b"din,issuing_country\n", "not XML"),
        (OPEN + ONE, "not XML"),
        (OPEN + ONE + b"</INDIVIDUAL>", "not XML"),
        (b"<html><body/></html>", "CONSOLIDATED_LIST"),
        (b'<!DOCTYPE x [<!ENTITY a "b">]><CONSOLIDATED_LIST/>', "DTD or entities"),
        (b'<!DOCTYPE x SYSTEM "file:///etc/passwd"><CONSOLIDATED_LIST/>', "DTD or entities"),
        (OPEN + b"<a>" * DEPTH_MAX, "levels"),
        (OPEN + b"<INDIVIDUAL>" + b"<a/>" * 10_001, "levels|elements"),
        (OPEN + b"<INDIVIDUAL><DATAID>" + b"1" * (ENTRY_BYTES_MAX + 70_000), "bytes"),
        (b'<?xml version="1.0" encoding="UTF-8"?><CONSOLIDATED_LIST><!-- \xe9 --></CONSOLIDATED_LIST>', "not XML"),
        (b'<?xml version="1.0" encoding="no-such"?><CONSOLIDATED_LIST/>', "not XML"),
    ],
)
def test_a_list_that_is_broken_as_a_whole_is_refused(text: bytes, why: str) -> None:
    with pytest.raises(Malformed, match=why):
        people(text)


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("Lao People's Democratic Republic", "LAO"),
        ("Iran (Islamic Republic of)", "IRN"),
        ("viet nam", "VNM"),
        ("Côte d'Ivoire", "CIV"),
        ("Germany", "D"),
        ("DEU", "D"),
        ("Atlantis", None),
        ("", None),
    ],
)
def test_country_names_become_codes(name: str, code: str | None) -> None:
    assert country_code(name) == code


def test_a_code_that_stands_for_no_issuer_is_none() -> None:
    assert issuer_code("XXX") is None
    assert issuer_code("") is None


# --- staging ----------------------------------------------------------------------------------------------------------


def stage(staging: Staging, csv: bytes) -> tuple[int, list[tuple[str, str]]]:
    report = staging.take_documents(read_documents(io.BytesIO(csv)), today=TODAY)
    return report.taken, report.shown()


def un(staging: Staging, text: bytes, *, anew: bool = False) -> ImportReport:
    return staging.take_persons(READERS["un"].source, people(text), today=TODAY, anew=anew)


def listed(staging: Staging) -> set[str]:
    return {listed.entry for _, listed in staging.listed_documents()}


def test_documents_come_as_changes_on_what_is_staged(tmp_path: Path) -> None:
    staging = Staging(tmp_path / "lists")
    header = b"din,issuing_country,doc_type,national_ref,op\n"
    assert stage(staging, header + b"A1,LAO,P,one,A\nA2,LAO,P,two,A\n") == (2, [])
    assert stage(staging, header + b"A1,LAO,P,,D\nA2,LAO,P,changed,U\nA3,LAO,P,three,A\n") == (3, [])
    assert listed(staging) == {"changed", "three"}


def test_deleting_what_is_not_listed_is_reported(tmp_path: Path) -> None:
    staging = Staging(tmp_path / "lists")
    report = stage(staging, b"din,issuing_country,doc_type,op\nA1,LAO,P,D\n")
    assert report == (0, ["left out: line 2: to be deleted, but not on the list"])


def test_a_refused_file_leaves_what_was_staged(tmp_path: Path) -> None:
    staging = Staging(tmp_path / "lists")
    stage(staging, HEADER + b"A1,LAO,P\n")
    before = list(staging.listed_documents())
    with pytest.raises(Malformed):
        stage(staging, b"no,such,header\nA2,LAO,P\n")
    with pytest.raises(Malformed):
        staging.take_persons(READERS["un"].source, read_un([io.BytesIO(OPEN + ONE)]), today=TODAY)
    assert list(staging.listed_documents()) == before
    assert list(staging.people()) == []
    assert staging.persons_dated() is None


def test_persons_replace_what_was_staged_with_the_documents_they_bring(tmp_path: Path) -> None:
    staging = Staging(tmp_path / "lists")
    stage(staging, b"din,issuing_country,doc_type,national_ref\nA1,LAO,P,kept\n")
    report = un(staging, (VECTORS / "un_traps.xml").read_bytes())
    assert report.taken == 2
    assert "left out: individual 5, DATAID 9000001: this identifier appears twice" in report.shown()
    assert listed(staging) == {"kept", "9000001"}
    again = un(staging, OPEN + ONE + CLOSE)
    assert (again.taken, again.new, again.withdrawn) == (1, 1, 2)
    assert listed(staging) == {"kept"}
    assert [person.entry for person in staging.people()] == ["1"]


def test_the_report_names_every_line_and_nothing_of_its_content(tmp_path: Path) -> None:
    staging = Staging(tmp_path / "lists")
    stage(staging, HEADER + b"A1,LAO,P\nSECRETNUMBER,NOWHERE,P\n")
    report = (staging.folder / "documents.report.txt").read_text(encoding="utf-8")
    assert report == (
        "documents: 1 taken, 1 left out, 0 parts left out\n1 new, 0 changed, 0 merged, 0 withdrawn\n"
        "left out: line 3: issuing_country is not a known code\n"
    )
