"""Records through the recorder's door: sealed, logged, durable, the receipt verified as the booth does; and its syncs.

Single: the next is asked after the receipt of the one before. As a group: all are asked at once, in the real protocol,
and share what syncs they can. Beside both, interleaved since a disk's syncs differ from minute to minute: writing and
syncing the same bytes in the same folder, three syncs for each long one and one for each short one, behind what a file
holds already, and over zeros, as the recorder does; the bare cryptography; an insert into SQLite (WAL,
synchronous=FULL), which seals and signs nothing. Before each the recorder and the disk have come to rest, as between
two travellers, with all published that came before; records without a pause are counted apart. strace counts the syncs
in a run of its own. The longest record is a picture of 300 KB; 2 MB are seven of them.

Twice: on the disk of LANDLINK_BENCH_DISK, and on the same with every sync made longer, to 2.5 ms as on the disk that
the design was measured on: an emulation, in which strace keeps whoever syncs waiting, ours as its limit and its peer,
and touches nothing else. Doors and status lie in memory, as `/run` does on a box.
"""

import contextlib
import hashlib
import os
import re
import shutil
import signal
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from appliance.booth.outbox import MESSAGE_HEAD_BYTES_MAX
from appliance.files import sync_folder
from appliance.formats.age import Recipient, encrypt, generate_identity
from appliance.formats.note import Verifier
from appliance.formats.receipt import LogReceipt, parse_log_receipt, verify_log_receipt
from appliance.formats.record import commitment, encode_record, pad
from appliance.formats.statement import Sealed, parse_statement
from appliance.formats.wire import MESSAGE_BYTES_MAX, Append, Appended
from appliance.line import Answer, Question, RecorderLine, RecorderRefused
from appliance.model import Priority
from appliance.record.journal import BLOB_IN_FRAME_BYTES_MAX
from appliance.recorded import PICTURE_BYTES_MAX, Picture
from tests.benchmarks.bars import at_most
from tests.scenarios.recorder_bed import REPOSITORY, Bed, bed, record

DISK = Path(os.environ.get("LANDLINK_BENCH_DISK", "/var/tmp"))
MEMORY = "/dev/shm"
FRAME_BESIDE_BYTES = 700
"""Of a frame beside the body: the leaf and the checkpoint."""
OVER_SYNCS_MAX = 1.5
ROOM_BYTES = 2 * 1024 * 1024
SLOWER_S = 0.0023
KEY = Ed25519PrivateKey.generate()
SYNC = re.compile(r"\b(?P<call>fdatasync|fsync|sync_file_range|sync|syncfs|msync)\((?:\d+<(?P<path>[^>]*)>)?")


@dataclass(frozen=True, kw_only=True)
class Load:
    """What is recorded at a time.

    Attributes:
        content: Bytes that each of its records holds.
        parts: How many records a single measurement has.
        group: How many are asked at once.
        times: How often it is measured.
        syncs: How many syncs one of its records may take.
    """

    name: str
    content: int
    parts: int = 1
    group: int
    times: int
    syncs: int


LOADS = (
    Load(name="2 KB", content=1_500, group=8, times=50, syncs=1),
    Load(name="200 KB", content=200_000, group=8, times=30, syncs=3),
    Load(name="2 MB", content=PICTURE_BYTES_MAX, parts=7, group=7, times=15, syncs=3),
)


@dataclass
class Taken:
    """Seconds that each took, by turns.

    Attributes:
        bare: The syncs of `single`'s records, and nothing else.
        bare_over_zeros: The same where the journal has room already.
        grouped: A group of records, asked together.
        bare_grouped: The syncs that a group shares, and nothing else.
        alone_a_second, grouped_a_second: Records a second without any pause.
    """

    single: list[float] = field(default_factory=list[float])
    bare: list[float] = field(default_factory=list[float])
    bare_over_zeros: list[float] = field(default_factory=list[float])
    crypto: list[float] = field(default_factory=list[float])
    sqlite: list[float] = field(default_factory=list[float])
    grouped: list[float] = field(default_factory=list[float])
    bare_grouped: list[float] = field(default_factory=list[float])
    alone_a_second: float = 0.0
    grouped_a_second: float = 0.0


