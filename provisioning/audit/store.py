"""What headquarters has pulled of one log: a tlog-tiles folder that any tool can verify, with the bodies beside it.

```
pulled/<domain>/<log>/checkpoint    the last verified one, with the signatures of known keys
                      tile/...      computed from verified leaves
                      bodies/<index>.age
                      sealed                        which entries have a body, as a hint (sealed_note.py)
                      new/tile/...                  while a pull is under way (staged.py)
                      cosigned/<n>, receipts/<n>   what headquarters signed about it (testimony_pages.py)
                      cosigned/own/*.note           what this desk cosigned itself
                      proof/<fault>-.../           signed checkpoints that contradict each other (proof.py)
```
"""

import hashlib
import os
from collections.abc import Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Final

from appliance.errors import StorageFault, Untrusted
from appliance.files import replace_file, storage, write_durably
from appliance.formats.age import BLOB_BYTES_MAX
from appliance.formats.checkpoint import Checkpoint, open_checkpoint
from appliance.formats.note import NOTE_BYTES_MAX, SIGNATURES_MAX, Opened, Verifier
from appliance.formats.statement import Sealed
from appliance.formats.tiles import BUNDLE_BYTES_MAX, read_bundles, read_entries
from provisioning.audit.log import Log
from provisioning.audit.proof import Contradiction, proofs_in, write_proof
from provisioning.audit.staged import Staged, staging
from provisioning.audit.testimony_pages import COSIGNED, PAGE_BYTES_MAX, page_path

TILE_BYTES_MAX: Final = BUNDLE_BYTES_MAX
"""An entry bundle; a hash tile is far smaller."""


def check_body(blob: bytes, sealed: Sealed) -> None:
    """Raise Untrusted when these are not the bytes that the statement names."""
    if len(blob) != sealed.blob_bytes or hashlib.sha256(blob).digest() != sealed.blob_sha256:
        raise Untrusted("its body was altered: not the bytes that the statement names")


