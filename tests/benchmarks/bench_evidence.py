"""Records through the recorder's door: sealed, logged, durable, the receipt verified as the booth does; its syncs.

Beside each, interleaved since a disk's syncs differ from minute to minute: writing and syncing the same bytes in the
same folder, and an insert of them into SQLite (WAL, synchronous=FULL), which seals and signs nothing. strace counts the
syncs in a run of its own. Nothing is committed as a group: an officer waits for each record, and the next is asked
after it. The longest record is a picture of 300 KB; 2 MB are seven of them. LANDLINK_BENCH_DISK names the disk.
"""

import hashlib
import os
import re
import shutil
import signal
import sqlite3
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from appliance.files import sync_folder
from appliance.formats.age import Recipient, encrypt, generate_identity
from appliance.formats.note import Verifier
from appliance.formats.receipt import parse_log_receipt, verify_log_receipt
from appliance.formats.record import commitment, encode_record, pad
from appliance.formats.statement import Sealed, parse_statement
from appliance.formats.wire import Append, Appended
from appliance.line import RecorderLine
from appliance.model import Priority
from appliance.record.journal import BLOB_IN_FRAME_BYTES_MAX
from appliance.recorded import PICTURE_BYTES_MAX, Picture
from tests.benchmarks.bars import at_most
from tests.scenarios.recorder_bed import Bed, bed, record

DISK = Path(os.environ.get("LANDLINK_BENCH_DISK", "/var/tmp"))
FRAME_BESIDE_BYTES = 700
"""Of a frame beside the body: the leaf and the checkpoint."""
OVER_SYNCS_MAX = 1.5
KEY = Ed25519PrivateKey.generate()
SYNC = re.compile(r"\b(?:fdatasync|fsync|sync_file_range|sync|syncfs|msync)\((?:\d+<(?P<path>[^>]*)>)?")


@dataclass(frozen=True, kw_only=True)
class Load:
    """What is recorded at a time.

    Attributes:
        content: Bytes that each of its records holds.
        parts: How many records.
        times: How often it is measured.
        syncs: How many syncs one of its records may take.
    """

    name: str
    content: int
    parts: int = 1
    times: int
    syncs: int


LOADS = (
    Load(name="2 KB", content=1_500, times=200, syncs=1),
    Load(name="200 KB", content=200_000, times=60, syncs=3),
    Load(name="2 MB", content=PICTURE_BYTES_MAX, parts=7, times=15, syncs=3),
)


@dataclass
class Taken:
    """Seconds that each took, by turns."""

    ours: list[float] = field(default_factory=list[float])
    bare: list[float] = field(default_factory=list[float])
    crypto: list[float] = field(default_factory=list[float])
    sqlite: list[float] = field(default_factory=list[float])


def main() -> None:
    """Print the times, the syncs and their bars."""
    folder = Path(tempfile.mkdtemp(prefix="e-", dir=DISK))
    try:
        (folder / "t").mkdir()
        with bed(folder / "t") as box:
            process = box.start()
            for load in LOADS:
                report(load, measure(box, load))
            box.stop(process)
        (folder / "s").mkdir()
        with bed(folder / "s") as box:
            count_syncs(box)
    finally:
        shutil.rmtree(folder)


