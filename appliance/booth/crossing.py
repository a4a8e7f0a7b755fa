"""The crossing's state machine: events in, a new state and the records to keep out; no I/O, no clock, no chance.

A crossing has persons, a person has documents. The rules (tests/property/test_crossing_machine.py
attacks each):

1. A document laid belongs to a new crossing, unless the officer said otherwise before laying it ("another person of
   this crossing", "another document of this person"), or a vehicle or group announced before is not yet through.
2. The same document twice in a row is the same person again; so is nothing else by itself. A page that could not be
   read is nobody's: tying it to the next traveller on a guess could give one person's outcome to another.
3. A person has at most one open case. A further document moves the case to the newest record and keeps the reasons;
   only "could not be read" is answered by a page that can, and "not read surely" by the same document laid again or
   typed in. A case with a hit stays with its record, because its life is a chain about that: what is laid later is
   shown as that case, and only another entry's hit opens one more.
4. Laying the next person's document after "nothing found", or beginning a new crossing, says "passed" for the one
   before; never for a referral, and never for a result that was not shown.
5. A referral stays an open case until an officer says what was done; the lane goes on meanwhile.
6. An outcome names the record it answers, and takes crossing and person from that record's case, from nowhere else.
7. What could not be recorded is never lost from view: it stays a case until its record is kept (I1).
8. A hit moves by the table of inquiry/moves.py. A step counts as made when its record is kept; further ones may wait
   behind it, in their order. One that the recorder refuses takes those behind it along.
9. A shift takes over when whoever comes has looked at every case that waits.

States: ready -> reading -> result -> ready. Whoever drives this machine feeds back, for every record that it was asked
to keep, whether it was kept; only then is there a result to show.
"""

from dataclasses import replace
from typing import Final, assert_never

from msgspec import structs

from appliance.booth.case_steps import badge, details, handed_over, made, stepped, unmade
from appliance.booth.events import (
    Arrived,
    BadgeSaid,
    CrossingBegun,
    DetailsShown,
    Event,
    Following,
    HandedOver,
    Judged,
    KeepOutcome,
    KeepScreening,
    NextBelongs,
    NextTraveller,
    NotRead,
    OutcomeChosen,
    OutcomeKept,
    OutcomeNotKept,
    OutcomeRefused,
    Restored,
    ScreeningKept,
    ScreeningNotKept,
    StepKept,
    StepNotKept,
    Stepped,
    StepRefused,
)
from appliance.booth.state import GROUP_MAX, Kept, OpenCase, Phase, State, Step
from appliance.errors import Refused
from appliance.examine.findings import SURE_READING
from appliance.formats.wire import Case
from appliance.inquiry.life import REASONS_MAX, carried, check_outcome, start
from appliance.judged import Hit
from appliance.model import Id, TravelDocument
from appliance.recorded import Crossing, OutcomeKind, Person

LAID_MAX: Final = 99
"""Documents of one person (recorded.Screened.laid); further ones are counted as this."""


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
            return _screening_not_kept(state, event.of)
        case OutcomeKept():
            remaining = tuple(open_case for open_case in state.cases if open_case.case.of != event.of)
            return _answered(replace(state, cases=remaining), event.of), ()
        case OutcomeNotKept():
            return _answered(state, event.of), ()
        case OutcomeRefused():
            return state.changed(event.of, lambda known: replace(known, answer=None)), ()
        case OutcomeChosen():
            return _chosen(state, event)
        case Stepped():
            return stepped(state, event)
        case StepKept():
            return state.changed(event.of, lambda known: made(known, event.record)), ()
        case StepNotKept():
            return state, ()  # it stays ahead, in view
        case StepRefused():
            return state.changed(event.of, lambda known: unmade(known, event.record)), ()
        case BadgeSaid():
            return badge(state, event.badge), ()
        case HandedOver():
            return handed_over(state, event)
        case NextTraveller():
            return _next_traveller(state)
        case NotRead():
            return replace(state, phase=Phase.READY, shown=None, details=None), ()
        case NextBelongs():
            return _belongs(state, event.following), ()
        case CrossingBegun():
            return _begun(state, event)
        case DetailsShown():
            return details(state, event.of), ()
        case Restored():
            return _restored(state, event.cases), ()
        case _:
            assert_never(event)


