"""Stage 7 of 8: show - what is on the page, worked out from one snapshot; the same for templates and GET /state."""

from collections.abc import Mapping, Sequence
from typing import Final

from msgspec import Struct

from appliance.booth import words
from appliance.booth.board import Snapshot
from appliance.booth.document_view import DocumentView, document_view
from appliance.booth.filled import filled
from appliance.booth.match_view import MatchView, match_view
from appliance.booth.match_words import headline_and_rest
from appliance.booth.state import Kept, OpenCase, Phase, State
from appliance.booth.status_line import READER, ListView, Quiet, Surroundings, listed, quiet
from appliance.examine.cards import card_steps
from appliance.formats.voice import case_code
from appliance.formats.wire import Case
from appliance.inquiry.life import STAGE_OF
from appliance.judged import Clear, Refer
from appliance.model import TravelDocument
from appliance.recorded import Screened, Stage

PLEASE_WAIT: Final = "Please wait"
NOT_RECORDED: Final = "NOT RECORDED"


class ReasonView(Struct, frozen=True, kw_only=True):
    """One reason and what to do; code "" for a case from before a restart."""

    code: str
    words: str
    next_step: str


class CaseView(Struct, frozen=True, kw_only=True):
    """A result, shown or waiting for its outcome.

    Attributes:
        decision: "refer", "clear", or "not recorded" where "nothing found" has no record (I1).
        headline, rest, next_step: What the result says, first in short, and what to do.
        match: The possible match, None where there is none.
        news: Headquarters or the clock has moved it, and nobody has opened it since.
        kept: crossing.Kept.
        answer: The outcome that was said and is not recorded yet, "" for none; `ahead`: a step that is not.
        lamp: "green", "amber" or "red".
        card: Of a referral: what to do with the document in hand, and what is to be seen (examine/cards.py).
        filled: Of a referral that may have been read wrongly: what was read, box by box of the form to type it in
            (filled.py); None for any other.
    """

    of: str
    title: str
    refers: bool
    decision: str
    headline: str
    rest: str
    next_step: str
    words: tuple[str, ...]
    reasons: tuple[ReasonView, ...]
    notices: tuple[str, ...]
    document: DocumentView | None
    match: MatchView | None
    crossing: str
    person: str
    person_number: int
    laid_at: str
    unread: bool
    kept: str
    recorded: bool
    answer: str
    ahead: bool
    news: bool
    lamp: str
    card: tuple[tuple[str, str], ...]
    filled: Mapping[str, str] | None


class HandOverView(Struct, frozen=True, kw_only=True):
    """A case that the next shift takes over; nothing that says what it is about (I11)."""

    of: str
    code: tuple[str, ...]
    laid_at: str
    looked: bool


class View(Struct, frozen=True, kw_only=True):
    """The whole page.

    Attributes:
        phase: crossing.Phase, or "starting" before the recorder has answered for the first time.
        shown: The result on the screen, None for none.
        opened: The case whose details are open (I11), None for none.
        cases: Without outcome, newest first; results with "nothing found" among them.
        waiting: Those of them that an officer has to answer.
        next: Whose the next document is: "traveller", "person" or "document".
        crossing: The crossing that the next document goes on with, in words; "" when it begins one.
        badge: Who is at the booth, "" when nobody said.
        hand_over: Cases that the next shift takes over.
        news: How many cases have moved without anybody having looked.
        register: What the officer writes into the paper register at the end of a shift: how many entries the box has,
            and their fingerprint; None before the recorder has said so.
        camera_alone: There is no scanner: documents are laid under the camera.
        reader_why: How what reads documents stands, in its own words; "" before it has said anything.
    """

    phase: str
    shown: CaseView | None
    opened: CaseView | None
    cases: tuple[CaseView, ...]
    waiting: tuple[CaseView, ...]
    next: str
    crossing: str
    badge: str
    hand_over: tuple[HandOverView, ...]
    news: int
    register: tuple[int, str] | None
    lists: tuple[ListView, ...]
    not_sent: int | None
    not_recorded: int
    recorder_why: str
    duty_telephone: str
    devices: dict[str, str]
    camera_alone: bool
    reader_why: str
    quiet: tuple[Quiet, ...]
    notice: str


def view(snapshot: Snapshot, around: Surroundings) -> View:
    """Work out the page."""
    state = snapshot.state
    cases = tuple(_case(open_case, snapshot, around) for open_case in state.cases)
    by_id = {case.of: case for case in cases}
    shown = by_id.get(state.shown or "") if state.phase is Phase.RESULT else None
    return View(
        phase="starting" if state.phase is Phase.READY and not snapshot.met else state.phase.value,
        shown=shown,
        opened=by_id.get(state.details or ""),
        cases=cases,
        waiting=tuple(
            case
            for open_case, case in zip(state.cases, cases, strict=True)
            if case is not shown and open_case.kept is not Kept.PENDING and not open_case.implies_passed
        ),
        next=state.following.value,
        crossing=_crossing(state),
        badge=state.badge,
        hand_over=tuple(_hand_over(each, state, around) for each in state.to_hand_over),
        news=sum(case.news for case in cases),
        register=None if around.recorder is None else (around.recorder.entries, around.recorder.fingerprint),
        lists=(listed(around),),
        not_sent=around.uplink.not_sent if around.uplink else None,
        not_recorded=snapshot.waiting,
        recorder_why=snapshot.recorder_why,
        duty_telephone=around.duty_telephone,
        devices={name: device.state.value for name, device in snapshot.devices.items()},
        camera_alone=around.camera_alone,
        reader_why=snapshot.devices[READER].why if READER in snapshot.devices else "",
        quiet=quiet(snapshot.devices, around),
        notice=snapshot.notice,
    )


