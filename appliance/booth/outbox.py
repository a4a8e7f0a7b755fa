"""Stage 6 of 8: record, the booth's side - records leave in order, and count as kept by a verified receipt only.

Nothing is shown, and no outcome is taken as said, before `verify_log_receipt` holds for the commitment of the very
bytes that the booth encoded, under the key of the log that the recorder named (I1). What cannot be kept now stays here,
in order, and is tried again: the same bytes get the same entry, so trying again never records twice.
"""

import os
from dataclasses import dataclass, field
from typing import Final, Protocol

from appliance.clock import Instant
from appliance.errors import LandlinkError, Malformed, Refused, Untrusted
from appliance.formats.cbor import pack
from appliance.formats.note import Verifier, parse_vkey
from appliance.formats.receipt import parse_log_receipt, verify_log_receipt
from appliance.formats.record import RECORD_SCHEMA, commitment, encode_record
from appliance.formats.voice import Verdict
from appliance.formats.wire import (
    CASES_MAX,
    MESSAGE_BYTES_MAX,
    Answered,
    Append,
    Appended,
    Case,
    Cases,
    Event,
    Hello,
    Inbox,
    Inboxed,
    ListCases,
    RefusalCode,
    Spared,
    SparedEntries,
    Voice,
    Voiced,
    Welcome,
)
from appliance.line import Answer, RecorderAway, RecorderRefused
from appliance.model import Id, Mode, Priority
from appliance.recorded import Body, Crossing, Person, Record

WAITING_MAX: Final = 256
"""Records that wait in memory while the box cannot record: half an hour of a busy lane, then paper."""
MESSAGE_HEAD_BYTES_MAX: Final = 1_024
"""Of a message, what is neither record nor case; a record that does not fit beside them crosses in a memfd."""
NOT_NOW: Final[frozenset[RefusalCode]] = frozenset({"not_ready", "busy", "storage_full"})
"""Refusals that end by themselves; any other one would be given again."""


Question = Hello | Append | ListCases | Event | Inbox | Voice | Spared


class Recorder(Protocol):
    """The line to the recorder (appliance/line.py)."""

    def ask(self, request: Question, memfd: bytes | None = None) -> Answer:
        """Ask and wait. Raises RecorderRefused, RecorderAway, Malformed."""
        ...


class Report(Protocol):
    """Told what has become of a record."""

    def __call__(self, parcel: "Parcel", /, *, kept: bool) -> None:
        """`kept` is whether its receipt is verified."""
        ...


@dataclass(slots=True, kw_only=True)
class Parcel:
    """One record on its way.

    Attributes:
        record_id: Chosen once.
        crossing, person: None where the record is about no person.
        opens, updates, closes: As wire.Append.
        encoded: The record's bytes, made when it is first tried; b"" before.
        told: Its maker knows that it is not kept yet.
        refused: Why the recorder will never take it; "" where it may.
    """

    record_id: Id
    at: Instant
    crossing: Crossing | None
    person: Person | None
    body: Body
    priority: Priority
    opens: Case | None = None
    updates: Case | None = None
    closes: Id | None = None
    salt: bytes = field(default_factory=lambda: os.urandom(32))
    encoded: bytes = b""
    told: bool = False
    refused: str = ""


