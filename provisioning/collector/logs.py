"""Copies of the boxes' logs: every leaf verified, tiles rebuilt, the root compared, the head cosigned.

What is checked before a part of a log is taken (C2SP tlog-witness for the last three):
1. The log's key, known from the roster, signed the checkpoint of this origin.
2. The part begins where the copy ends (else 409).
3. Each leaf is a statement of this log and mode, by the epoch key that the box's identity certified at its place.
4. The leaves, after the copy's, give the checkpoint's root; or the tree they end is consistent with it (else 422).
5. The checkpoint is not behind the copy: a box that went back, or whose log forked, is refused by name, and what it
   signed is kept as evidence.
Tiles are durable before the ledger says how far the copy reaches; `checkpoint` is replaced last, with cosignatures.
"""

import copy
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from appliance.errors import Malformed, StorageFault, Untrusted
from appliance.files import storage, write_durably
from appliance.formats.checkpoint import Checkpoint, open_checkpoint
from appliance.formats.edge import Edge
from appliance.formats.merkle import root_hash, verify_consistency
from appliance.formats.note import Ed25519Cosigner, MlDsa44Cosigner, add_signatures, with_signatures_of
from appliance.formats.statement import EpochStart, Sealed, parse_statement
from appliance.formats.tiles import TILE_WIDTH, TileNodes, entries_path, parse_entries, read_entries
from appliance.formats.upload import LogUpload
from provisioning.audit.log import Log
from provisioning.audit.walk import Walk
from provisioning.collector.ledger import Head, Ledger

FOLDER: Final = "log"
PARTIAL_TILES_S: Final = 86_400


class Behind(Exception):
    """The part does not begin where the copy ends; the sender asks for `size` and goes on there."""

    def __init__(self, size: int) -> None:
        self.size = size
        super().__init__(f"the copy has {size} entries")


@dataclass(frozen=True, slots=True, kw_only=True)
class Cosigners:
    """Headquarters' two keys, with the time of now."""

    ed25519: Callable[[int], Ed25519Cosigner]
    mldsa44: Callable[[int], MlDsa44Cosigner]

    def cosign(self, note: bytes, *, at_ms: int) -> bytes:
        """The note with both cosignatures."""
        at_s = at_ms // 1000
        return add_signatures(note, (self.ed25519(at_s), self.mldsa44(at_s)))


