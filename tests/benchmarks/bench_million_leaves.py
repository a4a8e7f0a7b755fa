"""A log of a million entries, pulled and verified by `landlink-hq pull` as its user runs it: time, memory, bytes.

The entries are real statements, each signed under its epoch's key, an epoch for every 2,000 entries. Their bodies are
not there: a log is what every auditor reads whole, bodies are opened by one. LANDLINK_BENCH_LEAVES asks for fewer.
"""

import hashlib
import multiprocessing
import os
import shutil
import sys
import tempfile
import time
from pathlib import Path

from appliance.formats.statement import Sealed
from tests.benchmarks.bars import at_most
from tests.scenarios.made_headquarters import Box, headquarters

LEAVES = int(os.environ.get("LANDLINK_BENCH_LEAVES", "1000000"))
EPOCH_LEAVES = 2_000
MEMORY_MAX_MB = 200.0
NOTHING_NEW_MAX_S = 1.0
DISK = Path(os.environ.get("LANDLINK_BENCH_DISK", "/var/tmp"))


def main() -> None:
    """Build, pull, pull again, and print."""
    folder = Path(tempfile.mkdtemp(prefix="m-", dir=DISK))
    try:
        began = time.perf_counter()
        build_apart(folder)
        log = folder / "box/state/log"
        size = sum(path.stat().st_size for path in log.rglob("*") if path.is_file())
        print(
            f"a log of {LEAVES} entries: built in {time.perf_counter() - began:.0f} s, {size / 1e6:.0f} MB", flush=True
        )
        memory = pull("pulled, every entry verified", folder)[1]
        at_most("memory of a pull", MEMORY_MAX_MB, memory, " MB")
        took = pull("pulled again, nothing new", folder)[0]
        at_most("processor time of a pull with nothing new", NOTHING_NEW_MAX_S, took, " s")
    finally:
        shutil.rmtree(folder)


def build_apart(folder: Path) -> None:
    """Build in a process of its own: a child's largest size is never told as less than that of whoever started it."""
    builder = multiprocessing.get_context("spawn").Process(target=build, args=(folder,))
    builder.start()
    builder.join()
    assert builder.exitcode == 0, "the log was not built"


def build(folder: Path) -> None:
    """Publish the log of an enrolled box."""
    box = Box(headquarters(folder / "hq"), folder / "box")
    while len(box.leaves) < LEAVES:
        if len(box.leaves) % EPOCH_LEAVES == 0:
            box.start_epoch()
        index = len(box.leaves).to_bytes(8, "big")
        commitment, blob = (hashlib.sha256(kind + index).digest() for kind in (b"record", b"blob"))
        box.append(box.statement(Sealed(commitment=commitment, blob_sha256=blob, blob_bytes=9_216)))
    box.publish()


def pull(name: str, folder: Path) -> tuple[float, float]:
    """Run the command; print what it took, and hold it to the bars."""
    program = str(Path(sys.executable).with_name("landlink-hq"))
    command = [program, "--home", str(folder / "hq"), "pull", str(folder / "box" / "state")]
    began = time.perf_counter()
    child = os.posix_spawn(program, command, os.environ)
    _, status, used = os.wait4(child, 0)
    took, processor = time.perf_counter() - began, used.ru_utime + used.ru_stime
    assert os.waitstatus_to_exitcode(status) == 0, "the log does not hold"
    print(
        f"{name:36} {took:6.1f} s, {processor:.1f} s of one core ({LEAVES / processor:.0f} entries a second), "
        f"at most {used.ru_maxrss / 1e3:.0f} MB of memory",
        flush=True,
    )
    return processor, used.ru_maxrss / 1e3
