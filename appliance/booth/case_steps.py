"""What officers, headquarters and the clock do to a case with a hit, and how a shift takes cases over.

Rules 8 and 9 of crossing.py: the part of the crossing's state machine that knows of a hit's life; pure, as the rest.
"""

from dataclasses import replace

from appliance.booth.events import HandedOver, KeepHandOver, KeepStep, Stepped
from appliance.booth.state import Kept, OpenCase, State, Step
from appliance.errors import Refused
from appliance.inquiry.life import move
from appliance.inquiry.moves import Who
from appliance.model import Id


def stepped(state: State, event: Stepped) -> Step:
    """A hit moves on. Raises Refused when it cannot, from where its newest step has brought it."""
    open_case = state.find(event.of)
    if open_case is None or open_case.answer is not None:
        raise Refused("This traveller already has an outcome. Nothing was changed.")
    if open_case.kept is Kept.PENDING:
        raise Refused("The box is still recording this traveller. Choose again in a moment.")
    case, transition = move(open_case.tip, event.said)
    after = state.changed(event.of, lambda known: replace(known, ahead=(*known.ahead, case)))
    if event.said.who is not Who.OFFICER and state.details != event.of:
        after = replace(after, looked=after.looked - {event.of})  # nobody has looked at it since it moved by itself
    return after, (KeepStep(case=case, transition=transition),)


def made(known: OpenCase, record: Id) -> OpenCase:
    """The step of that record, and with it every one before it, is recorded."""
    for number, case in enumerate(known.ahead):
        if case.last == record:
            return replace(known, case=case, ahead=known.ahead[number + 1 :])
    return known


def unmade(known: OpenCase, record: Id) -> OpenCase:
    """The step of that record is refused, and so is whatever names it as the one before."""
    for number, case in enumerate(known.ahead):
        if case.last == record:
            return replace(known, ahead=known.ahead[:number])
    return known


def badge(state: State, badge: str) -> State:
    """Another officer sees nothing of what the one before had open (I11), and has looked at no case yet."""
    if badge == state.badge:
        return state
    return replace(state, badge=badge, details=None, looked=frozenset())


def details(state: State, of: Id | None) -> State:
    """Details are opened, or hidden; whose are opened has been looked at."""
    if of is None or state.find(of) is None:
        return replace(state, details=None)
    return replace(state, details=of, looked=state.looked | {of})


def handed_over(state: State, event: HandedOver) -> Step:
    """The shift at the booth takes the cases over. Raises Refused while it has not looked at every one."""
    if event.took != state.badge or not event.took:
        raise Refused("Whoever takes over says their badge first, and then looks at every open case.")
    open_cases = {each.case.of for each in state.to_hand_over}
    unseen = len(open_cases - (state.looked & set(event.cases)))
    if unseen:
        cases = "1 open case" if unseen == 1 else f"{unseen} open cases"
        raise Refused(f"Open the details of {cases} first: whoever takes over has to know each.")
    seen = tuple(of for of in event.cases if of in open_cases)
    keep = KeepHandOver(gave=event.gave, took=event.took, cases=seen, note=event.note)
    return replace(state, details=None), (keep,)
