"""OpenSanctions in both forms, each trap of them."""

import pytest

from appliance.errors import Malformed
from appliance.formats.lists import DocumentKey, ListedBirth
from provisioning.authority.sources.opensanctions_ftm import LINE_BYTES_MAX
from provisioning.authority.sources.reading import HeldDocument, Item
from tests.lists_world import names, persons, read, rejects, vector

HEADER = b"id,schema,name,aliases,birth_date\n"
ENTITY = b'{"id":"Q1","schema":"Person","properties":{"name":["Marlo Wisz"]}}\n'


def simple() -> list[Item]:
    return read("opensanctions-csv", vector("opensanctions_targets.simple.csv"))


def ftm() -> list[Item]:
    return read("opensanctions-ftm", vector("opensanctions_entities.ftm.json"))


# --- targets.simple.csv -----------------------------------------------------------------------------------------------


def test_values_of_a_cell_are_told_apart_even_when_one_holds_the_separator() -> None:
    assert names(persons(simple())["NK-utopia0001"]) == [
        ("Zorban Quillfeather", "primary"),
        ("Zorban Kvilfezer", "good"),
        ("Quillfeather; Zorban", "good"),
        ("Зорбан Квилфезер", "good"),
    ]


def test_several_birth_dates_and_shorter_ones_are_read() -> None:
    assert persons(simple())["NK-utopia0001"].person.births == (
        ListedBirth(year_from=1979, year_to=1979, month=1, day=17),
        ListedBirth(year_from=1980, year_to=1980),
    )
    assert persons(simple())["NK-utopia0005"].person.births == (ListedBirth(year_from=1990, year_to=1990, month=7),)


def test_buddhist_years_are_taken_as_they_are_written() -> None:
    text = HEADER + b"Q1,Person,Marlo Wisz,,2521-04;2300;1799\n"
    (person,) = persons(read("opensanctions-csv", text)).values()
    assert person.person.births == (ListedBirth(year_from=2521, year_to=2521, month=4),)
    assert person.notes == ("a birth date that is none", "a birth date that is none")


def test_countries_are_no_nationality_and_sanctions_are_not_read() -> None:
    person = persons(simple())["NK-utopia0001"].person
    assert person.nationalities == ()
    assert "UNMENTIONABLE" not in repr(person)


def test_line_numbers_count_lines_even_behind_a_cell_of_two_lines() -> None:
    assert rejects(simple()) == {
        "line 4": "not a person",
        "line 5": "not a person",
        "line 6": "14 cells, the first line has 16",
        "line 8": "no name",
    }


def test_a_cell_whose_quotes_are_wrong_is_left_out_and_the_person_is_taken() -> None:
    read_person = persons(simple())["NK-utopia0007"]
    assert names(read_person) == [("Marlo Wisz", "primary")]
    assert read_person.person.births == (ListedBirth(year_from=1961, year_to=1961),)
    assert sorted(read_person.notes) == ["a birth date that is none", "a cell whose values cannot be told apart"]


def test_columns_may_come_in_another_order_and_more_of_them() -> None:
    text = b"more,birth_date,aliases,name,schema,id\n,1990,,Marlo Wisz,Person,Q1\n"
    assert list(persons(read("opensanctions-csv", text))) == ["Q1"]


def test_a_byte_order_mark_and_windows_line_ends_are_no_part_of_the_csv() -> None:
    text = b"\xef\xbb\xbf" + HEADER.replace(b"\n", b"\r\n") + b"Q1,Person,Marlo Wisz,,\r\n"
    assert list(persons(read("opensanctions-csv", text))) == ["Q1"]


