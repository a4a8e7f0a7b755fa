"""Stage 6 of 8: record - the journal: what makes an entry durable with one write and one sync.

A journal is a file of frames: a header that says where in the log it begins, then one frame an entry, complete enough
to publish everything that belongs to the entry again. Byte-exact in README.md.

Rules: an entry is acknowledged after the sync of its frame and never before; frames written one after the other may
share that sync, and each says which entries were durable before it. They take the place of zeros, where quiet moments
have left any. A sync that failed is never tried again on the same descriptor, because the kernel has forgotten which
pages were not written. A frame that a power cut tore was never acknowledged, nor was any that shares its sync; whatever
else does not hold is damage, and nothing is signed on top of damage.
"""

import os
import time
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Final

from msgspec import Meta
from msgspec.structs import replace

from appliance.clock import Instant
from appliance.errors import Malformed, StorageFault
from appliance.files import storage, sync_folder
from appliance.formats.cbor import pack, parse
from appliance.formats.fields import Count
from appliance.formats.identity import PreviousOrigin
from appliance.formats.wire import CASE_HITS_MAX
from appliance.model import Digest, Id, Noun, Priority, Word
from appliance.record.counters import Taken
from appliance.record.open_case import OPEN_CASE_BYTES_MAX

MAGIC: Final = b"LLJ1"
PREFIX_BYTES: Final = 12
FRAME_BYTES_MAX: Final = 262_144
BLOB_IN_FRAME_BYTES_MAX: Final = 65_536
"""A longer body is a durable file of its own before its frame is written."""

JOURNAL_BYTES_MAX: Final = 64 * 1024 * 1024
"""More than this is refused as StorageFull by the log: publication has not kept up for a long time."""

ROOM_BYTES: Final = 256 * 1024
"""Zeros that `make_room` leaves behind the frames: for a traveller's records and pictures, twice."""


class SealedCase(Noun, frozen=True, kw_only=True):
    """An open case under a key of its own (cases.py).

    Attributes:
        of: The record whose case it is.
        key: Name of the key file.
        opened: When, for its maximum age.
    """

    of: Id
    key: Id
    nonce: Annotated[bytes, Meta(min_length=12, max_length=12)]
    ciphertext: Annotated[bytes, Meta(max_length=OPEN_CASE_BYTES_MAX + 16)]
    opened: Instant


class Judged(Noun, frozen=True, kw_only=True):
    """A decision about one traveller and one list entry (not_same.py).

    Attributes:
        digest: Of both, under a key of this box.
        entry: The entry's identifier.
        spared: Told apart; False takes it back.
    """

    digest: Digest
    entry: Word
    spared: bool


class Header(Noun, frozen=True, kw_only=True, tag="journal"):
    """Where a journal begins: everything before is published and synced.

    Attributes:
        size, root: The tree before the journal's first entry.
        previous: The origin that this one follows, for the certificate in leaf 0; None for a box's first origin.
    """

    origin: Word
    size: Count
    root: Digest
    previous: PreviousOrigin | None = None


class Frame(Noun, frozen=True, kw_only=True, tag="entry"):
    """One entry and everything that is published with it.

    Attributes:
        behind: How many entries right before it share its sync: whenever it was written, those were not yet durable.
        leaf: The signed statement.
        checkpoint: Signed note over the tree whose last leaf this is.
        priority: Class of the body in the uplink's queue; None for an entry without a body.
        blob: The sealed body; None when there is none or it is a file already.
        opens: The case that begins with this entry.
        updates: An open case as it is from this entry on.
        closes: The case that ends with it.
        receipts: Headquarters' receipts that this entry acknowledges.
        taken: What was taken and asked (counters.py) from this entry on; None when it took and asked nothing.
        judged: Travellers told apart from list entries, or no longer.
    """

    index: Count
    leaf: Annotated[bytes, Meta(max_length=65_535)]
    checkpoint: Annotated[bytes, Meta(max_length=16_384)]
    priority: Priority | None = None
    blob: Annotated[bytes, Meta(max_length=BLOB_IN_FRAME_BYTES_MAX)] | None = None
    opens: SealedCase | None = None
    updates: SealedCase | None = None
    closes: Id | None = None
    receipts: Annotated[tuple[Annotated[bytes, Meta(max_length=2_048)], ...], Meta(max_length=24)] = ()
    taken: Taken | None = None
    judged: Annotated[tuple[Judged, ...], Meta(max_length=CASE_HITS_MAX)] = ()
    behind: Count = 0