class PulledLog:
    """The pulled copy of `log` in `folder`; the folder appears with the first verified checkpoint."""

    def __init__(self, log: Log, folder: Path) -> None:
        self.log = log
        self.folder = folder

    def note(self) -> bytes | None:
        """The last verified checkpoint; None before the first. Raises StorageFault."""
        return self._read("checkpoint", NOTE_BYTES_MAX)

    def checkpoint(self) -> Checkpoint:
        """The last verified checkpoint, verified again. Raises as `open_checkpoint`."""
        return self.open_checkpoint()[0]

    def open_checkpoint(self, *cosigners: Verifier) -> tuple[Checkpoint, Opened]:
        """The last verified checkpoint, verified again, and who else signed it.

        Raises:
            Untrusted: There is none, the log's key did not sign it, or a cosignature does not hold.
            Malformed: It is no checkpoint.
        """
        note = self.note()
        if note is None:
            raise Untrusted("its copy has no checkpoint")
        return open_checkpoint(note, self.log.verifier, *cosigners)

    def tile(self, path: str) -> bytes:
        """A tile or entry bundle. Raises Untrusted when it is missing, StorageFault when it cannot be read."""
        content = self._read(path, TILE_BYTES_MAX)
        if content is None:
            raise Untrusted(f"{path} is missing")
        return content

    def leaves(self, size: int, start: int = 0) -> Iterator[bytes]:
        """Leaves from `start` to `size`, unverified. Raises as `tile`, and Malformed."""
        return read_entries(size, self.tile, start)

    def bundles(self, size: int, start: int = 0) -> Iterator[tuple[bytes, ...]]:
        """The same leaves, those of one bundle at a time. Raises as `leaves`."""
        return read_bundles(size, self.tile, start)

    def body_path(self, index: int) -> Path:
        """Where the sealed body of entry `index` lies."""
        return self.folder / "bodies" / f"{index}.age"

    def body(self, index: int) -> bytes | None:
        """The sealed body of entry `index`; None when it has not been pulled. Raises StorageFault."""
        return self._read(f"bodies/{index}.age", BLOB_BYTES_MAX)

    def keep_body(self, index: int, blob: bytes) -> None:
        """Keep a body whose hash has been verified. Raises StorageFull, StorageFault."""
        self._make_folder("bodies")
        replace_file(self.body_path(index), blob)

    def staging(self) -> AbstractContextManager[Staged]:
        """Where new tiles wait until all of them hold. Raises StorageFull, StorageFault."""
        return staging(self.folder)

    def keep_tree(self, staged: Staged, note: bytes) -> None:
        """Keep tiles that verified leaves gave, then the checkpoint that covers them.

        Raises:
            StorageFull, StorageFault: The checkpoint is as it was.
        """
        staged.switch_in()
        self._make_folder(".")
        write_durably(self.folder / "checkpoint", note, mode=0o644)

    def merge_signatures(self, note: bytes) -> None:
        """Add to the checkpoint that is kept what another note of the same text has of signatures, verified by then.

        Raises:
            StorageFull, StorageFault: It is as it was.
        """
        ours = self.note()
        assert ours is not None, "there is a checkpoint to add to"
        there = ours.partition(b"\n\n")[2].splitlines(keepends=True)
        lines = [line for line in note.partition(b"\n\n")[2].splitlines(keepends=True) if line not in there]
        if lines and len(there) + len(lines) <= SIGNATURES_MAX:
            write_durably(self.folder / "checkpoint", ours + b"".join(lines), mode=0o644)

    def keep_proof(self, found: Contradiction) -> Path:
        """Keep two signed checkpoints that contradict each other; the folder of the proof. Raises as `write_proof`."""
        return write_proof(self.folder / "proof", self.log.verifier, found)

    def proofs(self) -> tuple[Path, ...]:
        """Folders of kept proofs."""
        return proofs_in(self.folder / "proof")

    def page(self, kind: str, n: int) -> bytes | None:
        """A page of what headquarters signed; None when there is none. Raises StorageFault, Untrusted (too long)."""
        return self._read(page_path(kind, n), PAGE_BYTES_MAX)

    def pages(self, kind: str) -> int:
        """How many pages of a kind are kept."""
        names = (path.name for path in (self.folder / kind).glob("*") if path.is_file())
        return sum(name.isascii() and name.isdecimal() for name in names)

    def keep_page(self, kind: str, n: int, page: bytes) -> None:
        """Keep a page that was verified. Raises StorageFull, StorageFault."""
        self._make_folder(kind)
        replace_file(self.folder / page_path(kind, n), page)

    def own_cosigned(self) -> tuple[bytes, ...]:
        """Checkpoints that this desk cosigned, oldest first. Raises StorageFault, Untrusted (too long)."""
        folder = Path(COSIGNED) / "own"
        names = sorted(path.name for path in (self.folder / folder).glob("*.note"))
        return tuple(note for name in names if (note := self._read(f"{folder}/{name}", NOTE_BYTES_MAX)) is not None)

    def keep_cosigned(self, note: bytes, *, at_ms: int) -> None:
        """Keep the checkpoint that is kept as this desk has now cosigned it: in its place, and for ever.

        Args:
            note: The same checkpoint with more signatures, verified.
            at_ms: When, milliseconds since 1970.

        Raises:
            StorageFull, StorageFault: It is not kept; nobody is to be given it.
        """
        self._make_folder(f"{COSIGNED}/own")
        size = self.checkpoint().size
        write_durably(self.folder / COSIGNED / "own" / f"{size:012d}-{at_ms:015d}.note", note, mode=0o644)
        write_durably(self.folder / "checkpoint", note, mode=0o644)

    def body_indices(self) -> Iterator[int]:
        """Entries whose body lies here, in no order. Raises StorageFault."""
        try:
            with os.scandir(self.folder / "bodies") as entries:
                names = (entry.name.removesuffix(".age") for entry in entries if entry.name.endswith(".age"))
                yield from (int(name) for name in names if name.isascii() and name.isdecimal())
        except FileNotFoundError:
            return
        except OSError as error:
            raise StorageFault(f"reading {self.folder / 'bodies'}: {error.strerror}") from None

    def _make_folder(self, name: str) -> None:
        with storage(f"making {name} of {self.log.origin}"):
            (self.folder / name).mkdir(parents=True, exist_ok=True)

    def _read(self, path: str, bytes_max: int) -> bytes | None:
        try:
            with (self.folder / path).open("rb") as file:
                content = file.read(bytes_max + 1)
        except (FileNotFoundError, NotADirectoryError):
            return None
        except OSError as error:
            raise StorageFault(f"reading {self.folder / path}: {error.strerror}") from None
        if len(content) > bytes_max:
            raise Untrusted(f"{path}: longer than {bytes_max} bytes")
        return content
