"""The device's side of each dialect, without I/O: what a scanner answers, and how it reports what lies in its slot."""

import struct
from collections.abc import Callable
from functools import partial, reduce
from operator import xor
from typing import Final, Protocol

REQUEST_BYTES_MAX: Final = 64
"""The longest request of any dialect has 26 bytes."""


HAND_S: Final = 0.8
"""Between the pages of readers that end a document by silence."""


class Device(Protocol):
    """A scanner as it behaves on the line."""

    @property
    def armed(self) -> bool:
        """Whether it reports the next document by itself."""
        ...

    @property
    def rest_s(self) -> float:
        """How long after one report the next can come, seconds: no hand changes pages faster."""
        ...

    def receive(self, chunk: bytes) -> bytes:
        """Take bytes from the box; return what the device answers."""
        ...

    def report(self, lines: list[str]) -> bytes:
        """The bytes about a document whose zone reads `lines`; [] when the device can read nothing."""
        ...

    def reset(self) -> None:
        """Power or the host is gone: forget every mode."""
        ...


class ElyctisDevice:
    """Elyctis ID BOX One (Scanner Command Set v1.7): continuous mode ends with each good reading."""

    VERSION: Final = b"ID BOX ONE SIMULATOR V1.7"

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._armed = False
        self._shown: list[str] = []

    @property
    def armed(self) -> bool:
        """Whether continuous mode is on."""
        return self._armed

    rest_s: float = 0.0

    def receive(self, chunk: bytes) -> bytes:
        """Answer the requests that these bytes complete; bytes that start none are ignored, as the device does."""
        self._buffer += chunk
        answers = b""
        while len(self._buffer) >= 3:
            command, size = self._buffer[0], 3 + int.from_bytes(self._buffer[1:3], "big")
            if size > REQUEST_BYTES_MAX or command not in b"CILRTVW":
                del self._buffer[0]
                continue
            if len(self._buffer) < size:
                break
            body = bytes(self._buffer[3:size])
            del self._buffer[:size]
            answers += self._answer(command, body)
        return answers

    def report(self, lines: list[str]) -> bytes:
        """An unsolicited document frame; a good one turns continuous mode off."""
        self._shown = lines
        self._armed = self._armed and not lines
        return _frame(ord("I"), "\r".join(lines).encode("ascii"))

    def reset(self) -> None:
        """Out of continuous mode, half a request forgotten."""
        self._buffer.clear()
        self._armed = False
        self._shown = []

    def _answer(self, command: int, body: bytes) -> bytes:
        match chr(command), body:
            case "C", b"\x00" | b"\x01":
                self._armed = body == b"\x01"
                return _frame(command, body)
            case "I", b"":
                return _frame(command, "\r".join(self._shown).encode("ascii"))
            case "L", b"":
                return _frame(command, "".join(self._shown[:1]).encode("ascii"))
            case (("R" | "T" | "V" | "W"), b""):
                return _frame(command, self.VERSION)
            case _:
                return b""


def _frame(command: int, body: bytes) -> bytes:
    return bytes((command,)) + len(body).to_bytes(2, "big") + body


class GenericDevice:
    """A reader that just sends the lines, each closed by CR; it says nothing when it can read nothing."""

    rest_s: float = HAND_S

    @property
    def armed(self) -> bool:
        """Always."""
        return True

    def receive(self, chunk: bytes) -> bytes:
        """It has no requests."""
        del chunk
        return b""

    def report(self, lines: list[str]) -> bytes:
        """The lines as they are."""
        return "".join(line + "\r" for line in lines).encode("ascii")

    def reset(self) -> None:
        """It has no modes."""


class FramedDevice(GenericDevice):
    """A reader that frames its text by STX and ETX, optionally with LRC."""

    def __init__(self, *, lrc: bool) -> None:
        self._lrc = lrc

    def report(self, lines: list[str]) -> bytes:
        """STX, the lines, ETX; LRC is the XOR of what follows STX."""
        text = "\r".join(lines).encode("ascii") + b"\x03"
        return b"\x02" + text + (bytes((reduce(xor, text),)) if self._lrc else b"")


class RteDevice(GenericDevice):
    """3M / Thales RTE Native as we understand its manual: LEN from `O` to ETX, BCC the XOR of LEN to ETX, FLAG 0."""

    def report(self, lines: list[str]) -> bytes:
        """Three lines, the bottom one last, padded; an unreadable page is three empty ones."""
        width = 30 if len(lines) == 3 or not lines else 44
        padded = [line.ljust(width, "_") for line in ["", "", "", *lines][-3:]]
        body = b"OU\x02\x00" + "".join(line + "\r" for line in padded).encode("ascii") + b"\x03"
        frame = len(body).to_bytes(2, "little") + body
        return b"\x01" + frame + bytes((reduce(xor, frame),))


