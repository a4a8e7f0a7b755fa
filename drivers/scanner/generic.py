"""Scanners that just send the text: ended by silence or a closing line end, or framed by STX and ETX; without I/O.

Which of the two, and whether a longitudinal redundancy check follows, is set in box.toml; a device has no question to
answer, so it counts as present when its port opens. Covers readers in keyboard emulation over a serial line too.
"""

from typing import Final

from drivers.api import Frame, Noise
from drivers.scanner.mute import Mute
from drivers.scanner.text import COMPLETE, FRAME_BYTES_MAX, TEXT, frame_of, split_lines

STX: Final = 0x02
ETX: Final = 0x03
LINE_ENDS: Final = b"\r\n"
SILENCE_S: Final = 0.2
"""At 9600 baud a TD3 takes 95 ms without a pause; between documents a hand needs a second."""


class _EndedBySilence(Mute):
    """The half that both dialects share."""

    dialect: str = "generic"

    @property
    def idle_timeout_s(self) -> float:
        """A silence of this many seconds ends a document."""
        return SILENCE_S


class GenericCodec(_EndedBySilence):
    """Text ended by silence; earlier when a line end closes a complete document.

    Lines may be run together: nothing is split here, and such a document is ended by the silence.
    """

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._spoiled = ""
        self._count = 0

    def receive(self, chunk: bytes) -> list[Frame | Noise]:
        """Take bytes of any number; return the documents that a closing line end completes."""
        events: list[Frame | Noise] = []
        for byte in chunk:
            events += self._take(byte)
        return events

    def idle(self) -> list[Frame | Noise]:
        """The silence ends the document."""
        return self._complete()

    def _complete(self) -> list[Frame | Noise]:
        if self._spoiled:
            return self._end([Noise(count=self._count, why=self._spoiled)])
        if not self._buffer:
            return []
        text = bytes(self._buffer)
        return self._end([frame_of(self.dialect, text, text)])

    def _take(self, byte: int) -> list[Frame | Noise]:
        if not self._count and byte in LINE_ENDS:
            return []  # the rest of the line end that completed the document before
        self._count += 1
        if self._spoiled:
            return []
        self._buffer.append(byte)
        if not TEXT.fullmatch(self._buffer[-1:]):
            self._spoil("a byte that is no text")
        elif len(self._buffer) > FRAME_BYTES_MAX:
            self._spoil(f"more than {FRAME_BYTES_MAX} bytes without a silence")
        # A closing line end and these lengths: complete before the silence.
        elif byte in LINE_ENDS and tuple(map(len, split_lines(bytes(self._buffer)))) in COMPLETE:
            return self._complete()
        return []

    def _spoil(self, why: str) -> None:
        """What came since the last silence is of no use: leaving out a byte would make another text of it."""
        self._spoiled = why
        self._buffer.clear()

    def _end(self, events: list[Frame | Noise]) -> list[Frame | Noise]:
        self._buffer.clear()
        self._spoiled = ""
        self._count = 0
        return events


class FramedCodec(_EndedBySilence):
    """Text between STX and ETX, optionally followed by one byte of LRC: XOR of what follows STX, ETX included."""

    def __init__(self, *, lrc: bool) -> None:
        self._lrc = lrc
        self._buffer = bytearray()
        self._skipped = 0

    def receive(self, chunk: bytes) -> list[Frame | Noise]:
        """Take bytes of any number; return the documents that they complete, and the noise before each."""
        events: list[Frame | Noise] = []
        for byte in chunk:
            events += self._take(byte)
        return events

    def idle(self) -> list[Frame | Noise]:
        """The rest of a frame is lost."""
        return self._give_up("truncated frame or garbage")

    def _take(self, byte: int) -> list[Frame | Noise]:
        if self._closed:
            return self._finish(byte)
        if byte == STX:
            events = self._give_up("a frame without its end")
            self._buffer.append(byte)
            return events
        if not self._buffer:
            self._skipped += byte not in LINE_ENDS
            return self._give_up("garbage without end") if self._skipped >= FRAME_BYTES_MAX else []
        self._buffer.append(byte)
        if byte == ETX:
            return [] if self._lrc else self._finish(None)
        if not TEXT.fullmatch(self._buffer[-1:]) or len(self._buffer) >= FRAME_BYTES_MAX:
            return self._give_up("a byte that is no text, or no end within the bound")
        return []

    @property
    def _closed(self) -> bool:
        """Whether only the LRC is missing."""
        return len(self._buffer) > 1 and self._buffer[-1] == ETX

    def _finish(self, lrc: int | None) -> list[Frame | Noise]:
        text = bytes(self._buffer[1:-1])
        expected = 0
        for byte in self._buffer[1:]:
            expected ^= byte
        raw = bytes(self._buffer) + (b"" if lrc is None else bytes((lrc,)))
        self._buffer.clear()
        noise = self._give_up("garbage between frames")
        if lrc is not None and lrc != expected:
            return [*noise, Noise(count=len(raw), why="the check byte does not hold")]
        return [*noise, frame_of(self.dialect, text, raw)]

    def _give_up(self, why: str) -> list[Frame | Noise]:
        count = self._skipped + len(self._buffer)
        self._skipped = 0
        self._buffer.clear()
        return [Noise(count=count, why=why)] if count else []
