"""Stage 3 of 8: examine - is a document valid for longer than its issuer issues them for?

The printed lines have no date of issue. What was issued has been issued by today, so a document that is valid until
later than today plus the longest validity was never issued so. Whoever is a child today was one at issue, too. An
untrusted clock proves nothing of that kind (I9), except that all is well: today is the proven lower bound or later.
"""

import calendar
from datetime import date, timedelta
from typing import Final

from appliance.examine.findings import VALIDITY
from appliance.examine.issuers import FACTS, ValidityRule, validity_rule
from appliance.examine.subject import Subject, found
from appliance.judged import Answer, Finding
from appliance.model import DocumentFormat, PartialDate

GENERAL_YEARS: Final = 10
"""What the ICAO recommends as the longest validity of a passport; some issuers grant more, so it is a notice."""
GENERAL_CARRIED_MONTHS: Final = 12
GRACE: Final = timedelta(days=31)
"""Documents are dated ahead by some days, and validity counted from a birthday."""


def examine_validity(subject: Subject) -> Finding:
    """Against the row of issuers.toml; other passports against the ICAO's ten years, as a notice."""
    document = subject.document
    rule = validity_rule(document.issuing_state, document.document_code)
    expiry = document.date_of_expiry.full if document.date_of_expiry else None
    if document.format is DocumentFormat.FRA_ID or expiry is None:
        return found(VALIDITY, Answer.NOT_APPLICABLE, "This document gives no day of expiry.")
    if rule is None and not document.document_code.startswith("P"):
        return found(VALIDITY, Answer.NOT_APPLICABLE, "No public source says how long this document is valid at most.")
    if rule is None:
        return _judge_by_general_rule(subject, expiry)
    return _judge(subject, expiry, rule)


def _judge(subject: Subject, expiry: date, rule: ValidityRule) -> Finding:
    now = subject.now
    years, whose = _longest(rule, subject.document.date_of_birth, now.today if now.trusted else None)
    evidence = (f"at most {years} years{whose}", f"valid until {expiry.isoformat()}", rule.source, FACTS.evidence)
    if expiry <= _latest(now.today if now.trusted else now.lower_bound_date, years, rule.carried_months):
        return found(VALIDITY, Answer.PASSED, "The document is valid for no longer than its issuer allows.", *evidence)
    if not now.trusted:
        words = "The box is not sure of today's date. Is this document valid for longer than its issuer allows?"
        return found(VALIDITY, Answer.INCONCLUSIVE, words, *evidence)
    words = f"This issuer's documents are valid for {years} years at most{whose}; this one is for longer."
    return found(VALIDITY, Answer.FAILED, words, *evidence)


def _judge_by_general_rule(subject: Subject, expiry: date) -> Finding:
    now = subject.now
    latest = _latest(now.today if now.trusted else now.lower_bound_date, GENERAL_YEARS, GENERAL_CARRIED_MONTHS)
    evidence = (f"valid until {expiry.isoformat()}", "no row for this issuer", FACTS.evidence)
    if expiry <= latest:
        return found(VALIDITY, Answer.PASSED, "The passport is valid for no longer than ten years.", *evidence)
    words = "The passport is valid for longer than the ten years that are usual. Compare the dates on the page."
    return found(VALIDITY, Answer.INCONCLUSIVE, words, *evidence)


def _longest(rule: ValidityRule, born: PartialDate | None, today: date | None) -> tuple[int, str]:
    """Years, and for whom in words: a child's where the holder is one today."""
    day = born.full if born else None
    if today is None or day is None or rule.young_under is None or rule.young_years is None:
        return rule.years, ""
    if _add(day, rule.young_under, 0) > today:
        return rule.young_years, f" below the age of {rule.young_under}"
    return rule.years, ""


def _latest(today: date, years: int, months: int) -> date:
    return _add(today, years, months) + GRACE


def _add(day: date, years: int, months: int) -> date:
    """So many years and months later; the last day of a month that has no such day."""
    month = day.month - 1 + months
    year, month = day.year + years + month // 12, month % 12 + 1
    return date(year, month, min(day.day, calendar.monthrange(year, month)[1]))
