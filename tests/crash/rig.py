"""A real recorder at work on the forgetful file system, and what is asked of whatever a power cut leaves."""

import contextlib
import os
import random
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Generator, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory, mkdtemp

from appliance.clock import Grade, SystemClock
from appliance.formats.checkpoint import parse_checkpoint
from appliance.formats.edge import Edge
from appliance.formats.receipt import LogReceipt
from appliance.formats.statement import Sealed, parse_statement
from appliance.formats.tiles import read_entries
from appliance.model import Mode
from appliance.record.keys import read_log_key
from appliance.record.log import Attached
from appliance.record.places import Places
from appliance.record.recovery import recover
from appliance.record.signing import Signing
from appliance.recorded import Outcome, OutcomeKind, Picture
from drivers.key_store import FileKeyStore
from tests.crash.cuts import Disk, Luck
from tests.crash.forgetful import COUNT_FILE
from tests.crash.trace import read_trace
from tests.scenarios.made_headquarters import box_toml
from tests.scenarios.recorder_bed import Bed, append, append_long, case_of, enrolled, record, recorded

MOUNT_S = 20.0
REPOSITORY = Path(__file__).parents[2]


@dataclass(frozen=True, kw_only=True)
class Told:
    """Something that the recorder acknowledged.

    Attributes:
        at: Operations of the file system before the acknowledgement reached whoever asked.
        receipt: What it gave.
        opens, closes: The case that this opened or closed, "" for none.
    """

    at: int
    receipt: LogReceipt
    opens: str = ""
    closes: str = ""


@dataclass
class Work:
    """A trace, and what was promised while it was made.

    Attributes:
        begins: Operations before the recorder was started: all of that is durable.
        origin: The log that was written.
    """

    trace: Path
    begins: int
    origin: str
    told: list[Told] = field(default_factory=list)

    def disk(self) -> Disk:
        """The disk as it was when the recorder was started."""
        with self.trace.open("rb") as file:
            disk = Disk(read_trace(file))
        disk.tell(self.begins)
        disk.settle()
        return disk


@contextlib.contextmanager
def mounted(place: Path, trace: Path) -> Generator[Path]:
    """The forgetful file system, mounted at `place/disk`."""
    mount = place / "disk"
    mount.mkdir()
    serving = subprocess.Popen([sys.executable, "-m", "tests.crash.forgetful", str(mount), str(trace)], cwd=REPOSITORY)
    try:
        deadline = time.monotonic() + MOUNT_S
        while not (mount / COUNT_FILE).exists():
            assert serving.poll() is None, "the file system ended"
            assert time.monotonic() < deadline, "the file system was not mounted"
            threading.Event().wait(0.02)
        yield mount
    finally:
        subprocess.run(["fusermount3", "-u", "-z", str(mount)], check=False, capture_output=True)
        serving.terminate()
        serving.wait(MOUNT_S)


def work(trace: Path, *, seed: int, steps: int) -> Work:
    """Let a real recorder work through `steps` requests on the forgetful file system; it is killed in the end."""
    state, home = enrolled()
    place = Path(mkdtemp(prefix="c-"))
    try:
        with mounted(place, trace) as mount:
            shutil.copytree(state, mount / "state", symlinks=True)
            (place / "state").symlink_to(mount / "state")
            (place / "run").mkdir()
            (place / "box.toml").write_bytes(box_toml(place))
            box = Bed(place, home)
            done = Work(trace=trace, begins=_count(mount), origin=box.verifier.name)
            try:
                box.start()
                done.told.extend(_requests(box, mount, random.Random(seed), steps))
                box.settle()
            finally:
                box.close()
            return done
    finally:
        shutil.rmtree(place, ignore_errors=True)


