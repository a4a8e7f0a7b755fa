"""Elyctis ID BOX One on RS-232 or USB: frames `CMD LEN_MSB LEN_LSB DATA` both ways, without I/O.

The protocol has no checksum and no acknowledge, so a lost byte is found by what cannot be: an unknown command, a length
over the bound, a byte in DATA that is no text. A length below 256 has 00 as its first byte, which is no text either:
so the header of the next frame breaks a frame that is too short, at once, and the next frame is read.
Source: Elyctis Scanner Command Set v1.7 (14 Sep 2020).
"""

from typing import Final

from drivers.api import Frame, Noise
from drivers.scanner.text import FRAME_BYTES_MAX, TEXT, frame_of

HEADER_BYTES: Final = 3
CONTINUOUS: Final = 0x43
INQUIRE: Final = 0x49
ANSWERS: Final = frozenset({CONTINUOUS, INQUIRE, 0x4C, 0x52, 0x54, 0x56, 0x57})
"""Continuous mode, document, one line, serial number, product, version, OCR version."""

VERSION_QUESTION: Final = bytes((0x56, 0, 0))
CONTINUOUS_ON: Final = bytes((CONTINUOUS, 0, 1, 1))

SILENCE_S: Final = 0.25

_BROKEN: Final = -1
_INCOMPLETE: Final = 0


def _measure(buffer: bytearray, at: int) -> int:
    """Length of the frame at `at`; _INCOMPLETE when that takes more bytes to know, _BROKEN when none starts there."""
    if buffer[at] not in ANSWERS:
        return _BROKEN
    header = bytes(buffer[at : at + HEADER_BYTES])
    if len(header) < HEADER_BYTES:
        return _BROKEN if len(header) > 1 and header[1] > FRAME_BYTES_MAX >> 8 else _INCOMPLETE
    size = HEADER_BYTES + int.from_bytes(header[1:], "big")
    body = bytes(buffer[at + HEADER_BYTES : at + size])
    if size > FRAME_BYTES_MAX or not _fits(header, body):
        return _BROKEN
    return size if len(buffer) - at >= size else _INCOMPLETE


def _fits(header: bytes, body: bytes) -> bool:
    """Whether these (perhaps not yet all) bytes of DATA can belong to this header."""
    if header[0] == CONTINUOUS:
        return header[1:] == b"\x00\x01" and body in (b"", b"\x00", b"\x01")
    return TEXT.fullmatch(body) is not None


class ElyctisCodec:
    """Keeps the device in continuous mode: it reports the next document by itself, once, and must then be armed again.

    A document left in the slot is not reported twice. A report of length 0 means that nothing was read.
    """

    dialect: str = "elyctis"

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._skipped = 0
        self._last = b""
        self._present = False

    def hello(self) -> bytes:
        """Ask for the version; `present` is False until something that makes sense comes back."""
        self._present = False
        return VERSION_QUESTION

    def arm(self) -> bytes:
        """Turn continuous mode on; it switches itself off after each good reading."""
        return CONTINUOUS_ON

    @property
    def present(self) -> bool:
        """Whether a well-formed answer has come since `hello`."""
        return self._present

    @property
    def spent(self) -> bool:
        """Never: a document that is left in the slot is not reported again."""
        return False

    @property
    def note(self) -> str:
        """Nothing."""
        return ""

    @property
    def idle_timeout_s(self) -> float:
        """A frame's bytes follow each other within milliseconds; a silence of this length inside one means a loss."""
        return SILENCE_S

    def receive(self, chunk: bytes) -> list[Frame | Noise]:
        """Take bytes of any number; return the documents that they complete, and the noise before each."""
        self._buffer += chunk
        return self._take()

    def idle(self) -> list[Frame | Noise]:
        """The rest of a frame is lost: give up its first byte and look for whole frames in what it had swallowed."""
        events: list[Frame | Noise] = []
        while self._buffer:
            self._last = b""
            self._skip(1)
            events += self._take()
        self._last = b""
        return events + self._noise("truncated frame or garbage")

    def _take(self) -> list[Frame | Noise]:
        events: list[Frame | Noise] = []
        at = 0
        while at < len(self._buffer):
            size = _measure(self._buffer, at)
            if size == _INCOMPLETE:
                break
            if size == _BROKEN:
                at += self._resynchronise(at)
                continue
            self._skip(at)
            at = 0
            events += self._noise("garbage between frames")
            events += self._accept(size)
        self._skip(at)
        if self._skipped >= FRAME_BYTES_MAX:
            events += self._noise("garbage without end")
        return events

    def _resynchronise(self, at: int) -> int:
        """How many bytes at `at` to give up: 1, or 0 when the frame before had swallowed this one's command byte.

        A document that lost exactly one byte takes the `I` of the next frame for its last character; what follows is
        then 00, which starts nothing. Giving the `I` back saves the next document.
        """
        if at == 0 and self._buffer[0] == 0 and self._last == bytes((INQUIRE,)):
            self._buffer[:0] = self._last
            self._last = b""
            return 0
        self._last = b""
        return 1

    def _accept(self, size: int) -> list[Frame | Noise]:
        raw = bytes(self._buffer[:size])
        del self._buffer[:size]
        self._present = self._present or raw != VERSION_QUESTION  # that alone would be an echo, as of a modem
        self._last = raw[-1:] if size > HEADER_BYTES else b""
        return [frame_of(self.dialect, raw[HEADER_BYTES:], raw)] if raw[0] == INQUIRE else []

    def _skip(self, count: int) -> None:
        del self._buffer[:count]
        self._skipped += count

    def _noise(self, why: str) -> list[Frame | Noise]:
        if not self._skipped:
            return []
        count, self._skipped = self._skipped, 0
        return [Noise(count=count, why=why)]
