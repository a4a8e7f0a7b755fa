"""Bands of persons, field by field, and what may never make or raise one (I6)."""

import pytest

from appliance.formats.lists import ListedBirth, ListedPerson
from appliance.formats.person_index import pack_birth
from appliance.judged import Band
from appliance.model import PartialDate, TravelDocument
from appliance.parse.dates import parse_typed_date
from appliance.screen.births import BirthVerdict, compare_births
from tests.screen_world import birth, born, laid, person, persons

NAME = "Khampheng Phommasack"
FULL = (birth(1978, 4, 12),)


def band(document: TravelDocument, listed: ListedPerson) -> Band | None:
    found = persons(listed).match(document)
    return found[0].band if found else None


def test_name_and_full_birth_date_are_strong() -> None:
    assert band(laid(), person(NAME, births=FULL)) is Band.STRONG


def test_alike_name_and_full_birth_date_are_possible() -> None:
    # One letter of nine and of ten differs: the name is about .89 alike, under the .92 of STRONG.
    assert band(laid("PHOMMATACK<<KHAMPHONG"), person(NAME, births=FULL)) is Band.POSSIBLE


@pytest.mark.parametrize(
    ("traveller", "listed"),
    [
        ("1978-04-12", (birth(1978),)),  # only the year is listed
        ("1978-04-12", (birth(1976, to=1980),)),  # between two years
        ("1978-12-04", FULL),  # day and month swapped
        ("1978-09-30", FULL),  # the year fits
        ("1978", FULL),  # the document knows only the year
        ("1978-04-12", ()),  # the list knows no date
        ("", FULL),  # the document knows no date
        ("1978-04-12", (birth(1950, 1, 1), birth(1978))),  # one of two dates fits
    ],
)
def test_what_can_be_the_same_birth_is_possible(traveller: str, listed: tuple[ListedBirth, ...]) -> None:
    assert band(laid(birth=traveller), person(NAME, births=listed)) is Band.POSSIBLE


@pytest.mark.parametrize("traveller", ["1979-04-12", "1950"])
def test_another_year_of_birth_leaves_the_name_alone(traveller: str) -> None:
    assert band(laid(birth=traveller), person(NAME, births=FULL)) is Band.WEAK


def test_another_name_is_nobody_whatever_else_agrees() -> None:
    listed = person(NAME, births=FULL, nationalities=("LAO",), sex="M")
    assert band(laid("KEOMANY<<BOUNMY", nationality="LAO", sex="M"), listed) is None


def test_a_low_quality_alias_needs_a_birth_date() -> None:
    assert band(laid(), person(NAME, quality="low")) is Band.WEAK
    assert band(laid(), person(NAME, quality="low", births=(birth(1978),))) is Band.POSSIBLE
    assert band(laid(), person(NAME, quality="low", births=FULL)) is Band.STRONG


def test_a_common_name_with_a_year_only_drops_one_band() -> None:
    common = person("Mohammed Ali Hassan", births=(birth(1978),))
    assert band(laid("ALI<<MOHAMMED<HASSAN"), common) is Band.WEAK
    full = person("Mohammed Ali Hassan", births=FULL)
    assert band(laid("ALI<<MOHAMMED<HASSAN"), full) is Band.STRONG


@pytest.mark.parametrize("field", [{"nationality": "VNM"}, {"sex": "F"}, {"nationality": "VNM", "sex": "F"}])
def test_a_contradicting_nationality_or_sex_lowers_one_band_once(field: dict[str, str]) -> None:
    listed = person(NAME, births=FULL, nationalities=("LAO",), sex="M")
    assert band(laid(**field), listed) is Band.POSSIBLE


@pytest.mark.parametrize("nationality", ["", "LAO", "VNM", "UTO"])
@pytest.mark.parametrize("sex", ["", "M", "F", "X"])
def test_nationality_and_sex_never_raise_a_band(nationality: str, sex: str) -> None:
    order = [None, Band.WEAK, Band.POSSIBLE, Band.STRONG]
    for births in (FULL, (birth(1978),), (), (birth(1950),)):
        listed = person(NAME, births=births, nationalities=("LAO",), sex="M")
        plain = band(laid(), listed)
        assert order.index(band(laid(nationality=nationality, sex=sex), listed)) <= order.index(plain)