class Outbox:
    """The one way from the booth into the log. For one thread.

    Args:
        line: Asks again by itself while a recorder restarts, for some seconds.
        probe: The same with a short patience, so that a lane whose recorder is gone waits no seconds a document.
        mode: What this box is set up for; a recorder of the other mode gets nothing (I7).

    Attributes:
        why: What hindered last, in plain words; "" when nothing did.
    """

    def __init__(self, line: Recorder, probe: Recorder, *, mode: Mode) -> None:
        self._line = line
        self._probe = probe
        self._away = False
        self._mode = mode
        self._verifier: Verifier | None = None
        self._waiting: list[Parcel] = []
        self.why = ""

    @property
    def waiting(self) -> int:
        """How many records are not kept yet."""
        return len(self._waiting)

    @property
    def full(self) -> bool:
        """No further record is taken: the officer writes on paper."""
        return len(self._waiting) >= WAITING_MAX

    def put(self, parcel: Parcel) -> None:
        """Take a record to be kept after all earlier ones; whoever makes more asks `full` first."""
        self._waiting.append(parcel)

    def flush(self, report: Report) -> bool:
        """Try to keep everything, in order; stop at the first that cannot be kept now, and say in `why` what hinders.

        Args:
            report: Told of each record, once, that it is not kept yet (False), and as soon as its receipt is
                verified (True). It may put further records, which are tried in the same go.

        Returns:
            Whether nothing waits any more.
        """
        if self._away and not self.reachable():
            return self._tell(report)
        while self._waiting:
            parcel = self._waiting[0]
            kept = False
            try:
                self._keep(parcel)
                kept = True
            except LandlinkError as error:
                self._note(error)
                if not isinstance(error, RecorderRefused) or error.code in NOT_NOW:
                    return self._tell(report)
                parcel.refused = str(error)
            self._waiting.pop(0)  # kept, or refused for ever: one bad record must not hold up the others
            report(parcel, kept=kept)
        self._away = False
        self.why = ""
        return True

    def reachable(self) -> bool:
        """Whether a recorder answers within a moment."""
        try:
            self._probe.ask(Hello())
        except LandlinkError as error:
            self._note(error)
            return False
        return True

    def give_up(self) -> None:
        """Forget what waits."""
        self._waiting.clear()

    def _tell(self, report: Report) -> bool:
        while fresh := [parcel for parcel in self._waiting if not parcel.told]:
            for parcel in fresh:
                parcel.told = True
                report(parcel, kept=False)
        return not self._waiting

    def cases(self) -> tuple[Case, ...]:
        """Results without outcome, newest first. Raises RecorderAway, RecorderRefused, Malformed."""
        known: dict[Id, Case] = {}
        while len(known) < CASES_MAX:
            answer = self._line.ask(ListCases(skip=len(known)))
            if not isinstance(answer, Cases):
                raise Malformed("recorder's reply", "no list of cases")
            fresh = {case.of: case for case in answer.cases if case.of not in known}
            if not fresh:
                break
            known |= fresh
        return tuple(known.values())

    def inbox(self) -> tuple[Answered, ...]:
        """Headquarters' answers to open cases, oldest first. Raises RecorderAway, RecorderRefused, Malformed."""
        answer = self._probe.ask(Inbox())
        if not isinstance(answer, Inboxed):
            raise Malformed("recorder's reply", "no answers")
        return answer.answers

    def voice(self, of: Id, code: str) -> Verdict:
        """What headquarters says by this code. Raises RecorderAway, RecorderRefused, Malformed."""
        answer = self._line.ask(Voice(of=of, code=code))
        if not isinstance(answer, Voiced):
            raise Malformed("recorder's reply", "no verdict")
        return answer.verdict

    def spared(self, subject: bytes, entries: tuple[tuple[str, str], ...]) -> frozenset[str]:
        """The entries that this traveller was found not to be. Raises RecorderAway, RecorderRefused, Malformed."""
        answer = self._probe.ask(Spared(subject=subject, entries=entries))
        if not isinstance(answer, SparedEntries):
            raise Malformed("recorder's reply", "no entries")
        return frozenset(answer.entries)

    def event(self, event: str, fields: dict[str, str]) -> None:
        """Log something without personal data. Raises RecorderAway, RecorderRefused, Malformed."""
        self._line.ask(Event(event=event, fields=fields))

    def _note(self, error: LandlinkError) -> None:
        self.why = str(error)
        self._away = isinstance(error, RecorderAway)
        if not isinstance(error, RecorderRefused):
            self._verifier = None  # another recorder may answer next time: ask it who it is

    def _keep(self, parcel: Parcel) -> None:
        """Append one record and verify its receipt. Raises whatever keeps it from being kept."""
        verifier = self._verifier or self._hello()
        if not parcel.encoded:
            parcel.encoded = self._encode(parcel, verifier.name)
        try:
            self._append(parcel, verifier)
        except RecorderRefused as refusal:
            if refusal.code != "wrong_origin":
                raise
            # The recorder has begun another log: what was never durable is made anew for that one.
            verifier = self._hello()
            parcel.encoded = self._encode(parcel, verifier.name)
            self._append(parcel, verifier)

    def _append(self, parcel: Parcel, verifier: Verifier) -> None:
        beside = sum(len(pack(case)) for case in (parcel.opens, parcel.updates) if case is not None)
        long = len(parcel.encoded) + beside + MESSAGE_HEAD_BYTES_MAX > MESSAGE_BYTES_MAX
        request = Append(
            record=b"" if long else parcel.encoded,
            priority=parcel.priority,
            opens=parcel.opens,
            updates=parcel.updates,
            closes=parcel.closes,
        )
        answer = self._line.ask(request, parcel.encoded if long else None)
        if not isinstance(answer, Appended):
            raise Malformed("recorder's reply", "no receipt")
        verify_log_receipt(parse_log_receipt(answer.receipt), verifier, commitment(parcel.encoded))

    def _hello(self) -> Verifier:
        """Ask the recorder which log it appends to; its key is what receipts are verified with."""
        answer = self._line.ask(Hello())
        if not isinstance(answer, Welcome):
            raise Malformed("recorder's reply", "no welcome")
        if not answer.ready:
            raise Refused(answer.why or "the recorder is not ready")
        if answer.mode is not self._mode:
            raise Untrusted(f"the booth is set up for {self._mode}, the recorder for {answer.mode}")
        verifier = parse_vkey(answer.log_vkey)
        if verifier.name != answer.origin:
            raise Untrusted("the recorder's key is not that of its log")
        self._verifier = verifier
        return verifier

    def _encode(self, parcel: Parcel, origin: str) -> bytes:
        return encode_record(
            Record(
                schema=RECORD_SCHEMA,
                origin=origin,
                record_id=parcel.record_id,
                mode=self._mode,
                salt=parcel.salt,
                at=parcel.at,
                crossing=parcel.crossing,
                person=parcel.person,
                body=parcel.body,
            )
        )