def _requests(box: Bed, mount: Path, chance: random.Random, steps: int) -> Iterator[Told]:
    line, verifier = box.line(), box.verifier
    waiting: list[str] = []
    kinds = ("plain", "case", "outcome", "picture", "rest")
    for kind in ("picture", *chance.choices(kinds, (4, 3, 3, 1, 2), k=steps)):
        opens = closes = ""
        match kind:
            case "case":
                made = record()
                opens = made.record_id
                receipt = recorded(line, append(made, opens=case_of(made)), verifier)
                waiting.append(opens)
            case "outcome" if waiting:
                closes = waiting.pop(chance.randrange(len(waiting)))
                body = Outcome(of=closes, outcome=OutcomeKind.PASSED, implied=False)
                receipt = recorded(line, append(record(body), closes=closes), verifier)
            case "picture":
                body_of_picture = Picture(of=f"{3:032x}", media_type="image/jpeg", content=chance.randbytes(90_000))
                receipt = append_long(line, record(body_of_picture))
            case "rest":
                box.settle()
                continue
            case _:
                receipt = recorded(line, append(record()), verifier)
        yield Told(at=_count(mount), receipt=receipt, opens=opens, closes=closes)


def _count(mount: Path) -> int:
    fd = os.open(mount / COUNT_FILE, os.O_RDONLY)
    try:
        return int(os.read(fd, 64))
    finally:
        os.close(fd)


def cut_and_recover(done: Work, disk: Disk, at: int, luck: Luck, chance: random.Random) -> None:
    """Cut the power before operation `at`, recover, and hold the recorder to everything it had promised by then."""
    disk.tell(at)
    with TemporaryDirectory(prefix="cut-", dir=_memory()) as folder:
        place = Path(folder)
        disk.cut(place, luck, chance)
        (place / "run").mkdir()
        check(place, done, [told for told in done.told if told.at <= at])


def check(place: Path, done: Work, promised: list[Told]) -> None:
    """Recover twice: nothing promised is missing or different, the log never forks, and it goes on."""
    places = Places(place / "state", place / "run")
    leaves = _recovered_leaves(places, done.origin)
    for told in promised:
        assert leaves[told.receipt.index] == told.receipt.leaf, f"entry {told.receipt.index} is gone or another"
        kind = parse_statement(told.receipt.leaf).unverified.kind
        assert isinstance(kind, Sealed)
        (body,) = places.bodies.glob(f"{told.receipt.index}.*.age")
        assert body.stat().st_size == kind.blob_bytes
    # What was asked and not yet answered may be in the log or not; a case closed by it is closed.
    closed = {
        told.closes for told in done.told if leaves[told.receipt.index : told.receipt.index + 1] == [told.receipt.leaf]
    }
    assert {told.opens for told in promised if told.opens} - closed <= {
        path.stem for path in places.cases.glob("*.case")
    }
    again = _recovered_leaves(places, done.origin)
    assert again[: len(leaves)] == leaves
    edge, roots = Edge(), dict[int, bytes]()
    for leaf in again:
        edge.append(leaf)
        roots[edge.size] = edge.root()
    for told in promised:
        size, root = _signed(told.receipt)
        assert roots[size] == root, f"the tree of {size} entries is not the one that was signed"


def _recovered_leaves(places: Places, origin: str) -> list[bytes]:
    """Recover, write one entry more, publish, and read the published log."""
    signing = Signing(
        serial="LA-0001",
        identity=FileKeyStore(places.identity_key),
        log_key=read_log_key(places.log_key),
        mode=Mode.LIVE,
        software="0.1.0",
        clock=SystemClock(grade=lambda: Grade.NONE, lower_bound_ms=lambda: 0),
    )
    log = recover(places, signing, picture_share=0.01).log
    assert log.scribe.origin == origin, "honest storage never costs a log its origin"
    log.begin_epoch()
    log.event("page_started", {}, Attached())
    log.publisher.publish()
    log.journal.close()
    return list(read_entries(log.size, lambda path: (places.log / path).read_bytes()))


def _signed(receipt: LogReceipt) -> tuple[int, bytes]:
    checkpoint = parse_checkpoint(receipt.checkpoint.decode().split("\n\n")[0] + "\n")
    return checkpoint.size, checkpoint.root


def _memory() -> str | None:
    return "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
