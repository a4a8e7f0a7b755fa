"""A possible match at a recorder, led through its life as a booth does it, or astray as a taken-over booth would."""

import os
from dataclasses import dataclass, field
from datetime import date

from msgspec import structs

from appliance.clock import Grade, Instant
from appliance.formats.downlink import CaseAnswer, downlink_digest, seal_downlink
from appliance.formats.receipt import LogReceipt
from appliance.formats.record import encode_record
from appliance.formats.voice import Verdict
from appliance.formats.wire import Answered, Append, Case, Cases, Deliver, Inbox, Inboxed, ListCases
from appliance.inquiry.life import Said, move
from appliance.inquiry.moves import Who
from appliance.judged import Band, Hit, Refer, Screening
from appliance.line import RecorderLine
from appliance.model import PartialDate, Priority
from appliance.recorded import Body, HandOver, Outcome, OutcomeKind, Record, Screened, Stage
from tests.scenarios.made_headquarters import BOOT, NOW_MS, screened
from tests.scenarios.recorder_bed import Bed, case_of, message, recipient_of, record, recorded

NAME, NUMBER = "MALAVANHXSYNTHETIC", "PB7654321"


def hit(entry: str = "QDi.9999", revision: str = "00112233aabbccdd") -> Hit:
    return Hit(
        list_name="persons",
        list_version=1,
        list_date=date(2026, 11, 3),
        entry=entry,
        source="UN Security Council",
        band=Band.STRONG,
        matcher="1",
        fields=(),
        instruction="Do not detain on this alone.",
        notice="red",
        revision=revision,
    )


def matched(hits: tuple[Hit, ...] | None = None, *, laid: int = 1) -> Screened:
    """A screening that found somebody on a list."""
    made = screened(refers=True, number=NUMBER, name=NAME)
    assert made.document is not None
    assert isinstance(made.decision, Refer)
    born = PartialDate(raw="800101", year=1980, month=1, day=1, rule="a birth lies in the past")
    return structs.replace(
        made,
        document=structs.replace(made.document, date_of_birth=born),
        laid=laid,
        screening=Screening(lists=(), hits=(hit(),) if hits is None else hits),
    )


def at(boot_ms: int = 2_000, *, boot_id: str = BOOT) -> Instant:
    return Instant(
        wall_ms=NOW_MS + boot_ms, grade=Grade.NETWORK, lower_bound_ms=NOW_MS, boot_id=boot_id, boot_ms=boot_ms
    )


@dataclass
class Life:
    """One possible match.

    Attributes:
        case: As the recorder has it.
    """

    box: Bed
    line: RecorderLine
    first: Record = field(default_factory=lambda: record(matched()))

    def __post_init__(self) -> None:
        assert isinstance(self.first.body, Screened)
        opened = case_of(self.first, f"{NAME} {NUMBER}")
        self.case = structs.replace(opened, document=self.first.body.document, hits=self.first.body.screening.hits)

    @property
    def of(self) -> str:
        return self.case.of

    def open(self) -> LogReceipt:
        return recorded(self.line, self.request(self.first, opens=self.case), self.box.verifier)

    def request(self, made: Record, **attached: object) -> Append:
        request = Append(record=encode_record(made), priority=Priority.RECORD)
        return structs.replace(request, **attached)

    def said(self, body: Body, record_id: str | None = None) -> Record:
        """A record about this person."""
        return structs.replace(record(body), record_id=record_id or os.urandom(16).hex())

    def step(self, now: Stage, who: Who = Who.OFFICER, **said: object) -> tuple[Case, Append]:
        """The case after a step, and the step's request; nothing is asked yet."""
        identifier = os.urandom(16).hex()
        plain: dict[str, object] = {"reason": "looked at both", "by": "7" if who is Who.OFFICER else ""}
        case, transition = move(self.case, Said(now=now, who=who, at=at(), record=identifier, **{**plain, **said}))
        return case, self.request(self.said(transition, identifier), updates=case)

    def take(self, now: Stage, who: Who = Who.OFFICER, **said: object) -> LogReceipt:
        """Make a step."""
        case, request = self.step(now, who, **said)
        receipt = recorded(self.line, request, self.box.verifier)
        self.case = case
        return receipt

    def ask_headquarters(self) -> None:
        for now in (Stage.FIRST_LINE_VERIFIED, Stage.SECONDARY, Stage.CONFIRMATION_REQUESTED):
            self.take(now)

    def outcome(self, kind: OutcomeKind = OutcomeKind.HANDED_OVER) -> Append:
        body = Outcome(of=self.of, outcome=kind, implied=False, before=self.case.last)
        return self.request(self.said(body), closes=self.of)

    def hand_over(self, **changes: object) -> Append:
        body = structs.replace(HandOver(gave="7", took="8", cases=(self.of,)), **changes)
        return self.request(structs.replace(self.said(body), crossing=None, person=None))

    def answer(self, verdict: Verdict, counter: int, *, of: str | None = None) -> tuple[bytes, Deliver]:
        """Headquarters' answer: its digest, and as the uplink brings it."""
        said = CaseAnswer(of=of or self.of, verdict=verdict, words="As agreed with the source.", by="duty desk")
        signed = message(self.box, said, counter)
        return downlink_digest(signed), Deliver(sealed=seal_downlink(signed, recipient_of(self.box)))

    def kept(self) -> Case | None:
        """The case as the recorder tells it."""
        cases = self.line.ask(ListCases())
        assert isinstance(cases, Cases)
        return next((case for case in cases.cases if case.of == self.of), None)


def inbox(line: RecorderLine) -> tuple[Answered, ...]:
    answer = line.ask(Inbox())
    assert isinstance(answer, Inboxed)
    return answer.answers
