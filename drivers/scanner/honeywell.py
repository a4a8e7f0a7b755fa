"""Honeywell imagers with passport reading (Xenon, Granit, N-series) on RS-232 or USB serial, without I/O.

Menu command `16 4D 0D` + tag and subtag with data, `;` between, `!` at the end (not stored: a restart forgets it). The
reply echoes it with ACK 06, ENQ 05 (unknown tag) or NAK 15 (data out of range) before each punctuation mark. Trigger on
`16 54 0D`, off `16 55 0D`. A document's lines have one separator between them and none need follow the last: 89 bytes
for a TD3, 92 for a TD1. Some imagers send each line on its own and may lose one, so a silence parts documents.
Sources: N431X user guide p169-170; N86 user guide p163; OCR programming guide.
"""

import re
from typing import Final

from drivers.api import Frame, Noise
from drivers.scanner.text import COMPLETE, RUN_TOGETHER, TEXT, frame_of

TRIGGER_ON: Final = b"\x16T\r"
TRIGGER_OFF: Final = b"\x16U\r"
OCR_ITEMS: Final = (b"OCRENA1", b"OCRATS2")
"""Passport reading on, and the templates for it: without both the imager is no document scanner."""
SET_UP: Final = b"\x16M\rallena0;ocrena1;ocrats2!"
"""`allena0`: no bar code is ever taken for a document."""

ACK: Final = 0x06
STATUSES: Final = frozenset({0x05, ACK, 0x15})
PUNCTUATION: Final = b",;.!"
_ECHO: Final = re.compile(rb"[A-Z]{6}[0-9]\Z")
_ECHO_BYTES: Final = 7

SILENCE_S: Final = 0.5
"""Longer than the pause between lines that come one by one, shorter than a hand needs for the next page."""
GONE_SILENCES: Final = 4
"""A triggered imager reads what lies there within a second: after this many silences the page was taken away."""


class HoneywellCodec:
    """Sets the imager up for passports and keeps it triggered; a page that stays is read again, and delivered once."""

    dialect: str = "honeywell"

    def __init__(self) -> None:
        self._tail = b""
        self._echoing = False
        self._statuses: dict[bytes, int] = {}
        self._lines: list[bytes] = []
        self._text = bytearray()
        self._count = 0
        self._spoiled = ""
        self._last: tuple[str, ...] = ()
        self._silences = 0
        self._spent = False

    def hello(self) -> bytes:
        """Set up for passports, with the light off meanwhile: the echo says whether this imager can read them."""
        self._statuses.clear()
        return TRIGGER_OFF + SET_UP

    def arm(self) -> bytes:
        """Trigger; the imager stops by itself with a good reading."""
        self._spent = False
        return TRIGGER_ON

    @property
    def present(self) -> bool:
        """Whether the imager has taken both settings of passport reading since `hello`."""
        return all(self._statuses.get(item) == ACK for item in OCR_ITEMS)

    @property
    def spent(self) -> bool:
        """The same page was read once more: nothing is delivered, and the trigger is off."""
        return self._spent

    @property
    def note(self) -> str:
        """Says so when an imager answers, and refuses passport reading."""
        refused = any(self._statuses.get(item, ACK) != ACK for item in OCR_ITEMS)
        return "the imager does not know passport reading, or has no licence for it" if refused else ""

    @property
    def idle_timeout_s(self) -> float:
        """A silence of this many seconds parts one document from the next."""
        return SILENCE_S

    def receive(self, chunk: bytes) -> list[Frame | Noise]:
        """Take bytes of any number; return the documents that the last character of their last line completes."""
        events: list[Frame | Noise] = []
        for byte in chunk:
            events += self._take(byte)
        return events

    def idle(self) -> list[Frame | Noise]:
        """The silence ends the document, whole or not."""
        self._echoing = False
        self._tail = b""
        if not self._count:
            self._silences += 1
            if self._silences >= GONE_SILENCES:
                self._last = ()
            return []
        lines = tuple(map(len, self._whole()))
        if not self._spoiled and lines not in COMPLETE and lines not in RUN_TOGETHER:
            self._spoiled = "a line is missing or not whole"
        return self._end()

    def _take(self, byte: int) -> list[Frame | Noise]:
        echoing, self._echoing = self._echoing, False
        if echoing and byte in PUNCTUATION:
            return []
        if byte in STATUSES and _ECHO.search(self._tail):
            self._hear(byte)
            return []
        self._tail = (self._tail + bytes((byte,)).upper())[-_ECHO_BYTES:]
        if not self._count and byte in b"\r\n":
            return []  # a line end after the last line
        self._count += 1
        if self._spoiled:
            return []
        if byte in b"\r\n":
            self._lines.append(bytes(self._text))
            self._text.clear()
        else:
            self._text.append(byte)
        return self._judge(byte)

    def _judge(self, byte: int) -> list[Frame | Noise]:
        """Whether the document is whole with this byte, may become so, or cannot any more."""
        if not TEXT.fullmatch(bytes((byte,))):
            self._spoil("a byte that is no text")
        elif len(self._text) > RUN_TOGETHER[-1][0] or len(self._lines) > len(COMPLETE[-1]):
            self._spoil("more than any document has")
        elif tuple(map(len, self._whole())) in COMPLETE:
            return self._end()
        return []

    def _whole(self) -> list[bytes]:
        return [line for line in (*self._lines, bytes(self._text)) if line]

    def _hear(self, status: int) -> None:
        """An item of the echo and its status; the item was taken for text until its status came."""
        self._statuses[self._tail] = status
        self._tail = b""
        self._echoing = True
        self._count = max(0, self._count - _ECHO_BYTES)
        del self._text[-_ECHO_BYTES:]

    def _spoil(self, why: str) -> None:
        """What came since the last silence is of no use: leaving out a byte would make another text of it."""
        self._spoiled = why
        self._lines.clear()
        self._text.clear()

    def _end(self) -> list[Frame | Noise]:
        raw = b"\r".join(self._whole())
        spoiled, count = self._spoiled, self._count
        self._spoil("")
        self._count = self._silences = 0
        if spoiled:
            self._last = ()
            return [Noise(count=count, why=spoiled)]
        frame = frame_of(self.dialect, raw, raw)
        if isinstance(frame, Frame) and frame.lines == self._last:
            self._spent = True
            return []
        self._last = frame.lines if isinstance(frame, Frame) else ()
        return [frame]
