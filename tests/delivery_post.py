"""A headquarters and a box for tests of the way between them: real processes, TLS and keys; the log is written here.

The box's recorder is not started: `Box` writes what a recorder publishes (log, bodies) with the keys of its enrolment,
so that a test decides what is in it, wrong things included.
"""

import contextlib
import hashlib
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self, cast

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from appliance import wiring
from appliance.clock import Grade, Instant
from appliance.config import read_config
from appliance.formats.checkpoint import Checkpoint, sign_checkpoint
from appliance.formats.edge import Edge
from appliance.formats.identity import EpochCertificate, certify_epoch
from appliance.formats.note import LogSigner
from appliance.formats.receipt import DeliveryReceipt, verify_receipt
from appliance.formats.release import RECEIPTS
from appliance.formats.statement import EpochStart, Kind, Sealed, Statement, sign_statement
from appliance.formats.wire import (
    MESSAGE_BYTES_MAX,
    Acknowledge,
    Cosigned,
    Deliver,
    Done,
    RefusalCode,
    RefusedReply,
    StickSeen,
    encode,
    parse_uplink_request,
)
from appliance.model import Mode, Priority
from drivers.key_store import FileKeyStore
from provisioning.authority.enrolment import issue
from provisioning.authority.home import Home
from provisioning.authority.keys import load_ed25519

DOMAIN = "landlink.example"
BIN = Path(sys.executable).parent
BOOT_ID = "0123456789abcdef" * 2
WAIT_S = 30.0


