"""The whole post on a disk: last byte on the pty to the lamp edge over 500 travellers, beside what one sync costs."""

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

TRAVELLERS = int(os.environ.get("LANDLINK_BENCH_TRAVELLERS", "500"))
DISK = Path(os.environ.get("LANDLINK_BENCH_DISK", "/var/tmp"))


def bare_sync_ms(folder: Path) -> float:
    """Median of 200 appends of 4 KiB, each with fdatasync: the floor of one durable record."""
    took: list[float] = []
    with (folder / "bare").open("ab", buffering=0) as file:
        for _ in range(200):
            started = time.perf_counter()
            file.write(b"\0" * 4096)
            os.fdatasync(file.fileno())
            took.append((time.perf_counter() - started) * 1e3)
    return statistics.median(took)


def main() -> None:
    """Run the post headless and print what it reports."""
    with tempfile.TemporaryDirectory(dir=DISK) as folder:
        floor = bare_sync_ms(Path(folder))
        command = [Path(sys.executable).parent / "landlink-bench", "rehearse", "--headless", "--page-port", "18080"]
        done = subprocess.run(
            [*command, "--travellers", str(TRAVELLERS), "--out", f"{folder}/out"], check=False, capture_output=True
        )
        report = json.loads(Path(folder, "out", "report.json").read_bytes())
    latency = report["latency"]
    print(f"travellers              {report['travellers']}   missing {len(report['missing'])}   exit {done.returncode}")
    for missing in report["missing"]:
        print(f"  {missing}")
    print(f"last byte to lamp       p50 {latency['p50_ms']} ms   p99 {latency['p99_ms']} ms   (bar: p99 < 150 ms)")
    print(f"of it, sync             {latency['share_that_is_sync']}")
    print(f"limit: one bare sync    {floor:.2f} ms")
