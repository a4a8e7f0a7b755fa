"""Documents: the page file beside SQLite, LMDB and a bare read: size, build, cold and warm lookups; a year of deltas.

10 million by default. `LANDLINK_BENCH_RECORDS=100000000 python -m tests.benchmarks documents` takes minutes and 8 GB of
disk below `TMPDIR`, and leaves the peers out. LMDB is measured when its Python module is installed, here or for the
Python that LANDLINK_PEERS names.
"""

import hashlib
import importlib
import os
import resource
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import date
from pathlib import Path
from typing import Any, Final, TypeVar

from appliance.files import OpenFile
from appliance.formats.list_key import DocumentsKey
from appliance.formats.lists import DocumentKey, ListedDocument
from appliance.formats.page_writer import merge_deltas
from appliance.formats.pages import PAGE_BYTES, PageFile
from appliance.screen.page_list import PageList
from provisioning.authority.pages_build import PageBuild
from tests.benchmarks.bars import at_most

RECORDS: Final = int(os.environ.get("LANDLINK_BENCH_RECORDS", "10000000"))
PEERS_MAX: Final = 10_000_000
LOOKUPS: Final = 2_000
ROUNDS: Final = 5
DELTAS: Final = 12
DELTA_RECORDS: Final = 1_064_000
"""A month of 35,000 changes a day; twelve are a year."""
KEY: Final = DocumentsKey(bytes(range(32)))
BYTES_LIMIT: Final = 20.1
COLD_LIMIT: Final = 1.5
WARM_LIMIT_US: Final = 10.0
MEMORY_LIMIT_MB: Final = 4_096
"""For 100 million documents, so for any list."""
DAY: Final = date(2026, 11, 3)
FRAUDS: Final = ("stolen blank", "stolen", "lost", "revoked")
STATES: Final = ("LAO", "THA", "VNM", "KHM", "MMR", "CHN", "D", "FRA")
_LENGTH: Final = 16
Asked = TypeVar("Asked")
Result = TypeVar("Result")


def main() -> None:
    """Print every figure."""
    folder = Path(tempfile.mkdtemp(prefix="landlink-documents-"))
    try:
        _ours(folder)
        if RECORDS <= PEERS_MAX:
            _sqlite(folder)
            _lmdb(folder)
        else:
            print(f"peers are measured up to {PEERS_MAX:,} records")
    finally:
        shutil.rmtree(folder)


def digests(count: int, *, of: int = 0) -> Iterator[bytes]:
    """Digests as documents have them, the same at every run: pieces of one SHAKE128 stream a chunk."""
    for chunk in range(0, count, 65_536):
        size = min(65_536, count - chunk)
        stream = hashlib.shake_128(f"{of} {chunk}".encode()).digest(size * _LENGTH)
        yield from (stream[place : place + _LENGTH] for place in range(0, len(stream), _LENGTH))


def build(path: Path, count: int, *, of: int = 0) -> None:
    """Write a page file of random digests with the builder that headquarters uses."""
    scratch = path.with_suffix(".sort")
    scratch.mkdir()
    with PageBuild(scratch, KEY) as built, path.open("wb") as file:
        numbers = [
            built.number(ListedDocument(entry="", source="stolen and lost documents", fraud=fraud, reported_by=state))
            for fraud in FRAUDS
            for state in STATES
        ]
        for place, digest in enumerate(digests(count, of=of)):
            built.put(digest, numbers[place % len(numbers)])
        built.write(file.write, dated=DAY)
    scratch.rmdir()


