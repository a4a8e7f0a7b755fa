"""Stage 7 of 8: show, the words - how a document, a day and a result are named to the officer.

The officer's words, not ours; tests/unit/test_page_words.py looks for the forbidden ones.
"""

import re
from datetime import UTC, date, datetime
from typing import Final

from appliance.formats.rules import Age
from appliance.judged import Clear, Decision
from appliance.model import PartialDate, TravelDocument
from appliance.parse.codes import state_codes
from appliance.recorded import DocumentBasis, OutcomeKind

UNREAD_TITLE: Final = "Page that could not be read"
NOT_READ: Final = "What lies there could not be read. Lay the page flat and leave it still, or type it in."
"""Of what may be no document at all, so nothing is recorded of it."""

OUTCOME_WORDS: Final = {
    OutcomeKind.PASSED: "Passed",
    OutcomeKind.SENT_TO_SECONDARY: "Second check",
    OutcomeKind.TURNED_BACK: "Turned back",
    OutcomeKind.HANDED_OVER: "Handed over",
    OutcomeKind.TRAVELLER_LEFT: "Traveller left",
    OutcomeKind.NOT_THE_HOLDER: "Not the holder",
}
"""In the order of their keys, 1 to 6."""

OLD_WORDS: Final[dict[Age, str]] = {
    "": "",
    "remark": ", older than usual here",
    "alarm": ", TOO OLD: telephone the technician",
}
"""What stands behind a list's day when it is older than the rules want it to be at this post; it refers nobody."""

SEX_WORDS: Final = {"M": "male", "F": "female", "X": "not specified"}
"""By the letters of Doc 9303-3; a document's filler is no letter and says nothing."""

BASIS_OF_CODE: Final = {
    "BP": DocumentBasis.BORDER_PASS,
    "VL": DocumentBasis.LETTER,
    "P": DocumentBasis.PASSPORT,
    "V": DocumentBasis.VISA,
    "I": DocumentBasis.IDENTITY_CARD,
    "A": DocumentBasis.IDENTITY_CARD,
    "C": DocumentBasis.IDENTITY_CARD,
}
"""Document codes of Doc 9303 parts 4 to 7 by their first letter, after the two of typed entry."""


def day(value: date) -> str:
    """Spelled out: 3 November 2026."""
    return f"{value.day} {value:%B} {value.year}"


def days(text: str) -> str:
    """A list's words with each whole day spelled out: "1978-04-12, 1979" is "12 April 1978, 1979"."""
    return re.sub(r"\b\d{4}-\d\d-\d\d\b", _spelled, text, flags=re.ASCII)


def _spelled(found: re.Match[str]) -> str:
    try:
        return day(date.fromisoformat(found[0]))
    except ValueError:
        return found[0]


def clock_time(wall_ms: int) -> str:
    """Time of day at the box, hours and minutes."""
    return f"{datetime.fromtimestamp(wall_ms / 1000, UTC).astimezone():%H:%M}"


def partial(value: PartialDate | None) -> str:
    """As much as is known: 4 March 1987; March 1987; 1987; not stated."""
    if value is None or value.year is None:
        return "not stated"
    if value.full is not None:
        return day(value.full)
    month = f"{date(2000, value.month, 1):%B} " if value.month else ""
    return f"{month}{value.year}"


def age(days: int) -> str:
    """How old a list is."""
    match days:
        case _ if days <= 0:
            return "today"
        case 1:
            return "1 day old"
        case _:
            return f"{days} days old"


def holder(document: TravelDocument) -> str:
    """The holder as printed: primary identifier, then secondary."""
    return " ".join(part for part in (document.primary_identifier, document.secondary_identifier) if part)


def title(document: TravelDocument | None) -> str:
    """How the officer recognises a document: holder, issuing state, number."""
    if document is None:
        return UNREAD_TITLE
    number = f"{document.issuing_state} {document.document_number}".strip()
    return " · ".join(part for part in (holder(document), number) if part) or UNREAD_TITLE


def state(code: str) -> str:
    """A state by its name, and the code that stands on the document; an unknown code by itself."""
    known = state_codes().get(code)
    return code if known is None else f"{known.name} ({code})"


def states(codes: str) -> str:
    """Several of them, as a list says them: "LAO, THA"."""
    return ", ".join(state(code) for code in codes.split(", "))


def key(document: TravelDocument | None) -> str:
    """What only the same document has: its title, if it has a number; else "" (two letters may bear one name)."""
    return title(document) if document is not None and document.document_number else ""


def basis(document: TravelDocument | None) -> DocumentBasis:
    """On what kind of paper its holder crosses."""
    code = "" if document is None else document.document_code
    return BASIS_OF_CODE.get(code) or BASIS_OF_CODE.get(code[:1], DocumentBasis.UNKNOWN)


def nothing_found(decision: Clear) -> str:
    """What "nothing found" is said against (I5)."""
    return f"Nothing found in the list of {day(decision.oldest_list)}. Your check decides."


def looked_up(decision: Decision, telephone: str) -> str:
    """The answer to a look-up: nobody is there to wait or to go on, so only whom to ask."""
    if isinstance(decision, Clear):
        return f"Nothing found in the list of {day(decision.oldest_list)}. The look-up is recorded."
    found, _ = reasons(decision)
    return f"{' '.join(found)} Telephone {telephone}. The look-up is recorded."


def reasons(decision: Decision) -> tuple[tuple[str, ...], str]:
    """The reasons of a decision, most important first, and the next step of the first."""
    if isinstance(decision, Clear):
        return (), "Your check decides."
    every = (decision.first, *decision.others)
    return tuple(reason.words for reason in every), decision.first.next_step


def could_not_record(duty_telephone: str) -> str:
    """What is shown instead of a result that has no record (I1)."""
    return f"The box could not record. Telephone {duty_telephone}."
