"""Stage 6 of 8: record - publication: from the journal's frames to files that anybody may read.

The same code runs after every record and after a crash, so recovery is no rare path. Every step can be repeated: what
is there already is left alone. Nothing here is synced on the way: the journal holds each frame until `drain` has synced
everything that was published from it.

Order: bodies, receipts, cases, counters, what was told apart; deletions; tiles and entry bundles; `checkpoint` last.
Readers never look past it.
"""

import contextlib
import math
import os
import time
from collections.abc import Callable, Iterable
from collections.abc import Set as AbstractSet
from pathlib import Path
from typing import Final

from appliance.errors import Malformed, StorageFault
from appliance.files import replace_file, storage
from appliance.formats.edge import Edge
from appliance.formats.receipt import claimed_receipt
from appliance.formats.tiles import parse_path, tiles_of
from appliance.record.deletion import deleted_by
from appliance.record.journal import Frame
from appliance.record.places import Places
from appliance.record.stores import Stores

SUPERSEDED_S: Final = 24 * 3_600
"""A superseded partial tile stays this long: a pull may be under way."""


class Publisher:
    """Publishes frames, in order.

    Args:
        places: Where to.
        edge: The right edge of the tree as it is published.
        stores: Where things lie that belong to entries.
        checkpoint: Signed note over the edge's tree, published with the first news; b"" for an empty tree.

    Attributes:
        published: Leaves under the published checkpoint.
        owed: Bytes that publishing what waits will take beside tiles: whoever takes room leaves so much.
        checkpoint: The published checkpoint, a signed note; b"" before the first.
    """

    def __init__(self, places: Places, edge: Edge, stores: Stores, checkpoint: bytes) -> None:
        self._places = places
        self._edge = edge
        self._bodies = stores.bodies
        self._cases = stores.cases
        self._counters = stores.counters
        self._not_same = stores.not_same
        self._waiting: list[Frame] = []
        self._deletions: dict[int, AbstractSet[int]] = {}  # of what waits: a deletion's index, and the bodies it names
        self._tiles: list[tuple[str, bytes]] = []
        self._next_checkpoint = checkpoint
        self._files: dict[Path, None] = {}
        self._folders: dict[Path, None] = {}
        self.published = edge.size
        self.owed = 0
        self.checkpoint = b""

    @property
    def news(self) -> bool:
        """Whether something waits to be published."""
        return bool(self._waiting or self._tiles or self._next_checkpoint)

    def add(self, frames: Iterable[Frame]) -> None:
        """Take durable frames, in order.

        What one of them deletes is not published from those before it: at a start the journal still has the bodies,
        and nobody may see one again, not for a moment.
        """
        for frame in frames:
            self._waiting.append(frame)
            self.owed += bytes_beside(frame)
            if frame.priority is None and (deleted := deleted_by(frame.leaf, frame.index)):
                self._deletions[frame.index] = deleted

    def publish(self, *, seconds: float = math.inf, clock: Callable[[], float] = time.monotonic) -> None:
        """Publish what waits, in order, as much of it as fits.

        Args:
            seconds: For about this long, one entry at least; what is left is still `news`.
            clock: Counts them.

        Raises:
            StorageFull: Some of it still waits; readers see the tree as it was. Called again, it goes on.
            StorageFault: The storage failed.
        """
        done, end = 0, clock() + seconds
        for frame in self._waiting:
            self._publish_frame(frame)
            done += 1
            if clock() >= end:
                break
        for frame in self._waiting[:done]:
            self._edge.append(frame.leaf)
            self._next_checkpoint = frame.checkpoint
            self.owed -= bytes_beside(frame)
            self._deletions.pop(frame.index, None)
        del self._waiting[:done]
        self._tiles.extend(self._edge.publish())
        while self._tiles:
            path, content = self._tiles[0]
            self._write(self._places.log / path, content)
            del self._tiles[0]
        if self._next_checkpoint:
            self._write(self._places.checkpoint, self._next_checkpoint)
            self.checkpoint, self._next_checkpoint = self._next_checkpoint, b""
            self.published = self._edge.size

    def take_unsynced(self) -> "Drain":
        """What was published since the last call, to be synced before its journal goes."""
        drain = Drain(self._files, self._folders)
        self._files, self._folders = {}, {}
        return drain

    def prune(self, *, now_s: float, keep: Iterable[int], older_than_s: float) -> None:
        """Remove superseded partial tiles.

        Args:
            now_s: Wall time, seconds since 1970, as the files' times.
            keep: Sizes of trees whose tiles stay: the published one and those that journals begin at.
            older_than_s: How long a partial tile stays after it was written, seconds.
        """
        kept = {tile.path for size in keep for tile in tiles_of(size)}
        with storage("removing superseded tiles"):
            for partial in self._places.log.glob("tile/**/*.p/*"):
                path = partial.relative_to(self._places.log).as_posix()
                with contextlib.suppress(FileNotFoundError, Malformed):
                    parse_path(path)
                    if path not in kept and now_s - partial.stat().st_mtime > older_than_s:
                        partial.unlink()
            for left in self._places.log.glob("**/.*.tmp"):  # by a publication that was killed
                left.unlink(missing_ok=True)

    def _publish_frame(self, frame: Frame) -> None:
        if not self._is_going(frame.index):
            self._publish_body(frame)
        for receipt in frame.receipts:
            if not self._is_going(claimed_receipt(receipt).index):
                self._published(self._bodies.write_receipt(receipt))
        for case in (frame.opens, frame.updates):
            path = None if case is None else self._cases.write(case)
            if path is not None:
                self._published(path)
        if frame.closes is not None:
            self._cases.destroy(frame.closes)
        if frame.taken is not None:
            self._published(self._counters.write(frame.taken))
        if frame.judged:
            self._published(self._not_same.write(frame.judged))
        for index in sorted(self._deletions.get(frame.index, ())):
            self._bodies.delete(index)
            self._folders |= {self._places.bodies: None, self._places.receipts: None}

    def _is_going(self, index: int) -> bool:
        return any(index in bodies for bodies in self._deletions.values())

    def _publish_body(self, frame: Frame) -> None:
        if frame.blob is not None and frame.priority is not None:
            self._published(self._bodies.write(frame.index, frame.priority, frame.blob))
        elif frame.priority is not None:
            self._bodies.found(frame.index)

    def _write(self, path: Path, content: bytes) -> None:
        with storage("publishing the log"):
            path.parent.mkdir(parents=True, exist_ok=True)
        replace_file(path, content)
        self._published(path)

    def _published(self, path: Path) -> None:
        self._files[path] = None
        for folder in path.parents:
            self._folders[folder] = None
            if not folder.is_relative_to(self._places.log):
                break


