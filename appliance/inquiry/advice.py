"""What the page says to do now, at every stage of a hit's life: words as data, filled from the rules in force.

The officer's words (tests/unit/test_inquiry_words.py looks for the forbidden ones). Until headquarters has confirmed,
every text says "possible match" and none says to hold anybody.
"""

import re
from dataclasses import dataclass
from typing import Final

from appliance.clock import Instant
from appliance.formats.rules import Rules
from appliance.formats.voice import case_code
from appliance.formats.wire import Case
from appliance.inquiry.life import confirmation_of, left_ms
from appliance.recorded import Stage


@dataclass(frozen=True, slots=True, kw_only=True)
class Advice:
    """What to do now.

    Attributes:
        headline: Where the case stands, in one sentence.
        steps: Sentences in the imperative, in their order.
        telephone: Whom to call.
        case_code: What to read out there.
        left_ms: While an answer is waited for, how long still; None otherwise.
        decides: Who decides when the wait has ended.
    """

    headline: str
    steps: tuple[str, ...]
    telephone: str
    case_code: str
    left_ms: int | None
    decides: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _Says:
    headline: str
    steps: tuple[str, ...]


_LONG_WAIT_MS: Final = 8 * 3_600_000
"""Longer than a shift nobody sits at a counter."""
_SHORT_WAIT: Final = "Wait for the answer, at most {left} more. Offer a seat, water and an interpreter."
_LONG_WAIT: Final = (
    "The answer may take up to {left}. Nobody is held for it: {decides} says whether the person goes on meanwhile."
)

_SAYS: Final = {
    Stage.CANDIDATE: _Says(
        headline="Possible match. Not confirmed.",
        steps=(
            "Keep the document in your hands and stay polite: an entry is a question, not proof.",
            "Compare every line with the document, and the photograph with the face.",
            "Then say whether it could be the same, or why it is not.",
        ),
    ),
    Stage.FIRST_LINE_VERIFIED: _Says(
        headline="Possible match. Not confirmed. You compared: it could be the same.",
        steps=(
            "Take the person to a quieter place for the second check. Say nothing of the entry.",
            "Let another officer compare again; if you are alone, take your time and compare again yourself.",
        ),
    ),
    Stage.SECONDARY: _Says(
        headline="Possible match. Not confirmed. Second check.",
        steps=(
            "Compare the names word by word, the birth date, the nationality and the photograph.",
            "If it could still be the same, ask headquarters: here, or telephone {telephone}.",
            "If it is not the same, say why; the person goes on.",
        ),
    ),
    Stage.CONFIRMATION_REQUESTED: _Says(
        headline="Possible match. Not confirmed. Headquarters is asked.",
        steps=(
            _SHORT_WAIT,
            "Without a link, telephone {telephone}, read out {code}, and type in the code that you are told.",
            "Do what the entry asks below, and nothing beyond it. When the wait is over, {decides} decides.",
        ),
    ),
    Stage.CONFIRMED: _Says(
        headline="Headquarters has confirmed the match.",
        steps=(
            "Do what the entry asks below, as under national law. Telephone {telephone} for help.",
            "If the person is no longer here, telephone where they went.",
            "Then say what was done, the reason, and the law or rule.",
        ),
    ),
    Stage.NOT_CONFIRMED: _Says(
        headline="Headquarters says: not the same.",
        steps=(
            'Choose "Not the same" and thank the person: they go on, unless you have a ground of your own.',
            "Say why it is not the same: then this entry does not stop this person here again.",
            "Then say what was done.",
        ),
    ),
    Stage.NO_ANSWER: _Says(
        headline="Possible match. Not confirmed. No answer came in time.",
        steps=(
            "Now {decides} decides.",
            "{release}",
            "Say what was done, the reason, and the law or rule. An answer that still comes is shown here.",
        ),
    ),
    Stage.NOT_SAME: _Says(
        headline="Not the same.",
        steps=("This entry no longer stops the person. Your check decides.", "Say what was done."),
    ),
    Stage.TRAVELLER_LEFT: _Says(
        headline="The traveller has left.",
        steps=(
            "Telephone {telephone}: when, which way, on foot or in which vehicle, with whom. Do not follow alone.",
            "Then say that the traveller left, and what you saw.",
        ),
    ),
    Stage.OUTCOME: _Says(headline="What was done is being recorded.", steps=("Nothing more is to be done here.",)),
    Stage.CLOSED: _Says(headline="This case is closed.", steps=("Nothing more is to be done here.",)),
}

_ASYLUM: Final = (
    "The person seeks asylum: do not tell or ask the state of their nationality; headquarters does not either."
)


def advice(case: Case, rules: Rules, now: Instant, *, duty_telephone: str) -> Advice:
    """What to do now with a case that has a hit.

    Args:
        case: As it stands.
        rules: In force.
        now: For what is left of the wait.
        duty_telephone: The post's own, where the rules name none.
    """
    confirmation = confirmation_of(case, rules)
    waits = case.stage is Stage.CONFIRMATION_REQUESTED
    left = left_ms(case, rules, now)
    telephone = confirmation.telephone or duty_telephone
    code = case_code(case.of)
    says = _SAYS[case.stage]
    words = {
        "{telephone}": telephone,
        "{left}": in_words(left),
        "{code}": code,
        "{decides}": confirmation.decides,
        "{release}": confirmation.release_path,
    }
    long = left > _LONG_WAIT_MS
    steps = [_filled(_LONG_WAIT if long and step == _SHORT_WAIT else step, words) for step in says.steps]
    if case.seeks_asylum:
        steps.insert(0, _ASYLUM)
    return Advice(
        headline=says.headline,
        steps=tuple(steps),
        telephone=telephone,
        case_code=code,
        left_ms=left if waits else None,
        decides=confirmation.decides,
    )


def in_words(milliseconds: int) -> str:
    """A wait: "2 days 4 hours", "3 hours 5 minutes", "12 minutes"; never less than a minute."""
    minutes = max(1, -(-milliseconds // 60_000))
    days, hours, rest = minutes // 1_440, minutes % 1_440 // 60, minutes % 60
    parts = [(days, "day"), (hours, "hour"), (rest if not days else 0, "minute")]
    return " ".join(f"{count} {unit}{'' if count == 1 else 's'}" for count, unit in parts if count)


def _filled(step: str, words: dict[str, str]) -> str:
    """The step with its places filled; what the rules say is text, whatever braces it has."""
    filled = re.sub(r"\{[a-z]+\}", lambda place: words[place[0]], step)
    return filled[:1].upper() + filled[1:]
