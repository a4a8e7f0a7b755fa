"""Opened entries become what headquarters reads: one screening record a line, its outcome and pictures folded in.

The JSON of a line is specified in README.md. A screening record is an entry, its outcomes and some of its pictures are
later entries of the same log, so a line is complete only when the log has been read to its end.
"""

import hashlib
from datetime import UTC, datetime
from typing import Final

import msgspec

from appliance.clock import Instant
from appliance.judged import Decision, Finding, Hit, ListAnswer, Refer
from appliance.model import Mode, TravelDocument, TypedReading
from appliance.recorded import (
    Canary,
    CarrierCheck,
    Crossing,
    HandOver,
    Outcome,
    OutcomeKind,
    Person,
    Picture,
    Record,
    Screened,
    Transition,
)
from provisioning.audit.log import Problem
from provisioning.audit.opened.carrier_checks import CarrierLine, carrier_line
from provisioning.audit.opened.lives import HandOverLine, LifeLine, Lives
from provisioning.audit.opened.opening import Opened

CLOCKS_APART_MS: Final = 60_000
"""A record waits in the booth while its recorder is away; by both clocks of the box it then waits equally long."""


class OutcomeLine(msgspec.Struct, frozen=True, kw_only=True):
    """What was done with the person; `index` is the entry that says so."""

    outcome: OutcomeKind
    implied: bool
    note: str
    index: int


class PictureLine(msgspec.Struct, frozen=True, kw_only=True):
    """One picture of the page: its entry, its SHA-256 in hexadecimal, its length."""

    index: int
    sha256: str
    bytes: int


class RecordLine(msgspec.Struct, kw_only=True):
    """One screening record as README.md specifies it."""

    origin: str
    index: int
    record_id: str
    mode: Mode
    at: str
    clock: Instant
    crossing: Crossing | None
    person: Person | None
    laid: int
    source: str
    device: str
    mrz: str
    raw_mrz: str
    raw_sha256: str
    camera_mrz: str = ""
    document: TravelDocument | None
    findings: tuple[Finding, ...]
    lists: tuple[ListAnswer, ...]
    hits: tuple[Hit, ...]
    decision: Decision
    spared: tuple[str, ...] = ()
    outcome: OutcomeLine | None = None
    earlier_outcomes: list[OutcomeLine] = []
    life: list[LifeLine] = []
    hand_overs: list[HandOverLine] = []
    pictures: list[PictureLine] = []
    pictures_awaited: int = 0

    @property
    def day(self) -> str:
        """The claimed day in UTC, `YYYY-MM-DD`."""
        return self.at[:10]

    @property
    def looked_up(self) -> bool:
        """A document that nobody had brought: there is nobody of whom an outcome could be said."""
        return self.crossing is None

    @property
    def refers(self) -> bool:
        """Whether the box asked for a person to look."""
        return isinstance(self.decision, Refer)

    @property
    def reasons(self) -> list[str]:
        """The codes of the reasons, the most important first; empty when nothing was found."""
        if not isinstance(self.decision, Refer):
            return []
        return [reason.code for reason in (self.decision.first, *self.decision.others)]