def run(*command: str | Path) -> str:
    """Run one of the project's commands to its end; its output."""
    name, *arguments = [str(part) for part in command]
    done = subprocess.run([str(BIN / name), *arguments], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def wait_until(happened: object, what: str) -> None:
    """Wait for something outside this process that gives no event (a file, a status)."""
    assert callable(happened)
    deadline = time.monotonic() + WAIT_S
    pause = threading.Event()
    while not happened():
        assert time.monotonic() < deadline, f"waited {WAIT_S:.0f} s for {what}"
        pause.wait(0.02)


class Process:
    """One of the project's processes, with what it wrote."""

    def __init__(self, command: Sequence[str | Path], journal: Path, environment: dict[str, str] | None = None) -> None:
        self.journal = journal
        name, *arguments = [str(part) for part in command]
        with journal.open("ab") as out:
            self.popen = subprocess.Popen(
                [str(BIN / name), *arguments], stdout=out, stderr=out, env={**os.environ, **(environment or {})}
            )

    def said(self) -> str:
        """Everything it wrote so far."""
        return self.journal.read_text()

    def kill(self) -> None:
        """Kill it with -9, as a power cut of this process alone."""
        self.popen.send_signal(signal.SIGKILL)
        self.popen.wait(WAIT_S)

    def stop(self) -> int:
        """SIGTERM; its exit code. One that does not end fails the test, and does not live on into the next."""
        if self.popen.poll() is None:
            self.popen.terminate()
        try:
            return self.popen.wait(WAIT_S)
        except subprocess.TimeoutExpired:
            self.kill()
            raise


class Headquarters:
    """`landlink-hq init` in a folder, and its collector as a process."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.home_folder = folder / "hq"
        self.data = folder / "collector"
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port: int = free.getsockname()[1]
        run(
            "landlink-hq",
            "--home",
            self.home_folder,
            "init",
            "--domain",
            DOMAIN,
            "--collector",
            f"localhost:{self.port}",
        )
        self.home = Home.open(self.home_folder)
        self.collector: Process | None = None
        self.starts = 0

    def start(self) -> Process:
        """Start the collector; on return it listens."""
        self.starts += 1
        listen = f"127.0.0.1:{self.port}"
        journal = self.folder / f"collector-{self.starts}.out"
        process = Process(
            ("landlink-hq", "--home", self.home_folder, "collect", "--data", self.data, "--listen", listen), journal
        )
        self.collector = process
        wait_until(lambda: "listening" in process.said() or process.popen.poll() is not None, "the collector")
        assert "listening" in process.said(), process.said()
        return process

    def stop(self) -> None:
        """End the collector, if it runs."""
        if self.collector is not None:
            self.collector.stop()
            self.collector = None

    def receipt(self, data: bytes) -> DeliveryReceipt:
        """A receipt, verified with headquarters' key."""
        return verify_receipt(data, load_ed25519(self.home.key(RECEIPTS)).public_key().public_bytes_raw())

    def body(self, box: "Box", leaf: int) -> Path:
        """Where the collector keeps a body."""
        return self.data / "bodies" / box.origin / f"{leaf}.age"


@dataclass
class Wire:
    """What the stand-in for the recorder was told."""

    receipts: list[bytes]
    notes: list[bytes]
    brought: list[bytes]
    """Sealed messages, each time that one was brought."""
    sticks: list[StickSeen]


class RecorderDoor:
    """The recorder's socket for the uplink, speaking its protocol: keeps what it is handed, or refuses it.

    Args:
        path: The socket.
        refuse: Refusal codes by receipt; anything not in it is accepted.
        judge: The code that a sealed message is refused with, "" to take it.
    """

    def __init__(
        self,
        path: Path,
        refuse: dict[bytes, str] | None = None,
        judge: Callable[[bytes], str] = lambda _: "",
    ) -> None:
        self.told = Wire([], [], [], [])
        self.refuse = refuse or {}
        self.judge = judge
        self._news = threading.Condition()
        path.unlink(missing_ok=True)
        self._listening = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._listening.bind(str(path))
        self._listening.listen()
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def wait_receipts(self, count: int) -> list[bytes]:
        """Wait until it was handed so many different receipts; all of them."""
        with self._news:
            assert self._news.wait_for(lambda: len(set(self.told.receipts)) >= count, WAIT_S), (
                f"{len(set(self.told.receipts))} of {count} receipts"
            )
            return list(self.told.receipts)

    def wait_brought(self, happened: Callable[[list[bytes]], bool], what: str) -> list[bytes]:
        """Wait until this holds of the messages that were brought; all of them."""
        with self._news:
            assert self._news.wait_for(lambda: happened(self.told.brought), WAIT_S), what
            return list(self.told.brought)

    def wait_note(self, size: int) -> bytes:
        """Wait until it was handed a cosigned checkpoint of this size; the note."""
        wanted = f"\n{size}\n".encode()

        def found() -> list[bytes]:
            return [note for note in self.told.notes if wanted in note]

        with self._news:
            assert self._news.wait_for(found, WAIT_S), f"no cosigned checkpoint of {size}"
            return found()[-1]

    def close(self) -> None:
        """Hang up."""
        self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()
        self._thread.join(WAIT_S)

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._listening.accept()
            except OSError:
                return
            threading.Thread(target=self._answer, args=(connection,), daemon=True).start()

    def _answer(self, connection: socket.socket) -> None:
        with connection, contextlib.suppress(ConnectionError):  # an uplink that is killed hangs up in the middle
            while packet := connection.recv(MESSAGE_BYTES_MAX):
                request = parse_uplink_request(packet)
                reply: Done | RefusedReply = Done()
                with self._news:
                    match request:
                        case Acknowledge(receipts=receipts):
                            codes = [self.refuse[receipt] for receipt in receipts if receipt in self.refuse]
                            if codes:
                                reply = RefusedReply(code=codes[0], words="refused by the test")
                            else:
                                self.told.receipts.extend(receipts)
                        case Cosigned(note=note):
                            self.told.notes.append(note)
                        case Deliver(sealed=sealed):
                            self.told.brought.append(sealed)
                            if code := self.judge(sealed):
                                reply = RefusedReply(code=cast("RefusalCode", code), words=f"the test says {code}")
                        case StickSeen():
                            self.told.sticks.append(request)
                        case _:
                            pass
                    self._news.notify_all()
                connection.send(encode(reply))


class Box:
    """An enrolled box whose log and bodies the test writes."""

    def __init__(self, folder: Path, headquarters: Headquarters, serial: str = "LA-0001") -> None:
        self.serial = serial
        self.headquarters = headquarters
        self.folder = folder
        self.state, self.runtime = folder / "state", folder / "run"
        self.stick = folder / "stick"
        for part in (self.state, self.runtime):
            part.mkdir(parents=True)
        self.config = folder / "box.toml"
        self.configure(headquarters.port)
        request, answer = folder / "request", folder / "answer"
        config = read_config(self.config)
        wiring.request(config, out=request)
        issue(headquarters.home, request.read_bytes(), answer, serial=serial, now_ms=time.time_ns() // 1_000_000)
        wiring.accept(config, answer=answer)
        self.origin = f"{DOMAIN}/{serial.lower()}.1"
        self.bodies: dict[int, bytes] = {}
        (self.state / "bodies").mkdir(exist_ok=True)
        self.log = LogWriter(self.state, self.origin)
        self.starts = 0

    def configure(self, port: int, host: str = "localhost", rate: int = 1_000_000) -> None:
        """Write box.toml."""
        self.config.write_text(
            f'[box]\nserial = "{self.serial}"\ndomain = "{DOMAIN}"\n'
            f'state = "{self.state}"\nruntime = "{self.runtime}"\n'
            '[post]\nname = "Test post"\nduty_telephone = "+856 20 0000 0000"\n'
            f'[scanner]\ndialect = "elyctis"\nport = "{self.runtime}/scanner"\n'
            f"[recorder]\nbooth_uid = {os.getuid()}\nuplink_uid = {os.getuid()}\nreleases_uid = {os.getuid()}\n"
            "picture_reserve_share = 0.01\n"
            f'[uplink]\nhost = "{host}"\nport = {port}\nrate_bytes_per_s = {rate}\nstick = "{self.stick}"\n'
        )

    def seal(self, body: bytes, priority: Priority = Priority.RECORD) -> int:
        """Add a sealed entry with this body, published with the next `publish`; its index."""
        leaf = self.log.append(
            Sealed(
                commitment=hashlib.sha256(b"commitment" + body).digest(),
                blob_sha256=hashlib.sha256(body).digest(),
                blob_bytes=len(body),
            )
        )
        self.bodies[leaf] = body
        (self.state / "bodies" / f"{leaf}.{int(priority)}.age").write_bytes(body)
        return leaf

    def publish(self) -> None:
        """Publish the log as it is."""
        self.log.publish()

    def start(self, environment: dict[str, str] | None = None) -> Process:
        """Start the uplink."""
        self.starts += 1
        journal = self.folder / f"uplink-{self.starts}.out"
        return Process(("landlink-box", "--config", self.config, "uplink"), journal, environment)


class LogWriter:
    """Writes a log as a recorder does, with the box's own keys.

    Args:
        state: The box's folder.
        origin: Name of the log.
    """

    def __init__(self, state: Path, origin: str) -> None:
        self._folder = state / "log"
        self._origin = origin
        self._identity = FileKeyStore(state / "recorder" / "identity.key")
        key = load_pem_private_key((state / "recorder" / "log.key").read_bytes(), None)
        assert isinstance(key, Ed25519PrivateKey)
        self._signer = LogSigner(origin, key)
        self.edge = Edge()
        self.leaves: list[bytes] = []
        self._epoch = -1
        self.cosigned: bytes | None = None
        self.start_epoch()

    def start_epoch(self) -> int:
        """Begin the next epoch with a new key; the index of its first leaf."""
        self._epoch += 1
        self.key = Ed25519PrivateKey.generate()
        certificate = EpochCertificate(
            origin=self._origin,
            mode=Mode.LIVE,
            epoch=self._epoch,
            public=self.key.public_key().public_bytes_raw(),
            first_index=self.edge.size,
            software="0.1.0",
            boot_id=BOOT_ID,
            started_ms=1_800_000_000_000,
            previous=None,
        )
        signed = certify_epoch(certificate, identity_der=self._identity.public_key_der(), sign=self._identity.sign)
        return self.append(EpochStart(certificate=signed))

    def append(self, kind: Kind) -> int:
        """Add an entry; its index."""
        statement = Statement(
            origin=self._origin,
            epoch=self._epoch,
            mode=Mode.LIVE,
            at=Instant(
                wall_ms=1_800_000_000_000 + self.edge.size,
                grade=Grade.NONE,
                lower_bound_ms=1_793_000_000_000,
                boot_id=BOOT_ID,
                boot_ms=self.edge.size,
            ),
            recipients_version=1,
            cosigned=self.cosigned,
            kind=kind,
        )
        public = self.key.public_key().public_bytes_raw()
        return self.append_leaf(sign_statement(statement, epoch_public=public, sign=self.key.sign))

    def append_leaf(self, leaf: bytes) -> int:
        """Add a leaf as it is; its index."""
        self.leaves.append(leaf)
        self.edge.append(leaf)
        return self.edge.size - 1

    def note(self) -> bytes:
        """The checkpoint of the log as it is."""
        checkpoint = Checkpoint(origin=self._origin, size=self.edge.size, root=self.edge.root())
        return sign_checkpoint(checkpoint, [self._signer])

    def publish(self) -> None:
        """Write tiles, then the checkpoint, whole."""
        for path, content in self.edge.publish():
            (self._folder / path).parent.mkdir(parents=True, exist_ok=True)
            (self._folder / path).write_bytes(content)
        self._folder.mkdir(exist_ok=True)
        draft = self._folder / ".checkpoint.tmp"
        draft.write_bytes(self.note())
        draft.replace(self._folder / "checkpoint")

    @classmethod
    def like(cls, box: "Box", leaves: Sequence[bytes]) -> Self:
        """Another log of the same name and keys that begins with these leaves: a fork, or what a lost card held."""
        writer = cls(box.state, box.origin)
        writer.edge, writer.leaves = Edge(), []
        for leaf in leaves:
            writer.append_leaf(leaf)
        writer.key = box.log.key
        return writer
