"""Stage 6 of 8: record - the log that entries are appended to: one statement, one leaf, one frame, one sync.

Order of `append`, and why each step holds:
1. The statement is signed with the epoch's key and becomes the leaf; the checkpoint over the tree with it is signed.
2. A body too long for a frame is written as a file, and its sync begins; nobody looks at it before the checkpoint that
   covers it.
3. The frame is written, and the tree grows in memory. More entries may follow in the same way. A frame behind such a
   body is held back: no disk may have the frame without its body, or that body's name.
4. Bodies and their names are synced, frames that were held back are written, then the journal is synced: once for all.
   A crash before: none of them was acknowledged, nobody has seen one of their checkpoints, and those that are whole up
   to the first torn one are entries all the same.
5. Only now receipts are given, and what is to be published is told. A crash after: recovery finds the frames.
"""

from collections import OrderedDict
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Final

from appliance.errors import StorageFull
from appliance.formats.identity import PreviousOrigin
from appliance.formats.merkle import Frontier, inclusion_proof, leaf_hash
from appliance.formats.receipt import LogReceipt
from appliance.formats.statement import EpochStart, EventEntry, Sealed
from appliance.formats.tiles import TILE_WIDTH, TileNodes, read_entries
from appliance.model import Priority
from appliance.record.counters import Taken
from appliance.record.journal import (
    BLOB_IN_FRAME_BYTES_MAX,
    JOURNAL_BYTES_MAX,
    Frame,
    Journal,
    Judged,
    SealedCase,
    encode_frame,
)
from appliance.record.open_case import OpenCase
from appliance.record.publish import Publisher, bytes_beside, read_published
from appliance.record.room import Purpose
from appliance.record.signing import Scribe
from appliance.record.stores import Stores