class Drain:
    """Files to sync before the journal that can publish them again goes; a few at a time, so that no light waits.

    Args:
        files: What was published.
        folders: Whose entries were made or removed.
    """

    def __init__(self, files: Iterable[Path], folders: Iterable[Path]) -> None:
        self._paths = [*sorted(folders, key=lambda folder: len(folder.parts)), *files]

    @property
    def done(self) -> bool:
        """Whether everything is synced."""
        return not self._paths

    def sync(self, *, seconds: float, clock: Callable[[], float] = time.monotonic) -> None:
        """Sync files, then folders from the inside out, for about this long (at least one).

        Raises:
            StorageFault: A sync failed.
        """
        end = clock() + seconds
        while self._paths:
            try:
                _sync(self._paths[-1])
            except FileNotFoundError:
                pass  # superseded and removed, or deleted, since
            except OSError as error:
                raise StorageFault(f"syncing what was published: {error.strerror}") from error
            self._paths.pop()
            if clock() >= end:
                return


def bytes_beside(frame: Frame) -> int:
    """Of its body and its case, which become files."""
    cases = (case for case in (frame.opens, frame.updates) if case is not None)
    return len(frame.blob or b"") + sum(len(case.ciphertext) for case in cases)


def _sync(path: Path) -> None:
    fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def read_published(folder: Path, path: str) -> bytes:
    """A file of a published tree. Raises StorageFault when it is not there or cannot be read."""
    try:
        return (folder / path).read_bytes()
    except OSError as error:
        raise StorageFault(f"reading the published log: {error.strerror}") from error
