"""The body of a witness's `add-checkpoint` (C2SP tlog-witness): old size, consistency proof, checkpoint. Pure.

```
old <size>
<hash in base64>        up to 63 lines
<empty line>
<the signed checkpoint>
```
"""

import base64
import binascii
import re
from dataclasses import dataclass
from typing import Final

from appliance.errors import Malformed
from appliance.formats.merkle import HASH_BYTES
from appliance.formats.note import NOTE_BYTES_MAX
from appliance.formats.tree_head import SIZE_MAX

PROOF_LINES_MAX: Final = 63
REQUEST_BYTES_MAX: Final = NOTE_BYTES_MAX + 4_096
_OLD: Final = re.compile(r"old (0|[1-9][0-9]{0,18})", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class AddCheckpoint:
    """A request.

    Attributes:
        old_size: Of the checkpoint that the witness cosigned last; 0 for none.
        proof: RFC 6962 consistency proof from there; () from 0.
        note: The new checkpoint, signed by its log, maybe by others as well.
    """

    old_size: int
    proof: tuple[bytes, ...]
    note: bytes


def encode_add_checkpoint(request: AddCheckpoint) -> bytes:
    """The body of the request."""
    lines = [f"old {request.old_size}", *(base64.b64encode(each).decode("ascii") for each in request.proof), ""]
    return "".join(f"{line}\n" for line in lines).encode("ascii") + request.note


def parse_add_checkpoint(body: bytes) -> AddCheckpoint:
    """Parse a request. Raises Malformed."""
    if len(body) > REQUEST_BYTES_MAX:
        raise Malformed("add-checkpoint", f"{len(body)} bytes, at most {REQUEST_BYTES_MAX}")
    head, separator, note = body.partition(b"\n\n")
    lines = head.decode("ascii", "replace").split("\n")
    old = _OLD.fullmatch(lines[0])
    if not separator or old is None or int(old[1]) > SIZE_MAX:
        raise Malformed("add-checkpoint", "not a line `old <size>`, a proof, and an empty line")
    if len(lines) - 1 > PROOF_LINES_MAX:
        raise Malformed("add-checkpoint", f"{len(lines) - 1} lines of proof, at most {PROOF_LINES_MAX}")
    return AddCheckpoint(old_size=int(old[1]), proof=tuple(map(_hash, lines[1:])), note=note)


def _hash(line: str) -> bytes:
    try:
        hashed = base64.b64decode(line, validate=True)
    except (binascii.Error, ValueError):
        raise Malformed("add-checkpoint", "a line of the proof is not base64") from None
    if len(hashed) != HASH_BYTES or base64.b64encode(hashed).decode("ascii") != line:
        raise Malformed("add-checkpoint", f"a line of the proof is not {HASH_BYTES} bytes in canonical base64")
    return hashed