def test_germany_is_one_nationality_in_both_spellings() -> None:
    listed = person("Erika Mustermann", births=(birth(1964, 8, 12),), nationalities=("DEU",))
    document = laid("MUSTERMANN<<ERIKA", birth="1964-08-12", nationality="D")
    assert band(document, listed) is Band.STRONG


def test_fields_stand_side_by_side_for_a_replay() -> None:
    listed = person(NAME, births=FULL, nationalities=("LAO",), sex="M")
    (match,) = persons(listed).match(laid(nationality="LAO"))
    assert [(field.field, field.traveller, field.listed, field.verdict) for field in match.fields] == [
        ("name", "PHOMMASACK KHAMPHENG", "KHAMPHENG PHOMMASACK", "equal"),
        ("date_of_birth", "1978-04-12", "1978-04-12", "equal"),
        ("nationality", "LAO", "LAO", "equal"),
        ("sex", "", "M", "absent"),
    ]


def test_one_match_a_person_by_the_best_of_its_names() -> None:
    listed = person("Khampheng Phomasak", NAME, "Phommasack", births=FULL)
    (match,) = persons(listed).match(laid())
    assert (match.band, match.fields[0].verdict) == (Band.STRONG, "equal")


def test_the_best_match_comes_first() -> None:
    weak, strong = person(NAME, births=(birth(1950),), entry="1"), person(NAME, births=FULL, entry="2")
    assert [match.entry for match in persons(weak, strong).match(laid())] == ["2", "1"]


def test_a_mononym_is_found_by_its_only_name() -> None:
    assert band(laid("ARDALION"), person("Ardalion", births=FULL)) is Band.STRONG


@pytest.mark.parametrize(
    ("traveller", "listed", "verdict"),
    [
        ("1978-04-12", birth(1978, 4, 12), BirthVerdict.EQUAL),
        ("1978-12-04", birth(1978, 4, 12), BirthVerdict.SWAPPED),
        ("1978-04-11", birth(1978, 4, 12), BirthVerdict.YEAR),
        ("1978-04", birth(1978, 4), BirthVerdict.YEAR),
        ("1978", birth(1978, 4, 12), BirthVerdict.YEAR),
        ("1978-04-12", birth(1977, to=1979), BirthVerdict.YEAR),
        ("1976-04-12", birth(1977, to=1979), BirthVerdict.CONTRADICTS),
        ("1980-04-12", birth(1977, to=1979), BirthVerdict.CONTRADICTS),
        ("", birth(1978, 4, 12), BirthVerdict.ABSENT),
    ],
)
def test_births_side_by_side(traveller: str, listed: ListedBirth, verdict: BirthVerdict) -> None:
    assert compare_births(born(traveller), (pack_birth(listed),))[0] is verdict


@pytest.mark.parametrize(
    ("typed", "listed", "verdict"),
    [
        ("2521-04-12", birth(1978, 4, 12), BirthVerdict.EQUAL),
        ("2521", birth(1978, 4, 12), BirthVerdict.YEAR),
        ("2521-04-12", birth(1979), BirthVerdict.CONTRADICTS),
        ("2480", birth(1938, 2, 3), BirthVerdict.YEAR),  # April 1937 to March 1938
        ("2480-02", birth(1938), BirthVerdict.YEAR),
        ("2480-05", birth(1938), BirthVerdict.CONTRADICTS),
        ("2480", birth(1939), BirthVerdict.CONTRADICTS),
        ("2484-02", birth(1942), BirthVerdict.CONTRADICTS),  # from 1941 on, years begin in January
    ],
)
def test_buddhist_years_that_an_officer_typed(typed: str, listed: ListedBirth, verdict: BirthVerdict) -> None:
    assert compare_births(parse_typed_date(typed), (pack_birth(listed),))[0] is verdict


@pytest.mark.parametrize("day", [f"24{month:02d}{day:02d}" for month in (1, 2, 3, 12) for day in (1, 28)])
def test_six_characters_of_a_zone_are_no_buddhist_year(day: str) -> None:
    printed = PartialDate(raw=day, year=2024, month=int(day[2:4]), day=int(day[4:]), rule="as written")
    assert compare_births(printed, (pack_birth(birth(2025)),))[0] is BirthVerdict.CONTRADICTS
