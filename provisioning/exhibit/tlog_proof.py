"""C2SP tlog-proof: one file that says where an entry stands in a log, and proves it offline.

```
c2sp.org/tlog-proof@v1
index <decimal>
<base64 of a hash>        the audit path of RFC 6962, the leaf's sibling first, a line each
                          an empty line
<the checkpoint as it was signed>
```
The optional line `extra` is not written, and refused when read: nothing signs it.
"""

import base64
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from appliance.errors import Malformed
from appliance.formats.merkle import HASH_BYTES, PROOF_HASHES_MAX
from appliance.formats.note import NOTE_BYTES_MAX

HEADER: Final = "c2sp.org/tlog-proof@v1"
PROOF_BYTES_MAX: Final = NOTE_BYTES_MAX + 64 * (PROOF_HASHES_MAX + 2)
_INDEX: Final = re.compile(r"index (0|[1-9][0-9]{0,18})", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class TlogProof:
    """A parsed proof that nobody has verified yet: the entry's index, its audit path, the checkpoint's note."""

    index: int
    hashes: tuple[bytes, ...]
    checkpoint: bytes


def encode_proof(index: int, hashes: Sequence[bytes], checkpoint: bytes) -> bytes:
    """The file."""
    lines = [HEADER, f"index {index}", *(base64.b64encode(hashed).decode("ascii") for hashed in hashes), "", ""]
    return "\n".join(lines).encode("ascii") + checkpoint


def parse_proof(data: bytes) -> TlogProof:
    """Parse a proof. Raises Malformed, also for another spelling of the same proof."""
    if len(data) > PROOF_BYTES_MAX:
        raise Malformed("tlog-proof", f"{len(data)} bytes, at most {PROOF_BYTES_MAX}")
    head, separator, checkpoint = data.partition(b"\n\n")
    try:
        first, *lines = head.decode("ascii").split("\n")
    except UnicodeDecodeError as error:
        raise Malformed("tlog-proof", "not ASCII before its checkpoint", offset=error.start) from None
    index = _INDEX.fullmatch(lines[0]) if lines else None
    if first != HEADER or not separator or index is None:
        raise Malformed("tlog-proof", f"not {HEADER}, an index, hashes, an empty line and a checkpoint")
    if len(lines) - 1 > PROOF_HASHES_MAX:
        raise Malformed("tlog-proof", f"{len(lines) - 1} hashes, at most {PROOF_HASHES_MAX}")
    return TlogProof(index=int(index[1]), hashes=tuple(map(_hash, lines[1:])), checkpoint=checkpoint)


def _hash(line: str) -> bytes:
    try:
        hashed = base64.b64decode(line, validate=True)
    except ValueError:
        raise Malformed("tlog-proof", "a line that is no base64 of a hash") from None
    if len(hashed) != HASH_BYTES or base64.b64encode(hashed).decode("ascii") != line:
        raise Malformed("tlog-proof", f"a line that is not the base64 of {HASH_BYTES} bytes")
    return hashed
