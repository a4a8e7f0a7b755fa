"""One step of a hit's life: a case and what was said become the case as it is then, and the record that says so. Pure.

Each record names the one before it, so a life is a chain that nobody can shorten. Times are claims (I9): within one
boot a wait is measured by the boot clock, and `waited_ms` has the rules for all else.
"""

from dataclasses import dataclass
from typing import Final

from msgspec import structs

from appliance.clock import Instant
from appliance.errors import Refused
from appliance.formats.cbor import pack
from appliance.formats.rules import Confirmation, Rules, confirmation_for
from appliance.formats.voice import Verdict, case_code
from appliance.formats.wire import CASE_HITS_MAX, Case
from appliance.inquiry.moves import Need, Who, find_move, outcome_needs
from appliance.judged import Hit
from appliance.model import Id
from appliance.recorded import ConfirmationRequest, OutcomeKind, RequestedEntry, Stage, Transition

LIFE_MS_MAX: Final = 90 * 24 * 3_600_000
"""No open hit is older (record/cases.py): a longer time between two readings of a clock is the clock's fault."""
UNVOUCHED_WAIT_MS: Final = 4 * 3_600_000
"""After a restart for which no clock vouches, a wait ends when the box has been on for so long, or earlier."""
UNKNOWN_STATE: Final = "XXX"
"""Doc 9303-3 §5: a person of unspecified nationality; as the state not to be asked, whichever it may be."""

CARRIED_BYTES_MAX: Final = 12_288
"""Of a case as it begins; the recorder takes wire.CASE_BYTES_MAX, and reasons and answers come to it later."""
DOCUMENT_BYTES_MAX: Final = 2_048
REASONS_MAX: Final = 8
LINE_MAX: Final = 256
"""Bounds of wire.Case.reasons."""

STAGE_OF: Final = {Verdict.CONFIRMED: Stage.CONFIRMED, Verdict.NOT_CONFIRMED: Stage.NOT_CONFIRMED}


class Missing(Refused):
    """A word is missing that this step takes.

    Attributes:
        field: Of the form: "reason", "note" or "legal_basis".
    """

    def __init__(self, field: str, words: str) -> None:
        self.field = field
        super().__init__(words)


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """What moves a case.

    Attributes:
        record: Identifier of the record that will say so.
        by: Badge of the officer; "" for nobody at the box.
        answer: SHA-256 of headquarters' signed answer.
        by_voice: Headquarters' code was given, and holds.
        seeks_asylum: What the person said of it; None leaves it as it is.
    """

    now: Stage
    who: Who
    at: Instant
    record: Id
    by: str = ""
    reason: str = ""
    answer: bytes | None = None
    by_voice: bool = False
    seeks_asylum: bool | None = None


def start(case: Case) -> Case:
    """The life begins with the screening's own record, as a candidate."""
    return structs.replace(case, stage=Stage.CANDIDATE, last=case.of, moved_ms=case.opened_ms)


def newest_record(case: Case) -> Id:
    """The record that the next one names as the one before."""
    return case.last or case.of


def move(case: Case, said: Said) -> tuple[Case, Transition]:
    """Take one step.

    Raises:
        Missing: It takes a reason.
        Refused: The case has no hit; nobody of this kind can make this move from where it stands; it is the outcome,
            which is recorded as such (`check_outcome`).
    """
    if not case.hits:
        raise Refused("No list is asked about here. Say what was done.")
    if said.now in (Stage.OUTCOME, Stage.CLOSED):
        raise Refused("Say what was done: that is a record of its own, and closes the case.")
    step = find_move(case.stage, said.now, said.who)
    if Need.REASON in step.needs and not said.reason.strip():
        raise Missing("reason", "Write down why.")
    if Need.ANSWER in step.needs:
        if case.asked is None:
            raise Refused("Headquarters has not been asked about this person.")
        assert said.by_voice or said.answer is not None, "headquarters speaks by an answer or a code"
    asks = step.now is Stage.CONFIRMATION_REQUESTED and step.was is not step.now
    # Who must not be asked has changed while headquarters is asking: it hears of that as it heard of the question.
    asks_anew = case.stage is Stage.CONFIRMATION_REQUESTED and said.seeks_asylum not in (None, case.seeks_asylum)
    after = structs.replace(
        case,
        reasons=_with_answer(case, said) if step.who is Who.HEADQUARTERS else case.reasons,
        stage=step.now,
        last=said.record,
        moved_ms=case.moved_ms if step.was is step.now else said.at.wall_ms,
        asked=said.at if asks else case.asked,
        seeks_asylum=case.seeks_asylum if said.seeks_asylum is None else said.seeks_asylum,
        officer=said.by or case.officer,
    )
    return after, Transition(
        of=case.of,
        before=newest_record(case),
        was=step.was,
        now=step.now,
        by=said.by,
        reason=said.reason.strip(),
        answer=said.answer,
        by_voice=said.by_voice,
        request=request_of(after) if asks or asks_anew else None,
    )


