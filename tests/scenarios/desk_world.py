"""The desk simulator as a process of its own, and a box's devices that speak to it: real pty, real sockets."""

import contextlib
import json
import queue
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Generator
from pathlib import Path
from typing import Any

from drivers.api import DeviceState, Frame, Noise, ScannerCodec, ScannerEvent, StateChanged
from drivers.serial_port import SerialScanner

PATIENCE_S = 20.0
"""How long an event may take on the busiest machine; no test waits for it when things go well."""
ROOT = Path(__file__).parents[2]


class DeskWorld:
    """One desk process and a control connection to it."""

    def __init__(self, folder: Path, *, dialect: str = "elyctis") -> None:
        self.folder = folder
        self.scanner = folder / "scanner"
        self._process = subprocess.Popen(
            [sys.executable, "-m", "drivers.simulators", "desk", "--folder", str(folder), "--dialect", dialect],
            cwd=ROOT,
            stdout=subprocess.PIPE,
        )
        assert self._process.stdout is not None
        assert self._process.stdout.readline() == b"ready\n"
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.connect(str(folder / "desk.sock"))
        self._answers: queue.SimpleQueue[dict[str, Any]] = queue.SimpleQueue()
        self.events: queue.SimpleQueue[dict[str, Any]] = queue.SimpleQueue()
        threading.Thread(target=self._listen, daemon=True).start()
        self.ask("state")  # answered: from now on the desk tells this connection every event

    def ask(self, do: str, **request: object) -> dict[str, Any]:
        self.send(json.dumps({"do": do, **request}).encode() + b"\n")
        return self.answer()

    def send(self, line: bytes) -> None:
        self._socket.sendall(line)

    def answer(self) -> dict[str, Any]:
        return self._answers.get(timeout=PATIENCE_S)

    def event(self, **wanted: object) -> dict[str, Any]:
        """The next event that has these values; others before it are dropped."""
        until = time.monotonic() + PATIENCE_S
        while True:
            event = self.events.get(timeout=max(0.0, until - time.monotonic()))
            if all(event.get(key) == value for key, value in wanted.items()):
                return event

    def close(self) -> int:
        self._socket.close()
        self._process.terminate()
        code = self._process.wait(PATIENCE_S)
        assert self._process.stdout is not None
        self._process.stdout.close()
        return code

    def _listen(self) -> None:
        with contextlib.suppress(OSError, ValueError), self._socket.makefile("rb") as lines:
            for line in lines:
                message = json.loads(line)
                (self.events if "event" in message else self._answers).put(message)


class BoxScanner:
    """A box's scanner, and everything that it delivered."""

    def __init__(self, codec: ScannerCodec, port: Path) -> None:
        self.delivered: queue.SimpleQueue[tuple[int, ScannerEvent]] = queue.SimpleQueue()
        self.seen: list[ScannerEvent] = []
        self._scanner = SerialScanner(codec, port)
        self._scanner.start(lambda event: self.delivered.put((time.monotonic_ns(), event)))

    def wait(self, fits: Callable[[ScannerEvent], bool]) -> tuple[int, ScannerEvent]:
        """The next event that fits, with its time of delivery; all are kept in `seen`."""
        until = time.monotonic() + PATIENCE_S
        while True:
            t_ns, event = self.delivered.get(timeout=max(0.0, until - time.monotonic()))
            self.seen.append(event)
            if fits(event):
                return t_ns, event

    def state(self, state: DeviceState) -> StateChanged:
        event = self.wait(lambda event: isinstance(event, StateChanged) and event.state is state)[1]
        assert isinstance(event, StateChanged)
        return event

    def frame(self, lines: tuple[str, ...]) -> int:
        """Wait for a document that reads so; returns its time of delivery, nanoseconds."""
        return self.wait(lambda event: isinstance(event, Frame) and event.lines == lines)[0]

    def noise(self) -> Noise:
        event = self.wait(lambda event: isinstance(event, Noise))[1]
        assert isinstance(event, Noise)
        return event

    def stop(self) -> None:
        self._scanner.stop()


@contextlib.contextmanager
def desk_world(folder: Path, *, dialect: str = "elyctis") -> Generator[DeskWorld]:
    world = DeskWorld(folder, dialect=dialect)
    try:
        yield world
    finally:
        assert world.close() == 0


@contextlib.contextmanager
def box_scanner(codec: ScannerCodec, port: Path) -> Generator[BoxScanner]:
    box = BoxScanner(codec, port)
    try:
        yield box
    finally:
        box.stop()
