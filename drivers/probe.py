"""Finds out which dialect the scanner at a port speaks: first by questions, then by listening to a document.

The port is opened for this process alone, or not at all: a booth that reads it is not disturbed. A question that a
device does not know is nothing to it: each begins with a byte that starts nothing in the other dialects.
"""

import contextlib
import termios
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

from drivers.api import DeviceError, Found, Frame, ScannerCodec
from drivers.keyboard import open_keyboard
from drivers.scanner.elyctis import ElyctisCodec
from drivers.scanner.generic import FramedCodec, GenericCodec
from drivers.scanner.honeywell import HoneywellCodec
from drivers.scanner.rte import RteCodec
from drivers.scanner.text import COMPLETE, RUN_TOGETHER
from drivers.scanner.wedge import WedgeCodec
from drivers.serial_port import Line

ASKED: Final[tuple[Callable[[], ScannerCodec], ...]] = (ElyctisCodec, HoneywellCodec)
"""Dialects with a question."""
BAUDS: Final = (115_200, 9600)
"""What scanners are delivered with; the configured one is tried first."""
ANSWER_S: Final = 0.8
"""A device answers within milliseconds."""
SILENCE_S: Final = 0.3
CHUNKS_MAX: Final = 4096
"""Reads of one listening: a device that babbles ends it."""


def probe(port: Path, *, baud: int, listen_s: float, tell: Callable[[str], None]) -> Found:
    """Ask, then listen for `listen_s` seconds.

    Args:
        port: A serial line, or a keyboard's evdev device.
        baud: The speed to try first, and to listen at.
        listen_s: How long to wait for a document.
        tell: Called with what the technician should do meanwhile.

    Raises:
        DeviceError: Nothing is there, it is held or broke off, or nothing that we know answered.
    """
    if not port.exists():
        raise DeviceError("nothing is plugged in there")
    try:
        for speed in dict.fromkeys((baud, *BAUDS)):
            with contextlib.closing(open_keyboard(port, baud=speed, read_timeout_s=SILENCE_S)) as line:
                for codec in (make() for make in ASKED):
                    if _answers(codec, line):
                        return _asked(codec, speed)
        with contextlib.closing(open_keyboard(port, baud=baud, read_timeout_s=SILENCE_S)) as line:
            tell(f"No scanner answered a question. Lay a document on it now; listening for {listen_s:.0f} s.")
            return _listen(line, baud, until=time.monotonic() + listen_s)
    except (OSError, termios.error):
        raise DeviceError("the line broke off: plug the scanner in again, and try once more") from None


def _answers(codec: ScannerCodec, line: Line) -> bool:
    """Whether the device answers as this codec's, be it that it cannot be used."""
    line.write(codec.hello())
    for chunk in _chunks(line, until=time.monotonic() + ANSWER_S):
        codec.receive(chunk)
        if codec.present or codec.note:
            return True
    return False


def _asked(codec: ScannerCodec, baud: int) -> Found:
    return Found(
        settings={"dialect": codec.dialect, "baud": baud},
        answer=f"a scanner answers as {codec.dialect}, at {baud} baud",
        note="" if codec.present else codec.note,
    )


def _listen(line: Line, baud: int, *, until: float) -> Found:
    """The first dialect, the most particular first, that makes a whole zone of what comes. Raises DeviceError."""
    rte = RteCodec()
    lrc: dict[str, str | int | bool] = {"dialect": "generic", "framing": "stx-etx", "lrc": True}
    candidates: list[tuple[ScannerCodec, dict[str, str | int | bool]]] = [
        (rte, {"dialect": "rte"}),
        (FramedCodec(lrc=True), lrc),
        (FramedCodec(lrc=False), lrc | {"lrc": False}),
        (WedgeCodec(), {"dialect": "wedge"}),
        (GenericCodec(), {"dialect": "generic", "framing": "none"}),
    ]
    read: set[int] = set()
    heard = 0
    for chunk in _chunks(line, until=until):
        heard += len(chunk)
        for number, (codec, _) in enumerate(candidates):
            events = codec.receive(chunk) if chunk else codec.idle()
            if any(isinstance(event, Frame) and _is_zone(event) for event in events):
                read.add(number)
        if read and not chunk:  # with the silence each has said what it has to say
            codec, settings = candidates[min(read)]
            return Found(
                settings=settings if codec.dialect == "wedge" else settings | {"baud": baud},
                answer=f"a document was read as {codec.dialect}",
                remark=f"This dialect is not confirmed on hardware. Settings that hold: {rte.seen}"
                if codec is rte
                else "",
            )
    if heard:
        raise DeviceError(
            f"{heard} bytes came, and no document: it is another device, or set to another speed or dialect"
        )
    raise DeviceError("nothing came from it: it is no scanner, or sends nothing to this port")


def _is_zone(frame: Frame) -> bool:
    widths = tuple(map(len, frame.lines))
    return widths in COMPLETE or widths in RUN_TOGETHER


def _chunks(line: Line, *, until: float) -> Iterator[bytes]:
    """What comes until then; b"" for each silence."""
    for _ in range(CHUNKS_MAX):
        if time.monotonic() > until:
            return
        yield line.read(max(1, line.in_waiting))
