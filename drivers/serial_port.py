"""The one serial transport: a codec's bytes over pyserial, and the supervisor that keeps the scanner without a human.

    absent -> probing -> ready -> faulted -> (back-off, or the port appears anew) -> probing ...

The port is opened exclusively and made anew after every error: after some errors the object stays stuck. RTS and DTR
are asserted where there are such lines (a pty has none). What comes in is bounded by a budget of bytes over time.
"""

import contextlib
import errno
import os
import termios
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final, Protocol

import serial

from drivers.api import DeviceError, DeviceState, Frame, Noise, ScannerCodec, ScannerEvent, StateChanged

LOOK_INTERVAL_S: Final = 0.2
"""How often to look whether the port's path has appeared or changed; costs one lstat."""
PAUSE_MIN_S: Final = 0.25
PAUSE_MAX_S: Final = 8.0
ANSWER_TIMEOUT_S: Final = 2.0
"""A device of the right kind answers within milliseconds; one that has just got power needs a second."""
HEARTBEAT_S: Final = 5.0
"""A silent device is asked again this often, which also arms one that has forgotten."""
WRITE_TIMEOUT_S: Final = 1.0
BUDGET_RATE_BYTES_PER_S: Final = 16_384
"""115200 baud carry 11520 bytes a second; a USB device that sends more is no document scanner."""
BUDGET_BURST_BYTES: Final = 65_536


class ByteBudget:
    """A bucket of bytes that fills at a constant rate: a device that babbles runs it dry.

    Args:
        rate_bytes_per_s: What flows in.
        burst_bytes: What it holds; it starts full.
        now_s: The time, seconds of any steady clock.
    """

    def __init__(self, *, rate_bytes_per_s: int, burst_bytes: int, now_s: float) -> None:
        self._rate = rate_bytes_per_s
        self._burst = burst_bytes
        self._level: float = burst_bytes
        self._at = now_s

    def spend(self, count: int, now_s: float) -> None:
        """Take `count` bytes out. Raises DeviceError when there are not so many."""
        self._level = min(self._burst, self._level + (now_s - self._at) * self._rate) - count
        self._at = now_s
        if self._level < 0:
            raise DeviceError(f"it sends more than {self._rate} bytes a second, like no document scanner")


def identify(port: Path) -> tuple[int, ...] | None:
    """What lies at the path, so that a device plugged in anew is told from the one before; None when nothing does."""
    try:
        entry = os.lstat(port)
        node = port.stat()
    except OSError:
        return None
    return (entry.st_dev, entry.st_ino, entry.st_ctime_ns, node.st_rdev)


class Line(Protocol):
    """An open line; every method may raise OSError when the device has gone."""

    @property
    def in_waiting(self) -> int:
        """How many bytes a read would return at once."""
        ...

    def read(self, size: int = 1, /) -> bytes:
        """Bytes, after waiting for the first; b"" after a silence."""
        ...

    def write(self, request: bytes, /) -> int | None:
        """Send."""
        ...

    def close(self) -> None:
        """Release it."""
        ...


class OpenLine(Protocol):
    """Opens what lies at a path, for this process alone. Raises DeviceError, which says what to do."""

    def __call__(self, port: Path, *, baud: int, read_timeout_s: float) -> Line:
        """Open it; `read_timeout_s` is how long a read waits for the first byte."""
        ...


def open_port(port: Path, *, baud: int, read_timeout_s: float) -> Line:
    """Open the port exclusively at 8N1.

    Raises:
        DeviceError: It cannot be opened; the text says what to do.
    """
    try:
        line = serial.Serial(str(port), baud, timeout=read_timeout_s, write_timeout=WRITE_TIMEOUT_S, exclusive=True)
    except (OSError, termios.error) as error:
        raise DeviceError(why_not_open(error)) from error
    checked: Line = line
    return checked


def why_not_open(error: OSError | termios.error) -> str:
    """What stands in the way of opening a device, in plain words."""
    code = error.errno if isinstance(error, OSError) else error.args[0]
    match code:
        case errno.EAGAIN | errno.EBUSY:
            return "another program holds the port"
        case errno.EACCES | errno.EPERM:
            return "this program may not open the port"
        case errno.ENOENT | errno.ENODEV | errno.ENXIO | errno.EIO:
            return "the device has gone"
        case _:
            return "the port is not a serial line that can be set up"


