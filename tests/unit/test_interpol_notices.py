"""INTERPOL's public notices: pages and details, each trap of their form."""

import pytest

from appliance.errors import Malformed
from appliance.formats.lists import NOTICES, ListedBirth
from provisioning.authority.sources.interpol import COLOURS, FILE_BYTES_MAX
from tests.lists_world import names, persons, read, rejects, remarks, vector

ADDRESS = b'"_links":{"self":{"href":"https://notices.example/notices/v1/red/2026-1"}}'


def page() -> list:
    return read("interpol", vector("interpol_page.json"))


def detail(**fields: str) -> bytes:
    members = b"".join(b',"%s":%s' % (name.encode(), value.encode()) for name, value in fields.items())
    return b'{"entity_id":"2026/1","name":"WISZ",' + ADDRESS + members + b"}"


def test_a_notice_of_a_page_is_read() -> None:
    person = persons(page())["red 2026/90001"].person
    assert (person.source, person.reference, person.notice, person.sex) == ("INTERPOL notices", "2026/90001", "red", "")
    assert names(persons(page())["red 2026/90001"]) == [("ZORBAN QUILLFEATHER", "primary")]
    assert person.births == (ListedBirth(year_from=1979, year_to=1979, month=1, day=17),)


def test_a_nationality_of_null_is_none() -> None:
    assert persons(page())["red 2026/90001"].person.nationalities == ("URY",)
    assert persons(page())["yellow 2026/90002"].person.nationalities == ()


def test_a_forename_of_null_leaves_the_name() -> None:
    assert names(persons(page())["yellow 2026/90002"]) == [("MARLOWISZ", "primary")]


@pytest.mark.parametrize(
    ("entry", "birth"),
    [
        ("yellow 2026/90002", ListedBirth(year_from=1984, year_to=1984)),
        ("special 2026/90003", ListedBirth(year_from=1990, year_to=1990, month=7)),
    ],
)
def test_a_birth_date_may_be_shorter_than_a_day(entry: str, birth: ListedBirth) -> None:
    assert persons(page())[entry].person.births == (birth,)


@pytest.mark.parametrize(("text", "month"), [("1990/00/00", None), ("1990/07/00", 7)])
def test_a_month_or_day_of_zero_is_not_known(text: str, month: int | None) -> None:
    (person,) = persons(read("interpol", detail(date_of_birth=f'"{text}"'))).values()
    assert person.person.births == (ListedBirth(year_from=1990, year_to=1990, month=month),)


def test_a_birth_date_that_is_none_is_left_out_and_the_person_is_taken() -> None:
    read_person = persons(page())["silver 2026/90008"]
    assert read_person.person.births == ()
    assert read_person.notes == ("a birth date that is none",)


def test_an_unknown_nationality_is_left_out_and_the_others_are_taken() -> None:
    read_person = persons(page())["special 2026/90003"]
    assert read_person.person.nationalities == ("LAO",)
    assert read_person.notes == ("a nationality that is no known country",)


def test_every_colour_of_a_notice_is_known_to_lists() -> None:
    assert sorted(COLOURS.values()) == sorted(NOTICES)


@pytest.mark.parametrize(("spelled", "colour"), COLOURS.items())
def test_the_colour_is_what_its_address_says(spelled: str, colour: str) -> None:
    text = detail().replace(b"/red/", b"/" + spelled.encode() + b"/")
    assert [person.person.notice for person in persons(read("interpol", text)).values()] == [colour]


def test_a_notice_without_a_known_colour_is_rejected_by_number() -> None:
    found = rejects(page())
    why = "no known colour of notice in its address (_links.self.href)"
    assert found["notice 4, 2026/90004"] == why
    assert found["notice 5, 2026/90005"] == why


def test_a_notice_that_cannot_be_read_is_rejected_by_number_and_the_rest_is_taken() -> None:
    found = rejects(page())
    assert found["notice 6, 2026/90006"] == "no name"
    assert found["notice 7"].startswith("Expected `str | null`, got `array`")
    assert len(found) == 4
    assert len(persons(page())) == 4


def test_a_page_that_shows_a_part_of_its_query_says_so() -> None:
    assert remarks(page()) == ["an extract: a query has 412 notices, 8 of them are in these pages"]


def test_a_detail_has_more_than_the_page_and_its_charges_are_not_read() -> None:
    (person,) = persons(read("interpol", vector("interpol_detail.json"))).values()
    assert (person.person.sex, person.person.nationalities) == ("M", ("URY", "PRY"))
    assert "UNMENTIONABLE" not in repr(person)


def test_an_array_of_details_is_read() -> None:
    text = b"[" + detail() + b"," + vector("interpol_detail.json") + b"]"
    assert list(persons(read("interpol", text))) == ["red 2026/1", "red 2026/90001"]


def test_several_files_are_told_apart_in_rejects() -> None:
    items = read("interpol", vector("interpol_detail.json"), vector("interpol_page.json"))
    assert "file 2, notice 6, 2026/90006" in rejects(items)


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"<html>",
        b"{}",
        b"null",
        b"[1",
        detail()[:-1],
        vector("interpol_page.json")[:-40],
        b'{"_embedded": {"links": []}}',
        '{"entity_id":"2026/1","name":"ÉCLAIR"}'.encode("latin-1"),
        detail().decode().encode("utf-16"),
        b'{"a":' * 100_000,
        b"[" * 100_000,
        b" " * (FILE_BYTES_MAX + 1),
    ],
)
def test_a_file_that_is_no_page_and_no_detail_is_refused_whole(text: bytes) -> None:
    with pytest.raises(Malformed):
        read("interpol", text)
