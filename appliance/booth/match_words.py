"""Stage 7 of 8: show, the words of a possible match - verdicts, stages and notices as the officer reads them.

Nothing here weighs anything: a comparison is said field by field, and the officer judges (I6).
"""

from datetime import datetime
from typing import Final, NamedTuple

from appliance.recorded import Stage


class Said(NamedTuple):
    """How a comparison is shown; sign, word and kind say the same, so that colour is never alone.

    Attributes:
        kind: "same", "close", "differs" or "silent": what the page's style goes by.
    """

    kind: str
    sign: str
    words: str


SAME: Final = Said("same", "=", "same")
COULD_BE: Final = Said("close", "\u2248", "could be the same")
DIFFERS: Final = Said("differs", "\u2260", "differs")
LIST_SILENT: Final = Said("silent", "?", "list does not say")
DOCUMENT_SILENT: Final = Said("silent", "?", "document does not say")
COMPARE: Final = Said("close", "?", "compare yourself")
"""A verdict that this version does not know is nobody's but the officer's."""

FIELD_WORDS: Final = {
    "equal": SAME,
    "alike": COULD_BE,
    "compatible": COULD_BE,
    "contradicts": DIFFERS,
    "absent": LIST_SILENT,
}
"""By model.FieldVerdict.verdict."""
WORD_WORDS: Final = {
    "equal": SAME,
    "alike": Said("close", "\u2248", "alike"),
    "cut off": Said("close", "\u2026", "cut off"),
    "initial": Said("close", ".", "first letter"),
    "written as one": Said("close", "+", "written as one"),
    "missing": Said("silent", "\u2013", "missing"),
}
"""By model.WordPair.verdict."""

FIELD_NAMES: Final = {
    "name": "Name",
    "date_of_birth": "Born",
    "nationality": "Nationality",
    "sex": "Sex",
    "document_number": "Document",
}
"""By model.FieldVerdict.field, in the order in which an officer compares."""

NOTICE_NAMES: Final = {
    "red": "Red notice",
    "yellow": "Yellow notice",
    "blue": "Blue notice",
    "green": "Green notice",
    "orange": "Orange notice",
    "purple": "Purple notice",
    "black": "Black notice",
    "special": "United Nations special notice",
    "silver": "Silver notice",
}
"""By judged.Hit.notice."""

NOT_CONFIRMED: Final = "Possible match. Not confirmed."
"""What is known until headquarters has confirmed (I10)."""
IN_SHORT: Final = {
    Stage.CANDIDATE: "Compare",
    Stage.FIRST_LINE_VERIFIED: "Send to the second check",
    Stage.NOT_SAME: "Say what was done",
    Stage.SECONDARY: "Ask headquarters",
    Stage.CONFIRMATION_REQUESTED: "Wait for headquarters",
    Stage.CONFIRMED: "Headquarters confirmed: act",
    Stage.NOT_CONFIRMED: "Headquarters: not the same",
    Stage.NO_ANSWER: "No answer came: decide",
    Stage.TRAVELLER_LEFT: "Say what was done",
    Stage.OUTCOME: "Being closed",
    Stage.CLOSED: "Closed",
}
"""What to do, as short as a list of cases needs it."""

READY_REASONS: Final = {
    Stage.NOT_SAME: ("Other date of birth", "Other names", "The number was misread", "Headquarters says so"),
}
"""Reasons that are said often, so that whoever has no keyboard takes one with a touch."""


def headline_and_rest(said: str) -> tuple[str, str]:
    """What has to be seen first, and the rest: "not confirmed" stands by itself, as large as it is true."""
    if said.startswith(NOT_CONFIRMED):
        return NOT_CONFIRMED, said[len(NOT_CONFIRMED) :].strip()
    return said, ""


def compared(verdict: str, *, traveller: str, listed: str) -> Said:
    """How one field compares."""
    if verdict == "absent" and listed and not traveller:
        return DOCUMENT_SILENT
    return FIELD_WORDS.get(verdict, COMPARE)


def word_compared(verdict: str) -> Said:
    """How one word of a name compares."""
    return WORD_WORDS.get(verdict, COMPARE)


def moment(wall_ms: int, now_ms: int) -> str:
    """A time of day at the box; with its day where that is not today."""
    at, now = (datetime.fromtimestamp(ms / 1000).astimezone() for ms in (wall_ms, now_ms))
    return f"{at:%H:%M}" if at.date() == now.date() else f"{at:%A} {at.day} {at:%B}, {at:%H:%M}"
