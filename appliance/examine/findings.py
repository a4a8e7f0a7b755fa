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
        next_step: What the officer does when it has failed: one sentence in the imperative.
        source: The clause it implements.
    """

    id: str
    asks: str
    next_step: str
    source: str


CHECK_DIGITS: Final = Check(
    id="check_digits",
    asks="Does each check digit agree with what it covers, as read?",
    next_step="Lay the document again; if it stays, compare the printed lines with the page, with a lens.",
    source="Doc 9303-3 §4.9",
)
EXPIRY: Final = Check(
    id="expiry",
    asks="Is the day of expiry still to come?",
    next_step="Compare the date of expiry on the page with today's date, and follow your post's rule.",
    source="Doc 9303-3 §4.8; I9",
)
DATE_OF_BIRTH: Final = Check(
    id="date_of_birth",
    asks="Is the date of birth one that a holder of this document can have?",
    next_step="Compare the date of birth on the page with the printed lines and with the person.",
    source="Doc 9303-3 §4.8",
)
ISSUING_STATE: Final = Check(
    id="issuing_state",
    asks="Is the issuer's code one that issues documents?",
    next_step="Look at who issued the document, and ask the supervisor whether it is accepted.",
    source="Doc 9303-3 §5",
)
NATIONALITY: Final = Check(
    id="nationality",
    asks="Does the nationality's code exist?",
    next_step="Compare the nationality on the page with the printed lines.",
    source="Doc 9303-3 §5",
)
SPECIMEN: Final = Check(
    id="specimen",
    asks="Is this a real document, not a specimen?",
    next_step="Keep the document and call the supervisor.",
    source="Doc 9303-3 §5 (UTO)",
)
PRINTED_LINES: Final = Check(
    id="printed_lines",
    asks="Do the lines keep the rules for characters and fillers?",
    next_step="Lay the document again; if it stays, look at the printed lines with a lens.",
    source="Doc 9303-3 §4.3, §4.6; 9303-4 to 7 §4.2.2",
)
REPAIRED_CHARACTERS: Final = Check(
    id="repaired_characters",
    asks="Was every character read as it can stand there?",
    next_step="Compare the marked characters with the page.",
    source="appliance/parse/repair.py",
)
VALIDITY: Final = Check(
    id="validity",
    asks="Is the document valid for no longer than its issuer issues them for?",
    next_step="Compare the dates of issue and of expiry on the page: this issuer allows less time.",
    source="examine/issuers.toml, with the source of each row; ICAO's ten years for other passports",
)
NUMBER_FORM: Final = Check(
    id="number_form",
    asks="Does the document number look as this issuer's do?",
    next_step="Compare the document number on every page that shows it.",
    source="examine/issuers.toml, with the source of each row; a notice only, for issuers change their forms",
)
NATIONAL_NUMBER: Final = Check(
    id="national_number",
    asks="Does the holder's national number keep its own check digits, and does it agree with the date of birth?",
    next_step="Compare the personal number and the date of birth on the page with the printed lines, with a lens.",
    source="examine/national.py, with the source of each row",
)
SECOND_READING: Final = Check(
    id="second_reading",
    asks="Does the camera read the same characters as the scanner, or as were typed?",
    next_step="Open the page and look at exactly the marked characters of its last lines.",
    source="examine/second.py; the camera's reading is appliance/ocr",
)
SURE_READING: Final = Check(
    id="sure_reading",
    asks="Where the camera alone reads: was every character read surely?",
    next_step="Lay the document again, flat and clean; if it stays, compare the marked characters, or type it in.",
    source="examine/second.py; the camera's reading is appliance/ocr",
)
PRINTED_GEOMETRY: Final = Check(
    id="printed_geometry",
    asks="Are the printed lines as large, as far apart and as even as a machine prints them?",
    next_step="Look at the printed lines with a lens: at marked characters first, for scratches, glue and other print.",
    source="Doc 9303-3 §4.3; 9303-4 to 7 §4.2; ISO 1073-2; the camera's measures are appliance/ocr/geometry.py",
)
INFRARED: Final = Check(
    id="infrared",
    asks="Are the printed lines seen in infrared light?",
    next_step="Look at the printed lines with a lens and compare them with the rest of the page: call the supervisor.",
    source="Doc 9303-3 §4.2 (print contrast in B900); the camera's look is appliance/ocr/infrared.py",
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
        VALIDITY,
        NUMBER_FORM,
        NATIONAL_NUMBER,
        SECOND_READING,
        SURE_READING,
        PRINTED_GEOMETRY,
        INFRARED,
    )
}
"""All checks by id, in the order in which they are answered."""
