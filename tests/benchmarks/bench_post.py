"""The whole post on a disk: last byte on the pty to the lamp edge over 500 travellers, beside what one sync costs.

And the resident memory of each of the box's processes at its highest, the camera's reader in the booth's among it.
"""

import contextlib
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

PROCESSES = ("booth", "recorder", "uplink", "releases")
LOOK_S = 0.5
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


def note_peaks(running: Path, peaks: dict[str, int]) -> None:
    """Keep the highest resident memory of each process, KiB, as the kernel counts it (VmHWM); of any of its lives."""
    with contextlib.suppress(OSError, ValueError, StopIteration):  # not written yet, or a process that has just ended
        for name, process in json.loads(running.read_bytes()).items():
            lines = Path(f"/proc/{process['pid']}/status").read_text(encoding="ascii").splitlines()
            peak = next(int(line.split()[1]) for line in lines if line.startswith("VmHWM:"))
            peaks[name] = max(peak, peaks.get(name, 0))


def main() -> None:
    """Run the post headless and print what it reports."""
    peaks: dict[str, int] = {}
    with tempfile.TemporaryDirectory(dir=DISK) as folder:
        floor = bare_sync_ms(Path(folder))
        command = [Path(sys.executable).parent / "landlink-bench", "rehearse", "--headless", "--page-port", "18080"]
        command += ["--travellers", str(TRAVELLERS), "--out", f"{folder}/out"]
        with Path(folder, "printed").open("wb") as printed:
            done = subprocess.Popen(command, stdout=printed, stderr=printed)
            while done.poll() is None:
                note_peaks(Path(folder, "out", "processes.json"), peaks)
                with contextlib.suppress(subprocess.TimeoutExpired):
                    done.wait(LOOK_S)
        report = json.loads(Path(folder, "out", "report.json").read_bytes())
    latency = report["latency"]
    print(f"travellers              {report['travellers']}   missing {len(report['missing'])}   exit {done.returncode}")
    for missing in report["missing"]:
        print(f"  {missing}")
    print(f"last byte to lamp       p50 {latency['p50_ms']} ms   p99 {latency['p99_ms']} ms   (bar: p99 < 150 ms)")
    print(f"of it, sync             {latency['share_that_is_sync']}")
    print(f"limit: one bare sync    {floor:.2f} ms")
    print("resident at its highest " + "   ".join(f"{name} {peaks[name] / 1024:.0f} MiB" for name in PROCESSES))