def _ours(folder: Path) -> None:
    path = folder / "documents.pages"
    _timed(f"build of {RECORDS:,}", lambda: build(path, RECORDS))
    peak_mb = _peak_mb()
    print(f"  peak memory of the build {peak_mb:.0f} MB")
    _flush(path)
    file = _timed("open", lambda: PageFile(OpenFile(path)))
    size = path.stat().st_size
    memory = file.pages * 24 / 1e6
    print(
        f"  {size / file.records:.2f} bytes a record, {size / 1e9:.2f} GB, {file.pages:,} pages; {memory:.1f} MB held"
    )
    at_most("bytes a document", BYTES_LIMIT, size / file.records)
    at_most("peak memory of the build", MEMORY_LIMIT_MB, peak_mb, " MB")
    wanted = _sample()
    _drop(path)
    offsets = [int.from_bytes(digest[:8]) * file.pages // 2**64 * PAGE_BYTES for digest in _sample(seed=1)]
    fd = os.open(path, os.O_RDONLY)
    bare_us = _cold("bare 4 KiB pread", fd, offsets, lambda offset: os.pread(fd, PAGE_BYTES, offset))
    cold_us = _cold("cold hit", fd, wanted, lambda digest: _found(file.find(digest)))
    at_most("p50 of a cold hit, in bare reads of a page", COLD_LIMIT, cold_us / bare_us)
    _warm("floor: bare pread of a page in memory and its SHA-256", offsets, lambda offset: _floor(fd, offset))
    _warm("warm hit", wanted, lambda digest: _found(file.find(digest)))
    known = PageList(file, KEY)
    keys = [DocumentKey(issuer="LAO", document_type="P", number=f"PA{number:07}") for number in range(LOOKUPS)]
    warm_us, busy_us = _warm("warm lookup of a document, its digest included", keys, known.lookup)
    at_most("warm lookup of a document, by the clock", WARM_LIMIT_US, warm_us, " us")
    at_most("warm lookup of a document, on the processor", WARM_LIMIT_US, busy_us, " us")
    os.close(fd)
    if RECORDS > PEERS_MAX:
        _year(folder, file, known, keys)


def _floor(fd: int, offset: int) -> bytes:
    return hashlib.sha256(os.pread(fd, PAGE_BYTES, offset)).digest()


def _year(folder: Path, file: PageFile, known: PageList, keys: Sequence[DocumentKey]) -> None:
    deltas = [folder / f"{month}.delta" for month in range(DELTAS)]
    for month, path in enumerate(deltas):
        build(path, DELTA_RECORDS, of=month + 1)
    before = _resident_mb()
    begun = time.perf_counter()
    known = known.with_deltas(*(PageFile(OpenFile(path)) for path in deltas))
    taken_s = time.perf_counter() - begun
    size = sum(path.stat().st_size for path in deltas)
    print(f"a year of changes: {DELTAS * DELTA_RECORDS:,} records, {size / 1e6:.0f} MB in all")
    print(f"  loaded in {taken_s:.1f} s, {_resident_mb() - before:.0f} MB held")
    _warm("warm lookup with them", keys, known.lookup)
    opened = [PageFile(OpenFile(path)) for path in deltas]
    with (folder / "merged").open("wb") as out:
        _timed("merge into a new base", lambda: merge_deltas(file, opened, out.write))
    print(f"  peak memory since the start {_peak_mb():.0f} MB")


def _sqlite(folder: Path) -> None:
    path = folder / "documents.db"
    connection = sqlite3.connect(path)
    connection.execute("pragma journal_mode = off")
    connection.execute("pragma synchronous = off")
    connection.execute("create table document (digest blob primary key, detail integer) without rowid")
    rows = ((digest, place % 32) for place, digest in enumerate(sorted(digests(RECORDS))))
    _timed("SQLite without rowid: build", lambda: connection.executemany("insert into document values (?, ?)", rows))
    connection.commit()
    connection.execute("vacuum")
    print(f"  {path.stat().st_size / RECORDS:.2f} bytes a record")
    _flush(path)
    fd = os.open(path, os.O_RDONLY)
    query = "select detail from document where digest = ?"
    wanted = _sample()
    _cold("cold hit", fd, wanted, lambda digest: _found(connection.execute(query, (digest,)).fetchone()))
    _warm("warm hit", wanted, lambda digest: _found(connection.execute(query, (digest,)).fetchone()))
    os.close(fd)
    connection.close()


def _lmdb(folder: Path) -> None:
    try:
        lmdb: Any = _peer_module("lmdb")
    except ModuleNotFoundError:
        print("LMDB: its Python module is not installed")
        return
    path = folder / "documents.mdb"
    environment = lmdb.open(str(path), subdir=False, map_size=2**36, sync=False)

    def fill() -> None:
        with environment.begin(write=True) as transaction:
            rows = ((digest, (place % 32).to_bytes(3)) for place, digest in enumerate(sorted(digests(RECORDS))))
            transaction.cursor().putmulti(rows, append=True)

    _timed("LMDB: build", fill)
    environment.sync()
    print(f"  {path.stat().st_size / RECORDS:.2f} bytes a record")
    fd = os.open(path, os.O_RDONLY)
    wanted = _sample()
    environment.close()  # its pages are mapped, and mapped pages are not dropped
    opened: list[Any] = []

    def anew(digest: bytes) -> None:
        with opened[-1].begin() as transaction:
            _found(transaction.get(digest))

    def reopen() -> None:
        while opened:
            opened.pop().close()
        os.posix_fadvise(fd, 0, 0, os.POSIX_FADV_DONTNEED)
        opened.append(lmdb.open(str(path), subdir=False, map_size=2**36, readonly=True, lock=False, readahead=False))

    _cold("cold hit", fd, wanted, anew, before=reopen)
    _warm("warm hit", wanted, anew)
    os.close(fd)


def _peer_module(name: str) -> Any:  # noqa: ANN401 - others' modules have no types here
    """A module that is installed here, or for the Python of the same version that LANDLINK_PEERS names."""
    interpreter = os.environ.get("LANDLINK_PEERS")
    if interpreter is not None:
        where = "import sysconfig; print(sysconfig.get_path('platlib'))"
        found = subprocess.run([interpreter, "-c", where], capture_output=True, text=True, check=True)
        sys.path.append(found.stdout.strip())  # behind everything of ours
    return importlib.import_module(name)


def _found(answer: object) -> None:
    assert answer is not None, "every digest asked for is listed"


def _sample(*, seed: int = 0) -> list[bytes]:
    """Listed digests, spread over the whole file."""
    chunks = range(0, RECORDS, max(RECORDS // 64 // 65_536, 1) * 65_536)
    streams = [hashlib.shake_128(f"0 {chunk}".encode()).digest(64 * _LENGTH) for chunk in chunks]
    every = [stream[place : place + _LENGTH] for stream in streams for place in range(0, len(stream), _LENGTH)]
    every.sort(key=lambda digest: hashlib.sha256(digest + bytes([seed])).digest())
    return every[:LOOKUPS]


def _cold(
    title: str,
    fd: int,
    wanted: Sequence[Asked],
    ask: Callable[[Asked], object],
    before: Callable[[], None] | None = None,
) -> float:
    """Print what an answer takes whose pages are not in memory; give microseconds of the middle one."""
    times: list[float] = []
    for one in wanted:
        if before is None:
            os.posix_fadvise(fd, 0, 0, os.POSIX_FADV_DONTNEED)
        else:
            before()
        begun = time.perf_counter()
        ask(one)
        times.append((time.perf_counter() - begun) * 1e6)
    times.sort()
    print(f"  {title}: p50 {times[len(times) // 2]:.0f} us, p95 {times[len(times) * 95 // 100]:.0f} us")
    return times[len(times) // 2]


def _warm(title: str, wanted: Sequence[Asked], ask: Callable[[Asked], object]) -> tuple[float, float]:
    """Print what an answer takes whose pages are in memory; give microseconds by the clock and on the processor."""
    for one in wanted:
        ask(one)
    begun, busy = time.perf_counter(), time.process_time()
    for _ in range(ROUNDS):
        for one in wanted:
            ask(one)
    each = 1e6 / len(wanted) / ROUNDS
    warm_us, busy_us = (time.perf_counter() - begun) * each, (time.process_time() - busy) * each
    print(f"  {title}: {warm_us:.1f} us, of it {busy_us:.1f} on the processor")
    return warm_us, busy_us


def _timed(title: str, work: Callable[[], Result]) -> Result:
    begun = time.perf_counter()
    result = work()
    print(f"{title}: {time.perf_counter() - begun:.1f} s", flush=True)
    return result


def _flush(path: Path) -> None:
    """On the disk, so that its pages can be dropped from memory."""
    fd = os.open(path, os.O_RDONLY)
    os.fsync(fd)
    os.close(fd)


def _drop(path: Path) -> None:
    fd = os.open(path, os.O_RDONLY)
    os.posix_fadvise(fd, 0, 0, os.POSIX_FADV_DONTNEED)
    os.close(fd)


def _peak_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def _resident_mb() -> float:
    return int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1]) * resource.getpagesize() / 1e6


if __name__ == "__main__":
    main()
