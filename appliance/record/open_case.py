"""Stage 6 of 8: record - an open case as the recorder keeps it: the booth's part, and headquarters' word beside it.

Headquarters' word is what the recorder itself has verified; no booth writes it. A confirmation is recorded on nothing
else (I10). Pure: each step gives the case as it is then.
"""

from typing import Annotated, Final

from msgspec import Meta, structs

from appliance.clock import Instant
from appliance.formats.voice import Verdict
from appliance.formats.wire import ANSWERS_KEPT_MAX, CASE_BYTES_MAX, Answered, Case
from appliance.model import Noun
from appliance.recorded import Stage

ANSWER_BYTES_MAX: Final = 8_448
"""Of one answer: it came in a message of at most 8 KiB."""
OPEN_CASE_BYTES_MAX: Final = CASE_BYTES_MAX + ANSWERS_KEPT_MAX * ANSWER_BYTES_MAX + 1_024
WRONG_CODES_MAX: Final = 5
LOCKED_MS: Final = 10 * 60_000
ENDED: Final = frozenset({Stage.NOT_SAME, Stage.OUTCOME, Stage.CLOSED})
"""Where nobody waits for headquarters' word, nor for what an officer makes of it."""


class OpenCase(Noun, frozen=True, kw_only=True):
    """What a sealed case holds.

    Attributes:
        case: As the booth gave it.
        answers: Of headquarters, verified, and not yet in the case's life; oldest first.
        voiced: What a code by telephone said, and holds; None when none did, or when it is in the life.
        wrong: Codes since the last lock that did not hold.
        locked: Since when no code is heard; None when codes are.
    """

    case: Case
    answers: Annotated[tuple[Answered, ...], Meta(max_length=ANSWERS_KEPT_MAX)] = ()
    voiced: Verdict | None = None
    wrong: Annotated[int, Meta(ge=0, lt=WRONG_CODES_MAX)] = 0
    locked: Instant | None = None

    @property
    def outstanding(self) -> bool:
        """Whether a possible match waits in it."""
        return self.case.refers and bool(self.case.hits) and self.case.stage not in ENDED

    def answered(self, answer: Answered) -> "OpenCase":
        """With one more answer; of too many the oldest goes, and the same one twice is one."""
        answers = {each.digest: each for each in (*self.answers, answer)}
        newest = sorted(answers.values(), key=lambda each: each.at_ms)[-ANSWERS_KEPT_MAX:]
        return structs.replace(self, answers=tuple(newest))

    def became(self, case: Case, *, answer: bytes | None = None, by_voice: bool = False) -> "OpenCase":
        """As its newest record has it; what moved it is in its life now and waits no more."""
        return structs.replace(
            self,
            case=case,
            answers=tuple(each for each in self.answers if each.digest != answer),
            voiced=None if by_voice else self.voiced,
        )

    def heard(self, verdict: Verdict | None, now: Instant) -> "OpenCase":
        """After a code by telephone: what it says, or that it is wrong; the last wrong one locks."""
        if verdict is not None:
            return structs.replace(self, voiced=verdict, wrong=0, locked=None)
        wrong = self.wrong + 1
        if wrong < WRONG_CODES_MAX:
            return structs.replace(self, wrong=wrong, locked=None)
        return structs.replace(self, wrong=0, locked=now)

    def locked_ms(self, now: Instant) -> int:
        """How long no code is heard yet, milliseconds; 0 when codes are heard.

        By the boot clock, which nobody can set. After a restart of the box it says how long this boot lasts, and no
        more: so pulling the plug makes nobody's wait shorter.
        """
        if self.locked is None:
            return 0
        since_ms = self.locked.boot_ms if self.locked.boot_id == now.boot_id else 0
        return max(0, since_ms + LOCKED_MS - now.boot_ms)
