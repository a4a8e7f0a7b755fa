"""A recorder as a process of its own, enrolled with a real headquarters, on folders that a test may look into."""

import atexit
import contextlib
import hashlib
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Generator, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from tempfile import mkdtemp

from appliance.clock import Grade, Instant
from appliance.enrol.accept import accept_answer
from appliance.formats.age import Identity, Recipient, decrypt, parse_identity
from appliance.formats.checkpoint import Checkpoint, open_checkpoint
from appliance.formats.downlink import Downlink, Message, role_of, seal_downlink, sign_downlink
from appliance.formats.merkle import leaf_hash, root_hash
from appliance.formats.note import Verifier, parse_vkey
from appliance.formats.receipt import LogReceipt, parse_log_receipt, verify_log_receipt
from appliance.formats.record import RECORD_BYTES_MAX, commitment, encode_record, parse_record, unpad
from appliance.formats.statement import Sealed, Statement, parse_statement
from appliance.formats.status import RecorderStatus, parse_status
from appliance.formats.tiles import read_entries
from appliance.formats.wire import Append, Appended, Case, Deliver, Hello, Keys, ListKeys, Welcome
from appliance.line import Question, RecorderLine
from appliance.model import Mode, Priority
from appliance.recorded import Body, Crossing, Direction, DocumentBasis, Person, Picture, Record, Screened
from appliance.releases.take import take_release
from appliance.shelf import Shelf
from provisioning.authority.enrolment import issue
from provisioning.authority.home import Home
from provisioning.authority.keys import load_ed25519
from tests.merkle_nodes import Nodes
from tests.scenarios.made_headquarters import BOOT, NOW_MS, PICTURE_SHARE, ask, box_toml, config, headquarters, screened

REPOSITORY = Path(__file__).parents[2]
ORIGIN = "landlink.example/la-0001.1"
BOX = "landlink.example/la-0001"
READY_S = 30.0


@cache
def enrolled() -> tuple[Path, Home]:
    """A box's state after enrolment, with its first release in service; made once, copied for each test."""
    folder = Path(mkdtemp(prefix="enrolled-"))
    atexit.register(shutil.rmtree, folder)
    home = headquarters(folder / "hq")
    box = config(folder)
    issue(home, ask(box), folder / "answer", serial="LA-0001", now_ms=NOW_MS)
    accept_answer(box, folder / "answer")
    take_release(Shelf(box.state / "releases"), box.state / "mirror", lower_bound_ms=NOW_MS, keys=())
    return box.state, home


@dataclass
class Bed:
    """One box's folders, and its recorder's processes."""

    folder: Path
    home: Home
    running: list[subprocess.Popen[bytes]] = field(default_factory=list)
    lines: list[RecorderLine] = field(default_factory=list)

    @property
    def state(self) -> Path:
        return self.folder / "state"

    @property
    def journals(self) -> list[Path]:
        return sorted((self.state / "recorder").glob("journal.*"))

    @property
    def output(self) -> Path:
        return self.folder / "recorder.out"

    def start(self, *wrapper: str) -> subprocess.Popen[bytes]:
        """Start `landlink-box recorder`, inside `wrapper` if there is one; returns when its booth's door is open."""
        for socket_path in (self.folder / "run").glob("*.sock"):
            socket_path.unlink()
        process = self.spawn(*wrapper)
        line = self.line(timeout_s=READY_S)
        line.ask(Hello())
        line.close()
        return process

    def spawn(self, *wrapper: str) -> subprocess.Popen[bytes]:
        with self.output.open("ab") as output:
            process = subprocess.Popen(
                [*wrapper, sys.executable, "-m", "appliance", "--config", str(self.folder / "box.toml"), "recorder"],
                cwd=REPOSITORY,
                stdout=output,
                stderr=output,
            )
        self.running.append(process)
        return process

    def stop(self, process: subprocess.Popen[bytes]) -> int:
        process.send_signal(signal.SIGTERM)
        return process.wait(30)

    def close(self) -> None:
        for line in self.lines:
            line.close()
        for process in self.running:
            if process.poll() is None:
                process.kill()
            process.wait()

    def line(self, role: str = "booth", *, timeout_s: float = 10.0) -> RecorderLine:
        line = RecorderLine(self.folder / "run" / f"{role}.sock", timeout_s=timeout_s)
        self.lines.append(line)
        return line

    def settle(self) -> None:
        """Wait until everything that was recorded so far is published."""
        line = self.line()
        line.ask(Hello())  # its answer comes after the status of whatever was answered before
        line.close()
        deadline = time.monotonic() + READY_S
        while not self._settled():
            assert time.monotonic() < deadline, "not everything was published"
            threading.Event().wait(0.01)

    def _settled(self) -> bool:
        try:
            status = parse_status((self.folder / "run" / "recorder.status").read_bytes(), RecorderStatus)
            return self.checkpoint().size == status.entries
        except FileNotFoundError:
            return False

    # --- what it left ---

    @property
    def verifier(self) -> Verifier:
        return parse_vkey((self.state / "log.vkey").read_text().strip())

    def checkpoint(self) -> Checkpoint:
        return open_checkpoint((self.state / "log" / "checkpoint").read_bytes(), self.verifier)[0]

    def leaves(self) -> list[bytes]:
        """All leaves of the published tree, which is the one that its checkpoint signs."""
        checkpoint = self.checkpoint()
        leaves = list(read_entries(checkpoint.size, lambda path: (self.state / "log" / path).read_bytes()))
        assert root_hash(checkpoint.size, nodes_of(leaves)) == checkpoint.root
        return leaves

    def statements(self) -> list[Statement]:
        return [parse_statement(leaf).unverified for leaf in self.leaves()]

    def body(self, index: int) -> bytes:
        (path,) = (self.state / "bodies").glob(f"{index}.*.age")
        return path.read_bytes()

    def opened(self, index: int) -> Record:
        """A record as headquarters opens it: body, commitment and context agree with the statement."""
        kind = self.statements()[index].kind
        assert isinstance(kind, Sealed)
        blob = self.body(index)
        assert (hashlib.sha256(blob).digest(), len(blob)) == (kind.blob_sha256, kind.blob_bytes)
        encoded = unpad(decrypt(blob, record_identity(self.home), plaintext_bytes_max=2 * RECORD_BYTES_MAX))
        assert commitment(encoded) == kind.commitment
        return parse_record(encoded)