def _judged(state: State, event: Judged) -> Step:
    crossing, person, laid = _place(state, event)
    again = _again(state, event)
    state = replace(state, crossing=crossing, person=person, laid=laid, key=event.key, following=Following.TRAVELLER)
    mine = [each for each in state.cases if each.case.person.id == person.id and each.answer is None]
    fresh = _fresh(event, crossing, person)
    asked_about = {_entry(hit) for each in mine for hit in each.case.hits}
    if asked_about and {_entry(hit) for hit in fresh.hits} <= asked_about:
        known = next(each for each in mine if each.case.hits)
        shown = _shown_as(known, event)
        return _with_front(state, shown, but=known), (_keep(event, state, updates=shown.tip),)
    earlier = next((each for each in mine if not each.case.hits), None)
    against = earlier if earlier and earlier.case.refers and not _answers(earlier, event, again=again) else None
    opened = OpenCase(
        case=_merged(fresh, against, unread=event.unread) if against else fresh,
        unread=event.unread and against is None,
        unsure=event.unsure and against is None,
        kept=Kept.PENDING,
    )
    return _with_front(state, opened, but=earlier), (_keep(event, state, opens=opened.case, earlier=earlier),)


def _keep(
    event: Judged,
    state: State,
    *,
    opens: Case | None = None,
    updates: Case | None = None,
    earlier: OpenCase | None = None,
) -> KeepScreening:
    assert state.crossing is not None
    assert state.person is not None
    return KeepScreening(
        of=event.of,
        crossing=state.crossing,
        person=state.person,
        opens=opens,
        updates=updates,
        closes=earlier.case.of if earlier else None,
        laid=state.laid,
    )


def _entry(hit: Hit) -> tuple[str, str, str, str]:
    """Which entry, as it reads now."""
    return hit.list_name, hit.source, hit.entry, hit.revision


def _shown_as(known: OpenCase, event: Judged) -> OpenCase:
    """The case of a hit with a later document of the same person: what speaks against that is added."""
    also = (*known.also, event.of)[-LAID_MAX:]

    def added(case: Case) -> Case:
        new = tuple(reason for reason in event.reasons if reason not in case.reasons)
        return structs.replace(case, reasons=(*case.reasons, *new)[:REASONS_MAX])

    return replace(known, case=added(known.case), ahead=tuple(map(added, known.ahead)), kept=Kept.PENDING, also=also)


def _with_front(state: State, front: OpenCase, *, but: OpenCase | None) -> State:
    return replace(state, cases=(front, *(each for each in state.cases if each is not but)))


def _place(state: State, event: Judged) -> tuple[Crossing, Person, int]:
    """Whose document this is (rules 1 and 2)."""
    same = state.following is Following.TRAVELLER and _again(state, event)
    if state.person and state.crossing and (same or state.following is Following.DOCUMENT):
        return state.crossing, state.person, min(state.laid + 1, LAID_MAX)
    person = Person(id=event.person_id, number=1, document_basis=event.document_basis)
    if state.crossing and (state.following is Following.PERSON or state.crossing_goes_on):
        number = state.person.number + 1 if state.person else 1
        if number <= GROUP_MAX:
            return state.crossing, Person(id=person.id, number=number, document_basis=person.document_basis), 1
    return Crossing(id=event.crossing_id, direction=state.direction, lane=state.lane), person, 1


def _again(state: State, event: Judged) -> bool:
    """Whether it is the document that was laid last."""
    return event.key != "" and event.key == state.key


def _answers(earlier: OpenCase, event: Judged, *, again: bool) -> bool:
    """Whether this person's next page answers all that was against them: it can be read now, or surely (rule 3)."""
    return earlier.unread or (earlier.unsure and (again or _same_number(earlier.case.document, event.document)))


