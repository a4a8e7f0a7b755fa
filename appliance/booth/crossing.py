"""The crossing's state machine: events in, a new state and the records to keep out; no I/O, no clock, no chance.

A crossing has persons, a person has documents. The rules (tests/property/test_crossing_machine.py
attacks each):

1. A document laid belongs to a new crossing, unless the officer said otherwise before laying it ("another person of
   this crossing", "another document of this person"), or a vehicle or group announced before is not yet through.
2. The same document twice in a row is the same person again; so is nothing else by itself. A page that could not be
   read is nobody's: tying it to the next traveller on a guess could give one person's outcome to another.
3. A person has at most one open case. A further document moves the case to the newest record and keeps the reasons;
   only "could not be read" is answered by a page that can.
4. Laying the next person's document after "nothing found", or beginning a new crossing, says "passed" for the one
   before; never for a referral, and never for a result that was not shown.
5. A referral stays an open case until an officer says what was done; the lane goes on meanwhile.
6. An outcome names the record it answers, and takes crossing and person from that record's case, from nowhere else.
7. What could not be recorded is never lost from view: it stays a case until its record is kept (I1).

States: ready -> reading -> result -> ready. Whoever drives this machine feeds back, for every record that it was asked
to keep, whether it was kept; only then is there a result to show.
"""

import enum
from dataclasses import dataclass, replace
from typing import Final, assert_never

from appliance.booth.events import (
    Arrived,
    CrossingBegun,
    DetailsShown,
    Effect,
    Event,
    Following,
    Judged,
    KeepOutcome,
    KeepScreening,
    NextBelongs,
    NextTraveller,
    NotRead,
    OutcomeChosen,
    OutcomeKept,
    OutcomeNotKept,
    Restored,
    ScreeningKept,
    ScreeningNotKept,
)
from appliance.errors import Refused
from appliance.formats.wire import Case
from appliance.model import Id
from appliance.recorded import Crossing, Direction, OutcomeKind, Person

