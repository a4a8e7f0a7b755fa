"""The log as the recorder publishes it: a tlog-tiles folder, never read past its checkpoint."""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from appliance.errors import StorageFault
from appliance.files import open_regular, read_regular
from appliance.formats.checkpoint import Checkpoint, open_checkpoint
from appliance.formats.merkle import consistency_proof
from appliance.formats.note import NOTE_BYTES_MAX, Verifier, parse_vkey
from appliance.formats.tiles import BUNDLE_BYTES_MAX, TileNodes, read_entries
from appliance.formats.upload import LEAVES_MAX, LogUpload

VKEY_BYTES_MAX: Final = 1_024


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """The newest checkpoint, signed by the log's key."""

    note: bytes
    checkpoint: Checkpoint


class PublishedLog:
    """Reads `state/log` and `state/log.vkey`.

    Raises (every method):
        StorageFault: What the checkpoint promises cannot be read.
        Malformed, Untrusted: It is not what the log's key has signed.
    """

    def __init__(self, folder: Path, vkey: Path) -> None:
        self._folder = folder
        self._vkey = vkey

    def head(self) -> Head | None:
        """The checkpoint as it stands; None before the first."""
        try:
            with open_regular(self._folder / "checkpoint") as file:
                note = file.read(NOTE_BYTES_MAX + 1)
        except FileNotFoundError:
            return None
        except OSError as error:
            raise StorageFault(f"checkpoint: {error.strerror}") from error
        checkpoint, _ = open_checkpoint(note, self._verifier())
        return Head(note=note, checkpoint=checkpoint)

    def part(self, head: Head, start: int, *, bytes_max: int) -> LogUpload:
        """Leaves from `start` on, as many as fit, with the proof that they belong to `head`.

        Args:
            head: From `head()`.
            start: At most the head's size; then there are no leaves, and the head alone is offered.
            bytes_max: At least one leaf is given where there is one, and no more than this of them together.
        """
        size = head.checkpoint.size
        leaves: list[bytes] = []
        room = bytes_max
        for leaf in read_entries(size, self._read, start):
            if leaves and (len(leaf) > room or len(leaves) >= LEAVES_MAX):
                break
            leaves.append(leaf)
            room -= len(leaf)
        end = start + len(leaves)
        proof = () if end == size else consistency_proof(end, size, TileNodes(size, self._read))
        return LogUpload(from_index=start, leaves=tuple(leaves), checkpoint=head.note, proof=tuple(proof))

    def _verifier(self) -> Verifier:
        try:
            with open_regular(self._vkey) as file:
                text = file.read(VKEY_BYTES_MAX)
        except OSError as error:
            raise StorageFault(f"log.vkey: {error.strerror}") from error
        return parse_vkey(text.decode("ascii", "replace").strip())

    def _read(self, path: str) -> bytes:
        try:
            return read_regular(self._folder / path, BUNDLE_BYTES_MAX)
        except OSError as error:
            raise StorageFault(f"{path}: {error.strerror}") from error