def _case(open_case: OpenCase, snapshot: Snapshot, around: Surroundings) -> CaseView:
    case = open_case.tip
    seen = snapshot.seen.get(case.of)
    document = (seen.document if seen else None) or case.document
    match = match_view(case, seen, around.on_hand.rules, around.now, duty_telephone=around.duty_telephone)
    recorded = open_case.kept in (Kept.RECORDED, Kept.LATE)
    reasons = _reasons(open_case, seen)
    headline, rest = _headline(
        reasons, seen, refers=case.refers, unrecorded="" if recorded else words.could_not_record(around.duty_telephone)
    )
    return CaseView(
        of=case.of,
        title=case.title,
        refers=case.refers,
        decision="refer" if case.refers else "clear" if recorded else "not recorded",
        headline=headline,
        rest=rest,
        next_step=case.next_step,
        words=(
            *(() if recorded else (NOT_RECORDED,)),
            f"{headline} {rest}".strip(),
            *(reason.words for reason in reasons[1:]),
        ),
        reasons=reasons,
        notices=seen.decision.notices if seen and isinstance(seen.decision, Clear) else (),
        document=document_view(document, seen, around.now) if document else None,
        match=match,
        crossing=case.crossing.id,
        person=case.person.id,
        person_number=case.person.number,
        laid_at=around.local_time(case.opened_ms),
        unread=open_case.unread,
        kept=open_case.kept.value,
        recorded=recorded,
        answer=open_case.answer.value if open_case.answer else "",
        ahead=bool(open_case.ahead),
        news=_has_news(case, snapshot.state),
        lamp="red" if open_case.kept is Kept.NOT_RECORDED else "amber" if case.refers else "green",
        card=_card(document) if case.refers and document else (),
        filled=filled(seen, around.now) if case.refers and seen else None,
    )


def _headline(
    reasons: Sequence[ReasonView], seen: Screened | None, *, refers: bool, unrecorded: str
) -> tuple[str, str]:
    """What a result says first, in short, and the rest of that sentence.

    Args:
        reasons: Why it refers.
        seen: None after a restart.
        refers: Whether it is a referral.
        unrecorded: What to say of any other result that has no record (I1); "" where it has one.
    """
    if refers:
        return headline_and_rest(reasons[0].words if reasons else PLEASE_WAIT)
    if unrecorded:
        return unrecorded, ""
    if seen and isinstance(seen.decision, Clear):
        return words.nothing_found(seen.decision), ""
    return "Nothing was found before the box was switched off.", ""


def _card(document: TravelDocument) -> tuple[tuple[str, str], ...]:
    steps = card_steps(document.issuing_state, document.document_code)
    return tuple((step.how.capitalize(), step.words) for step in steps)


def _has_news(case: Case, state: State) -> bool:
    """Whether headquarters or the clock has moved it and nobody has looked at it since."""
    return case.stage in (*STAGE_OF.values(), Stage.NO_ANSWER) and case.of not in state.looked | {state.details}


def _hand_over(open_case: OpenCase, state: State, around: Surroundings) -> HandOverView:
    of = open_case.case.of
    return HandOverView(
        of=of,
        code=tuple(case_code(of).split("-")),
        laid_at=around.local_time(open_case.case.opened_ms),
        looked=of in state.looked,
    )


def _reasons(open_case: OpenCase, seen: Screened | None) -> tuple[ReasonView, ...]:
    """The case's own words, with code and next step where the decision is still known."""
    known = {}
    if seen and isinstance(seen.decision, Refer):
        known = {reason.words: reason for reason in (seen.decision.first, *seen.decision.others)}
    first = open_case.case.next_step
    return tuple(
        ReasonView(
            code=known[said].code if said in known else "",
            words=said,
            next_step=known[said].next_step if said in known else (first if number == 0 else ""),
        )
        for number, said in enumerate(open_case.case.reasons)
    )


def _crossing(state: State) -> str:
    """Who of an announced vehicle or group comes next; the number first, for a plate may be long."""
    crossing = state.crossing
    if crossing is None or not state.crossing_goes_on or not (crossing.conveyance or crossing.group):
        return ""
    number = state.person.number + 1 if state.person else 1
    who = f"Person {number} of {crossing.group}" if crossing.group else f"Person {number}"
    return f"{who}, {crossing.conveyance}" if crossing.conveyance else who
