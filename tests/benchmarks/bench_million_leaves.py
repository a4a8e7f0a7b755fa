"""A log of a million entries, pulled and verified by `landlink-hq pull` as its user runs it: time, memory, bytes.

The entries are real statements, each signed under its epoch's key, an epoch for every 2,000 entries. Their bodies are
not there: a log is what every auditor reads whole, bodies are opened by one. LANDLINK_BENCH_LEAVES asks for fewer.
"""

import hashlib
import os
import shutil
import sys
import tempfile
import time
from pathlib import Path

from appliance.formats.statement import Sealed
from tests.scenarios.made_headquarters import Box, headquarters

LEAVES = int(os.environ.get("LANDLINK_BENCH_LEAVES", "1000000"))
EPOCH_LEAVES = 2_000
DISK = Path(os.environ.get("LANDLINK_BENCH_DISK", "/var/tmp"))


def main() -> None:
    """Build, pull, pull again, and print."""
    folder = Path(tempfile.mkdtemp(prefix="m-", dir=DISK))
    try:
        began = time.perf_counter()
        log = build(folder)
        size = sum(path.stat().st_size for path in log.rglob("*") if path.is_file())
        print(
            f"a log of {LEAVES} entries: built in {time.perf_counter() - began:.0f} s, {size / 1e6:.0f} MB", flush=True
        )
        pull("pulled, every entry verified", folder)
        pull("pulled again, nothing new", folder)
    finally:
        shutil.rmtree(folder)


def build(folder: Path) -> Path:
    """The published log of an enrolled box."""
    box = Box(headquarters(folder / "hq"), folder / "box")
    while len(box.leaves) < LEAVES:
        if len(box.leaves) % EPOCH_LEAVES == 0:
            box.start_epoch()
        index = len(box.leaves).to_bytes(8, "big")
        commitment, blob = (hashlib.sha256(kind + index).digest() for kind in (b"record", b"blob"))
        box.append(box.statement(Sealed(commitment=commitment, blob_sha256=blob, blob_bytes=9_216)))
    box.publish()
    return box.state / "log"


def pull(name: str, folder: Path) -> None:
    """Run the command; print what it took."""
    program = str(Path(sys.executable).with_name("landlink-hq"))
    command = [program, "--home", str(folder / "hq"), "pull", str(folder / "box" / "state")]
    began = time.perf_counter()
    child = os.posix_spawn(program, command, os.environ)
    _, status, used = os.wait4(child, 0)
    took, processor = time.perf_counter() - began, used.ru_utime + used.ru_stime
    assert os.waitstatus_to_exitcode(status) == 0, "the log does not hold"
    print(
        f"{name:36} {took:6.0f} s, {processor:.0f} s of one core ({LEAVES / processor:.0f} entries a second), "
        f"at most {used.ru_maxrss / 1e3:.0f} MB of memory",
        flush=True,
    )
