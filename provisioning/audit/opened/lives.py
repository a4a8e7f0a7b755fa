"""The life of a hit as headquarters reads it: transitions, outcome and hand-overs, folded into the screening's line.

Each record of a life names the one before, so a life is a chain; what does not follow on is named as a problem, and
kept in its place by its index.
"""

import msgspec

from appliance.recorded import ConfirmationRequest, HandOver, Outcome, Stage, Transition


class LifeLine(msgspec.Struct, frozen=True, kw_only=True):
    """One step of a life.

    Attributes:
        index, record_id, at: Of the entry that says it; `at` as the box claims it, ISO 8601.
        before: The record that it follows.
        stage: Where the hit stands from here on.
        answer: SHA-256 of headquarters' signed answer in hexadecimal, "" where none moved it.
        request: What headquarters was asked, None where nothing was.
    """

    index: int
    record_id: str
    at: str
    before: str
    was: Stage
    stage: Stage
    by: str
    reason: str
    legal_basis: str = ""
    answer: str = ""
    by_voice: bool = False
    request: ConfirmationRequest | None = None


class HandOverLine(msgspec.Struct, frozen=True, kw_only=True):
    """One hand-over of the case to the next shift."""

    index: int
    at: str
    gave: str
    took: str
    note: str


class Lives:
    """The lives of one log's hits, by the screening record that each is about."""

    def __init__(self) -> None:
        self._steps: dict[str, list[LifeLine]] = {}
        self._hand_overs: dict[str, list[HandOverLine]] = {}

    def transition(self, index: int, record_id: str, at: str, body: Transition) -> str:
        """Take a transition in; why it does not follow on, "" when it does."""
        step = LifeLine(
            index=index,
            record_id=record_id,
            at=at,
            before=body.before,
            was=body.was,
            stage=body.now,
            by=body.by,
            reason=body.reason,
            answer=body.answer.hex() if body.answer else "",
            by_voice=body.by_voice,
            request=body.request,
        )
        return self._take(body.of, step)

    def outcome(self, index: int, record_id: str, at: str, body: Outcome) -> str:
        """Take the outcome of a hit in; "" also for one that was no hit's."""
        if body.before is None:
            return ""
        known = self._steps.get(body.of)
        step = LifeLine(
            index=index,
            record_id=record_id,
            at=at,
            before=body.before,
            was=known[-1].stage if known else Stage.CANDIDATE,
            stage=Stage.OUTCOME,
            by=body.by,
            reason=body.note,
            legal_basis=body.legal_basis,
        )
        return self._take(body.of, step)

    def hand_over(self, index: int, at: str, body: HandOver) -> None:
        """Take a hand-over in, for every case that it names."""
        line = HandOverLine(index=index, at=at, gave=body.gave, took=body.took, note=body.note)
        for of in body.cases:
            self._hand_overs.setdefault(of, []).append(line)

    def of(self, screening: str) -> tuple[list[LifeLine], list[HandOverLine]]:
        """The life and the hand-overs of one screening record, in log order."""
        return self._steps.get(screening, []), self._hand_overs.get(screening, [])

    def subjects(self) -> dict[str, int]:
        """Every screening record that a life is about, with the index of its first step."""
        return {of: steps[0].index for of, steps in self._steps.items()}

    def _take(self, of: str, step: LifeLine) -> str:
        steps = self._steps.setdefault(of, [])
        last, stage = (steps[-1].record_id, steps[-1].stage) if steps else (of, Stage.CANDIDATE)
        steps.append(step)
        if step.before != last:
            return "its step of a hit's life does not follow the one before"
        return "" if step.was is stage else f'its step says that the hit was "{step.was}", it was "{stage}"'
