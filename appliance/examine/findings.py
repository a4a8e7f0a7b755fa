"""Stage 3 of 8: examine - every check of a document declared once: what it asks, when it refers, what to do next.

A check answers passed, failed, inconclusive, not applicable or unavailable (BSI TR-03135). Which answers refer is
declared here and nowhere else; any other answer than "passed" and "not applicable" is a notice. There is no single
"genuine" answer, and no check looks at where a person comes from (I6): codes are asked whether they exist, never which
they are.
"""

from typing import Final

from msgspec import Struct

from appliance.model import Answer, Finding


class Check(Struct, frozen=True, kw_only=True):
    """One kind of finding.

    Attributes:
        id: Stable identifier, `Finding.check`.
        asks: What it asks of the document.
        refers_when: The answers that refer.
        next_step: What the officer does then, one sentence in the imperative.
        source: The clause it implements.
    """

    id: str
    asks: str
    refers_when: frozenset[Answer]
    next_step: str
    source: str


_FAILED: Final = frozenset({Answer.FAILED})

CHECK_DIGITS: Final = Check(
    id="check_digits",
    asks="Does each check digit agree with what it covers, as read?",
    # Inconclusive: they agree after one look-alike is exchanged. A misread page and a changed one look the same here.
    refers_when=frozenset({Answer.FAILED, Answer.INCONCLUSIVE}),
    next_step="Lay the document again; if it stays, compare the printed lines with the page, with a lens.",
    source="Doc 9303-3 §4.9",
)
EXPIRY: Final = Check(
    id="expiry",
    asks="Is the day of expiry still to come?",
    # Inconclusive: the clock is not trusted and nothing is proven. That alone never refers (I9).
    refers_when=_FAILED,
    next_step="Compare the date of expiry on the page with today's date.",
    source="Doc 9303-3 §4.8; formats.md, Time",
)
DATE_OF_BIRTH: Final = Check(
    id="date_of_birth",
    asks="Is the date of birth one that a holder of this document can have?",
    refers_when=_FAILED,
    next_step="Compare the date of birth on the page with the printed lines and with the person.",
    source="Doc 9303-3 §4.8",
)
ISSUING_STATE: Final = Check(
    id="issuing_state",
    asks="Is the issuer's code one that issues documents?",
    refers_when=_FAILED,
    next_step="Look at who issued the document, and ask the supervisor whether it is accepted.",
    source="Doc 9303-3 §5",
)
NATIONALITY: Final = Check(
    id="nationality",
    asks="Does the nationality's code exist?",
    refers_when=_FAILED,
    next_step="Compare the nationality on the page with the printed lines.",
    source="Doc 9303-3 §5",
)
SPECIMEN: Final = Check(
    id="specimen",
    asks="Is this a real document, not a specimen?",
    refers_when=_FAILED,
    next_step="Keep the document and call the supervisor.",
    source="Doc 9303-3 §5 (UTO)",
)
PRINTED_LINES: Final = Check(
    id="printed_lines",
    asks="Do the lines keep the rules for characters and fillers?",
    refers_when=_FAILED,
    next_step="Lay the document again; if it stays, look at the printed lines with a lens.",
    source="Doc 9303-3 §4.3, §4.6; 9303-4 to 7 §4.2.2",
)
REPAIRED_CHARACTERS: Final = Check(
    id="repaired_characters",
    asks="Was every character read as it can stand there?",
    refers_when=frozenset(),
    next_step="Compare the marked characters with the page.",
    source="documents.md §1, repair",
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


def refers(finding: Finding) -> bool:
    """Whether this finding alone sends the document to a person's eyes."""
    return finding.answer in CHECKS[finding.check].refers_when


def is_notice(finding: Finding) -> bool:
    """Whether the officer may want to look at it, though it refers nobody."""
    return not refers(finding) and finding.answer not in (Answer.PASSED, Answer.NOT_APPLICABLE)
