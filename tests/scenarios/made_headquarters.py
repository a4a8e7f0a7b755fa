"""A real headquarters, a box enrolled with it, and a log that the box's keys sign: made with the formats alone.

`Box` does what a recorder does, step by step, so that a test can do each step wrong.
"""

import hashlib
from dataclasses import dataclass, field
from pathlib import Path

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from appliance.clock import Grade, Instant
from appliance.config import Config, parse_config
from appliance.enrol.accept import accept_answer
from appliance.enrol.places import EnrolmentPlaces
from appliance.enrol.request import make_request
from appliance.formats.age import encrypt, parse_identity
from appliance.formats.checkpoint import Checkpoint, sign_checkpoint
from appliance.formats.edge import Edge
from appliance.formats.identity import EpochCertificate, certify_epoch
from appliance.formats.note import LogSigner
from appliance.formats.record import commitment, encode_record, pad
from appliance.formats.statement import EpochStart, EventEntry, Kind, Sealed, Statement, sign_statement
from appliance.judged import Clear, Reason, Refer, Screening
from appliance.model import DocumentFormat, Mode, MrzReading, TravelDocument
from appliance.recorded import (
    Body,
    Canary,
    Crossing,
    Direction,
    DocumentBasis,
    Outcome,
    OutcomeKind,
    Person,
    Picture,
    Record,
    Screened,
)
from drivers.key_store import FileKeyStore
from provisioning.authority.enrolment import issue
from provisioning.authority.home import Home, Settings
from provisioning.authority.keys import load_ed25519
from provisioning.authority.setup import make_headquarters

DOMAIN = "landlink.example"
NOW_MS = 1_795_000_000_000
BOOT = "00112233445566778899aabbccddeeff"
MRZ = ("P<LAOSYNTHETIC<<HOLDER".ljust(44, "<"), "PA00000006LAO8001014F3001019".ljust(42, "<") + "04")
PICTURE_SHARE = 0.01
"""Of a box on this machine's disk, however full that is."""
PICTURE_SHARE_SHIPPED = 0.2
"""Of a box on a disk of its own."""


def instant(ms: int) -> Instant:
    return Instant(wall_ms=NOW_MS + ms, grade=Grade.NETWORK, lower_bound_ms=NOW_MS, boot_id=BOOT, boot_ms=1_000 + ms)


def headquarters(folder: Path, *, mode: Mode = Mode.LIVE, port: int = 8443) -> Home:
    settings = Settings(domain=DOMAIN, mode=mode, collector_host="localhost", collector_port=port)
    return make_headquarters(folder, settings, now_ms=NOW_MS)


def config(folder: Path, serial: str = "LA-0001", mode: Mode = Mode.LIVE) -> Config:
    return parse_config(box_toml(folder, serial, mode))


def box_toml(
    folder: Path, serial: str = "LA-0001", mode: Mode = Mode.LIVE, *, picture_share: float = PICTURE_SHARE
) -> bytes:
    """A box's configuration; below the free share of the disk it keeps no pictures."""
    return f"""
[box]
serial = "{serial}"
domain = "{DOMAIN}"
mode = "{mode}"
state = "{folder}/state"
runtime = "{folder}/run"
[post]
name = "Test post"
duty_telephone = "000"
[scanner]
dialect = "generic"
port = "/dev/null"
[recorder]
booth_uid = 0
uplink_uid = 0
releases_uid = 0
audit_uid = 0
picture_reserve_share = {picture_share}
[uplink]
host = "localhost"
""".encode()


def ask(box: Config) -> bytes:
    key = EnrolmentPlaces(box.state).identity_key
    return make_request(box, lambda: FileKeyStore(key) if key.exists() else FileKeyStore.create(key))


def screened(*, refers: bool = False, number: str = "PA0000000", name: str = "SYNTHETIC") -> Screened:
    document = TravelDocument(
        format=DocumentFormat.TD3,
        mrz=MRZ,
        raw=MRZ,
        repairs=(),
        document_code="P",
        issuing_state="LAO",
        nationality="LAO",
        document_number=number,
        primary_identifier=name,
        secondary_identifier="HOLDER",
        name_truncated=False,
        date_of_birth=None,
        sex="F",
        date_of_expiry=None,
        optional_data="",
        check_digits=(),
    )
    reason = Reason(code="expired", words="The document has expired.", next_step="Look at the document.")
    return Screened(
        reading=MrzReading(device="generic", lines=MRZ, raw_sha256=bytes(32)),
        document=document,
        laid=1,
        findings=(),
        screening=Screening(lists=(), hits=()),
        decision=Refer(first=reason) if refers else Clear(oldest_list=instant(0).today),
    )


def outcome(of: str, kind: OutcomeKind = OutcomeKind.PASSED, *, implied: bool = False) -> Outcome:
    return Outcome(of=of, outcome=kind, implied=implied)


def picture(of: str, content: bytes = b"\xff\xd8synthetic page") -> Picture:
    return Picture(of=of, media_type="image/jpeg", content=content)


@dataclass
class Epoch:
    """A signing key's life, as the recorder starts it."""

    number: int
    key: Ed25519PrivateKey = field(default_factory=Ed25519PrivateKey.generate)

    @property
    def public(self) -> bytes:
        return self.key.public_key().public_bytes_raw()


