"""Stage 3 of 8: examine - expiry and birth, as far as the clock is to be believed (I9).

Expired before the proven lower bound is expired, whatever the clock says; otherwise an untrusted clock makes the answer
inconclusive, and that alone never refers.
"""

import calendar
from datetime import date
from typing import Final

from appliance.clock import Instant
from appliance.examine.findings import DATE_OF_BIRTH, EXPIRY
from appliance.examine.subject import Subject, found
from appliance.judged import Answer, Finding
from appliance.model import DocumentFormat, PartialDate
from appliance.parse.dates import is_misprinted

AGE_YEARS_MAX: Final = 125
"""Nobody has been documented to live longer (122 years)."""


def examine_expiry(subject: Subject) -> Finding:
    """Valid to the end of the day of expiry; of a month or year where no more is known."""
    printed = subject.document.date_of_expiry
    if subject.document.format is DocumentFormat.FRA_ID or printed is None:
        return found(EXPIRY, Answer.NOT_APPLICABLE, "This kind of document prints no expiry here. Look at the page.")
    if not subject.typed and is_misprinted(printed):
        return found(EXPIRY, Answer.FAILED, "The date of expiry is no day of the calendar.", _raw(printed))
    last = _last_day(printed)
    if last is None:
        return found(EXPIRY, Answer.INCONCLUSIVE, "No date of expiry is given. Look at the page.", _raw(printed))
    return _against_clock(printed, last, subject.now)


def _against_clock(printed: PartialDate, last: date, now: Instant) -> Finding:
    """What is proven goes first; what the clock claims counts where somebody vouches for it."""
    evidence = (_raw(printed), f"last day {last.isoformat()}", printed.rule)
    if last < now.lower_bound_date:
        proven = f"proven: it is {now.lower_bound_date.isoformat()} or later"
        return found(EXPIRY, Answer.FAILED, f"Expired on {_day(last)}.", *evidence, proven)
    if not now.trusted:
        words = f"The box is not sure of today's date. Valid until {_day(last)}: compare it yourself."
        return found(EXPIRY, Answer.INCONCLUSIVE, words, *evidence)
    if last < now.today:
        return found(EXPIRY, Answer.FAILED, f"Expired on {_day(last)}.", *evidence)
    return found(EXPIRY, Answer.PASSED, f"Valid until {_day(last)}.", *evidence)


def examine_date_of_birth(subject: Subject) -> Finding:
    """A day of the calendar, not in the future, before the expiry, within a human life."""
    printed = subject.document.date_of_birth
    if printed is None or (printed.year is None and (subject.typed or not is_misprinted(printed))):
        return found(DATE_OF_BIRTH, Answer.NOT_APPLICABLE, "The year of birth is not given; that is allowed.")
    if not subject.typed and is_misprinted(printed):
        return found(DATE_OF_BIRTH, Answer.FAILED, "The date of birth is no day of the calendar.", _raw(printed))
    assert printed.year is not None  # the first question has answered for it
    first = date(printed.year, printed.month or 1, 1 if printed.full is None else printed.full.day)
    expiry = subject.document.date_of_expiry
    last = None if expiry is None else _last_day(expiry)
    evidence = (_raw(printed), printed.rule)
    if last is not None and first > last:
        return found(DATE_OF_BIRTH, Answer.FAILED, "The holder is born after the document expires.", *evidence)
    if subject.now.lower_bound_date.year - first.year > AGE_YEARS_MAX:
        return found(DATE_OF_BIRTH, Answer.FAILED, f"The holder is over {AGE_YEARS_MAX} years old.", *evidence)
    if first > subject.now.today:
        answer = Answer.FAILED if subject.now.trusted else Answer.INCONCLUSIVE
        return found(DATE_OF_BIRTH, answer, "The date of birth is in the future by the box's clock.", *evidence)
    return found(DATE_OF_BIRTH, Answer.PASSED, "The date of birth is possible.", *evidence)


def _day(day: date) -> str:
    """As the officer reads a day: 3 November 2026."""
    return f"{day.day} {day:%B} {day.year}"


def _last_day(printed: PartialDate) -> date | None:
    """The last day that a partly known date can mean; None without a year."""
    if printed.year is None:
        return None
    if printed.full is not None:
        return printed.full
    month = printed.month or 12
    return date(printed.year, month, calendar.monthrange(printed.year, month)[1])


def _raw(printed: PartialDate) -> str:
    return f"given as {printed.raw}" if printed.raw else "not given"