def main() -> None:
    """Print the times, the syncs and their bars."""
    folder = Path(tempfile.mkdtemp(prefix="e-", dir=DISK))
    try:
        print(f"the disk under {DISK}", flush=True)
        for load, taken in zip(LOADS, on_disk(folder / "t"), strict=True):
            report(load, taken, "this disk")
        if shutil.which("strace") is None:
            print("nothing was measured on slow syncs, and no syncs were counted: needs strace")
            return
        print(f"emulated: the same disk, every sync {SLOWER_S * 1e3:.1f} ms longer", flush=True)
        for load, taken in zip(LOADS, on_slow_disk(folder / "d"), strict=True):
            report(load, taken, "slow syncs")
        with working(folder / "s") as box:
            count_syncs(box)
    finally:
        shutil.rmtree(folder)


def on_slow_disk(folder: Path) -> list[Taken]:
    """The same as `on_disk`, in a process of its own whose syncs, and whose recorder's, strace makes longer."""
    delay = f"inject=fsync,fdatasync:delay_exit={SLOWER_S * 1e6:.0f}"
    strace = ["strace", "-f", "--seccomp-bpf", "-o", os.devnull, "-e", "trace=fsync,fdatasync", "-e", delay]
    program = [*strace, sys.executable, "-m", "tests.benchmarks.bench_evidence", str(folder)]
    done = subprocess.run(program, cwd=REPOSITORY, check=True, stdout=subprocess.PIPE)
    return msgspec.json.decode(done.stdout, type=list[Taken])


@contextlib.contextmanager
def working(folder: Path) -> Generator[Bed]:
    """A box whose durable folder is `folder`, and what lies in /run on a box is in memory here, too."""
    folder.mkdir()
    with tempfile.TemporaryDirectory(prefix="r-", dir=MEMORY) as memory, bed(folder) as box:
        (folder / "run").rmdir()
        (folder / "run").symlink_to(memory)
        yield box


def on_disk(folder: Path) -> list[Taken]:
    """Measure every load there."""
    with working(folder) as box:
        process = box.start()
        taken = [measure(box, load) for load in LOADS]
        box.stop(process)
    return taken


