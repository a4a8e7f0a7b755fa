"""The lane's state, whole: whose document lies there, what is shown, and which results wait for their outcome.

crossing.py has the rules by which it changes, and the page draws it. Values only.
"""

import enum
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final

from appliance.booth.events import Effect, Following
from appliance.formats.wire import Case
from appliance.model import Id
from appliance.recorded import Crossing, Direction, OutcomeKind, Person

GROUP_MAX: Final = 999
"""Persons of one crossing (recorded.Person.number)."""


class Phase(enum.StrEnum):
    """Where the lane stands."""

    READY = "ready"
    READING = "reading"
    RESULT = "result"


class Kept(enum.StrEnum):
    """Whether a screening record is durable, proven by a verified receipt."""

    PENDING = "being recorded"
    RECORDED = "recorded"
    NOT_RECORDED = "not recorded"
    LATE = "recorded late"


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenCase:
    """A result that waits for its outcome.

    Attributes:
        unread: The page could not be read, and that is all there is against this person.
        unsure: It was read, though not surely, and that is all there is against this person.
        answer: The outcome that was said and whose record is not kept yet.
        also: Later screening records of this person that are shown as this case.
        ahead: The case after each step whose record is not kept yet, in their order.
    """

    case: Case
    unread: bool = False
    unsure: bool = False
    kept: Kept = Kept.RECORDED
    answer: OutcomeKind | None = None
    also: tuple[Id, ...] = ()
    ahead: tuple[Case, ...] = ()

    @property
    def tip(self) -> Case:
        """The case as it is once every step that was made is recorded; `case` is what is recorded."""
        return self.ahead[-1] if self.ahead else self.case

    @property
    def implies_passed(self) -> bool:
        """Whether laying the next person's document says "passed" (rule 4)."""
        return not self.case.refers and self.kept is Kept.RECORDED and self.answer is None


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """The lane, whole.

    Attributes:
        person: Whose document was laid last; None at the start of a crossing.
        laid: How many documents that person has laid.
        key: What makes the last document recognisable, "" when nothing does.
        shown: The record of the result on the screen.
        cases: Results without outcome, newest first.
        details: The record whose details the officer has opened; None: hidden (I11).
        badge: Who is at the booth, "" for nobody known.
        looked: Cases whose details were opened since that badge was said.
    """

    direction: Direction
    lane: str
    phase: Phase = Phase.READY
    crossing: Crossing | None = None
    person: Person | None = None
    laid: int = 0
    key: str = ""
    following: Following = Following.TRAVELLER
    shown: Id | None = None
    cases: tuple[OpenCase, ...] = ()
    details: Id | None = None
    badge: str = ""
    looked: frozenset[Id] = frozenset()

    def find(self, of: Id) -> OpenCase | None:
        """The open case of that record."""
        return next((open_case for open_case in self.cases if open_case.case.of == of), None)

    def changed(self, of: Id, change: Callable[[OpenCase], OpenCase]) -> "State":
        """The state with one case changed; as it was where there is no such case any more."""
        return replace(self, cases=tuple(change(each) if each.case.of == of else each for each in self.cases))

    def case_of_record(self, record: Id) -> OpenCase | None:
        """The open case that a screening record is shown as."""
        return next((each for each in self.cases if record == each.case.of or record in each.also), None)

    @property
    def to_hand_over(self) -> tuple[OpenCase, ...]:
        """Cases that the next shift has to look at: all that wait for people."""
        return tuple(each for each in self.cases if each.case.refers and each.answer is None)

    @property
    def shown_case(self) -> OpenCase | None:
        """The case on the screen."""
        return None if self.shown is None else self.find(self.shown)

    @property
    def crossing_goes_on(self) -> bool:
        """Whether an announced group or vehicle is not yet through."""
        if self.crossing is None or self.person is None:
            return self.crossing is not None
        if self.crossing.group:
            return self.person.number < self.crossing.group
        return self.crossing.conveyance != "" and self.person.number < GROUP_MAX


Step = tuple[State, tuple[Effect, ...]]
"""What comes of an event: the new state, and the records to keep."""
