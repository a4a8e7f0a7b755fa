"""Readers that type like a keyboard (USB HID wedge), by their evdev events, without I/O.

The bytes are the kernel's `struct input_event` (linux/input.h), as read from `/dev/input/by-id/...-event-kbd`; key
codes are those of linux/input-event-codes.h. No library: this needs one struct, and drivers/keyboard.py one ioctl.
The reader is set to a US keyboard. Letters are capitals whatever Shift and Caps Lock say: a zone has no others, and
Caps Lock is the host's affair. What the keys typed then goes the way of the generic dialect.
"""

import struct
from typing import Final

from drivers.api import Frame, Noise
from drivers.scanner.generic import GenericCodec

EVENT: Final = struct.Struct("@llHHi")
"""Seconds, microseconds, type, code, value; 24 bytes where a long has 64 bits, 16 where it has 32."""
EV_SYN: Final = 0
EV_KEY: Final = 1
SYN_DROPPED: Final = 3
"""The kernel's buffer ran over: events are missing."""
PRESSED: Final = 1
RELEASED: Final = 0

KEY_102ND: Final = 86
"""The key between left Shift and Z, where there is one: `<`."""
KEY_COMMA: Final = 51
SHIFTS: Final = frozenset({42, 54})
LOCKS: Final = frozenset({29, 56, 58, 69, 97, 100})
"""Ctrl, Alt, Caps Lock and Num Lock: type nothing by themselves."""

_ROWS: Final = ((2, b"1234567890"), (16, b"QWERTYUIOP"), (30, b"ASDFGHJKL"), (44, b"ZXCVBNM"))
KEYS: Final[dict[int, int]] = {code: byte for first, row in _ROWS for code, byte in enumerate(row, first)} | {
    28: ord("\r"), 96: ord("\r"), 57: ord(" "),
    71: ord("7"), 72: ord("8"), 73: ord("9"), 75: ord("4"), 76: ord("5"), 77: ord("6"),
    79: ord("1"), 80: ord("2"), 81: ord("3"), 82: ord("0"),
}  # fmt: skip
"""Key code to character: rows, Enter, space, number pad."""
NO_TEXT: Final = 0
"""Stands for a key that no zone has, and for lost events: it spoils the document."""


class WedgeCodec(GenericCodec):
    """Key presses to text; ended by Enter after a whole document, or by silence."""

    dialect: str = "wedge"

    def __init__(self) -> None:
        super().__init__()
        self._events = bytearray()
        self._shifted: set[int] = set()

    def receive(self, chunk: bytes) -> list[Frame | Noise]:
        """Take events, cut anywhere; return the documents that they complete."""
        self._events += chunk
        whole = len(self._events) // EVENT.size * EVENT.size
        text = bytearray()
        for _, _, kind, code, value in EVENT.iter_unpack(bytes(self._events[:whole])):
            text += self._typed(kind, code, value)
        del self._events[:whole]
        return super().receive(bytes(text))

    def idle(self) -> list[Frame | Noise]:
        """The silence ends the document; half an event, and a key held, were of a cable that was pulled."""
        if self._events:
            super().receive(bytes((NO_TEXT,)))
        self._events.clear()
        self._shifted.clear()
        return super().idle()

    def _typed(self, kind: int, code: int, value: int) -> bytes:
        if kind == EV_SYN and code == SYN_DROPPED:
            self._shifted.clear()
            return bytes((NO_TEXT,))
        if kind != EV_KEY:
            return b""
        if code in SHIFTS:
            (self._shifted.add if value != RELEASED else self._shifted.discard)(code)
        if code in SHIFTS or code in LOCKS or value != PRESSED:
            return b""
        if code == KEY_102ND or (code == KEY_COMMA and self._shifted):
            return b"<"
        byte = KEYS.get(code, NO_TEXT)
        if self._shifted and not bytes((byte,)).isalpha():
            byte = NO_TEXT
        return bytes((byte,))
