"""Stage 6 of 8: record - sealed bodies on this box, and headquarters' receipts for them: `bodies/`, `receipts/`."""

import os
import re
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import BinaryIO, Final

from appliance.errors import StorageFault
from appliance.files import replace_file, storage, sync_folder, write_new
from appliance.formats.age import BLOB_BYTES_MAX
from appliance.formats.receipt import DELIVERY_RECEIPT_BYTES_MAX, DeliveryReceipt, claimed_receipt
from appliance.model import Priority
from appliance.record.deletion import Acknowledged
from appliance.record.places import Places

INDEX: Final = re.compile(r"0|[1-9][0-9]{0,17}")
"""A receipt's file name."""
SYNCS_AT_ONCE: Final = 4
"""Of bodies: a file system writes several for little more than it writes one."""


class Bodies:
    """The bodies of one origin that are still here, and what headquarters has said about them.

    Attributes:
        here: Indices of the bodies.
        said: Headquarters' word, of receipts that this process has verified, and of no others.
        unverified: Indices of receipts that lie here and have not been verified since the start: they say nothing yet.
    """

    def __init__(self, places: Places) -> None:
        self._places = places
        self._syncs = ThreadPoolExecutor(SYNCS_AT_ONCE, thread_name_prefix="sync")
        self._ahead: list[Future[None]] = []
        self.here: set[int] = set()
        self.said = Acknowledged()
        self.unverified: set[int] = set()

    def load(self, *, below: int) -> None:
        """Read what is on the disk.

        Args:
            below: Size of the log. A body at or above it was written ahead of an entry that never came to be, and goes.
        """
        with storage("reading bodies"):
            for path in self._places.bodies.iterdir():
                named = body_name(path.name)
                if named is None or named[0] >= below:
                    path.unlink()
                else:
                    self.here.add(named[0])
            for path in self._places.receipts.iterdir():
                if INDEX.fullmatch(path.name):
                    self.unverified.add(int(path.name))

    def write(self, index: int, priority: Priority, blob: bytes) -> Path:
        """Publish a body, unless it lies there already."""
        path = self._places.body(index, priority)
        if not _holds(path, blob):
            replace_file(path, blob)
        self.here.add(index)
        return path

    @property
    def ahead(self) -> bool:
        """Whether one that was put down ahead, or its name, may not be durable yet."""
        return bool(self._ahead)

    def write_ahead(self, index: int, priority: Priority, blob: bytes) -> None:
        """Put down a body that is too long for a frame, before its entry; `sync_ahead` makes it durable.

        Its sync begins at once, beside whatever else is to be done for its entry and those behind it.

        Raises:
            StorageFull, StorageFault: There is no such body.
        """
        file = write_new(self._places.body(index, priority), blob, mode=0o644)
        self._ahead.append(self._syncs.submit(_sync, file))

    def sync_ahead(self) -> None:
        """Make all bodies durable that were put down ahead, and their names.

        Raises:
            StorageFault: For want of room, too: the process must end, since a second sync would know nothing of it.
        """
        if self._ahead:
            try:
                sync_folder(self._places.bodies)
                for body in self._ahead:
                    body.result()
            except OSError as error:
                raise StorageFault(f"syncing bodies: {error.strerror}") from error
            self._ahead = []

    def found(self, index: int) -> None:
        """This body was put down ahead of its entry, which is durable now."""
        self.here.add(index)

    def write_receipt(self, receipt: bytes) -> Path:
        """Publish a receipt from a frame. It says nothing by this: frames are read again after a crash, too."""
        index = claimed_receipt(receipt).index
        path = self._places.receipt(index)
        if not _holds(path, receipt):
            replace_file(path, receipt)
        if index not in self.said.received_ms:
            self.unverified.add(index)
        return path

    def read_receipt(self, index: int) -> bytes:
        """A receipt that lies here, b"" for none; cut where no receipt is so long. Raises StorageFault."""
        with storage("reading a receipt"):
            try:
                with self._places.receipt(index).open("rb") as file:
                    return file.read(DELIVERY_RECEIPT_BYTES_MAX + 1)
            except FileNotFoundError:
                return b""

    def believe(self, said: DeliveryReceipt) -> None:
        """Take what a receipt says that was verified now, with headquarters' key and against this log."""
        self.unverified.discard(said.index)
        self.said.take(said.index, said.received_ms, said.opened_through)

    def delete(self, index: int) -> None:
        """Remove a body and its receipt; repeating it does nothing."""
        with storage("deleting bodies"):
            for path in self._all_names(index):
                path.unlink(missing_ok=True)
        self.here.discard(index)
        self.said.received_ms.pop(index, None)
        self.unverified.discard(index)

    def _all_names(self, index: int) -> Iterator[Path]:
        for priority in Priority:
            yield self._places.body(index, priority)
        yield self._places.receipt(index)


def _sync(file: BinaryIO) -> None:
    with file:
        os.fsync(file.fileno())


def body_name(name: str) -> tuple[int, Priority] | None:
    """Index and class in a body's file name; None when it is no body's name (a temporary file of a killed write)."""
    index, _, rest = name.partition(".")
    known = {f"{priority.value}.age": priority for priority in Priority}
    return (int(index), known[rest]) if index.isascii() and index.isdigit() and rest in known else None


def _holds(path: Path, content: bytes) -> bool:
    """Whether the file is there with exactly this content."""
    assert len(content) <= BLOB_BYTES_MAX
    try:
        with path.open("rb") as file:
            return file.read(len(content) + 1) == content
    except FileNotFoundError:
        return False
