"""Stage 2 of 8: parse - the check digits of one zone: which positions each covers, printed against computed.

Doc 9303-3 §4.9; long document numbers Doc 9303-5 §4.2.4 and 9303-6 §4.2.4 (note j in both).
"""

from typing import Final

from msgspec import Struct

from appliance.model import CheckDigit, CheckedField
from appliance.parse.characters import FILLER, compute_check_digit
from appliance.parse.layouts import CheckRule, Layout

WEIGHS_THE_FILLER: Final = frozenset({"PRT"})
"""Issuers whose long numbers were computed with the filler of the check digit position counted as a place: Portuguese
citizen cards (specimen 000024759<ZZ72: over 000024759ZZ7 it would be 0)."""


class LongNumber(Struct, frozen=True, kw_only=True):
    """How a document number goes on in the optional data.

    Attributes:
        rest_start: Position of the tenth character.
        check_at: Position of its check digit: the last character before the filler that ends it.
    """

    rest_start: int
    check_at: int


class Check(Struct, frozen=True, kw_only=True):
    """One check digit of one zone, its positions resolved: the digit at `at` is over `covers`, in this order."""

    field: CheckedField
    covers: tuple[int, ...]
    at: int
    blank_allowed: bool


def long_number(text: str, layout: Layout) -> LongNumber | None:
    """Where a long number goes on: a filler stands for its check digit and the optional data begins with its rest."""
    start, end = layout.optional[0]
    if not layout.long_number or text[layout.number[1]] != FILLER or text[layout.number[1] - 1] == FILLER:
        return None
    filler = text.find(FILLER, start, end)
    after = end if filler == -1 else filler
    return LongNumber(rest_start=start, check_at=after - 1) if after - start >= 2 else None


def resolve_checks(text: str, layout: Layout) -> tuple[Check, ...]:
    """The checks of this zone, in the layout's order."""
    long = long_number(text, layout)
    return tuple(
        _number_check(text, layout, long)
        if long is not None and rule.field == "document_number"
        else _check(text, rule)
        for rule in layout.checks
    )


def compare(text: str, check: Check) -> CheckDigit:
    """The check digit as printed and as computed."""
    return CheckDigit(
        field=check.field,
        printed=text[check.at],
        computed=compute_check_digit([text[place] for place in check.covers]),
        blank_allowed=check.blank_allowed,
    )


def _check(text: str, rule: CheckRule) -> Check:
    covers = tuple(place for start, end in rule.covers for place in range(start, end))
    empty = all(text[place] == FILLER for place in covers)
    return Check(field=rule.field, covers=covers, at=rule.at, blank_allowed=rule.blank_when_empty and empty)


def _number_check(text: str, layout: Layout, long: LongNumber) -> Check:
    start, end = layout.number
    rest = range(long.rest_start, long.check_at)
    check = Check(field="document_number", covers=(*range(start, end), *rest), at=long.check_at, blank_allowed=False)
    if text[slice(*layout.issuing_state)] in WEIGHS_THE_FILLER and not compare(text, check).holds:
        return Check(field=check.field, covers=(*range(start, end + 1), *rest), at=check.at, blank_allowed=False)
    return check
