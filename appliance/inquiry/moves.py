"""The machine of a hit's life, as data: which stage may follow which, who moves it, what that takes (README, "Moves").

The page draws its buttons from this table, the lane steps by it, and the recorder refuses whatever is not in it, so
there is one place to read it and one to change it. Three rules:

1. Nobody but headquarters confirms, by a signed answer or by its code over the telephone (I10); its answer counts from
   the request until the outcome, also after the wait has ended and after the traveller has left.
2. People decide (I6): an outcome is an officer's at every stage, and where the match is still possible it needs a
   reason and a legal basis. The box by itself ends a wait and closes what has an outcome, nothing else.
3. A traveller can leave at any moment, and an officer can write something down at any moment.
"""

import enum
from dataclasses import dataclass, field
from typing import Final

from appliance.errors import Refused
from appliance.recorded import OutcomeKind, Stage


class Who(enum.StrEnum):
    """Who may make a move."""

    OFFICER = "officer"
    HEADQUARTERS = "headquarters"
    CLOCK = "clock"  # the box by itself: the longest wait is over, or the outcome is recorded


class Need(enum.StrEnum):
    """What a move takes."""

    REASON = "reason"
    LEGAL_BASIS = "legal basis"
    ANSWER = "answer"  # headquarters' signed answer with this verdict, or its code by telephone


@dataclass(frozen=True, slots=True, kw_only=True)
class Move:
    """One move.

    Attributes:
        button: Its words on the page; "" where no officer makes it, and for a note.
    """

    was: Stage
    now: Stage
    who: Who
    needs: frozenset[Need] = field(default_factory=frozenset[Need])
    button: str = ""


OPEN: Final = tuple(stage for stage in Stage if stage not in (Stage.OUTCOME, Stage.CLOSED))
"""Stages in which a case waits for its outcome."""
REQUESTED: Final = (
    Stage.CONFIRMATION_REQUESTED,
    Stage.CONFIRMED,
    Stage.NOT_CONFIRMED,
    Stage.NO_ANSWER,
)
"""Stages that only a request for confirmation leads to."""
ANSWERABLE: Final = (*REQUESTED, Stage.NOT_SAME, Stage.TRAVELLER_LEFT)
"""Where an answer of headquarters counts, if it was asked."""
RULED_OUT: Final = (Stage.NOT_SAME, Stage.NOT_CONFIRMED)
"""Where nobody holds it for a match any more."""

_REASON: Final = frozenset({Need.REASON})
_ANSWER: Final = frozenset({Need.ANSWER})
_GROUNDS: Final = frozenset({Need.REASON, Need.LEGAL_BASIS})


def _officer(was: Stage, now: Stage, button: str, needs: frozenset[Need] = frozenset()) -> Move:
    return Move(was=was, now=now, who=Who.OFFICER, needs=needs, button=button)


MOVES: Final = (
    _officer(Stage.CANDIDATE, Stage.FIRST_LINE_VERIFIED, "Compared: it could be the same"),
    _officer(Stage.FIRST_LINE_VERIFIED, Stage.SECONDARY, "Take to the second check"),
    _officer(Stage.SECONDARY, Stage.CONFIRMATION_REQUESTED, "Ask headquarters"),
    *(
        _officer(was, Stage.NOT_SAME, "Not the same", _REASON)
        for was in (Stage.CANDIDATE, Stage.FIRST_LINE_VERIFIED, Stage.SECONDARY, Stage.NOT_CONFIRMED)
    ),
    *(
        Move(was=was, now=now, who=Who.HEADQUARTERS, needs=_ANSWER)
        for was in ANSWERABLE
        for now in (Stage.CONFIRMED, Stage.NOT_CONFIRMED)
    ),
    Move(was=Stage.CONFIRMATION_REQUESTED, now=Stage.NO_ANSWER, who=Who.CLOCK),
    *(_officer(was, Stage.TRAVELLER_LEFT, "The traveller has left") for was in OPEN if was is not Stage.TRAVELLER_LEFT),
    *(_officer(was, Stage.OUTCOME, "Say what was done", frozenset() if was in RULED_OUT else _GROUNDS) for was in OPEN),
    Move(was=Stage.OUTCOME, now=Stage.CLOSED, who=Who.CLOCK),
)
"""Every move from one stage to another."""

NOTES: Final = {stage: Move(was=stage, now=stage, who=Who.OFFICER, needs=_REASON) for stage in OPEN}
"""Something is written down and the stage stays: that the person seeks asylum, or what else matters. Headquarters'
written answer after the same one by telephone stands in MOVES."""


def moves_from(stage: Stage) -> tuple[Move, ...]:
    """Every move that leads on from a stage, notes left out."""
    return tuple(move for move in MOVES if move.was is stage)


def officers_moves(stage: Stage) -> tuple[Move, ...]:
    """The buttons of a stage, in their order; the outcome, which has a form of its own, left out."""
    return tuple(move for move in moves_from(stage) if move.who is Who.OFFICER and move.now is not Stage.OUTCOME)


def find_move(was: Stage, now: Stage, who: Who) -> Move:
    """The move.

    Raises:
        Refused: There is none, or it is somebody else's to make.
    """
    for move in MOVES:
        if (move.was, move.now) == (was, now) and move.who is who:
            return move
    if was is now and who is Who.OFFICER and was in NOTES:
        return NOTES[was]
    raise Refused(f'From "{was.value}" nobody here can go on to "{now.value}". Look at the case again.')


def outcome_needs(stage: Stage, outcome: OutcomeKind) -> frozenset[Need]:
    """What an outcome takes at a stage: nobody acted on one who left, so that needs a reason only."""
    needs = find_move(stage, Stage.OUTCOME, Who.OFFICER).needs
    return needs - {Need.LEGAL_BASIS} if outcome is OutcomeKind.TRAVELLER_LEFT else needs