def measure(box: Bed, load: Load) -> Taken:
    """Record, write and sync the same bytes, insert the same bytes; in turns."""
    line, verifier, taken = box.line(), box.verifier, Taken()
    recipients = [generate_identity().recipient for _ in range(2)]
    journal = os.open(box.folder / f"bare.{load.content}", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    room = os.open(box.folder / f"room.{load.content}", os.O_RDWR | os.O_CREAT)
    os.write(room, bytes(ROOM_BYTES))
    os.fsync(room)
    os.lseek(room, 0, os.SEEK_SET)
    database = sqlite3.connect(box.folder / "peer.db", isolation_level=None)
    database.execute("PRAGMA locking_mode=EXCLUSIVE")
    database.execute("PRAGMA journal_mode=WAL")
    database.execute("PRAGMA synchronous=FULL")
    database.execute("CREATE TABLE IF NOT EXISTS records (body BLOB NOT NULL)")
    for _ in range(load.times):
        made = [encoded(load.content) for _ in range(load.parts)]
        receipts: list[LogReceipt] = []
        rest(box)
        taken.single.append(took(partial(record_all, line, made, verifier, receipts)))
        bodies = bodies_like(receipts)
        rest(box)
        taken.bare.append(took(partial(write_all, box.folder, journal, bodies)))
        rest(box)
        taken.bare_over_zeros.append(took(partial(write_all, box.folder, room, bodies)))
        taken.crypto.append(took(partial(seal_and_sign, recipients, made)))
        taken.sqlite.append(took(partial(insert_all, database, bodies)))
        group = [encoded(load.content) for _ in range(load.group)]
        receipts.clear()
        rest(box)
        taken.grouped.append(took(partial(record_group, line, group, verifier, receipts)))
        bodies = bodies_like(receipts)
        rest(box)
        taken.bare_grouped.append(took(partial(write_group, box.folder, journal, bodies)))
    os.close(journal)
    os.close(room)
    database.close()
    without_pause(box, load, taken)
    return taken


def rest(box: Bed) -> None:
    """Let the recorder publish what came before, and the disk take it: no sync waits for what another has written."""
    box.settle()
    with (box.folder / "rest").open("ab", buffering=0) as file:
        file.write(b"-")
        os.fsync(file.fileno())


def report(load: Load, taken: Taken, disk: str) -> None:
    single, bare, over_zeros, crypto, peer = (
        statistics.median(each) / load.parts
        for each in (taken.single, taken.bare, taken.bare_over_zeros, taken.crypto, taken.sqlite)
    )
    grouped, shared = (statistics.median(each) / load.group for each in (taken.grouped, taken.bare_grouped))
    print(
        f"{load.name:7} a record alone {single * 1e3:5.2f} ms ({1 / single:4.0f}/s)   "
        f"limit: {load.syncs} bare syncs {bare * 1e3:.2f} ms + bare cryptography {crypto * 1e3:.2f} ms = "
        f"{(bare + crypto) * 1e3:.2f} ms   SQLite WAL FULL, nothing sealed: {peer * 1e3:.2f} ms\n"
        f"        its bare syncs into room that is there already: {over_zeros * 1e3:.2f} ms; ours over them: "
        f"{single / over_zeros:.2f} times\n"
        f"        in a group of {load.group} {grouped * 1e3:5.2f} ms ({1 / grouped:4.0f}/s)   "
        f"limit: its part of the group's bare syncs {shared * 1e3:.2f} ms + bare cryptography = "
        f"{(shared + crypto) * 1e3:.2f} ms\n"
        f"        without a pause, with all that is published: {taken.alone_a_second:.0f}/s one by one, "
        f"{taken.grouped_a_second:.0f}/s in groups",
        flush=True,
    )
    at_most(f"{disk}: a record of {load.name}, over its bare syncs", OVER_SYNCS_MAX, single / bare, " times")
    at_most(f"{disk}: the same in a group, over the same bare syncs", OVER_SYNCS_MAX, grouped / bare, " times")


def without_pause(box: Bed, load: Load, taken: Taken) -> None:
    """How many records a second it takes when none waits for anything but receipts."""
    line, verifier, made = box.line(), box.verifier, [encoded(load.content) for _ in range(load.times * load.group)]
    groups = [made[start : start + load.group] for start in range(0, len(made) // 2, load.group)]
    alone = made[len(made) // 2 :]
    box.settle()
    taken.alone_a_second = len(alone) / took(partial(record_all, line, alone, verifier, []))
    box.settle()
    seconds = took(lambda: [record_group(line, each, verifier, []) for each in groups])
    taken.grouped_a_second = len(groups) * load.group / seconds


def took(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def encoded(size: int) -> bytes:
    return encode_record(record(Picture(of="0" * 32, media_type="image/jpeg", content=os.urandom(size))))


def record_all(line: RecorderLine, made: list[bytes], verifier: Verifier, receipts: list[LogReceipt]) -> None:
    """Record one after the other, verify each receipt and add it."""
    receipts.extend(verified(line.ask(*question(each)), verifier, each) for each in made)


def record_group(line: RecorderLine, made: list[bytes], verifier: Verifier, receipts: list[LogReceipt]) -> None:
    """The same, all asked at once."""
    answers = line.ask_all([question(each) for each in made])
    receipts.extend(verified(answer, verifier, each) for each, answer in zip(made, answers, strict=True))


def question(made: bytes) -> Question:
    """As a booth asks: in the message, or in a memfd beside it where it is too long for one."""
    if len(made) + MESSAGE_HEAD_BYTES_MAX > MESSAGE_BYTES_MAX:
        return Append(record=b"", priority=Priority.BULK), made
    return Append(record=made, priority=Priority.BULK), None


def verified(answer: Answer | RecorderRefused, verifier: Verifier, made: bytes) -> LogReceipt:
    """A record's receipt, verified as the booth does."""
    assert isinstance(answer, Appended)
    receipt = parse_log_receipt(answer.receipt)
    verify_log_receipt(receipt, verifier, commitment(made))
    return receipt


def bodies_like(receipts: Sequence[LogReceipt]) -> list[bytes]:
    """Other bytes, as long as their sealed bodies are."""
    kinds = [parse_statement(receipt.leaf).unverified.kind for receipt in receipts]
    return [os.urandom(kind.blob_bytes) for kind in kinds if isinstance(kind, Sealed)]


def seal_and_sign(recipients: Sequence[Recipient], made: list[bytes]) -> None:
    """What no implementation can leave out: commit, seal to two, hash, sign leaf and checkpoint, verify the receipt."""
    for each in made:
        digest = commitment(each) + hashlib.sha256(encrypt(pad(each), recipients)).digest()
        for _ in range(2):
            KEY.public_key().verify(KEY.sign(digest), digest)


def write_all(folder: Path, journal: int, bodies: list[bytes]) -> None:
    """What must reach the disk, and nothing else: one sync of a short body; file, folder and journal of a long one."""
    for body in bodies:
        write_group(folder, journal, [body])


def write_group(folder: Path, journal: int, bodies: list[bytes]) -> None:
    """The same with one sync of the folder and one of the journal for all."""
    frames, files = b"", False
    for body in bodies:
        if len(body) > BLOB_IN_FRAME_BYTES_MAX:
            fd = os.open(folder / f"bare.{time.monotonic_ns()}", os.O_WRONLY | os.O_CREAT)
            os.write(fd, body)
            os.fsync(fd)
            os.close(fd)
            files = True
        frames += bytes(FRAME_BESIDE_BYTES) if len(body) > BLOB_IN_FRAME_BYTES_MAX else body + bytes(FRAME_BESIDE_BYTES)
    if files:
        sync_folder(folder)
    os.write(journal, frames)
    os.fdatasync(journal)


def insert_all(database: sqlite3.Connection, bodies: list[bytes]) -> None:
    """A transaction for each."""
    for body in bodies:
        database.execute("INSERT INTO records VALUES (?)", (body,))


def count_syncs(box: Bed) -> None:
    """Count with strace what is synced of journal and bodies while records come one after the other."""
    trace = box.folder / "trace"
    process = box.start()
    calls = "trace=fdatasync,fsync,sync_file_range,sync,syncfs,msync"
    command = ["strace", "-f", "-yy", "-e", calls, "-o", str(trace), "-p", str(process.pid)]
    tracer = subprocess.Popen(command, stderr=subprocess.PIPE)
    assert tracer.stderr is not None
    assert b"attached" in tracer.stderr.readline()
    line, verifier = box.line(), box.verifier
    for load in LOADS:
        box.settle()
        before = syncs_in(trace)
        count = load.parts * load.times // 3
        record_all(line, [encoded(load.content) for _ in range(count)], verifier, [])
        at_most(f"syncs of a record of {load.name}", load.syncs, (syncs_in(trace) - before) / count)
        box.settle()
        before = syncs_in(trace)
        record_group(line, [encoded(load.content) for _ in range(load.group)], verifier, [])
        print(f"  {load.group} of them asked together: {syncs_in(trace) - before} syncs", flush=True)
    tracer.send_signal(signal.SIGINT)
    tracer.wait(10)
    tracer.stderr.close()
    box.stop(process)


def syncs_in(trace: Path) -> int:
    """So far; without those for which nobody waits: of what is published for readers, of room in the journal."""
    syncs = SYNC.finditer(trace.read_text(encoding="utf-8", errors="replace"))
    calls = [(sync["call"], sync["path"] or "") for sync in syncs]
    return sum("/bodies" in path or ("/recorder/journal." in path and call == "fdatasync") for call, path in calls)


if __name__ == "__main__":
    sys.stdout.buffer.write(msgspec.json.encode(on_disk(Path(sys.argv[1]))))
