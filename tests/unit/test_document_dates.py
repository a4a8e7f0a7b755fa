"""Centuries, unknown parts, Buddhist years: expected values by hand."""

from datetime import UTC, date, datetime

import pytest

from appliance.clock import Grade, Instant
from appliance.errors import Malformed
from appliance.model import PartialDate
from appliance.parse.dates import is_misprinted, parse_birth, parse_expiry, parse_typed_date, scan_date


def at(day: str, *, grade: Grade = Grade.NETWORK, proven: str = "2026-10-26") -> Instant:
    """Noon of a day, by a clock of this grade."""

    def milliseconds(text: str) -> int:
        return int(datetime.fromisoformat(f"{text}T12:00:00").replace(tzinfo=UTC).timestamp() * 1000)

    return Instant(
        wall_ms=milliseconds(day), grade=grade, lower_bound_ms=milliseconds(proven), boot_id="0" * 32, boot_ms=1
    )


def parts(printed: PartialDate) -> tuple[int | None, int | None, int | None]:
    return printed.year, printed.month, printed.day


@pytest.mark.parametrize(
    ("raw", "year"),
    [("261121", 2026), ("261122", 1926), ("270101", 1927), ("000101", 2000), ("991231", 1999), ("26<<<<", 2026)],
)
def test_a_birth_lies_in_the_latest_century_that_is_not_in_the_future(raw: str, year: int) -> None:
    born = parse_birth(raw, at("2026-11-21"))
    assert born.year == year
    assert born.raw == raw
    assert born.rule == "latest century not after 2026-11-21"


@pytest.mark.parametrize(("raw", "year"), [("760101", 1976), ("761231", 1976), ("751231", 2075), ("261120", 2026)])
def test_an_expiry_lies_within_fifty_years_before_and_forty_nine_after(raw: str, year: int) -> None:
    assert parse_expiry(raw, at("2026-11-21")).year == year


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        ("740812", (1974, 8, 12)),
        ("7408<<", (1974, 8, None)),
        ("74<<<<", (1974, None, None)),
        ("<<<<<<", (None, None, None)),
        ("740000", (1974, None, None)),
        ("<<0812", (None, 8, 12)),
    ],
)
def test_unknown_parts_are_none_and_no_misprint(raw: str, expected: tuple[int | None, ...]) -> None:
    born = parse_birth(raw, at("2026-11-21"))
    assert parts(born) == expected
    assert not is_misprinted(born)


@pytest.mark.parametrize("raw", ["741312", "740230", "740832", "74A8<<", "A40812", "7<0812", "74<1<<"])
def test_what_no_calendar_knows_is_a_misprint(raw: str) -> None:
    assert is_misprinted(parse_birth(raw, at("2026-11-21")))


def test_a_leap_day_is_a_day() -> None:
    assert parse_birth("000229", at("2026-11-21")).full == date(2000, 2, 29)


def test_a_clock_that_nobody_vouches_for_decides_no_century() -> None:
    wrong = at("2080-01-01", grade=Grade.NONE)
    assert scan_date(wrong) == date(2026, 10, 26)
    assert parse_birth("740812", wrong).year == 1974
    behind = at("1970-01-01", grade=Grade.RTC)
    assert parse_birth("740812", behind).year == 1974


@pytest.mark.parametrize(
    ("typed", "expected", "rule"),
    [
        ("1987-06-05", (1987, 6, 5), "as typed"),
        ("1987-06", (1987, 6, None), "as typed"),
        ("1987", (1987, None, None), "as typed"),
        ("", (None, None, None), "not given"),
        ("2530-06-05", (1987, 6, 5), "Buddhist year 2530 is 1987"),
        ("2572", (2029, None, None), "Buddhist year 2572 is 2029"),
        ("2547-02-29", (2004, 2, 29), "Buddhist year 2547 is 2004"),
    ],
)
def test_typed_dates_and_buddhist_years(typed: str, expected: tuple[int | None, ...], rule: str) -> None:
    given = parse_typed_date(typed)
    assert (parts(given), given.raw, given.rule) == (expected, typed, rule)


def test_an_early_thai_year_says_what_it_cannot_know() -> None:
    assert parse_typed_date("2480-02-01").year == 1937
    assert "may be a year later" in parse_typed_date("2480-02-01").rule


@pytest.mark.parametrize(
    "typed",
    ["05.06.1987", "1987-13", "1987-00", "1987-02-30", "2548-02-29", "0000", "1849", "87", "1987-6-5", "١٩٨٧", "x"],
)
def test_what_is_no_typed_date_is_malformed(typed: str) -> None:
    with pytest.raises(Malformed, match="typed date"):
        parse_typed_date(typed)