class SerialScanner:
    """A scanner on a serial line that looks after itself (drivers.api.Scanner).

    Args:
        codec: The device family's protocol; owned by this scanner from now on.
        port: Path of the line, best one of `/dev/serial/by-id/`.
        baud: Line speed, 9600 to 115200.
        device: Name in StateChanged.
        open_line: What opens the port: a serial line, or a keyboard's events (drivers.keyboard).
    """

    def __init__(
        self,
        codec: ScannerCodec,
        port: Path,
        *,
        baud: int = 115_200,
        device: str = "scanner",
        open_line: OpenLine = open_port,
    ) -> None:
        self._codec = codec
        self._port = port
        self._baud = baud
        self._device = device
        self._open_line = open_line
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None
        self._deliver: Callable[[ScannerEvent], None] = _nobody
        self._said: StateChanged | None = None
        self._pause_s = PAUSE_MIN_S

    def start(self, deliver: Callable[[ScannerEvent], None]) -> None:
        """Start reading in a thread of its own; `deliver` is called from that thread."""
        assert self._thread is None, "started twice"
        self._deliver = deliver
        self._thread = threading.Thread(target=self._supervise, name=self._device, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Release the port; return when the thread has ended (within the codec's idle timeout)."""
        self._stopping.set()
        if self._thread is not None and self._thread is not threading.current_thread():
            self._thread.join()

    def _supervise(self) -> None:
        while not self._stopping.is_set():
            found = identify(self._port)
            if found is None:
                self._say(DeviceState.ABSENT, "nothing is plugged in at the scanner's port")
                self._pause_s = PAUSE_MIN_S
                self._stopping.wait(LOOK_INTERVAL_S)
                continue
            try:
                self._converse()
            except DeviceError as error:
                self._fault(str(error), found)
            except (OSError, termios.error):
                self._fault("the line broke off", found)

    def _fault(self, why: str, found: tuple[int, ...]) -> None:
        """Report and wait out the back-off; return at once when `found` no longer lies at the path."""
        if identify(self._port) == found:
            self._say(DeviceState.FAULTED, why)
        until = time.monotonic() + self._pause_s
        self._pause_s = min(2 * self._pause_s, PAUSE_MAX_S)
        while identify(self._port) == found:
            left = until - time.monotonic()
            if left <= 0 or self._stopping.wait(min(left, LOOK_INTERVAL_S)):
                return
        self._pause_s = PAUSE_MIN_S

    def _converse(self) -> None:
        """Open, probe and read until stopped. Raises DeviceError or OSError when that ends by itself."""
        codec = self._codec
        with contextlib.closing(
            self._open_line(self._port, baud=self._baud, read_timeout_s=codec.idle_timeout_s)
        ) as line:
            codec.idle()  # what the line before left half-said belongs to no document of this one
            asked_at = self._ask(line)
            self._say(DeviceState.PROBING, "asking the device who it is")
            budget = ByteBudget(
                rate_bytes_per_s=BUDGET_RATE_BYTES_PER_S, burst_bytes=BUDGET_BURST_BYTES, now_s=asked_at
            )
            ready = False
            while not self._stopping.is_set():
                if codec.present and not ready:
                    ready = True
                    _write(line, codec.arm())
                    self._say(DeviceState.READY, codec.note or "ready")
                quiet = self._listen(line, budget)
                now = time.monotonic()
                if not codec.present and now - asked_at > ANSWER_TIMEOUT_S:
                    raise DeviceError(codec.note or f"the device does not answer as {codec.dialect}")
                if quiet and codec.present and now - asked_at > HEARTBEAT_S:
                    self._say(DeviceState.READY, codec.note or "ready")
                    self._pause_s = PAUSE_MIN_S
                    asked_at = self._ask(line)
                    _write(line, codec.arm())

    def _ask(self, line: Line) -> float:
        _write(line, self._codec.hello())
        return time.monotonic()

    def _listen(self, line: Line, budget: ByteBudget) -> bool:
        """Wait for bytes or for silence, deliver what they complete, and arm the device for the next document.

        Returns:
            Whether there was silence: the moment for a question that cuts into no document.
        """
        chunk: bytes = line.read(max(1, line.in_waiting))
        budget.spend(len(chunk), time.monotonic())
        events = self._codec.receive(chunk) if chunk else self._codec.idle()
        for event in events:
            self._deliver(event)
        if events or self._codec.spent:
            _write(line, self._codec.arm())
        return not chunk

    def _say(self, state: DeviceState, why: str) -> None:
        event = StateChanged(device=self._device, state=state, why=why)
        if event != self._said:
            self._said = event
            self._deliver(event)


def _write(line: Line, request: bytes) -> None:
    if request:
        line.write(request)


def _nobody(event: Frame | Noise | StateChanged) -> None:
    raise AssertionError(f"not started, yet there is {type(event).__name__}")