class MirroredLog:
    """The copy of one log. For one thread at a time.

    Args:
        log: Whose it is, with its keys.
        folder: `DIR/log/<domain>/<log>`.
        ledger: Says how far the copy reaches.
        cosigners: Headquarters'.

    Raises:
        Untrusted, Malformed: The copy is damaged.
    """

    def __init__(self, log: Log, folder: Path, ledger: Ledger, cosigners: Cosigners) -> None:
        self._log = log
        self._folder = folder
        self._ledger = ledger
        self._cosigners = cosigners
        self._head = ledger.head(log.origin)
        self._bundle: tuple[int, tuple[bytes, ...]] = (-1, ())
        self._resume()

    @property
    def log(self) -> Log:
        """Whose it is, with its keys."""
        return self._log

    @property
    def head(self) -> Head:
        """How far the copy reaches."""
        return self._head

    def take(self, upload: LogUpload, *, now_ms: int) -> bytes | None:
        """Take the next part.

        Args:
            upload: The leaves, the checkpoint, and the proof where more leaves follow.
            now_ms: Headquarters' time, milliseconds since 1970.

        Returns:
            The cosigned checkpoint when the copy is complete up to it; None for a part.

        Raises:
            Behind: The part begins elsewhere.
            Untrusted, Malformed: It is refused; nothing was changed.
            StorageFault, StorageFull: Nothing was changed.
        """
        checkpoint, _ = open_checkpoint(upload.checkpoint, self._log.verifier)
        self._refuse_past(checkpoint, upload.checkpoint, now_ms)
        if upload.from_index != self._head.size:
            raise Behind(self._head.size)
        if upload.from_index + len(upload.leaves) > checkpoint.size:
            raise Untrusted("more leaves than the checkpoint covers")
        if not upload.leaves and _text(upload.checkpoint) == _text(self._head.note):
            return self._head.note
        try:
            walk, edge = self._appended(upload, checkpoint)
        except Untrusted as error:
            self._ledger.alarm(self._log.origin, "refused", upload.checkpoint, str(error), seen_ms=now_ms)
            raise
        return self._commit(upload, checkpoint, walk, edge, now_ms)

    def sealed(self, leaf: int) -> Sealed | None:
        """What the statement at this index says of its body; None when it has none.

        Raises:
            Behind: The copy does not reach so far.
        """
        if leaf >= self._head.size:
            raise Behind(self._head.size)
        n, place = divmod(leaf, TILE_WIDTH)
        first, entries = self._bundle
        if first != n or place >= len(entries):
            width = min(TILE_WIDTH, self._head.size - n * TILE_WIDTH)
            entries = parse_entries(self._read(entries_path(n, width)), width)
            self._bundle = (n, entries)
        kind = parse_statement(entries[place]).unverified.kind  # verified when it was taken
        return kind if isinstance(kind, Sealed) else None

    def _refuse_past(self, checkpoint: Checkpoint, note: bytes, now_ms: int) -> None:
        """Refuse a checkpoint that the copy already covers, unless it says the same; keep it as evidence."""
        size = self._head.size
        if checkpoint.size > size:
            return
        here = self._edge.root() if checkpoint.size == size else root_hash(checkpoint.size, TileNodes(size, self._read))
        if checkpoint.root != here:
            words = f"forked: at {checkpoint.size} entries its root is another than in headquarters' copy"
            self._ledger.alarm(self._log.origin, "fork", note, words, seen_ms=now_ms)
            raise Untrusted(words)
        if checkpoint.size < size:
            words = f"rolled back: it has {checkpoint.size} entries, headquarters' copy has {size}"
            self._ledger.alarm(self._log.origin, "rollback", note, words, seen_ms=now_ms)
            raise Untrusted(words)

    def _appended(self, upload: LogUpload, checkpoint: Checkpoint) -> tuple[Walk, Edge]:
        """Walk and edge with the new leaves. They are copies: a refusal, or a full disk, costs and changes nothing."""
        walk, edge = copy.copy(self._walk), copy.deepcopy(self._edge)
        for place, leaf in enumerate(upload.leaves):
            try:
                walk.take(leaf)
            except (Untrusted, Malformed) as error:
                raise Untrusted(f"entry {upload.from_index + place}: {error}") from None
            edge.append(leaf)
        if edge.size == checkpoint.size:
            if edge.root() != checkpoint.root:
                raise Untrusted("forked: the leaves do not give the checkpoint's root")
        elif edge.size:
            verify_consistency(
                old_size=edge.size, old_root=edge.root(), size=checkpoint.size, root=checkpoint.root, proof=upload.proof
            )
        return walk, edge

    def _commit(self, upload: LogUpload, checkpoint: Checkpoint, walk: Walk, edge: Edge, now_ms: int) -> bytes | None:
        tiles = edge.publish()
        for path, content in tiles:
            with storage(f"tiles of {self._log.origin}"):
                (self._folder / path).parent.mkdir(parents=True, exist_ok=True)
            write_durably(self._folder / path, content, mode=0o644)
        if any(".p/" not in path for path, _ in tiles):
            self._sweep(now_ms)
        size, root = edge.size, edge.root()
        whole = size == checkpoint.size
        own = with_signatures_of(upload.checkpoint, (self._log.verifier,))  # no lines of others, which leave no room
        note = self._cosigners.cosign(own, at_ms=now_ms) if whole else b""
        if whole or upload.leaves:
            self._ledger.reach(self._log.origin, Head(size=size, root=root, note=note), at_ms=now_ms)
        self._head = Head(size=size, root=root, note=note or self._head.note)
        self._walk, self._edge = walk, edge
        if not whole:
            return None
        write_durably(self._folder / "checkpoint", note, mode=0o644)
        return note

    def _sweep(self, now_ms: int) -> None:
        """Remove partial tiles of tiles that are full, after a day: an auditor may be reading by an older head."""
        with storage(f"tiles of {self._log.origin}"):
            for partial in self._folder.glob("tile/**/*.p"):
                full = partial.with_suffix("")
                if full.is_file() and now_ms / 1000 - full.stat().st_mtime > PARTIAL_TILES_S:
                    shutil.rmtree(partial)

    def _resume(self) -> None:
        """Stand where the ledger says, from the published tiles."""
        size = self._head.size
        self._edge = Edge.resume(size, self._read) if size else Edge()
        if self._edge.root() != self._head.root:
            raise Untrusted("headquarters' own copy of this log is damaged: its tiles do not give its root")
        self._walk = Walk(self._log, start=0)
        if size:
            start = self._epoch_start(size)
            self._walk = Walk(self._log, start=start)
            for leaf in read_entries(size, self._read, start):
                self._walk.take(leaf)
            if self._head.note:
                with storage(f"checkpoint of {self._log.origin}"):
                    self._folder.mkdir(parents=True, exist_ok=True)
                write_durably(self._folder / "checkpoint", self._head.note, mode=0o644)

    def _epoch_start(self, size: int) -> int:
        """Index of the last leaf that starts an epoch."""
        for n in range((size - 1) // TILE_WIDTH, -1, -1):
            first = n * TILE_WIDTH
            width = min(TILE_WIDTH, size - first)
            entries = parse_entries(self._read(entries_path(n, width)), width)
            for place in range(width - 1, -1, -1):
                if isinstance(parse_statement(entries[place]).unverified.kind, EpochStart):
                    return first + place
        raise Untrusted("headquarters' own copy of this log has no start of an epoch")

    def _read(self, path: str) -> bytes:
        try:
            return (self._folder / path).read_bytes()
        except FileNotFoundError:  # one damaged copy must not end the service for all
            raise Untrusted(f"headquarters' own copy of this log lacks {path}") from None
        except OSError as error:
            raise StorageFault(f"{self._log.origin}: {path}: {error.strerror}") from error


def _text(note: bytes) -> bytes:
    """What a note's signatures cover."""
    return note.partition(b"\n\n")[0]