RECENT_MAX: Final = 4_096
"""Commitments that are remembered for a record that is asked again; the booth asks again within seconds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Attached:
    """What is published with an entry beside its leaf.

    Attributes:
        blob: The sealed record; b"" for an entry without a body.
        priority: Its class in the uplink's queue; it stands beside the statement and never in it.
        opens: The case that begins, and how it is sealed.
        updates: The same of a case that goes on.
        closes: The record whose case ends.
        receipts: Verified receipts of headquarters.
        taken: Counters of headquarters' messages with one more taken, or cases with one more asked about.
        judged: Travellers told apart from list entries, or no longer.
        purpose: What room it takes.
    """

    blob: bytes = b""
    priority: Priority | None = None
    opens: tuple[OpenCase, SealedCase] | None = None
    updates: tuple[OpenCase, SealedCase] | None = None
    closes: str | None = None
    receipts: tuple[bytes, ...] = ()
    taken: Taken | None = None
    judged: tuple[Judged, ...] = ()
    purpose: Purpose = Purpose.RECORD


UPKEEP: Final = Attached(purpose=Purpose.UPKEEP)


@dataclass(frozen=True, slots=True, kw_only=True)
class Grown:
    """The tree as far as it is durable, and how to find again what was asked before.

    Attributes:
        frontier: The tree.
        recent: Commitment to index of the latest sealed entries, oldest first.
        epoch: Number of the latest epoch, -1 for none.
        previous: The origin that this log follows.
    """

    frontier: Frontier
    recent: OrderedDict[bytes, int]
    epoch: int
    previous: PreviousOrigin | None


class Log:
    """The log of one origin.

    Args:
        scribe: Signs.
        journal: The open journal.
        grown: The tree so far.
        publisher: Publishes what is appended.
        stores: Room, bodies and cases.
        folder: The published tree, for proofs of older entries.

    Attributes:
        cosigned_size: Leaves under the last checkpoint that headquarters cosigned.
    """

    cosigned_size = 0

    def __init__(
        self, scribe: Scribe, journal: Journal, grown: Grown, publisher: Publisher, stores: Stores, folder: Path
    ) -> None:
        self.scribe = scribe
        self.journal = journal
        self.publisher = publisher
        self._frontier = grown.frontier
        self._waiting: list[Frame] = []
        self._recent = grown.recent
        self._epoch = grown.epoch
        self._previous = grown.previous
        self._stores = stores
        self._folder = folder

    @property
    def size(self) -> int:
        """Leaves."""
        return self._frontier.size

    @property
    def root(self) -> bytes:
        """Root hash of the tree."""
        return self._frontier.root()

    def begin_epoch(self) -> None:
        """Append the certificate of a new signing key. Raises as `append`."""
        previous = self._previous if self.size == 0 else None
        start = self.scribe.begin_epoch(self._epoch + 1, first_index=self.size, previous=previous)
        self.append(start, UPKEEP)
        self._epoch += 1

    def append(self, kind: Sealed | EventEntry | EpochStart, attached: Attached) -> LogReceipt:
        """Append one entry; on return it outlives a power cut.

        Raises:
            Malformed: An event that is not declared so.
            StorageFull: There is no room for this purpose; nothing has changed.
            StorageFault: The storage failed; the process must end, and recovery decides what holds.
        """
        receipt = self.write(kind, attached)
        self.sync()
        return receipt

    def write(self, kind: Sealed | EventEntry | EpochStart, attached: Attached) -> LogReceipt:
        """Append one entry that outlives a power cut after the next `sync`: until then nobody may hear of it.

        Raises:
            Malformed, StorageFull, StorageFault: As `append`.
        """
        index = self.size
        leaf = self.scribe.leaf(kind)
        ahead = self._frontier.copy()
        proof = ahead.append(leaf_hash(leaf))
        checkpoint = self.scribe.checkpoint(ahead.size, ahead.root())
        in_frame = len(attached.blob) <= BLOB_IN_FRAME_BYTES_MAX
        frame = Frame(
            index=index,
            leaf=leaf,
            checkpoint=checkpoint,
            priority=attached.priority,
            blob=attached.blob if attached.blob and in_frame else None,
            opens=attached.opens[1] if attached.opens else None,
            updates=attached.updates[1] if attached.updates else None,
            closes=attached.closes,
            receipts=attached.receipts,
            taken=attached.taken,
            judged=attached.judged,
            behind=self.journal.waiting,
        )
        encoded = encode_frame(frame)
        self._take_room(len(encoded) + len(attached.blob), attached.purpose)
        if attached.priority is not None and not in_frame:
            self._stores.bodies.write_ahead(index, attached.priority, attached.blob)
        try:
            self.journal.write(encoded, hold=self._stores.bodies.ahead)
        except StorageFull:
            self._stores.bodies.delete(index)  # the next entry has this index, and another body
            raise
        self._frontier = ahead
        self._waiting.append(frame)
        self._remember(kind, index)
        self._became(attached)
        return LogReceipt(index=index, leaf=leaf, inclusion_proof=proof, checkpoint=checkpoint)

    def sync(self) -> None:
        """One sync for all entries that were written; on return they outlive a power cut. Raises StorageFault."""
        if self._waiting:
            self._stores.bodies.sync_ahead()
            self.journal.sync()
            self.publisher.add(self._waiting)
            self._waiting = []

    def _became(self, attached: Attached) -> None:
        """The entry is in the journal, and with it what is attached to it."""
        stores = self._stores
        for case in (attached.opens, attached.updates):
            if case is not None:
                stores.cases.became(*case)
        if attached.closes:
            stores.cases.closed(attached.closes)
        if attached.taken:
            stores.counters.taken = attached.taken
        stores.not_same.decided(attached.judged)

    def event(self, event: str, fields: dict[str, str], attached: Attached = UPKEEP) -> None:
        """Append an entry without personal data. Raises as `append`."""
        self.append(EventEntry(event=event, fields=fields), attached)

    def has(self, commitment: bytes) -> bool:
        """Whether a recent entry has this commitment."""
        return commitment in self._recent

    def find(self, commitment: bytes) -> LogReceipt | None:
        """The receipt of a recent entry again, in the tree as it is published now; None when there is no such entry.

        Raises:
            StorageFull, StorageFault: It could not be published.
        """
        index = self._recent.get(commitment)
        if index is None:
            return None
        self.sync()
        self.publisher.publish()
        size = self.publisher.published
        return LogReceipt(
            index=index,
            leaf=self.leaves({index})[index],
            inclusion_proof=inclusion_proof(index, size, TileNodes(size, self.read)),
            checkpoint=self.publisher.checkpoint,
        )

    def leaves(self, indices: AbstractSet[int]) -> dict[int, bytes]:
        """Published leaves by index; each bundle is read once."""
        found: dict[int, bytes] = {}
        for first in sorted({index - index % TILE_WIDTH for index in indices}):
            bundle = islice(read_entries(self.publisher.published, self.read, first), TILE_WIDTH)
            found |= {index: leaf for index, leaf in enumerate(bundle, first) if index in indices}
        return found

    def read(self, path: str) -> bytes:
        """A file of the published tree. Raises StorageFault."""
        return read_published(self._folder, path)

    def _take_room(self, size: int, purpose: Purpose) -> None:
        if self.journal.size + size > JOURNAL_BYTES_MAX:
            raise StorageFull("The disk is full: what was recorded could not be published for a long time.")
        owed = self.publisher.owed + sum(map(bytes_beside, self._waiting))
        self._stores.room.take(size + owed, purpose)

    def _remember(self, kind: Sealed | EventEntry | EpochStart, index: int) -> None:
        if isinstance(kind, Sealed):
            self._recent[kind.commitment] = index
            if len(self._recent) > RECENT_MAX:
                self._recent.popitem(last=False)