@contextlib.contextmanager
def bed(folder: Path | None = None, *, picture_share: float = PICTURE_SHARE) -> Generator[Bed]:
    """A box that was enrolled and has its first release; nothing runs yet. Its path is short, for its sockets."""
    state, home = enrolled()
    place = Path(mkdtemp(prefix="r-")) if folder is None else folder
    shutil.copytree(state, place / "state", symlinks=True)
    (place / "run").mkdir()
    (place / "box.toml").write_bytes(box_toml(place, picture_share=picture_share))
    made = Bed(place, home)
    try:
        yield made
    finally:
        made.close()
        if folder is None:
            shutil.rmtree(place)


def record_identity(home: Home) -> Identity:
    return parse_identity((home.folder / "record.identity").read_text().strip())


def nodes_of(leaves: Sequence[bytes]) -> Nodes:
    nodes = Nodes()
    for leaf in leaves:
        nodes.append(leaf_hash(leaf))
    return nodes


def record(body: Body | None = None, *, origin: str = ORIGIN, mode: Mode = Mode.LIVE) -> Record:
    """A record as a booth makes it, of one screening unless another body is given."""
    return Record(
        schema=1,
        origin=origin,
        record_id=os.urandom(16).hex(),
        mode=mode,
        salt=os.urandom(32),
        at=Instant(wall_ms=NOW_MS, grade=Grade.NETWORK, lower_bound_ms=NOW_MS, boot_id=BOOT, boot_ms=1_000),
        crossing=Crossing(id=f"{1:032x}", direction=Direction.ENTRY, lane="1"),
        person=Person(id=f"{2:032x}", number=1, document_basis=DocumentBasis.PASSPORT),
        body=body or screened(),
    )


def append(made: Record, *, opens: Case | None = None, closes: str | None = None) -> Append:
    priority = Priority.BULK if isinstance(made.body, Picture) else Priority.RECORD
    return Append(record=encode_record(made), priority=priority, opens=opens, closes=closes)


def question(made: Record) -> Question:
    """As a booth asks for it; a picture in a memfd."""
    if isinstance(made.body, Picture):
        return Append(record=b"", priority=Priority.BULK), encode_record(made)
    return append(made), None


def append_long(line: RecorderLine, made: Record) -> LogReceipt:
    """Record what is too long for a message."""
    answer = line.ask(Append(record=b"", priority=Priority.BULK), memfd=encode_record(made))
    assert isinstance(answer, Appended)
    return parse_log_receipt(answer.receipt)


def recorded(line: RecorderLine, request: Append, verifier: Verifier) -> LogReceipt:
    """Record, and verify the receipt as the booth does."""
    answer = line.ask(request)
    assert isinstance(answer, Appended)
    receipt = parse_log_receipt(answer.receipt)
    verify_log_receipt(receipt, verifier, commitment(request.record))
    return receipt


def case_of(made: Record, title: str = "HOLDER PA0000000") -> Case:
    assert made.crossing is not None
    assert made.person is not None
    assert isinstance(made.body, Screened)
    return Case(
        of=made.record_id,
        crossing=made.crossing,
        person=made.person,
        refers=True,
        title=title,
        reasons=("The document is listed.",),
        next_step="Telephone the duty officer.",
        opened_ms=made.at.wall_ms,
    )


def welcome(line: RecorderLine) -> Welcome:
    answer = line.ask(Hello())
    assert isinstance(answer, Welcome)
    return answer


def recipient_of(box: Bed) -> Recipient:
    """To whom headquarters seals for this box."""
    return parse_identity((box.state / "recorder" / "age.identity").read_text().strip()).recipient


def message(box: Bed, said: Message, counter: int, *, name: str = BOX, key: str | None = None) -> bytes:
    """What headquarters says, signed and not yet sealed; `key` names the signing key where it is the wrong one."""
    signer = load_ed25519(box.home.key(key or role_of(said)))
    downlink = Downlink(box=name, counter=counter, at_ms=NOW_MS + counter, message=said)
    return sign_downlink(downlink, public=signer.public_key().public_bytes_raw(), sign=signer.sign)


def deliver(box: Bed, said: Message, counter: int, *, name: str = BOX, key: str | None = None) -> Deliver:
    """The same as an uplink hands it over."""
    return Deliver(sealed=seal_downlink(message(box, said, counter, name=name, key=key), recipient_of(box)))


def list_keys(line: RecorderLine) -> tuple[bytes, ...]:
    answer = line.ask(ListKeys())
    assert isinstance(answer, Keys)
    return answer.keys