def measure(box: Bed, load: Load) -> Taken:
    """Record, write and sync the same bytes, insert the same bytes; in turns."""
    line, verifier, taken = box.line(), box.verifier, Taken()
    recipients = [generate_identity().recipient for _ in range(2)]
    journal = os.open(box.folder / f"bare.{load.content}", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    database = sqlite3.connect(box.folder / "peer.db", isolation_level=None)
    database.execute("PRAGMA journal_mode=WAL")
    database.execute("PRAGMA synchronous=FULL")
    database.execute("CREATE TABLE IF NOT EXISTS records (body BLOB NOT NULL)")
    for _ in range(load.times):
        made = [encoded(load.content) for _ in range(load.parts)]
        sizes: list[int] = []
        taken.ours.append(took(partial(record_all, line, made, verifier, sizes)))
        bodies = [os.urandom(size) for size in sizes]
        taken.bare.append(took(partial(write_all, box.folder, journal, bodies)))
        taken.crypto.append(took(partial(seal_and_sign, recipients, made)))
        taken.sqlite.append(took(partial(insert_all, database, bodies)))
    os.close(journal)
    database.close()
    return taken


def report(load: Load, taken: Taken) -> None:
    samples = (taken.ours, taken.bare, taken.crypto, taken.sqlite)
    ours, bare, crypto, peer = (statistics.median(sample) for sample in samples)
    print(
        f"{load.name:7} ours {ours * 1e3:5.1f} ms ({load.parts / ours:4.0f} records/s)   "
        f"limit: {load.syncs * load.parts} bare syncs {bare * 1e3:.1f} ms + bare cryptography {crypto * 1e3:.1f} ms = "
        f"{(bare + crypto) * 1e3:.1f} ms ({load.parts / (bare + crypto):.0f}/s)   "
        f"SQLite WAL FULL, nothing sealed: {peer * 1e3:.1f} ms ({load.parts / peer:.0f}/s)",
        flush=True,
    )
    at_most(f"time of {load.name} over the same bytes' bare syncs", OVER_SYNCS_MAX, ours / bare, " times")


def took(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def encoded(size: int) -> bytes:
    return encode_record(record(Picture(of="0" * 32, media_type="image/jpeg", content=os.urandom(size))))


def record_all(line: RecorderLine, made: list[bytes], verifier: Verifier, sizes: list[int]) -> None:
    """Record one after the other, verify each receipt; adds the bytes of each sealed body."""
    for each in made:
        answer = line.ask(Append(record=b"", priority=Priority.BULK), memfd=each)
        assert isinstance(answer, Appended)
        receipt = parse_log_receipt(answer.receipt)
        verify_log_receipt(receipt, verifier, commitment(each))
        kind = parse_statement(receipt.leaf).unverified.kind
        assert isinstance(kind, Sealed)
        sizes.append(kind.blob_bytes)


def seal_and_sign(recipients: Sequence[Recipient], made: list[bytes]) -> None:
    """What no implementation can leave out: commit, seal to two, hash, sign leaf and checkpoint, verify the receipt."""
    for each in made:
        digest = commitment(each) + hashlib.sha256(encrypt(pad(each), recipients)).digest()
        for _ in range(2):
            KEY.public_key().verify(KEY.sign(digest), digest)


def write_all(folder: Path, journal: int, bodies: list[bytes]) -> None:
    """What must reach the disk, and nothing else: one sync of a short body; file, folder and journal of a long one."""
    for body in bodies:
        frame = body + bytes(FRAME_BESIDE_BYTES)
        if len(body) > BLOB_IN_FRAME_BYTES_MAX:
            fd = os.open(folder / f"bare.{time.monotonic_ns()}", os.O_WRONLY | os.O_CREAT)
            os.write(fd, body)
            os.fsync(fd)
            os.close(fd)
            sync_folder(folder)
            frame = frame[-FRAME_BESIDE_BYTES:]
        os.write(journal, frame)
        os.fdatasync(journal)


def insert_all(database: sqlite3.Connection, bodies: list[bytes]) -> None:
    """A transaction for each."""
    for body in bodies:
        database.execute("INSERT INTO records VALUES (?)", (body,))


def count_syncs(box: Bed) -> None:
    """Count with strace what is synced of journal and bodies while records come one after the other."""
    if shutil.which("strace") is None:
        print("syncs were not counted: needs strace")
        return
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
    tracer.send_signal(signal.SIGINT)
    tracer.wait(10)
    tracer.stderr.close()
    box.stop(process)


def syncs_in(trace: Path) -> int:
    """So far; without those of what is published meanwhile for readers, for which nobody waits."""
    paths = (match["path"] or "" for match in SYNC.finditer(trace.read_text(encoding="utf-8", errors="replace")))
    return sum("/recorder/journal." in path or "/bodies" in path for path in paths)