class WedgeDevice(GenericDevice):
    """A reader that types: `struct input_event` as an evdev device gives them, US keyboard, Enter after each line."""

    KEYS: Final = "..1234567890....QWERTYUIOP....ASDFGHJKL.....ZXCVBNM<"
    """By key code, from linux/input-event-codes.h; `<` is Shift and the comma."""

    def report(self, lines: list[str]) -> bytes:
        """Presses and releases, each closed by SYN_REPORT."""
        return b"".join(self._type(char) for line in lines for char in line + "\r")

    def _type(self, char: str) -> bytes:
        code = 28 if char == "\r" else self.KEYS.index(char) if char in self.KEYS else 53
        strokes = [(code, 1), (code, 0)]
        if not char.isdigit() and char != "\r":
            strokes = [(42, 1), *strokes, (42, 0)]
        return b"".join(self._event(1, key, value) + self._event(0, 0, 0) for key, value in strokes)

    @staticmethod
    def _event(kind: int, code: int, value: int) -> bytes:
        return struct.pack("@llHHi", 0, 0, kind, code, value)


class HoneywellDevice:
    """A Honeywell imager: set up by menu commands (forgotten without power), triggered, off after a good reading.

    Args:
        knows_ocr: Whether it can read passports at all; one without answers ENQ.
    """

    KNOWN: Final = {b"ALLENA": b"01", b"OCRENA": b"01", b"OCRATS": b"012"}
    """Tag with subtag, and what its data may be."""
    BEGUN: Final = (b"\x16", b"\x16T", b"\x16U", b"\x16M", b"\x16M\r")
    """What is not yet a whole command."""

    rest_s: float = HAND_S

    def __init__(self, *, knows_ocr: bool = True) -> None:
        self._knows_ocr = knows_ocr
        self._buffer = bytearray()
        self._triggered = False
        self._set: dict[bytes, bytes] = {}

    @property
    def armed(self) -> bool:
        """Whether it is triggered, and set up to read passports."""
        return self._triggered and self._set.get(b"OCRENA") == b"1" and self._set.get(b"OCRATS") == b"2"

    def receive(self, chunk: bytes) -> bytes:
        """Obey and echo; bytes that start no command are ignored."""
        self._buffer += chunk
        answers = b""
        while self._buffer:
            start = bytes(self._buffer[:3])
            end = min((at for mark in b"!." if (at := self._buffer.find(mark)) >= 0), default=-1)
            if start in (b"\x16T\r", b"\x16U\r"):
                self._triggered = start[1:2] == b"T"
                del self._buffer[:3]
            elif start == b"\x16M\r" and end >= 0:
                answers += self._obey(bytes(self._buffer[3 : end + 1]))
                del self._buffer[: end + 1]
            elif start in self.BEGUN and len(self._buffer) <= REQUEST_BYTES_MAX:
                break
            else:
                del self._buffer[0]
        return answers

    def report(self, lines: list[str]) -> bytes:
        """The lines with one separator between them; an unreadable page leaves it triggered and silent."""
        self._triggered = self._triggered and not lines
        return "\r".join(lines).encode("ascii")

    def reset(self) -> None:
        """Without power it forgets what was not stored."""
        self._buffer.clear()
        self._triggered = False
        self._set.clear()

    def _obey(self, command: bytes) -> bytes:
        echo = b""
        for item in command[:-1].upper().split(b";"):
            name, value = item[:6], item[6:]
            if name not in self.KNOWN or (name.startswith(b"OCR") and not self._knows_ocr):
                status = b"\x05"
            elif len(value) != 1 or value not in self.KNOWN[name]:
                status = b"\x15"
            else:
                status = b"\x06"
                self._set[name] = value
            echo += (b";" if echo else b"") + item + status
        return echo + command[-1:]


DIALECTS: Final[dict[str, Callable[[], Device]]] = {
    "elyctis": ElyctisDevice,
    "honeywell": HoneywellDevice,
    "honeywell-no-ocr": partial(HoneywellDevice, knows_ocr=False),
    "rte": RteDevice,
    "generic": GenericDevice,
    "stx-etx": partial(FramedDevice, lrc=False),
    "stx-etx-lrc": partial(FramedDevice, lrc=True),
    "wedge": WedgeDevice,
}
"""What a desk's scanner can be."""