def _with_answer(case: Case, said: Said) -> tuple[str, ...]:
    """What headquarters said stands with the case, so that it is there after a restart too."""
    return (*case.reasons[: REASONS_MAX - 1], said.reason.strip()[:LINE_MAX])


def carried(case: Case) -> Case:
    """The case with as many of its hits, the strongest first, as fit beside the rest.

    What a hit was weighed by (`basis`) stays in the screening record, for headquarters; the words side by side go where
    only without them the strongest fits, and the characters that were taken for others where there are very many.
    """
    document = case.document
    if document is not None and len(pack(document)) > DOCUMENT_BYTES_MAX:
        document = structs.replace(document, repairs=(), raw=document.mrz)
    bare = structs.replace(case, document=document, hits=())
    left = CARRIED_BYTES_MAX - len(pack(bare))
    hits: list[Hit] = []
    for hit in case.hits[:CASE_HITS_MAX]:
        short = structs.replace(hit, basis=None)
        if not hits and len(pack(short)) > left:
            short = structs.replace(short, fields=tuple(structs.replace(each, words=()) for each in short.fields))
        left -= len(pack(short))
        if left < 0 and hits:
            break
        hits.append(short)
    return structs.replace(bare, hits=tuple(hits))


def request_of(case: Case) -> ConfirmationRequest:
    """What headquarters is asked; whoever seeks asylum is not made known to the state of their nationality."""
    nationality = case.document.nationality if case.document else ""
    return ConfirmationRequest(
        case_code=case_code(case.of),
        entries=tuple(
            RequestedEntry(
                list_name=hit.list_name,
                list_version=hit.list_version,
                entry=hit.entry,
                source=hit.source,
                band=hit.band,
            )
            for hit in case.hits
        ),
        not_to=(nationality or UNKNOWN_STATE) if case.seeks_asylum else "",
    )


def check_outcome(case: Case, outcome: OutcomeKind, *, note: str, legal_basis: str) -> None:
    """Whether an outcome may be recorded of this case.

    Raises:
        Missing: It was a possible match, and the reason or the legal basis is missing.
        Refused: A second check is a step of this case, not its end.
    """
    if not case.hits:
        return
    if outcome is OutcomeKind.SENT_TO_SECONDARY:
        raise Refused("This case stays open through the second check. Choose it among the steps of the case.")
    needs = outcome_needs(case.stage, outcome)
    if Need.REASON in needs and not note.strip():
        raise Missing("note", "Write down the reason: this was a possible match.")
    if Need.LEGAL_BASIS in needs and not legal_basis.strip():
        raise Missing("legal_basis", "Write down which law or rule you acted on: this was a possible match.")


def confirmation_of(case: Case, rules: Rules) -> Confirmation:
    """How this case is confirmed."""
    return confirmation_for(rules, *(hit.notice for hit in case.hits))


def left_ms(case: Case, rules: Rules, now: Instant) -> int:
    """How long the wait for an answer still lasts, milliseconds; 0 when it is over or nobody was asked."""
    if case.asked is None:
        return 0
    wait_ms = confirmation_of(case, rules).wait_minutes * 60_000
    if not _vouched(case.asked, now):
        wait_ms = min(wait_ms, UNVOUCHED_WAIT_MS)
    return max(0, wait_ms - waited_ms(case.asked, now))


def due(case: Case, rules: Rules, now: Instant) -> bool:
    """Whether the wait has ended without an answer: the clock's move to NO_ANSWER."""
    return case.stage is Stage.CONFIRMATION_REQUESTED and left_ms(case, rules, now) == 0


def waited_ms(asked: Instant, now: Instant) -> int:
    """How much time has certainly passed since, by the best evidence (I9).

    Within one boot the boot clock says it, whatever the wall clock does. Over a restart it is the longest of three that
    cannot be too long: how long this boot lasts; the difference of two vouched wall times; from a vouched asking to
    what headquarters has proven since. A difference that no case could be old is a clock's fault, and a clock that
    nobody vouches for says nothing.
    """
    if asked.boot_id == now.boot_id:
        return max(0, now.boot_ms - asked.boot_ms)
    claimed: list[int] = []
    if asked.trusted:
        claimed.append(now.lower_bound_ms - asked.wall_ms)
        if now.trusted:
            claimed.append(now.wall_ms - asked.wall_ms)
    return max([now.boot_ms, *(each for each in claimed if each <= LIFE_MS_MAX)])


def _vouched(asked: Instant, now: Instant) -> bool:
    """Whether the time between is known: of one boot, or by two vouched clocks that agree with how long cases live."""
    if asked.boot_id == now.boot_id:
        return True
    return asked.trusted and now.trusted and 0 <= now.wall_ms - asked.wall_ms <= LIFE_MS_MAX
