"""Stage 6 of 8: record - what a record does to an open case, and whether it may (I8, I10).

A taken-over booth can lie in new records. It cannot open a case in the middle of a life, change whom or what a case is
about, make a move that is not in inquiry/moves.py, or break the chain of records that a life is. Above all it confirms
nothing by itself: `confirmed` and `not confirmed` are recorded only on an answer of headquarters that the recorder has
verified for this very case and verdict, or on a code by telephone that it has heard itself. Pure.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, assert_never

from appliance.errors import Malformed, Refused
from appliance.formats.voice import case_code
from appliance.formats.wire import Append, Case
from appliance.inquiry.life import STAGE_OF, newest_record
from appliance.inquiry.moves import Move, Need, Who, find_move
from appliance.judged import Hit
from appliance.model import Id
from appliance.record.intake import RefusedWith
from appliance.record.open_case import OpenCase
from appliance.recorded import Canary, CarrierCheck, HandOver, Outcome, Picture, Record, Screened, Stage, Transition

Find = Callable[[Id], OpenCase | None]
VERDICT_OF: Final = {stage: verdict for verdict, stage in STAGE_OF.items()}


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseChange:
    """What becomes of open cases with a record.

    Attributes:
        opens, updates: The case as it is from this record on.
        closes: The record whose case ends.
        told_apart: The case whose traveller is, or no longer is, told apart from its entries; None for no such word.
        spared: Which of the two.
        asks: The record whose case headquarters is asked about for the first time.
    """

    opens: OpenCase | None = None
    updates: OpenCase | None = None
    closes: Id | None = None
    told_apart: Case | None = None
    spared: bool = False
    asks: Id | None = None


def change_of(request: Append, record: Record, find: Find) -> CaseChange:
    """What this record does to open cases.

    Args:
        request: As it came.
        record: What is in it.
        find: The open case about a record, None when there is none.

    Raises:
        Malformed: The record and what it is to do to a case do not belong together.
        RefusedWith: Headquarters has not said what the record says of it.
    """
    match record.body:
        case Screened():
            return _screened(request, record, record.body, find)
        case Transition():
            return _moved(request, record, record.body, find)
        case HandOver():
            return _handed_over(request, record.body, find)
        case Outcome():
            return _ended(request, record, record.body, find)
        case CarrierCheck() | Picture() | Canary():
            if (request.opens, request.updates, request.closes) != (None, None, None):
                raise Malformed("append", "a record of this kind belongs to no case")
            return CaseChange()
        case _:
            assert_never(record.body)


# --- a document -------------------------------------------------------------------------------------------------------


def _screened(request: Append, record: Record, body: Screened, find: Find) -> CaseChange:
    if request.updates is not None:
        if request.opens is not None or request.closes is not None or body.laid == 1:
            raise Malformed("append", "a person's first document has a case of its own")
        old = _open_case(request.updates.of, find)
        _check_person(old.case, record)
        _check_life(old.case, request.updates)
        return CaseChange(updates=old.became(request.updates))
    opens, closes = request.opens, request.closes
    if opens is not None:
        _check_new(opens, record)
        if find(opens.of) is not None:
            raise Malformed("append", "the case of this record is open already")
    if closes is not None:
        if opens is None or body.laid == 1:
            raise Malformed("append", "a case closes with its own outcome, or moves to the same person's next document")
        moved = find(closes)
        if moved is not None:
            _check_person(moved.case, record)
            if moved.case.last not in (None, moved.case.of):
                raise Malformed("append", "a case with a life moves to no other record")
    return CaseChange(opens=None if opens is None else OpenCase(case=opens), closes=closes)


def _check_new(opens: Case, record: Record) -> None:
    """A case begins with its screening, at the beginning of a life. Raises Malformed."""
    if opens.of != record.record_id or not _same_person(opens, record):
        raise Malformed("append", "a case opens with the screening that it is about")
    if opens.stage is not Stage.CANDIDATE or opens.last not in (None, opens.of) or opens.asked is not None:
        raise Malformed("append", "a case opens at the beginning of its life")


# --- a step -----------------------------------------------------------------------------------------------------------


def _moved(request: Append, record: Record, body: Transition, find: Find) -> CaseChange:
    old = _open_case(body.of, find)
    _check_person(old.case, record)
    if (body.before, body.was) != (newest_record(old.case), old.case.stage):
        raise Malformed("append", "the step does not follow the newest one of this case")
    who = _check_move(body, old)
    if who is Who.HEADQUARTERS:
        _check_heard(body, old)
    judged = _judged(body, old.case)
    new = request.updates
    if new is None or new.of != body.of or request.opens is not None or request.closes is not None:
        raise Malformed("append", "a step comes with its case as it is then")
    _check_same(old.case, new)
    if (new.stage, new.last) != (body.now, record.record_id):
        raise Malformed("append", "the case is not where the step leads")
    _check_request(body, old.case, new)
    updates = old.became(new, answer=body.answer, by_voice=body.by_voice)
    return CaseChange(
        updates=updates,
        told_apart=None if judged is None else old.case,
        spared=judged is True,
        asks=body.of if new.asked is not None and old.case.asked is None else None,
    )


def _check_move(body: Transition, old: OpenCase) -> Who:
    """Who makes this move. Raises Malformed when nobody can."""
    if not old.case.hits:
        raise Malformed("append", "only a possible match has steps")
    if body.now in (Stage.OUTCOME, Stage.CLOSED):
        raise Malformed("append", "an outcome is a record of its own, and closes its case")
    if body.answer is not None or body.by_voice:
        who, move = Who.HEADQUARTERS, _find(body, Who.HEADQUARTERS)
    else:
        who, move = Who.OFFICER, _find(body, Who.OFFICER)
        if move is None and not body.by:
            who, move = Who.CLOCK, _find(body, Who.CLOCK)
    if move is None:
        raise Malformed("append", "there is no such step in a possible match's life")
    if Need.REASON in move.needs and not body.reason.strip():
        raise Malformed("append", "this step takes a reason")
    return who


def _find(body: Transition, who: Who) -> Move | None:
    try:
        return find_move(body.was, body.now, who)
    except Refused:
        return None


def _check_heard(body: Transition, old: OpenCase) -> None:
    """Headquarters was asked, and has said this, as the recorder itself knows. Raises Malformed, RefusedWith."""
    if old.case.asked is None:
        raise Malformed("append", "headquarters has not been asked about this case")
    if body.by_voice and body.answer is not None:
        raise Malformed("append", "a step rests on an answer or on a code, one of them")
    verdict = VERDICT_OF.get(body.now)
    said = (
        old.voiced
        if body.by_voice
        else next((each.verdict for each in old.answers if each.digest == body.answer), None)
    )
    if verdict is None or said is not verdict:
        raise RefusedWith("untrusted", "Headquarters has not said so about this case.")


def _check_request(body: Transition, old: Case, new: Case) -> None:
    """What is asked is asked once, by this case's code, and not of a state from which somebody seeks asylum."""
    asks = body.now is Stage.CONFIRMATION_REQUESTED and body.was is not body.now
    asks_anew = body.was is body.now is Stage.CONFIRMATION_REQUESTED and new.seeks_asylum is not old.seeks_asylum
    if (body.request is not None) is not (asks or asks_anew):
        raise Malformed("append", "a request stands in the step that makes it, and nowhere else")
    if new.asked is None if asks else new.asked != old.asked:
        raise Malformed("append", "when headquarters was asked is said once")
    if body.request is not None and (
        body.request.case_code != case_code(body.of) or (new.seeks_asylum and not body.request.not_to)
    ):
        raise Malformed("append", "the request is not about this case as it is")