class Box:
    """An enrolled box and its log, published to `state/log` and `state/bodies` as the recorder lays them out."""

    def __init__(self, home: Home, folder: Path, *, serial: str = "LA-0001", mode: Mode = Mode.LIVE) -> None:
        self.config = config(folder, serial, mode)
        answer = folder / "answer"
        issue(home, ask(self.config), answer, serial=serial, now_ms=NOW_MS)
        accept_answer(self.config, answer)
        self.home = home
        self.mode = mode
        self.state = self.config.state
        self.origin = f"{DOMAIN}/{serial.lower()}.1"
        places = EnrolmentPlaces(self.state)
        self.identity = FileKeyStore(places.identity_key)
        self.log_key = load_ed25519(places.log_key)
        self.leaves: list[bytes] = []
        self.epoch = Epoch(-1)
        self.start_epoch()

    # --- leaves ---

    def statement(self, kind: Kind, **changes: object) -> Statement:
        statement = Statement(
            origin=self.origin,
            epoch=self.epoch.number,
            mode=self.mode,
            at=instant(len(self.leaves)),
            recipients_version=1,
            cosigned=None,
            kind=kind,
        )
        return msgspec.structs.replace(statement, **changes)

    def start_epoch(self, epoch: Epoch | None = None, **changes: object) -> int:
        self.epoch = epoch or Epoch(self.epoch.number + 1)
        certificate = EpochCertificate(
            origin=self.origin,
            mode=self.mode,
            epoch=self.epoch.number,
            public=self.epoch.public,
            first_index=len(self.leaves),
            software="0.1.0",
            boot_id=BOOT,
            started_ms=NOW_MS,
            previous=None,
        )
        certificate = msgspec.structs.replace(certificate, **changes)
        signed = certify_epoch(certificate, identity_der=self.identity.public_key_der(), sign=self.identity.sign)
        return self.append(self.statement(EpochStart(certificate=signed)))

    def append(self, statement: Statement, epoch: Epoch | None = None) -> int:
        epoch = epoch or self.epoch
        self.leaves.append(sign_statement(statement, epoch_public=epoch.public, sign=epoch.key.sign))
        return len(self.leaves) - 1

    def event(self) -> int:
        return self.append(self.statement(EventEntry(event="page_started", fields={})))

    # --- sealed entries ---

    def record(self, body: Body, record_id: str | None = None, **changes: object) -> Record:
        index = len(self.leaves)
        record = Record(
            schema=1,
            origin=self.origin,
            record_id=record_id or f"{index:032x}",
            mode=self.mode,
            salt=hashlib.sha256(f"salt {index}".encode()).digest(),
            at=instant(index),
            crossing=Crossing(id=f"{1:032x}", direction=Direction.ENTRY, lane="1"),
            person=Person(id=f"{index:032x}", number=1, document_basis=DocumentBasis.PASSPORT),
            body=body,
        )
        return msgspec.structs.replace(record, **changes)

    def seal(self, record: Record, *, recipients: tuple[str, ...] = ("record", "escrow"), **changes: object) -> int:
        """Seal a record to headquarters, log it, lay its body out; `changes` are of the statement's Sealed."""
        encoded = encode_record(record)
        keys = [parse_identity((self.home.folder / f"{name}.identity").read_text().strip()) for name in recipients]
        blob = encrypt(pad(encoded), [key.recipient for key in keys])
        sealed = Sealed(commitment=commitment(encoded), blob_sha256=hashlib.sha256(blob).digest(), blob_bytes=len(blob))
        index = self.append(self.statement(msgspec.structs.replace(sealed, **changes)))
        self.body(index).parent.mkdir(exist_ok=True)
        self.body(index).write_bytes(blob)
        return index

    def canary(self) -> int:
        return self.seal(self.record(Canary(epoch=self.epoch.number, recipients_version=1), crossing=None, person=None))

    def body(self, index: int) -> Path:
        return self.state / "bodies" / f"{index}.2.age"

    # --- publication ---

    def publish(self, *, leaves: list[bytes] | None = None, key: Ed25519PrivateKey | None = None) -> None:
        """Publish the whole tree; `leaves` and `key` let a test publish another one."""
        edge = Edge()
        for leaf in self.leaves if leaves is None else leaves:
            edge.append(leaf)
        log = self.state / "log"
        for path, content in edge.publish():
            (log / path).parent.mkdir(parents=True, exist_ok=True)
            (log / path).write_bytes(content)
        checkpoint = Checkpoint(origin=self.origin, size=edge.size, root=edge.root())
        (log / "checkpoint").write_bytes(sign_checkpoint(checkpoint, [LogSigner(self.origin, key or self.log_key)]))


def day_at_the_post(box: Box) -> None:
    """Nine entries: epoch, canary, event, a picture, three documents of which one refers, two outcomes."""
    box.canary()
    box.event()
    box.seal(box.record(picture("aa" * 16)))
    shown = hashlib.sha256(b"\xff\xd8synthetic page").digest()
    box.seal(box.record(screened(), "aa" * 16, pictures=(shown,)))
    box.seal(box.record(outcome("aa" * 16, implied=True)))
    box.seal(box.record(screened(refers=True, number="PB1234567", name="KHAMPHENG"), "bb" * 16))
    box.seal(box.record(screened(), "cc" * 16))
    box.seal(box.record(outcome("bb" * 16, OutcomeKind.SENT_TO_SECONDARY)))
    box.publish()
