"""Stage 2 of 8: parse - two-digit years, unknown parts, and what an officer types; the raw text and the rule are kept.

Doc 9303-3 §4.8 (YYMMDD, unknown parts as fillers). Which century is not in the standard: a birth lies in the latest
century that is not in the future, an expiry within [scan - 50 years, scan + 49 years].
"""

import re
from datetime import date
from typing import Final

from appliance.clock import Instant
from appliance.errors import Malformed
from appliance.model import PartialDate
from appliance.parse.characters import DIGITS, FILLER

BUDDHIST_OFFSET: Final = 543
BUDDHIST_YEAR_MIN: Final = 2400
"""A typed year from here on is Buddhist: as a Gregorian one it would lie three centuries ahead."""
TYPED_YEAR_MIN: Final = 1850
THAI_REFORM_YEAR: Final = 1941
"""From 1 January 1941 Thai years begin in January; before, they began in April."""
_TYPED: Final = re.compile(r"([0-9]{4})(?:-([0-9]{2})(?:-([0-9]{2}))?)?", re.ASCII)


def scan_date(now: Instant) -> date:
    """The day against which centuries are judged: today where the clock is trusted, else the proven lower bound."""
    return now.today if now.trusted else now.lower_bound_date


def parse_birth(raw: str, now: Instant) -> PartialDate:
    """Six characters YYMMDD; unknown parts are fillers."""
    today = scan_date(now)
    two_digits, month, day = _parts(raw)
    if two_digits is None:
        return _partial(raw, None, month, day, rule="year unknown")
    year = today.year - (today.year - two_digits) % 100
    if (year, month or 1, day or 1) > (today.year, today.month, today.day):
        year -= 100
    return _partial(raw, year, month, day, rule=f"latest century not after {today.isoformat()}")


def parse_expiry(raw: str, now: Instant) -> PartialDate:
    """Six characters YYMMDD; all fillers where the document has no expiry."""
    today = scan_date(now)
    two_digits, month, day = _parts(raw)
    if two_digits is None:
        return _partial(raw, None, month, day, rule="year unknown")
    first = today.year - 50
    year = first + (two_digits - first) % 100
    return _partial(raw, year, month, day, rule=f"within 50 years before and 49 after {today.year}")


def parse_typed_date(raw: str) -> PartialDate:
    """What an officer typed: YYYY, YYYY-MM, YYYY-MM-DD or nothing; a Buddhist year is recognised.

    Raises:
        Malformed: Another form, a month or day that does not exist, or a year that neither calendar can mean.
    """
    if not raw:
        return _partial(raw, None, None, None, rule="not given")
    match = _TYPED.fullmatch(raw)
    if match is None:
        raise Malformed("typed date", "YYYY-MM-DD, YYYY-MM or YYYY is expected")
    year, month, day = (None if part is None else int(part) for part in match.groups())
    assert year is not None  # the pattern's first group is not optional
    rule = "as typed"
    if year >= BUDDHIST_YEAR_MIN:
        rule = f"Buddhist year {year} is {year - BUDDHIST_OFFSET}"
        year -= BUDDHIST_OFFSET
        if year < THAI_REFORM_YEAR:
            rule += "; Thai years before 1941 ran from April, so January to March may be a year later"
    if not TYPED_YEAR_MIN <= year <= BUDDHIST_YEAR_MIN - 1:
        raise Malformed("typed date", f"year not in {TYPED_YEAR_MIN} to {BUDDHIST_YEAR_MIN - 1}, nor a Buddhist one")
    typed = _partial(raw, year, month, day, rule=rule)
    if (typed.month, typed.day) != (month, day) or (day is not None and typed.full is None):
        raise Malformed("typed date", "there is no such day")
    return typed


def _parts(raw: str) -> tuple[int | None, int | None, int | None]:
    """Year of the century, month, day; None for a part that is not two digits."""
    pairs = (raw[0:2], raw[2:4], raw[4:6])
    year, month, day = (int(pair) if set(pair) <= DIGITS else None for pair in pairs)
    return year, month, day


def _partial(raw: str, year: int | None, month: int | None, day: int | None, *, rule: str) -> PartialDate:
    """A month or day outside the calendar is unknown here; `is_misprinted` still sees it in the raw text."""
    return PartialDate(
        raw=raw,
        year=year,
        month=month if month is not None and 1 <= month <= 12 else None,
        day=day if day is not None and 1 <= day <= 31 else None,
        rule=rule,
    )


def is_misprinted(printed: PartialDate) -> bool:
    """Whether the six characters say something that no calendar knows: month 13, 30 February, a letter.

    Fillers and zeros in a pair mean unknown, not misprinted: some issuers print 00 for an unknown month or day.
    """
    year, month, day = printed.raw[0:2], printed.raw[2:4], printed.raw[4:6]
    unknown = {FILLER * 2, "00"}
    if printed.year is None and year != FILLER * 2:
        return True
    if (printed.month is None and month not in unknown) or (printed.day is None and day not in unknown):
        return True
    return None not in (printed.year, printed.month, printed.day) and printed.full is None