GROUP_MAX: Final = 999
"""Persons of one crossing (recorded.Person.number)."""
LAID_MAX: Final = 99
"""Documents of one person (recorded.Screened.laid); further ones are counted as this."""
REASONS_MAX: Final = 8
"""Reasons that a case carries (wire.Case.reasons)."""


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
        answer: The outcome that was said and whose record is not kept yet.
    """

    case: Case
    unread: bool = False
    kept: Kept = Kept.RECORDED
    answer: OutcomeKind | None = None

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

    def find(self, of: Id) -> OpenCase | None:
        """The open case of that record."""
        return next((open_case for open_case in self.cases if open_case.case.of == of), None)

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


def step(state: State, event: Event) -> Step:  # noqa: C901, PLR0911, PLR0912 - one arm an event, nothing else
    """Take one event.

    Raises:
        Refused: The officer asked for what is not possible now; the state stays as it was.
    """
    match event:
        case Arrived():
            return replace(state, phase=Phase.READING, shown=None, details=None), ()
        case Judged():
            return _judged(state, event)
        case ScreeningKept():
            return _screening_kept(state, event.of)
        case ScreeningNotKept():
            return _shown(_changed(state, event.of, kept=Kept.NOT_RECORDED), event.of)
        case OutcomeKept():
            remaining = tuple(open_case for open_case in state.cases if open_case.case.of != event.of)
            return _answered(replace(state, cases=remaining), event.of), ()
        case OutcomeNotKept():
            return _answered(state, event.of), ()
        case OutcomeChosen():
            return _chosen(state, event)
        case NextTraveller():
            return _next_traveller(state)
        case NotRead():
            return replace(state, phase=Phase.READY, shown=None, details=None), ()
        case NextBelongs():
            return _belongs(state, event.following), ()
        case CrossingBegun():
            return _begun(state, event)
        case DetailsShown():
            return replace(state, details=event.of if event.of and state.find(event.of) else None), ()
        case Restored():
            return _restored(state, event.cases), ()
        case _:
            assert_never(event)


def _judged(state: State, event: Judged) -> Step:
    crossing, person, laid = _place(state, event)
    earlier = _case_of_person(state, person)
    case = _merged(event, crossing, person, earlier)
    opened = OpenCase(
        case=case,
        unread=event.unread and (earlier is None or earlier.unread or not earlier.case.refers),
        kept=Kept.PENDING,
    )
    others = tuple(open_case for open_case in state.cases if open_case is not earlier)
    after = replace(
        state,
        crossing=crossing,
        person=person,
        laid=laid,
        key=event.key,
        following=Following.TRAVELLER,
        cases=(opened, *others),
    )
    return after, (KeepScreening(opens=case, closes=earlier.case.of if earlier else None, laid=laid),)


def _place(state: State, event: Judged) -> tuple[Crossing, Person, int]:
    """Whose document this is (rules 1 and 2)."""
    again = state.following is Following.TRAVELLER and event.key != "" and event.key == state.key
    if state.person and state.crossing and (again or state.following is Following.DOCUMENT):
        return state.crossing, state.person, min(state.laid + 1, LAID_MAX)
    person = Person(id=event.person_id, number=1, document_basis=event.document_basis)
    if state.crossing and (state.following is Following.PERSON or state.crossing_goes_on):
        number = state.person.number + 1 if state.person else 1
        if number <= GROUP_MAX:
            return state.crossing, Person(id=person.id, number=number, document_basis=person.document_basis), 1
    return Crossing(id=event.crossing_id, direction=state.direction, lane=state.lane), person, 1


def _case_of_person(state: State, person: Person) -> OpenCase | None:
    for open_case in state.cases:
        if open_case.case.person.id == person.id and open_case.answer is None:
            return open_case
    return None


def _merged(event: Judged, crossing: Crossing, person: Person, earlier: OpenCase | None) -> Case:
    """One case a person: what was against them stays, but for a page that can be read now (rule 3)."""
    fresh = Case(
        of=event.of,
        crossing=crossing,
        person=person,
        refers=event.refers,
        title=event.title,
        reasons=event.reasons[:REASONS_MAX],
        next_step=event.next_step,
        opened_ms=event.opened_ms,
    )
    if earlier is None or not earlier.case.refers or earlier.unread:
        return fresh
    old = tuple(reason for reason in earlier.case.reasons if reason not in event.reasons)
    return Case(
        of=fresh.of,
        crossing=crossing,
        person=person,
        refers=True,
        title=earlier.case.title if event.unread else event.title,
        reasons=(*fresh.reasons, *old)[:REASONS_MAX],
        next_step=fresh.next_step if event.refers and not event.unread else earlier.case.next_step,
        opened_ms=earlier.case.opened_ms,
    )


def _changed(state: State, of: Id, *, kept: Kept | None = None, answer: OutcomeKind | None = None) -> State:
    def change(open_case: OpenCase) -> OpenCase:
        if open_case.case.of != of:
            return open_case
        return replace(open_case, kept=kept or open_case.kept, answer=answer or open_case.answer)

    return replace(state, cases=tuple(change(open_case) for open_case in state.cases))


def _screening_kept(state: State, of: Id) -> Step:
    open_case = state.find(of)
    if open_case is None:  # moved to a newer record of the same person before this one was kept
        return state, ()
    if open_case.kept is Kept.PENDING:
        return _shown(_changed(state, of, kept=Kept.RECORDED), of)
    return _changed(state, of, kept=Kept.RECORDED if state.shown == of else Kept.LATE), ()


def _shown(state: State, of: Id) -> Step:
    """Show a result; laying it has said "passed" for every other person with nothing found."""
    after, effects = _passed(state, but=of)
    return replace(after, phase=Phase.RESULT, shown=of), effects


def _passed(state: State, *, but: Id | None = None) -> Step:
    """Going on says "passed" for everybody with nothing found (rule 4)."""
    passed = [open_case for open_case in state.cases if open_case.implies_passed and open_case.case.of != but]
    for open_case in passed:
        state = _changed(state, open_case.case.of, answer=OutcomeKind.PASSED)
    return state, tuple(
        KeepOutcome(case=open_case.case, outcome=OutcomeKind.PASSED, implied=True) for open_case in passed
    )


def _chosen(state: State, event: OutcomeChosen) -> Step:
    open_case = state.find(event.of)
    if open_case is None:
        raise Refused("This traveller already has an outcome. Nothing was changed.")
    if open_case.answer is not None:
        raise Refused(f'"{open_case.answer.value}" was already said for this traveller.')
    if open_case.kept is Kept.PENDING:
        raise Refused("The box is still recording this traveller. Choose again in a moment.")
    after = _changed(state, event.of, answer=event.outcome)
    return after, (KeepOutcome(case=open_case.case, outcome=event.outcome, implied=False, note=event.note),)


def _answered(state: State, of: Id) -> State:
    """The outcome was taken: the screen is free when it showed this one, and its details hide."""
    details = None if state.details == of else state.details
    if state.shown == of:
        return replace(state, phase=Phase.READY, shown=None, details=details)
    return replace(state, details=details)


def _next_traveller(state: State) -> Step:
    state = replace(state, following=Following.TRAVELLER)  # whatever was said of the next document before
    shown = state.shown_case
    if shown is None:
        return state, ()
    if shown.implies_passed:
        return _chosen(state, OutcomeChosen(of=shown.case.of, outcome=OutcomeKind.PASSED))
    return replace(state, phase=Phase.READY, shown=None, details=None), ()


def _belongs(state: State, following: Following) -> State:
    if following is not Following.TRAVELLER and (state.person is None or state.crossing is None):
        raise Refused("Nobody has laid a document in this crossing yet. Lay the first one.")
    return replace(state, following=following)


def _begun(state: State, event: CrossingBegun) -> Step:
    crossing = Crossing(
        id=event.crossing_id,
        direction=state.direction,
        lane=state.lane,
        conveyance=event.conveyance,
        group=event.group,
    )
    state, effects = _passed(state)
    return replace(state, crossing=crossing, person=None, laid=0, key="", following=Following.TRAVELLER), effects


def _restored(state: State, cases: tuple[Case, ...]) -> State:
    """Take over what is not known yet; the newest is whom the lane was busy with before the power went."""
    fresh = tuple(OpenCase(case=case) for case in cases if state.find(case.of) is None)
    after = replace(state, cases=(*state.cases, *fresh))
    if state.crossing is not None or not fresh:
        return after
    newest = fresh[0].case
    return replace(after, crossing=newest.crossing, person=newest.person, laid=1, key=newest.title)
