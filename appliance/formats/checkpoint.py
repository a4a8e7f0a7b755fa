"""A log's checkpoint (C2SP tlog-checkpoint): its tree head as a note that the log and headquarters signed."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

from appliance.errors import Untrusted
from appliance.formats.note import Opened, Signer, Verifier, open_note, sign_note
from appliance.formats.tree_head import format_tree_head, parse_tree_head
from appliance.model import Sha256


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkpoint:
    """A tree head.

    Attributes:
        origin: Name of the log.
        size: Leaves.
        root: Root hash, 32 bytes.
    """

    origin: str
    size: int
    root: bytes

    def text(self) -> str:
        """The text that a note signs."""
        return format_tree_head(self.origin, self.size, self.root)

    def digest(self) -> Sha256:
        """SHA-256 of the text: how a statement names the last cosigned checkpoint."""
        return Sha256(hashlib.sha256(self.text().encode()).digest())


def parse_checkpoint(text: str) -> Checkpoint:
    """Parse a checkpoint's text. Raises Malformed."""
    origin, size, root = parse_tree_head(text)
    return Checkpoint(origin=origin, size=size, root=root)


def sign_checkpoint(checkpoint: Checkpoint, signers: Sequence[Signer]) -> bytes:
    """The file `checkpoint` of a log."""
    return sign_note(checkpoint.text(), signers)


def open_checkpoint(data: bytes, log: Verifier, *cosigners: Verifier) -> tuple[Checkpoint, Opened]:
    """The tree head that this log's key signed, and who else signed it.

    Raises:
        Malformed: Not a note of a checkpoint.
        Untrusted: Not signed by the log's key, a known key's signature fails, or it is another log's checkpoint.
    """
    opened = open_note(data, (log, *cosigners))
    opened.require(log)
    checkpoint = parse_checkpoint(opened.text)
    if checkpoint.origin != log.name:
        raise Untrusted("checkpoint: of another origin than the key that signed it")
    return checkpoint, opened