def encode_frame(frame: Header | Frame) -> bytes:
    """Magic, length, CRC-32 of length and payload, payload."""
    payload = pack(frame)
    length = len(payload).to_bytes(4, "big")
    return b"".join((MAGIC, length, zlib.crc32(payload, zlib.crc32(length)).to_bytes(4, "big"), payload))


@dataclass(frozen=True, slots=True, kw_only=True)
class Contents:
    """What a journal file holds.

    Attributes:
        end: Bytes of the valid frames; what lies behind them was torn by a power cut.
    """

    header: Header
    frames: tuple[Frame, ...]
    end: int


def parse_journal(data: bytes) -> Contents:
    """Parse a journal; a torn frame at its end is left out, and with it those behind it that share its sync.

    Raises:
        StorageFault: The header does not hold, or a whole frame follows one that does not and was durable before it:
            damage, not a power cut.
    """
    frames: list[Frame] = []
    header, end = _frame_at(data, 0) or (None, 0)
    if not isinstance(header, Header):
        raise StorageFault("the journal's header does not hold")
    while (found := _frame_at(data, end)) is not None:
        frame, behind = found
        if not isinstance(frame, Frame) or frame.index != header.size + len(frames):
            raise StorageFault(f"the journal's frame at {end} is not the next entry")
        frames.append(frame)
        end = behind
    torn, place = header.size + len(frames), end
    while (place := data.find(MAGIC, place + 1)) >= 0:
        found = _frame_at(data, place)
        if found is not None and not _shares_sync(found[0], torn):
            raise StorageFault(f"the journal is damaged at {end}: whole frames follow")
    return Contents(header=header, frames=tuple(frames), end=end)


def _shares_sync(frame: Header | Frame, torn: int) -> bool:
    """Whether this frame, found behind the torn one of entry `torn`, was written before that one was durable."""
    return isinstance(frame, Frame) and frame.index - frame.behind <= torn < frame.index


def _frame_at(data: bytes, place: int) -> tuple[Header | Frame, int] | None:
    """The frame at `place` and where the next begins; None when no whole frame lies there."""
    prefix = data[place : place + PREFIX_BYTES]
    length = int.from_bytes(prefix[4:8], "big")
    if len(prefix) < PREFIX_BYTES or prefix[:4] != MAGIC or length > FRAME_BYTES_MAX:
        return None
    end = place + PREFIX_BYTES + length
    payload = data[place + PREFIX_BYTES : end]
    if len(payload) < length or zlib.crc32(prefix[4:8] + payload) != int.from_bytes(prefix[8:], "big"):
        return None
    try:
        frame: Header | Frame = parse(payload, Header | Frame, what="journal frame", bytes_max=FRAME_BYTES_MAX)
    except Malformed:
        return None
    return frame, end


