"""A log that contradicts what headquarters has seen of it: find out what it did, name it, keep both signed checkpoints.

Two trees under one key are a fork however they came about. How they did shows at the first entry in which they differ:

- entry 0: the log was begun again (reset);
- one side's entry starts an epoch: two runs of the recorder went on from there (clone, or a card that was set back);
- both are signed by the same epoch's key, which only one running recorder holds: it signed its past again (re-signed).

The other tree is written to disk as it comes, beside the copy, and taken away again: of a log of any length, both are
compared with a tile of each in memory.
"""

import base64
import copy
import re
from collections.abc import Generator, Iterable
from contextlib import contextmanager
from itertools import islice
from typing import NoReturn

from appliance.errors import Malformed, Untrusted
from appliance.formats.checkpoint import Checkpoint
from appliance.formats.edge import Edge
from appliance.formats.merkle import HASH_BYTES, root_hash
from appliance.formats.note import KEY_ID_BYTES
from appliance.formats.statement import EpochStart
from appliance.formats.tiles import TILE_WIDTH, ReadFile, TileNodes, parse_path, read_bundles, read_entries
from provisioning.audit.proof import WORDS, Contradiction, Fault, consistency_of
from provisioning.audit.resume import walk_at
from provisioning.audit.source import Source
from provisioning.audit.staged import SHOWN, staging
from provisioning.audit.store import TILE_BYTES_MAX, PulledLog
from provisioning.audit.when import CosignedHead


class Suspect:
    """A source whose checkpoint may contradict what is kept; every method ends in Untrusted, by name.

    Args:
        kept: What headquarters has of the log.
        source: Where the contradiction was shown.
        note: The source's checkpoint, signed by the log's key.
        shown: The same, opened.
    """

    def __init__(self, kept: PulledLog, source: Source, note: bytes, shown: Checkpoint) -> None:
        self._kept = kept
        self._source = source
        self._note = note
        self._shown = shown

    def refuse_shorter_or_other(self, seen: Checkpoint) -> None:
        """Refuse a tree that is shorter than what is kept, or as long and another. Raises Untrusted."""
        if self._shown.size > seen.size or (self._shown.size, self._shown.root) == (seen.size, seen.root):
            return
        nodes = TileNodes(seen.size, self._kept.tile)
        if self._shown.size < seen.size and root_hash(self._shown.size, nodes) == self._shown.root:
            self.refuse_rollback(seen, self._note_of_kept(), consistency_of(self._shown.size, seen.size, nodes))
        with self._shown_tree() as read:
            fault, where = self._fault(seen, read)
        self._refuse(fault, where, self._note_of_kept(), consistency_of(self._shown.size, seen.size, nodes))

    def refuse_rollback(self, seen: Checkpoint, note: bytes, consistency: tuple[bytes, ...] = ()) -> NoReturn:
        """Refuse a log that is shorter than headquarters has seen it. Raises Untrusted."""
        found = Contradiction(fault=Fault.ROLLBACK, seen=note, shown=self._note, consistency=consistency)
        raise Untrusted(
            f"rollback: {self._source.name} has {self._shown.size} entries, headquarters already has {seen.size}; the "
            f"box was set back to an old copy, or this mirror is behind; both checkpoints are kept in "
            f"{self._kept.keep_proof(found)}"
        )

    def refuse_growth(self, seen: Checkpoint) -> NoReturn:
        """Say why the new entries, after those kept, do not give the source's root.

        Its whole tree is another one, or its bytes are damaged, and where. Raises Untrusted.
        """
        with self._shown_tree() as read:
            if read is None:
                self._refuse_damage()
            fault, where = self._fault(seen, read)
            consistency = self._consistency(seen, read)
        self._refuse(fault, where, self._note_of_kept(), consistency)

    def refuse_cosigned(self, head: CosignedHead) -> NoReturn:
        """Refuse a tree that does not begin with one that headquarters cosigned. Raises Untrusted."""
        with self._shown_tree() as read:
            consistency = () if read is None else self._consistency(head.checkpoint, read)
        self._refuse(
            Fault.FORK,
            f"of {head.checkpoint.size} entries headquarters has cosigned another tree",
            head.note,
            consistency,
        )

    def _refuse(self, fault: Fault, where: str, seen: bytes, consistency: tuple[bytes, ...]) -> NoReturn:
        found = Contradiction(fault=fault, seen=seen, shown=self._note, consistency=consistency)
        raise Untrusted(
            f"{fault}: {self._source.name}: {where}; the log {WORDS[fault]} Nothing of it was taken; both signed "
            f"checkpoints are kept as proof in {self._kept.keep_proof(found)}"
        )

    def _note_of_kept(self) -> bytes:
        note = self._kept.note()
        assert note is not None, "only a checkpoint that is kept can be contradicted"
        return note

    def _consistency(self, seen: Checkpoint, read: ReadFile) -> tuple[bytes, ...]:
        return consistency_of(seen.size, self._shown.size, TileNodes(self._shown.size, read))

    @contextmanager
    def _shown_tree(self) -> Generator[ReadFile | None]:
        """Reads the source's tree, on disk for so long; None when it does not give the root of its own checkpoint.

        Raises:
            Untrusted, UplinkFault: The source does not give it.
            StorageFull, StorageFault: There is no room for it here; nothing was taken all the same.
        """
        with staging(self._kept.folder, SHOWN) as aside:
            edge = Edge()
            try:
                for bundle in read_bundles(self._shown.size, self._read):
                    edge.extend(bundle)
                    aside.add(edge.take_full())
            except Malformed:  # `_refuse_damage` reads it again, and says where
                yield None
                return
            aside.add(edge.publish())
            yield aside.read if edge.root() == self._shown.root else None

    def _fault(self, seen: Checkpoint, read: ReadFile | None) -> tuple[Fault, str]:
        """What it did, by the first entry that differs, and where."""
        both = min(seen.size, self._shown.size)
        if read is None:
            return (
                Fault.FORK,
                f"its tree of {self._shown.size} entries is another one, and it does not show its entries",
            )
        theirs = read_entries(self._shown.size, read)
        pairs = enumerate(zip(islice(self._kept.leaves(seen.size), both), theirs, strict=False))
        differs = next(((index, *pair) for index, pair in pairs if pair[0] != pair[1]), None)
        if differs is None:
            raise Untrusted(f"{self._source.name}: it changed while it was read; pull again")
        index, own, other = differs
        where = f"entry {index} is not the one that headquarters has"
        return self._fault_at(index, own, other), where

    def _fault_at(self, index: int, ours: bytes, theirs: bytes) -> Fault:
        if index == 0:
            return Fault.RESET
        walk = walk_at(self._kept, index)
        try:
            kinds = [copy.copy(walk).take(leaf).kind for leaf in (ours, theirs)]
        except (Malformed, Untrusted):  # not signed by who could have: how it came about cannot be told
            return Fault.FORK
        return Fault.CLONE if any(isinstance(kind, EpochStart) for kind in kinds) else Fault.RESIGNED

    def _refuse_damage(self) -> NoReturn:
        """The source's entries are not those of its checkpoint: say which. Raises Untrusted."""
        edge = Edge()
        for bundle in read_bundles(self._shown.size, self._read):
            edge.extend(bundle)
            self._refuse_altered(edge.take_full())
        self._refuse_altered(edge.publish())
        raise Untrusted(
            f"{self._source.name}: its {self._shown.size} entries do not give the root that its checkpoint signs; "
            "nothing was kept"
        )

    def _refuse_altered(self, tiles: Iterable[tuple[str, bytes]]) -> None:
        """Compare tiles that follow from the source's entries with those that it shows. Raises Untrusted."""
        for path, content in tiles:
            tile = parse_path(path)
            if tile.level != 0:
                continue
            theirs = self._read(path)
            for at in range(0, len(content), HASH_BYTES):
                if theirs[at : at + HASH_BYTES] != content[at : at + HASH_BYTES]:
                    index = tile.n * TILE_WIDTH + at // HASH_BYTES
                    raise Untrusted(f"{self._source.name}: entry {index} was altered; nothing was kept")

    def _read(self, path: str) -> bytes:
        return read_tile(self._source, path)


