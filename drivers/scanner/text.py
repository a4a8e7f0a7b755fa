"""What every dialect shares: the bounds of a document's text, and how it becomes lines. Nothing is corrected here."""

import re
from typing import Final

from drivers.api import Frame, Noise

FRAME_BYTES_MAX: Final = 4096
"""Bytes of one document on the wire, framing included; a TD3 has 92."""
LINES_MAX: Final = 4
LINE_CHARS_MAX: Final = 100
"""A machine readable zone run together has 90 characters."""

COMPLETE: Final = ((44, 44), (36, 36), (30, 30, 30))
"""Lengths of a zone's lines (Doc 9303-4 to -7)."""
RUN_TOGETHER: Final = ((72,), (88,), (90,))
"""The same zones sent as one line."""

TEXT: Final = re.compile(rb"[\x20-\x7e\r\n]*")
"""Bytes that a document's text is made of: printable ASCII and line ends."""

_LINE_END: Final = re.compile(r"\r\n|\r|\n")


def split_lines(text: bytes) -> tuple[str, ...]:
    """The non-empty lines of `text` (which matches TEXT), separated by CR, LF or CRLF."""
    return tuple(line for line in _LINE_END.split(text.decode("ascii")) if line)


def frame_of(dialect: str, text: bytes, raw: bytes) -> Frame | Noise:
    """A document's text as a Frame; Noise when it is longer than any document.

    Args:
        dialect: Name of the codec.
        text: What stood between the framing; matches TEXT.
        raw: The same with its framing.
    """
    lines = split_lines(text)
    if len(raw) > FRAME_BYTES_MAX or len(lines) > LINES_MAX or any(len(line) > LINE_CHARS_MAX for line in lines):
        return Noise(count=len(raw), why=f"more than {LINES_MAX} lines of {LINE_CHARS_MAX} characters")
    return Frame(dialect=dialect, lines=lines, raw=raw)