class Journal:
    """The journal that entries are appended to.

    Attributes:
        path: The file.
        first: Index of its first entry.
        size: Bytes of whole frames.
        end: Bytes of the file; from `size` on zeros.
        frames: How many entries it holds.
        waiting: How many of them, the last ones, are not durable yet.
        syncs, sync_us: How often `sync` synced, and how long that took in all, microseconds.
    """

    waiting = 0
    syncs = 0
    sync_us = 0

    def __init__(self, path: Path, fd: int, header: Header, *, size: int, frames: int) -> None:
        self.path = path
        self.first = header.size
        self.size = self.end = size
        self.frames = frames
        self._fd = fd
        self._held: list[tuple[bytes, int]] = []

    @classmethod
    def create(cls, path: Path, header: Header, frames: Sequence[Frame] = ()) -> "Journal":
        """Make a journal with these frames; on return it is durable under its name.

        Raises:
            StorageFull, StorageFault: There is no journal at `path`.
        """
        alone = (frame if not frame.behind else replace(frame, behind=0) for frame in frames)  # this sync is of all
        content = encode_frame(header) + b"".join(map(encode_frame, alone))
        partial = path.with_name(f".{path.name}.tmp")
        with storage("making a journal"):
            fd = os.open(partial, os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
            try:
                _write(fd, content, 0)
                os.fsync(fd)
                partial.rename(path)
                sync_folder(path.parent)
            except OSError:
                os.close(fd)
                partial.unlink(missing_ok=True)
                path.unlink(missing_ok=True)  # the sync of the folder failed: nothing is to follow the one before it
                raise
        return cls(path, fd, header, size=len(content), frames=len(frames))

    def write(self, frame: bytes, *, hold: bool = False) -> None:
        """Append one encoded frame, which outlives a power cut only after the next `sync`.

        Args:
            frame: Encoded.
            hold: Take its room, and write it when all that it rests on is durable: with `sync`, as every one after it.

        Raises:
            StorageFull: No room; the journal is as it was.
            StorageFault: The storage failed; the process ends, and recovery decides what holds.
        """
        hold = hold or bool(self._held)
        with storage("writing the journal"):
            try:
                _write(self._fd, bytes(len(frame)) if hold else frame, self.size)
            except OSError:
                self._cut(self.size)
                raise
        if hold:
            self._held.append((frame, self.size))
        self.size += len(frame)
        self.end = max(self.end, self.size)
        self.frames += 1
        self.waiting += 1

    @property
    def room_wanted(self) -> bool:
        """Whether there are few zeros left."""
        return self.end - self.size < ROOM_BYTES // 2

    def make_room(self) -> None:
        """Put zeros behind the frames, durable, when nobody waits.

        The sync of a frame that takes their place has nothing to write but the frame. That of one that makes the file
        longer waits for the file system's own journal, and so for whatever else is being written to the disk.

        Raises:
            StorageFull: No room for zeros; the journal is as it was.
            StorageFault: The storage failed; the process must end.
        """
        with storage("making room in the journal"):
            end = self.size + ROOM_BYTES
            try:
                _write(self._fd, bytes(end - self.end), self.end)
            except OSError:
                self._cut(self.end)
                raise
        try:
            os.fsync(self._fd)
        except OSError as error:  # never tried again: for want of room, too
            raise StorageFault(f"syncing the journal's room: {error.strerror}") from error
        self.end = end

    def sync(self) -> None:
        """One sync for all that was written; on return it outlives a power cut.

        Raises:
            StorageFault: The storage failed; the process ends, and recovery decides what holds.
        """
        try:
            for frame, place in self._held:
                _write(self._fd, frame, place)
        except OSError as error:  # its room was taken: a disk that has none now is at fault
            raise StorageFault(f"writing the journal: {error.strerror}") from error
        self._held = []
        before = time.perf_counter_ns()
        try:
            os.fdatasync(self._fd)
        except OSError as error:
            raise StorageFault(f"syncing the journal: {error.strerror}") from error
        self.sync_us += (time.perf_counter_ns() - before) // 1_000
        self.syncs += 1
        self.waiting = 0

    def close(self) -> None:
        """Release the descriptor."""
        os.close(self._fd)

    def _cut(self, end: int) -> None:
        """Take back what a write has left that found no room."""
        os.ftruncate(self._fd, end)
        self.end = end


def _write(fd: int, content: bytes, place: int) -> None:
    view = memoryview(content)
    while view:
        written = os.pwrite(fd, view, place)
        view = view[written:]
        place += written
