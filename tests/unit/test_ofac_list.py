"""OFAC's files: headerless, bound by a number, with what matters inside Remarks."""

import pytest

from appliance.errors import Malformed
from appliance.formats.lists import DocumentKey, ListedBirth
from provisioning.authority.sources.ofac_remarks import read_remarks
from provisioning.authority.sources.reading import Item
from tests.lists_world import OFAC, names, persons, read, rejects, remarks, vector

SDN = b'1,"WISZ, Marlo","individual","X",-0- ,-0- ,-0- ,-0- ,-0- ,-0- ,-0- ,-0- \r\n'


def whole() -> list[Item]:
    return read("ofac", *(vector(name) for name in OFAC))


def test_a_person_is_put_together_from_all_files() -> None:
    read_person = persons(whole())["90001"]
    assert names(read_person) == [
        ("QUILLFEATHER Zorban", "primary"),
        ("KVILFEZER Zorban", "good"),
        ("INKWELL Zorban", "good"),
        ("THE QUILL", "low"),
    ]
    person = read_person.person
    assert (person.source, person.reference, person.sex) == ("OFAC SDN", "SDN 90001", "M")
    assert person.nationalities == ("URY", "PRY")
    assert person.births == (
        ListedBirth(year_from=1979, year_to=1979, month=1, day=17),
        ListedBirth(year_from=1978, year_to=1982),
    )
    assert read_person.documents == (
        DocumentKey(issuer="LAO", document_type="P", number="PA0098765"),
        DocumentKey(issuer="URY", document_type="I", number="77001"),
    )
    assert read_person.notes == ("a document whose country is not known",)


def test_files_are_known_by_their_columns_in_any_order() -> None:
    assert read("ofac", *(vector(name) for name in reversed(OFAC))) == whole()


def test_links_programs_and_addresses_are_not_read() -> None:
    assert "UNMENTIONABLE" not in repr(whole())


def test_null_with_a_space_behind_is_null() -> None:
    assert rejects(whole())["line 7, ent_num 90007"] == "no name"


def test_companies_ships_and_broken_rows_are_left_out_by_line() -> None:
    found = rejects(whole())
    assert found["line 2"] == found["line 3"] == "not a person"
    assert found["line 6"] == "3 cells, the first line has 12"
    assert found["line 8"] == "ent_num is no number"


def test_the_character_that_ends_a_dos_file_is_no_line() -> None:
    assert not any(place.startswith(("line 10", "alt line 5")) for place in rejects(whole()))


def test_an_alias_of_an_entry_that_is_not_there_shows_files_of_different_days() -> None:
    assert rejects(whole())["alt line 4"] == "it belongs to no entry of sdn.csv: files of different days"


def test_remarks_that_are_cut_go_on_in_the_comments() -> None:
    read_person = persons(whole())["90005"]
    assert read_person.documents == (DocumentKey(issuer="IRN", document_type="P", number="C1112223"),)
    assert ("BOBO", "low") in names(read_person)
    assert read_person.notes == ()


def test_remarks_that_are_cut_without_comments_say_so() -> None:
    read_person = persons(whole())["90004"]
    assert read_person.notes == ("the end of its remarks, which sdn_comments.csv would have",)
    assert read_person.person.births == (ListedBirth(year_from=1955, year_to=1955, month=3, day=2),)


def test_spans_months_and_a_passport_without_a_number() -> None:
    read_person = persons(whole())["90008"]
    assert read_person.person.births == (
        ListedBirth(year_from=1960, year_to=1965),
        ListedBirth(year_from=1971, year_to=1971, month=8),
        ListedBirth(year_from=1980, year_to=1982),
    )
    assert read_person.notes == ("a birth date that is none", "a passport without a number or a country")


def test_files_that_were_not_given_are_named() -> None:
    assert remarks(read("ofac", SDN)) == [
        "alt.csv was not given: what it has is missing",
        "sdn_comments.csv was not given: what it has is missing",
    ]


@pytest.mark.parametrize(
    ("texts", "why"),
    [
        ((b"",), "nothing in it"),
        ((vector("ofac_alt.csv"),), "sdn.csv is not among"),
        ((SDN, SDN), "sdn.csv is there twice"),
        ((b"a,b,c\n",), "has not the columns"),
        ((b'"ent_num","a\n',), "middle of line 1"),
        ((SDN + SDN[:-20],), "middle of line 2"),
        ((SDN.replace(b"Marlo", b"Marl\xf3"),), "line 1 is not UTF-8"),
        ((SDN.decode().encode("utf-16"),), "line 1 is not UTF-8"),
    ],
)
def test_files_that_are_broken_as_a_whole_are_refused(texts: tuple[bytes, ...], why: str) -> None:
    with pytest.raises(Malformed, match=why):
        read("ofac", *texts)


@pytest.mark.parametrize(
    ("text", "birth"),
    [
        ("DOB 01 January 1960", ListedBirth(year_from=1960, year_to=1960, month=1, day=1)),
        ("DOB circa May 1960.", ListedBirth(year_from=1958, year_to=1962)),
        ("alt. DOB circa 1960 to circa 1962", ListedBirth(year_from=1958, year_to=1964)),
    ],
)
def test_birth_dates_inside_remarks(text: str, birth: ListedBirth) -> None:
    assert read_remarks(text, []).births == [birth]


@pytest.mark.parametrize("text", ["DOB 31 Feb 1960", "DOB 0000", "DOB", "DOB 1970 to 1960", "DOB 1960 to soon"])
def test_what_is_no_birth_date_is_noted(text: str) -> None:
    notes: list[str] = []
    assert read_remarks(text, notes).births == []
    assert notes == ["a birth date that is none"]