def _same_number(one: TravelDocument | None, other: TravelDocument | None) -> bool:
    """Whether two papers of one person have one issuer's one number: a name of which a part was unseen differs."""
    if one is None or other is None or not one.document_number:
        return False
    return (one.issuing_state, one.document_number) == (other.issuing_state, other.document_number)


def _fresh(event: Judged, crossing: Crossing, person: Person) -> Case:
    case = Case(
        of=event.of,
        crossing=crossing,
        person=person,
        refers=event.refers,
        title=event.title,
        reasons=event.reasons[:REASONS_MAX],
        next_step=event.next_step,
        opened_ms=event.opened_ms,
        document=event.document,
        hits=event.hits,
    )
    return carried(start(case))


def _merged(fresh: Case, earlier: OpenCase, *, unread: bool) -> Case:
    """One case a person: what was against them stays (rule 3)."""
    old = tuple(reason for reason in earlier.case.reasons if reason not in fresh.reasons)
    return structs.replace(
        fresh,
        refers=True,
        title=earlier.case.title if unread else fresh.title,
        reasons=(*fresh.reasons, *old)[:REASONS_MAX],
        next_step=fresh.next_step if fresh.refers and not unread else earlier.case.next_step,
        opened_ms=earlier.case.opened_ms,
    )


def _screening_kept(state: State, record: Id) -> Step:
    open_case = state.case_of_record(record)
    if open_case is None:  # moved to a newer record of the same person before this one was kept
        return state, ()
    of = open_case.case.of
    if open_case.kept is Kept.PENDING:
        return _shown(state.changed(of, lambda known: replace(known, kept=Kept.RECORDED)), of)
    kept = Kept.RECORDED if state.shown == of else Kept.LATE
    return state.changed(of, lambda known: replace(known, kept=kept)), ()


def _screening_not_kept(state: State, record: Id) -> Step:
    open_case = state.case_of_record(record)
    if open_case is None:
        return state, ()
    of = open_case.case.of
    return _shown(state.changed(of, lambda known: replace(known, kept=Kept.NOT_RECORDED)), of)


def _shown(state: State, of: Id) -> Step:
    """Show a result; laying it has said "passed" for every other person with nothing found."""
    after, effects = _passed(state, but=of)
    return replace(after, phase=Phase.RESULT, shown=of), effects


def _passed(state: State, *, but: Id | None = None) -> Step:
    """Going on says "passed" for everybody with nothing found (rule 4)."""
    passed = [open_case for open_case in state.cases if open_case.implies_passed and open_case.case.of != but]
    for open_case in passed:
        state = state.changed(open_case.case.of, lambda known: replace(known, answer=OutcomeKind.PASSED))
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
    case = open_case.tip
    check_outcome(case, event.outcome, note=event.note, legal_basis=event.legal_basis)
    after = state.changed(event.of, lambda known: replace(known, answer=event.outcome))
    return after, (
        KeepOutcome(
            case=case,
            outcome=event.outcome,
            implied=False,
            note=event.note,
            legal_basis=event.legal_basis,
            by=state.badge,
        ),
    )


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
    fresh = tuple(_restored_case(case) for case in cases if state.find(case.of) is None)
    after = replace(state, cases=(*state.cases, *fresh))
    if state.crossing is not None or not fresh:
        return after
    newest = fresh[0].case
    return replace(after, crossing=newest.crossing, person=newest.person, laid=1, key=newest.title)


def _restored_case(case: Case) -> OpenCase:
    """With what it was opened for, where that is all: one reason, and nothing of an earlier page in it (_merged)."""
    alone = case.refers and not case.hits and len(case.reasons) == 1 and case.opened_ms == case.moved_ms
    return OpenCase(
        case=case,
        unread=alone and case.document is None,
        unsure=alone and case.document is not None and case.next_step == SURE_READING.next_step,
    )
