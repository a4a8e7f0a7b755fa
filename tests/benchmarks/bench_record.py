"""One record through the recorder's door, verified as the booth does, beside the bare write and sync of its bytes.

Interleaved in one run, since a disk's syncs differ from minute to minute. LANDLINK_BENCH_DISK names the disk.
"""

import os
import shutil
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from appliance.recorded import Picture
from tests.scenarios.recorder_bed import Bed, append, append_long, bed, record, recorded

RECORDS = int(os.environ.get("LANDLINK_BENCH_RECORDS", "500"))
DISK = Path(os.environ.get("LANDLINK_BENCH_DISK", "/var/tmp"))


def took_ms(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return (time.perf_counter() - started) * 1e3


def percentiles(name: str, sample: list[float]) -> None:
    cuts = statistics.quantiles(sample, n=100)
    print(f"{name:38} p50 {cuts[49]:7.2f} ms   p95 {cuts[94]:7.2f} ms   p99 {cuts[98]:7.2f} ms")


def main() -> None:
    """Print appends of records and pictures, and the floor of both."""
    folder = Path(tempfile.mkdtemp(prefix="b-", dir=DISK))
    try:
        with bed(folder) as box:
            measure(box)
    finally:
        shutil.rmtree(folder)


def measure(box: Bed) -> None:
    process = box.start()
    line, verifier = box.line(), box.verifier
    bare = os.open(box.folder / "bare", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    ours, floor, pictures = list[float](), list[float](), list[float]()
    frame = os.urandom(4_096)
    for number in range(RECORDS):
        request = append(record())
        ours.append(took_ms(lambda request=request: recorded(line, request, verifier)))
        floor.append(took_ms(lambda: (os.write(bare, frame), os.fdatasync(bare))))
        if number % 10 == 0:
            page = record(Picture(of="0" * 32, media_type="image/jpeg", content=os.urandom(200_000)))
            pictures.append(took_ms(lambda page=page: append_long(line, page)))
    os.close(bare)
    box.stop(process)
    percentiles("record, asked to verified receipt", ours)
    percentiles("limit: bare 4 KiB write + fdatasync", floor)
    percentiles("picture of 200 KB", pictures)