def _judged(body: Transition, old: Case) -> bool | None:
    """Whether this step says that traveller and entries are not the same (True), or takes it back; None for neither."""
    if body.now is Stage.NOT_SAME and body.was is not Stage.NOT_SAME:
        return True
    return False if old.stage is Stage.NOT_SAME and body.now is Stage.CONFIRMED else None


# --- a shift, an end --------------------------------------------------------------------------------------------------


def _handed_over(request: Append, body: HandOver, find: Find) -> CaseChange:
    if request.opens is not None or request.closes is not None:
        raise Malformed("append", "a hand-over opens and closes nothing")
    if not body.took or len(set(body.cases)) != len(body.cases):
        raise Malformed("append", "a hand-over names who takes, and each case once")
    if request.updates is None:
        return CaseChange()
    if request.updates.of not in body.cases:
        raise Malformed("append", "the hand-over does not name that case")
    old = _open_case(request.updates.of, find)
    _check_life(old.case, request.updates)
    return CaseChange(updates=old.became(request.updates))


def _ended(request: Append, record: Record, body: Outcome, find: Find) -> CaseChange:
    if request.opens is not None or request.updates is not None or request.closes not in (None, body.of):
        raise Malformed("append", "an outcome closes its own case, and no other")
    old = find(body.of)
    if old is not None:
        _check_person(old.case, record)
        newest = newest_record(old.case)
        if body.before != newest and (body.before is not None or newest != old.case.of):
            raise Malformed("append", "the outcome does not follow the newest step of this case")
    return CaseChange(closes=request.closes)


# --- what stays -------------------------------------------------------------------------------------------------------


def _open_case(of: Id, find: Find) -> OpenCase:
    found = find(of)
    if found is None:
        raise Malformed("append", "no such case is open")
    return found


def _check_same(old: Case, new: Case) -> None:
    """A case stays about the same person, document and entries. Raises Malformed."""
    if (old.of, old.crossing.id, old.person.id) != (new.of, new.crossing.id, new.person.id):
        raise Malformed("append", "the case that it updates is another person's")
    if (old.refers, old.document, _entries(old.hits)) != (new.refers, new.document, _entries(new.hits)):
        raise Malformed("append", "what a case is about does not change")


def _check_life(old: Case, new: Case) -> None:
    """Nothing but a step moves a case on. Raises Malformed."""
    _check_same(old, new)
    for name in ("stage", "last", "moved_ms", "asked", "seeks_asylum"):
        if getattr(old, name) != getattr(new, name):
            raise Malformed("append", "only a step moves a case on")


def _entries(hits: tuple[Hit, ...]) -> tuple[tuple[str, str, str], ...]:
    return tuple((hit.list_name, hit.entry, hit.revision) for hit in hits)


def _check_person(case: Case, record: Record) -> None:
    if not _same_person(case, record):
        raise Malformed("append", "the case is another person's")


def _same_person(case: Case, record: Record) -> bool:
    crossing, person = record.crossing, record.person
    if crossing is None or person is None:
        return False
    return (case.crossing.id, case.person.id) == (crossing.id, person.id)
