"""A lane on a desk: the real clerk, stages, formats and receipts; only lamps, disk and clock are of paper.

The recorder here keeps a real log in memory, signs real checkpoints and gives real receipts, and can be told to be
away, full, or to lie: what the booth must never fall for.
"""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from msgspec import structs

from appliance.booth.board import Board, Snapshot
from appliance.booth.clerk import Clerk, Fittings
from appliance.booth.lists_on_hand import OnHand
from appliance.booth.outbox import WAITING_MAX, Outbox, Question
from appliance.booth.second_reader import Look
from appliance.booth.state import State
from appliance.clock import Grade, Instant
from appliance.errors import Malformed
from appliance.formats.checkpoint import Checkpoint, sign_checkpoint
from appliance.formats.edge import Edge
from appliance.formats.list_key import seal_persons
from appliance.formats.lists import DocumentKey, ListedBirth, ListedDocument, ListedName, ListedPerson
from appliance.formats.note import LogSigner
from appliance.formats.pages import HeldBytes
from appliance.formats.receipt import LogReceipt, encode_log_receipt
from appliance.formats.record import commitment, parse_record
from appliance.formats.release import Policy, Recipients, Release, Roster
from appliance.formats.statement import Sealed, Statement, sign_statement
from appliance.formats.voice import Verdict, answer_code, case_code, heard_verdict
from appliance.formats.wire import (
    Answered,
    Append,
    Appended,
    Case,
    Cases,
    Done,
    Event,
    Hello,
    Inbox,
    Inboxed,
    ListCases,
    RefusedReply,
    Spared,
    SparedEntries,
    Voice,
    Voiced,
    Welcome,
)
from appliance.inquiry.memory import subject_of
from appliance.line import Answer, RecorderAway, RecorderRefused
from appliance.model import CameraReading, Mode, MrzReading, Priority
from appliance.record.case_change import CaseChange, change_of
from appliance.record.open_case import OpenCase
from appliance.recorded import Direction, HandOver, Outcome, Record, Screened, Stage, Transition
from appliance.screen.lists import Lists
from drivers.api import Button, Lamp, Sound
from provisioning.authority.list_files import documents_list
from provisioning.authority.person_index import person_index
from provisioning.bench.mrz_writer import MrzFields, write_td3

NOW = Instant(
    wall_ms=1_795_000_000_000, grade=Grade.NETWORK, lower_bound_ms=1_793_000_000_000, boot_id="0" * 32, boot_ms=5_000
)
"""2026-11-18T09:46:40Z."""
LIST_DAY = date(2026, 11, 3)
LISTED = "PA0047113"
"""A Lao passport that the list of the small post holds as stolen."""
TELEPHONE = "duty officer, 1191"
WANTED = ListedPerson(
    entry="R-7",
    source="INTERPOL",
    names=(ListedName(text="PHOMMASACK KHAMPHENG", quality="primary"),),
    births=(ListedBirth(year_from=1987, year_to=1987, month=3, day=4),),
    nationalities=("LAO",),
    notice="red",
)
"""A synthetic person of the small post's other list, born on the day of every passport here."""
WANTED_NAME = ("PHOMMASACK", "KHAMPHENG")
GROUNDS = {"note": "Seen by two officers.", "legal_basis": "Border act, article 12"}
"""What an outcome of a possible match takes."""
VOICE_KEY = bytes(range(32))
BOX = "landlink.example/la-0001"


@dataclass
class PaperClock:
    """Says what it was told."""

    at: Instant = NOW

    def now(self) -> Instant:
        return self.at


@dataclass
class PaperPanel:
    """Remembers every lamp and sound in order."""

    lamps: list[Lamp | None] = field(default_factory=list)
    sounds: list[Sound] = field(default_factory=list)
    pressed: Callable[[Button], None] | None = None
    lid: Callable[[bool], None] | None = None

    def show(self, lamp: Lamp | None) -> None:
        self.lamps.append(lamp)

    def sound(self, sound: Sound) -> None:
        self.sounds.append(sound)

    def on_press(self, pressed: Callable[[Button], None]) -> None:
        self.pressed = pressed

    def on_lid(self, told: Callable[[bool], None]) -> None:
        self.lid = told

    def close(self) -> None:
        self.lamps.append(None)