def test_a_stray_quote_costs_its_record_and_says_how_far_it_reached() -> None:
    text = HEADER + b'Q1,Person,"Marlo,,\nQ2,Person,"Wisz",,\nQ3,Person,Odo Wisz,,\n'
    items = read("opensanctions-csv", text)
    assert list(persons(items)) == ["Q3"]
    (place,) = rejects(items)
    assert place == "line 2"
    assert rejects(items)[place].endswith("to line 3")


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (b"", "nothing in it"),
        (b"id,schema,name\nQ1,Person,Marlo\n", "no column aliases, birth_date"),
        (b"id,id,schema,name,aliases,birth_date\n", "no column id"),
        (ENTITY, "no column"),
        (HEADER + b"Q1,Person,Marlo Wi", "middle of line 2"),
        (HEADER + b'Q1,Person,"Marlo Wisz\nand no end', "middle of line 3"),
        (HEADER + "Q1,Person,Éclair,,\n".encode("latin-1"), "line 2 is not UTF-8"),
        (HEADER.decode().encode("utf-16"), "line 1 is not UTF-8"),
    ],
)
def test_a_csv_that_is_broken_as_a_whole_is_refused(text: bytes, why: str) -> None:
    with pytest.raises(Malformed, match=why):
        read("opensanctions-csv", text)


# --- entities.ftm.json ------------------------------------------------------------------------------------------------


def test_an_entity_gives_names_by_quality_nationalities_and_sex() -> None:
    read_person = persons(ftm())["NK-utopia0001"]
    assert names(read_person) == [
        ("Zorban Quillfeather", "primary"),
        ("Zorban Kvilfezer", "good"),
        ("Zorban Inkwell", "good"),
        ("the Quill", "low"),
    ]
    assert (read_person.person.nationalities, read_person.person.sex) == (("URY", "PRY"), "M")
    assert "UNMENTIONABLE" not in repr(read_person)


def test_what_an_entity_says_and_no_box_could_use_is_noted() -> None:
    assert sorted(persons(ftm())["NK-utopia0001"].notes) == [
        "a nationality that is no known country",
        "a passport number without its country",
    ]


def test_documents_are_entities_of_their_own_before_or_after_their_holder() -> None:
    held = [(item.holder, item.document) for item in ftm() if isinstance(item, HeldDocument)]
    card = DocumentKey(issuer="URY", document_type="I", number="77001")
    assert held == [
        ("NK-utopia0001", DocumentKey(issuer="LAO", document_type="P", number="PA0098765")),
        ("NK-utopia0001", card),
        ("NK-nobody", card),
    ]


def test_a_document_of_a_whole_crowd_is_rejected() -> None:
    crowd = b",".join(b'"Q%d"' % number for number in range(33))
    text = b'{"id":"p","schema":"Passport","properties":{"holder":[%s],"number":["1","2"],"country":["la"]}}\n' % crowd
    assert rejects(read("opensanctions-ftm", text)) == {"line 1": "more than 64 holders and numbers in one document"}


def test_two_sexes_are_none() -> None:
    assert persons(ftm())["NK-utopia0006"].person.sex == ""


def test_each_line_that_is_not_taken_has_its_reason() -> None:
    found = rejects(ftm())
    assert found.pop("line 8").startswith("Expected `array`, got `str`")
    assert found.pop("line 7").startswith("JSON is malformed")
    assert found == {
        "line 3": "not a person",
        "line 4": "not a person",
        "line 5": "known for a role only, sought by nobody",
        "line 6": "not a target of any list",
        "line 10": "a document whose one country or whose number is not known",
    }


def test_a_line_too_long_is_rejected_and_the_next_is_read() -> None:
    items = read("opensanctions-ftm", ENTITY + b"x" * (LINE_BYTES_MAX + 5) + b"\n" + ENTITY.replace(b"Q1", b"Q2"))
    assert rejects(items) == {"line 2": f"more than {LINE_BYTES_MAX} bytes"}
    assert list(persons(items)) == ["Q1", "Q2"]


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (b"", "nothing in it"),
        (HEADER, "first line is no entity"),
        (b"[" + ENTITY + b"]", "first line is no entity"),
        (b"[" * 100_000 + b"\n", "first line is no entity"),
        (ENTITY + ENTITY[:40], "middle of line 2"),
        (ENTITY + ENTITY.replace(b"Marlo", b"Marl\xe9"), "line 2 is not UTF-8"),
        (ENTITY.decode().encode("utf-16"), "not UTF-8"),
    ],
)
def test_entities_that_are_broken_as_a_whole_are_refused(text: bytes, why: str) -> None:
    with pytest.raises(Malformed, match=why):
        read("opensanctions-ftm", text)
