"""The three lines of a log's tree head (C2SP tlog-checkpoint, "Note text"): origin, size, root hash; no extension."""

import base64
import re
from typing import Final

from appliance.errors import Malformed

ORIGIN_BYTES_MAX: Final = 255
SIZE_MAX: Final = 2**63 - 1
TEXT_CHARACTERS_MAX: Final = 512
_TEXT: Final = re.compile(r"([^\s+]+)\n(0|[1-9][0-9]{0,18})\n([A-Za-z0-9+/]{43}=)\n", re.ASCII)


def format_tree_head(origin: str, size: int, root: bytes) -> str:
    """The text; `root` is 32 bytes."""
    return f"{origin}\n{size}\n{base64.b64encode(root).decode('ascii')}\n"


def parse_tree_head(text: str) -> tuple[str, int, bytes]:
    """(origin, size, root hash) of a text.

    Extension lines are refused: ML-DSA-44 cosignatures do not cover them, and none of our logs writes any.

    Raises:
        Malformed: Not exactly the three lines, or not the one spelling of what they say.
    """
    match = _TEXT.fullmatch(text) if len(text) <= TEXT_CHARACTERS_MAX else None
    if not match:
        raise Malformed("checkpoint", "not three lines of origin, size and root hash")
    origin, size, root = match[1], int(match[2]), base64.b64decode(match[3])
    if not origin.isprintable() or len(origin.encode()) > ORIGIN_BYTES_MAX or size > SIZE_MAX:
        raise Malformed("checkpoint", "origin or size out of bounds")
    if format_tree_head(origin, size, root) != text:
        raise Malformed("checkpoint", "the root hash is not canonical base64")
    return origin, size, root
