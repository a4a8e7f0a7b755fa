"""A scanner's last byte to the delivered frame, through pty, pyserial and codec; beside it a bare blocking read."""

import os
import statistics
import tempfile
import threading
import time
import tty
from pathlib import Path

from drivers.api import DeviceState
from drivers.scanner.elyctis import ElyctisCodec
from tests.scenarios.desk_world import box_scanner, desk_world

DOCUMENTS = 500
LIMIT_MS = 2.0
LINES = ("P<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<", "L898902C36UTO7408122F1204159ZE184226B<<<<<10")


def delivered_ms() -> list[float]:
    """Delivery after the desk's write of the last byte returned; below zero when the box was faster than that."""
    took: list[float] = []
    with (
        tempfile.TemporaryDirectory() as folder,
        desk_world(Path(folder) / "d") as desk,
        box_scanner(ElyctisCodec(), desk.scanner) as box,
    ):
        box.state(DeviceState.READY)
        for _ in range(DOCUMENTS):
            desk.event(event="armed")
            desk.ask("lay", mrz=LINES)
            t_ns = box.frame(LINES)
            took.append((t_ns - desk.event(event="sent")["t_ns"]) / 1e6)
    return took


def bare_ms() -> list[float]:
    """The floor: a thread blocked in read(2) on a pty, another that writes a document to it."""
    took: list[float] = []
    line, end = os.openpty()
    tty.setraw(end)
    arrived: list[int] = []
    done = threading.Event()

    def read() -> None:
        for _ in range(DOCUMENTS):
            os.read(end, 4096)
            arrived.append(time.monotonic_ns())
            done.set()

    thread = threading.Thread(target=read)
    thread.start()
    for _ in range(DOCUMENTS):
        done.clear()
        os.write(line, b"I\x00\x59" + "\r".join(LINES).encode())
        t_ns = time.monotonic_ns()
        done.wait()
        took.append((arrived[-1] - t_ns) / 1e6)
    thread.join()
    os.close(line)
    os.close(end)
    return took


def main() -> None:
    """Print ours, the floor and the limit."""
    for name, took in (("ours", delivered_ms()), ("bare read", bare_ms())):
        p99 = statistics.quantiles(took, n=100)[98]
        print(f"last byte to frame, {name:10} p50 {statistics.median(took):6.3f} ms   p99 {p99:6.3f} ms", end="")
        print(f"   (limit {LIMIT_MS} ms)" if name == "ours" else "")


if __name__ == "__main__":
    main()