@dataclass
class MemoryRecorder:
    """A recorder whose disk is a list.

    Attributes:
        trouble: "" for none; "away", "full", "dies" (records, then answers nothing), "lies" (signs another commitment),
            "strict" (refuses every step of a hit and hand-over), "no outcomes", "forgetful" (cannot say what was
            decided before).
        open_cases: As the real recorder keeps and changes them (record/case_change.py).
        asked_inbox: How often somebody asked for answers.
        on_append: Called before an entry is made; tests look at the lamps then.
    """

    origin: str = "landlink.example/la-0001.1"
    mode: Mode = Mode.LIVE
    trouble: str = ""
    records: list[Record] = field(default_factory=list)
    priorities: list[Priority] = field(default_factory=list)
    open_cases: dict[str, OpenCase] = field(default_factory=dict)
    asked_inbox: int = 0
    events: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    on_append: Callable[[Record], None] = lambda _: None
    _receipts: dict[bytes, bytes] = field(default_factory=dict)
    _edge: Edge = field(default_factory=Edge)
    _log: Ed25519PrivateKey = field(default_factory=lambda: Ed25519PrivateKey.from_private_bytes(bytes(32)))
    _epoch: Ed25519PrivateKey = field(default_factory=lambda: Ed25519PrivateKey.from_private_bytes(bytes(31) + b"\x01"))

    def ask(self, request: Question, memfd: bytes | None = None) -> Answer:  # noqa: PLR0911 - one arm a verb
        if self.trouble == "away":
            raise RecorderAway("the recorder does not answer")
        match request:
            case Hello():
                vkey = LogSigner(self.origin, self._log).verifier.vkey()
                return Welcome(origin=self.origin, mode=self.mode, log_vkey=vkey, ready=True)
            case ListCases(skip=skip):
                return Cases(cases=tuple(reversed(self.cases.values()))[skip : skip + 2])
            case Inbox():
                self.asked_inbox += 1
                return Inboxed(answers=tuple(answer for each in self.open_cases.values() for answer in each.answers))
            case Voice(of=of, code=code):
                return self._voice(of, code)
            case Spared(subject=subject, entries=entries):
                if self.trouble == "forgetful":
                    raise RecorderRefused(RefusedReply(code="not_ready", words="It does not know."))
                known = self.not_the_same()
                return SparedEntries(entries=tuple(entry for entry, _ in entries if (subject, entry) in known))
            case Event(event=event, fields=fields):
                self.events.append((event, dict(fields)))
                return Done()
            case Append():
                return self._append(request, request.record or memfd or b"")

    def _append(self, request: Append, encoded: bytes) -> Appended:
        record = parse_record(encoded)
        if self.trouble == "full":
            raise RecorderRefused(RefusedReply(code="storage_full", words="The disk of the box is full."))
        committed = commitment(encoded)
        refuses = {"strict": (Transition, HandOver), "no outcomes": (Outcome,)}.get(self.trouble)
        if refuses is not None and isinstance(record.body, refuses) and committed not in self._receipts:
            raise RecorderRefused(RefusedReply(code="untrusted", words="It says no."))
        if record.origin != self.origin:
            raise RecorderRefused(RefusedReply(code="wrong_origin", words="another log has begun"))
        if committed not in self._receipts:
            try:
                change = change_of(request, record, self.open_cases.get)
            except Malformed as error:
                raise RecorderRefused(RefusedReply(code="malformed", words=str(error))) from None
            self.on_append(record)
            self._receipts[committed] = self._receipt(committed)
            self.records.append(record)
            self.priorities.append(request.priority)
            self._take_over(change)
        if self.trouble == "dies":
            self.trouble = "away"
            raise RecorderAway("the recorder does not answer")
        return Appended(receipt=self._receipts[committed])

    def _take_over(self, change: CaseChange) -> None:
        if change.closes:
            self.open_cases.pop(change.closes, None)
        for each in (change.opens, change.updates):
            if each is not None:
                self.open_cases[each.case.of] = each

    def _voice(self, of: str, code: str) -> Voiced:
        verdict = heard_verdict(VOICE_KEY, box=BOX, of=of, code=code)
        if verdict is None:
            raise RecorderRefused(RefusedReply(code="wrong_code", words="This is not the code for this case."))
        self.open_cases[of] = self.open_cases[of].heard(verdict, NOW)
        return Voiced(verdict=verdict)

    def _receipt(self, committed: bytes) -> bytes:
        if self.trouble == "lies":
            committed = hashlib.sha256(committed).digest()
        leaf = sign_statement(
            Statement(
                origin=self.origin,
                epoch=0,
                mode=self.mode,
                at=NOW,
                recipients_version=1,
                cosigned=None,
                kind=Sealed(commitment=committed, blob_sha256=bytes(32), blob_bytes=4096),
            ),
            epoch_public=self._epoch.public_key().public_bytes_raw(),
            sign=self._epoch.sign,
        )
        index = self._edge.size
        proof = self._edge.append(leaf)
        checkpoint = Checkpoint(origin=self.origin, size=self._edge.size, root=self._edge.root())
        note = sign_checkpoint(checkpoint, [LogSigner(self.origin, self._log)])
        return encode_log_receipt(LogReceipt(index=index, leaf=leaf, inclusion_proof=tuple(proof), checkpoint=note))

    def not_the_same(self) -> set[tuple[bytes, str]]:
        """What it remembers of a decision: whom, and which entry."""
        of = {step.of for step in self.steps if step.now is Stage.NOT_SAME}
        bodies = [record.body for record in self.records if record.record_id in of]
        return {
            (subject, hit.entry)
            for body in bodies
            if isinstance(body, Screened) and body.document and (subject := subject_of(body.document))
            for hit in body.screening.hits
        }

    def says(self, of: str, verdict: Verdict, words: str = "") -> Answered:
        """Headquarters has answered in writing."""
        at_ms = len(self.records) + self.asked_inbox
        digest = hashlib.sha256(f"{of} {verdict} {at_ms}".encode()).digest()
        answered = Answered(of=of, verdict=verdict, words=words, by="NCB duty officer", at_ms=at_ms, digest=digest)
        self.open_cases[of] = self.open_cases[of].answered(answered)
        return answered

    @property
    def cases(self) -> dict[str, Case]:
        """The booth's part of every open case."""
        return {of: each.case for of, each in self.open_cases.items()}

    @property
    def steps(self) -> list[Transition]:
        return [record.body for record in self.records if isinstance(record.body, Transition)]

    @property
    def screenings(self) -> list[Record]:
        return [record for record in self.records if isinstance(record.body, Screened)]

    @property
    def outcomes(self) -> dict[str, Outcome]:
        """The outcome of each record that has one."""
        bodies = [record.body for record in self.records if isinstance(record.body, Outcome)]
        return {body.of: body for body in bodies}