class Folding:
    """Takes the opened entries of one log in order and folds them into lines."""

    def __init__(self, origin: str) -> None:
        self._origin = origin
        self._lines: dict[str, RecordLine] = {}
        self._announced: dict[str, set[str]] = {}
        self._pictures: dict[str, list[PictureLine]] = {}
        self._lives = Lives()
        self.carrier_checks: list[CarrierLine] = []
        self.problems: list[Problem] = []

    def take(self, opened: Opened) -> None:
        """Fold one opened entry in; a canary says nothing about a person and folds into nothing."""
        self._check_time(opened)
        match opened.record.body:
            case Screened() as screened:
                self._take_screened(opened.index, opened.record, screened)
            case Outcome() as outcome:
                self._take_outcome(opened, outcome)
            case Transition() as transition:
                self._follows(opened, self._lives.transition(*_place(opened), transition))
            case HandOver() as hand_over:
                self._lives.hand_over(opened.index, iso(opened.record.at.wall_ms), hand_over)
            case Picture() as picture:
                sha256 = hashlib.sha256(picture.content).hexdigest()
                line = PictureLine(index=opened.index, sha256=sha256, bytes=len(picture.content))
                self._pictures.setdefault(picture.of, []).append(line)
            case CarrierCheck() as check:
                at = iso(opened.record.at.wall_ms)
                self.carrier_checks.append(carrier_line(opened.index, at, opened.record, check))
            case Canary():
                pass

    def lines(self) -> list[RecordLine]:
        """The lines in log order; call it when the log has been read to its end."""
        for of, pictures in self._pictures.items():
            line = self._lines.get(of)
            if line is None:
                self._name(pictures[0].index, "its picture belongs to a record that has not been opened")
                continue
            line.pictures = pictures
        for of, line in self._lines.items():
            line.life, line.hand_overs = self._lives.of(of)
        for of, index in self._lives.subjects().items():
            if of not in self._lines:
                self._name(index, "its step of a hit's life is for a record that has not been opened")
        for of, announced in self._announced.items():
            line = self._lines[of]
            line.pictures_awaited = len(announced - {picture.sha256 for picture in line.pictures})
        return list(self._lines.values())

    def _check_time(self, opened: Opened) -> None:
        """Name a time that the booth claims and the recorder, which logged the record soon after, does not bear out."""
        made, logged = opened.record.at, opened.statement.at
        by_boot_ms, by_wall_ms = logged.boot_ms - made.boot_ms, logged.wall_ms - made.wall_ms
        if made.boot_id != logged.boot_id or by_boot_ms < 0 or abs(by_wall_ms - by_boot_ms) > CLOCKS_APART_MS:
            words = f"its record claims {iso(made.wall_ms)}, the box logged it at {iso(logged.wall_ms)}"
            self._name(opened.index, f"{words}: its clock stepped in between, or the booth lies")

    def _take_screened(self, index: int, record: Record, screened: Screened) -> None:
        if record.record_id in self._lines:
            self._name(index, f"its record has the identifier of entry {self._lines[record.record_id].index}")
            return
        self._lines[record.record_id] = _line(index, record, screened)
        self._announced[record.record_id] = {digest.hex() for digest in record.pictures}

    def _follows(self, opened: Opened, why_not: str) -> None:
        if why_not:
            self._name(opened.index, why_not)

    def _take_outcome(self, opened: Opened, outcome: Outcome) -> None:
        index, line = opened.index, self._lines.get(outcome.of)
        self._follows(opened, self._lives.outcome(*_place(opened), outcome))
        if line is None:
            self._name(index, "its outcome is for a record that has not been opened")
            return
        if line.outcome is not None:
            line.earlier_outcomes.append(line.outcome)
        line.outcome = OutcomeLine(outcome=outcome.outcome, implied=outcome.implied, note=outcome.note, index=index)

    def _name(self, index: int, words: str) -> None:
        self.problems.append(Problem(origin=self._origin, index=index, words=words))


def _place(opened: Opened) -> tuple[int, str, str]:
    return opened.index, opened.record.record_id, iso(opened.record.at.wall_ms)


def _line(index: int, record: Record, screened: Screened) -> RecordLine:
    reading, document = screened.reading, screened.document
    typed = isinstance(reading, TypedReading)
    read_lines = () if isinstance(reading, TypedReading) else reading.lines
    return RecordLine(
        origin=record.origin,
        index=index,
        record_id=record.record_id,
        mode=record.mode,
        at=iso(record.at.wall_ms),
        clock=record.at,
        crossing=record.crossing,
        person=record.person,
        laid=screened.laid,
        source="typed" if typed else "scanner",
        device="" if isinstance(reading, TypedReading) else reading.device,
        mrz="\n".join(document.mrz if document is not None else read_lines),
        raw_mrz="\n".join(read_lines),
        raw_sha256=reading.raw_sha256.hex(),
        camera_mrz="\n".join(screened.camera.lines) if screened.camera else "",
        document=document,
        findings=screened.findings,
        lists=screened.screening.lists,
        hits=screened.screening.hits,
        decision=screened.decision,
        spared=screened.spared,
    )


def iso(wall_ms: int) -> str:
    """Milliseconds since 1970 as ISO 8601 in UTC; a claimed time may be any number, so one beyond reason is "?"."""
    try:
        return datetime.fromtimestamp(wall_ms / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    except (ValueError, OverflowError, OSError):
        return "?"