def refuse_foreign(kept: PulledLog, source: Source, note: bytes) -> None:
    """Refuse a checkpoint that another key signed under the log's own name; a damaged one is somebody else's to name.

    Raises:
        Untrusted: It is one; what is kept and this note are kept as proof, where anything is kept.
    """
    text, _, signatures = note.partition(b"\n\n")
    if not text.startswith(f"{kept.log.origin}\n".encode()):
        return
    ids = _key_ids(signatures, kept.log.origin)
    if not ids or kept.log.verifier.key_id in ids:
        return
    seen = kept.note()
    where = ""
    if seen is not None:
        found = Contradiction(fault=Fault.FOREIGN, seen=seen, shown=note)
        where = f" Both checkpoints are kept in {kept.keep_proof(found)}."
    raise Untrusted(
        f"foreign: {source.name}: another key than the enrolled one signs this log; it {WORDS[Fault.FOREIGN]}{where}"
    )


def _key_ids(signatures: bytes, name: str) -> set[bytes]:
    """Of the keys that signature lines say are of this name."""
    lines = re.findall(
        rf"^— {re.escape(name)} ([A-Za-z0-9+/]{{8}})", signatures.decode("utf-8", "replace"), re.MULTILINE
    )
    return {base64.b64decode(line)[:KEY_ID_BYTES] for line in lines}


def read_tile(source: Source, path: str) -> bytes:
    """A tile or entry bundle of a source whose checkpoint covers it. Raises Untrusted when it is missing."""
    content = source.read(path, bytes_max=TILE_BYTES_MAX)
    if content is None:
        raise Untrusted(f"{source.name}: {path} is missing, though its checkpoint covers it")
    return content
