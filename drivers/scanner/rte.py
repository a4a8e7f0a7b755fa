"""3M / Thales RTE Native (RTE6701 family) on RS-232 or USB serial, without I/O. NOT CONFIRMED ON HARDWARE.

Frame, unsolicited only: `01 LEN_LO LEN_HI 'O' 'U' 02 FLAG L1 0D L2 0D L3 0D 03 BCC`. Always three CRs; the bottom line
is always line 3; lines are padded with `_` to 30 or 44. What LEN counts from, how BCC is made and what FLAG says is not
public: each is a setting. Unset, whatever comes is accepted, and told of where it is of no kind that we thought of;
`landlink-box check --scanner` says which kinds hold, so that a technician can set them.
Source: RTE6701-OEM integration manual VC27U p25-26.
"""

from collections.abc import Callable
from functools import reduce
from operator import xor
from typing import Final

from drivers.api import Frame, Noise
from drivers.scanner.mute import Mute
from drivers.scanner.text import frame_of

SOH: Final = 0x01
ETX: Final = 0x03
CR: Final = 0x0D
HEADER: Final = (SOH, None, None, ord("O"), ord("U"), 0x02, None)
"""None: any byte, LEN_LO LEN_HI and FLAG."""
TEXT_BYTES: Final = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789<_")
WIDTHS: Final = (0, 30, 44)
"""Of a line with its padding; an empty line may be sent without any."""
LINES: Final = 3
SILENCE_S: Final = 0.25

LENGTHS: Final[dict[str, int]] = {"data": 4, "to-bcc": 3, "all": 0}
"""What LEN counts, by the bytes of a frame that it leaves out: from `O` to ETX, from `O` to BCC, or the whole frame."""
CHECKS: Final[dict[str, Callable[[bytes], int]]] = {
    "xor": lambda frame: reduce(xor, frame[1:-1]),
    "xor-data": lambda frame: reduce(xor, frame[3:-1]),
    "xor-all": lambda frame: reduce(xor, frame[:-1]),
    "sum": lambda frame: sum(frame[1:-1]) & 0xFF,
}
"""How BCC is made: of LEN to ETX, of `O` to ETX, of SOH to ETX, or the sum of LEN to ETX."""

_BROKEN: Final = -1
_INCOMPLETE: Final = 0


def _measure(buffer: bytes) -> int:
    """Length of the frame that begins here; _INCOMPLETE when more bytes are wanted, _BROKEN when none begins here."""
    if any(want is not None and byte != want for byte, want in zip(buffer, HEADER, strict=False)):
        return _BROKEN
    ends, start = 0, len(HEADER)
    for at in range(len(HEADER), len(buffer)):
        byte = buffer[at]
        if ends == LINES:
            if byte != ETX:
                return _BROKEN
            return at + 2 if len(buffer) > at + 1 else _INCOMPLETE
        if byte == CR and at - start in WIDTHS:
            ends, start = ends + 1, at + 1
        elif byte not in TEXT_BYTES or at - start >= WIDTHS[-1]:
            return _BROKEN
    return _INCOMPLETE


class RteCodec(Mute):
    """Takes what the reader sends by itself; it can be asked nothing.

    Args:
        length: A key of LENGTHS; "any" accepts whatever LEN says.
        check: A key of CHECKS; "any" accepts whatever BCC is.
        flag: The one FLAG of a document; None accepts all.
    """

    dialect: str = "rte"

    def __init__(self, *, length: str = "any", check: str = "any", flag: int | None = None) -> None:
        self._length = length
        self._check = check
        self._flag = flag
        self._buffer = bytearray()
        self._skipped = 0
        self._seen = ""

    @property
    def note(self) -> str:
        """That nobody has seen this dialect on hardware; a warning, when a frame had what we did not think of."""
        return "ready, not confirmed on hardware" + (", frames of an unknown kind" if "unknown" in self._seen else "")

    @property
    def seen(self) -> str:
        """The settings that hold for the last frame, as box.toml has them; "" before the first."""
        return self._seen

    @property
    def idle_timeout_s(self) -> float:
        """A silence of this length inside a frame means a loss."""
        return SILENCE_S

    def receive(self, chunk: bytes) -> list[Frame | Noise]:
        """Take bytes of any number; return the documents that they complete, and the noise before each."""
        self._buffer += chunk
        events: list[Frame | Noise] = []
        while self._buffer:
            size = _measure(bytes(self._buffer))
            if size == _INCOMPLETE:
                break
            if size == _BROKEN:
                self._skip()
                continue
            events += self._accept(size)
        return events

    def idle(self) -> list[Frame | Noise]:
        """The rest of a frame is lost; look for whole frames in what it had swallowed."""
        events: list[Frame | Noise] = []
        while self._buffer:
            self._skip()
            events += self.receive(b"")
        return events + self._noise("truncated frame or garbage")

    def _skip(self) -> None:
        """Give up to where the next frame may begin."""
        at = self._buffer.find(SOH, 1)
        count = len(self._buffer) if at < 0 else at
        del self._buffer[:count]
        self._skipped += count

    def _accept(self, size: int) -> list[Frame | Noise]:
        raw = bytes(self._buffer[:size])
        lengths = [name for name, less in LENGTHS.items() if raw[1] + 256 * raw[2] == len(raw) - less]
        checks = [name for name, make in CHECKS.items() if make(raw) == raw[-1]]
        if raw[-1] == SOH and not checks:
            size -= 1  # its last byte was lost, and this one begins the next frame
        del self._buffer[:size]
        noise = self._noise("garbage between frames")
        if why := self._refused(raw, lengths, checks):
            return [*noise, Noise(count=size, why=why)]
        self._seen = (
            f"rte_length = {_quoted(lengths)}, rte_check = {_quoted(checks)}, rte_flag = {raw[len(HEADER) - 1]}"
        )
        lines = [line.rstrip(b"_") for line in raw[len(HEADER) : -2].split(b"\r")]
        return [*noise, frame_of(self.dialect, b"\r".join(lines), raw)]

    def _refused(self, raw: bytes, lengths: list[str], checks: list[str]) -> str:
        if self._length != "any" and self._length not in lengths:
            return "the length does not hold"
        if self._check != "any" and self._check not in checks:
            return "the check byte does not hold"
        if self._flag is not None and raw[len(HEADER) - 1] != self._flag:
            return "the flag is not that of a document"
        if raw[-1] == SOH and not checks:
            return "the check byte is missing"
        return ""

    def _noise(self, why: str) -> list[Frame | Noise]:
        if not self._skipped:
            return []
        count, self._skipped = self._skipped, 0
        return [Noise(count=count, why=why)]


def _quoted(names: list[str]) -> str:
    return " or ".join(f'"{name}"' for name in names) or "unknown"
