"""Stage 3 of 8: examine - every check of a document declared once: its identifier, what it asks, and its source.

A check answers passed, failed, inconclusive, not applicable or unavailable (BSI TR-03135). Failed refers; inconclusive
is a notice that refers nobody. There is no single "genuine" answer, and no check looks at where a person comes from
(I6): codes are asked whether they exist, never which they are.
"""

from typing import Final

from msgspec import Struct


class Check(Struct, frozen=True, kw_only=True):
    """One kind of finding.

    Attributes:
        id: Stable identifier, `Finding.check`.
        asks: What it asks of the document.
        source: The clause it implements.
    """

    id: str
    asks: str
    source: str


CHECK_DIGITS: Final = Check(
    id="check_digits",
    asks="Does each check digit agree with what it covers, as read?",
    source="Doc 9303-3 §4.9",
)
EXPIRY: Final = Check(
    id="expiry",
    asks="Is the day of expiry still to come?",
    source="Doc 9303-3 §4.8; I9",
)
DATE_OF_BIRTH: Final = Check(
    id="date_of_birth",
    asks="Is the date of birth one that a holder of this document can have?",
    source="Doc 9303-3 §4.8",
)
ISSUING_STATE: Final = Check(
    id="issuing_state",
    asks="Is the issuer's code one that issues documents?",
    source="Doc 9303-3 §5",
)
NATIONALITY: Final = Check(
    id="nationality",
    asks="Does the nationality's code exist?",
    source="Doc 9303-3 §5",
)
SPECIMEN: Final = Check(
    id="specimen",
    asks="Is this a real document, not a specimen?",
    source="Doc 9303-3 §5 (UTO)",
)
PRINTED_LINES: Final = Check(
    id="printed_lines",
    asks="Do the lines keep the rules for characters and fillers?",
    source="Doc 9303-3 §4.3, §4.6; 9303-4 to 7 §4.2.2",
)
REPAIRED_CHARACTERS: Final = Check(
    id="repaired_characters",
    asks="Was every character read as it can stand there?",
    source="appliance/parse/repair.py",
)

CHECKS: Final = {
    check.id: check
    for check in (
        CHECK_DIGITS,
        EXPIRY,
        DATE_OF_BIRTH,
        ISSUING_STATE,
        NATIONALITY,
        SPECIMEN,
        PRINTED_LINES,
        REPAIRED_CHARACTERS,
    )
}
"""All checks by id, in the order in which they are answered."""