def spoken(of: str, verdict: Verdict) -> str:
    """What the duty desk reads out for this case."""
    return answer_code(VOICE_KEY, box=BOX, case=case_code(of), verdict=verdict)


def on_hand(day: date = LIST_DAY) -> OnHand:
    """Lists in which one Lao passport is stolen, and one person is looked for."""
    stolen = {
        DocumentKey(issuer="LAO", document_type="P", number=LISTED): ListedDocument(
            entry="S-1", source="SLTD-like", fraud="stolen", reported_by="LAO"
        )
    }
    release = Release(
        version=3,
        dated=day,
        signed_ms=1_793_700_000_000,
        recipients=Recipients(version=1, general="age1pq1q", escrow="age1pq1q", protection="age1pq1q"),
        roster=Roster(version=1, keys=(), boxes=()),
        policy=Policy(version=3, signed_ms=1_793_700_000_000, dated=day),
        documents=(HeldBytes(documents_list(stolen, dated=day, list_key=bytes(32))),),
        persons=seal_persons(person_index((WANTED,), dated=day), bytes(32)),
    )
    return OnHand(lists=Lists.from_release(release, (bytes(32),)), release=release)


NO_LISTS = OnHand(lists=Lists.from_release(None, (), "damaged"), release=None, why="damaged")


class SmallPost:
    """A clerk at work.

    Args:
        recorder: Handed from one clerk to the next to play a restart of the booth.
    """

    def __init__(self, recorder: MemoryRecorder | None = None, lists: OnHand | None = None) -> None:
        self.recorder = recorder or MemoryRecorder()
        self.panel = PaperPanel()
        self.clock = PaperClock()
        self.lists = lists or on_hand()
        self.lit: list[str] = []
        self.referred: list[str] = []
        self.camera: CameraReading | None = None
        self.board = Board(Snapshot(state=State(direction=Direction.ENTRY, lane="1")))
        fittings = Fittings(
            panel=self.panel,
            outbox=Outbox(self.recorder, self.recorder, mode=Mode.LIVE),
            board=self.board,
            clock=self.clock,
            on_hand=lambda: self.lists,
            duty_telephone=TELEPHONE,
            lit=lambda of, _crossing, _person, _image: self.lit.append(of),
            referred=lambda of, _crossing, _person: self.referred.append(of),
            look=lambda: Look(reading=self.camera) if self.camera else None,
            look_at_typed=lambda: Look(reading=self.camera) if self.camera else None,
        )
        self.clerk = Clerk(self.board.latest.state, fittings)

    @property
    def state(self) -> State:
        return self.board.latest.state

    @property
    def full(self) -> bool:
        """Whether no further record is taken."""
        return self.board.latest.waiting >= WAITING_MAX

    def lay(self, *lines: str) -> None:
        self.clerk.document(mrz(*lines))

    def wait(self, seconds: float) -> None:
        """Time passes."""
        passed = int(seconds * 1_000)
        at = self.clock.at
        self.clock.at = structs.replace(at, wall_ms=at.wall_ms + passed, boot_ms=at.boot_ms + passed)


def mrz(*lines: str) -> MrzReading:
    """What a scanner read; no lines: nothing."""
    return MrzReading(device="elyctis", lines=lines, raw_sha256=hashlib.sha256("\r".join(lines).encode()).digest())


def passport(number: str, name: str = "SISOUK", given: str = "MALAVANH", *, expiry: str = "310630") -> tuple[str, ...]:
    """A Lao passport of a synthetic holder."""
    return write_td3(
        MrzFields(
            document_code="P",
            issuing_state="LAO",
            document_number=number,
            nationality="LAO",
            date_of_birth="870304",
            sex="F",
            date_of_expiry=expiry,
            primary_identifier=name,
            secondary_identifier=given,
        )
    )
