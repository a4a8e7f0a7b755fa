"""Stage 7 of 8: show - what people, headquarters and the clock say of a hit, as steps with their time and identifier.

The clerk takes them; life.py and the recorder say whether they hold. Nothing here waits long: an answer is asked for
about once a second, and only while a case waits for one.
"""

import os
from dataclasses import replace
from typing import Final

from appliance.booth.events import AsylumSaid, CodeHeard, Moved, Stepped
from appliance.booth.outbox import Outbox
from appliance.booth.state import OpenCase, State
from appliance.clock import Clock
from appliance.errors import LandlinkError, Refused
from appliance.formats.rules import Rules
from appliance.formats.voice import Verdict
from appliance.formats.wire import Answered
from appliance.inquiry.life import STAGE_OF, Said, due
from appliance.inquiry.memory import subject_of
from appliance.inquiry.moves import ANSWERABLE, Who
from appliance.judged import Hit
from appliance.model import Id, TravelDocument
from appliance.recorded import Stage

LOOK_S: Final = 1.0
"""How often answers and waits are looked at."""
_VERDICTS: Final = {Verdict.CONFIRMED: "confirmed", Verdict.NOT_CONFIRMED: "not the same"}
_AWAY: Final = "The box cannot look at codes now. Try again in a moment, and keep the code."


class Inquirer:
    """Makes steps of words, answers and waits. For the lane's thread.

    Args:
        outbox: Asks the recorder.
        clock: For the time of a step, and for waits.
    """

    def __init__(self, outbox: Outbox, clock: Clock) -> None:
        self._outbox = outbox
        self._clock = clock
        self._looked_ms = 0

    def event(self, word: Moved | AsylumSaid | CodeHeard, state: State) -> Stepped:
        """The step that an officer's word means.

        Raises:
            Refused: The code is not one for this case, or none that the box can look at now.
        """
        match word:
            case Moved():
                said = self._said(word.now, Who.OFFICER, by=state.badge, reason=word.reason)
            case AsylumSaid():
                said = self._asylum(word, state)
            case CodeHeard():
                said = self._heard(word, state)
        return Stepped(of=word.of, said=said)

    def spared(self, document: TravelDocument, hits: tuple[Hit, ...]) -> frozenset[str]:
        """Entries of which it was decided that this traveller is not the person; none when nobody can say now."""
        subject = subject_of(document)
        entries = tuple((hit.entry, hit.revision) for hit in hits if hit.list_name == "persons")
        if subject is None or not entries:
            return frozenset()
        try:
            return self._outbox.spared(subject, entries)
        except LandlinkError:
            return frozenset()  # whoever could have been spared is asked again: never the other way round

    def due_steps(self, state: State, rules: Rules) -> tuple[Stepped, ...]:
        """What headquarters has answered since, and which waits have ended; () in between two looks."""
        waiting = {each.case.of: each for each in state.cases if _waits(each)}
        if not waiting:
            return ()
        now = self._clock.now()
        if 0 <= now.boot_ms - self._looked_ms < LOOK_S * 1_000:
            return ()
        self._looked_ms = now.boot_ms
        steps = {of: self._answer(answered) for of, answered in self._answers().items() if of in waiting}
        for of, open_case in waiting.items():
            if of not in steps and due(open_case.tip, rules, now):
                steps[of] = self._said(
                    Stage.NO_ANSWER, Who.CLOCK, reason=f"No answer in the time of the rules, version {rules.version}."
                )
        return tuple(Stepped(of=of, said=said) for of, said in steps.items())

    def _answers(self) -> dict[Id, Answered]:
        """The oldest answer to each case; the next one follows when that is in the case's life."""
        try:
            answers = self._outbox.inbox()
        except LandlinkError:
            return {}  # asked again in a second
        oldest: dict[Id, Answered] = {}
        for answered in answers:
            oldest.setdefault(answered.of, answered)
        return oldest

    def _answer(self, answered: Answered) -> Said:
        who = f"Headquarters ({answered.by})" if answered.by else "Headquarters"
        reason = f"{who}: {_VERDICTS[answered.verdict]}. {answered.words}"
        return replace(self._said(STAGE_OF[answered.verdict], Who.HEADQUARTERS, reason=reason), answer=answered.digest)

    def _asylum(self, word: AsylumSaid, state: State) -> Said:
        open_case = state.find(word.of)
        if open_case is None:
            raise Refused("This traveller already has an outcome. Nothing was changed.")
        reason = "The person says that they seek asylum." if word.seeks else "The person says that they seek no asylum."
        said = self._said(open_case.tip.stage, Who.OFFICER, by=state.badge, reason=reason)
        return replace(said, seeks_asylum=word.seeks)

    def _heard(self, word: CodeHeard, state: State) -> Said:
        open_case = state.find(word.of)
        if open_case is None or open_case.tip.asked is None:
            raise Refused("Ask headquarters first: a code answers a question.")
        if open_case.ahead:
            raise Refused("The box is still recording the step before. Choose again in a moment.")
        try:
            verdict = self._outbox.voice(word.of, word.code)
        except Refused:
            raise
        except LandlinkError:
            raise Refused(_AWAY) from None
        reason = f"Headquarters, by telephone: {_VERDICTS[verdict]}."
        return replace(self._said(STAGE_OF[verdict], Who.HEADQUARTERS, by=state.badge, reason=reason), by_voice=True)

    def _said(self, now: Stage, who: Who, *, by: str = "", reason: str = "") -> Said:
        return Said(now=now, who=who, at=self._clock.now(), record=os.urandom(16).hex(), by=by, reason=reason[:2_000])


def _waits(open_case: OpenCase) -> bool:
    """Whether an answer or the end of a wait would move it: asked, every step recorded, and no outcome said."""
    case = open_case.case
    return case.asked is not None and case.stage in ANSWERABLE and not open_case.ahead and open_case.answer is None
