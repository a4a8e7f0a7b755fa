"""Stage 6 of 8: record - sealed bodies on this box, and headquarters' receipts for them: `bodies/`, `receipts/`."""

import contextlib
from collections.abc import Iterator
from pathlib import Path

from appliance.errors import Malformed
from appliance.files import replace_file, storage, write_durably
from appliance.formats.age import BLOB_BYTES_MAX
from appliance.formats.receipt import DeliveryReceipt, claimed_receipt
from appliance.model import Priority
from appliance.record.deletion import Acknowledged
from appliance.record.places import Places


class Bodies:
    """The bodies of one origin that are still here, and what headquarters has said about them.

    Attributes:
        here: Indices of the bodies.
        said: Headquarters' word.
    """

    def __init__(self, places: Places) -> None:
        self._places = places
        self.here: set[int] = set()
        self.said = Acknowledged()

    def load(self, *, below: int) -> None:
        """Read what is on the disk.

        Args:
            below: Size of the log. A body at or above it was written ahead of an entry that never came to be, and goes.
        """
        with storage("reading bodies"):
            for path in self._places.bodies.iterdir():
                named = _name(path.name)
                if named is None or named >= below:
                    path.unlink()
                else:
                    self.here.add(named)
            for path in self._places.receipts.iterdir():
                with contextlib.suppress(Malformed):  # torn by a power cut; the journal still has it
                    self._take(claimed_receipt(path.read_bytes()))

    def write(self, index: int, priority: Priority, blob: bytes) -> Path:
        """Publish a body, unless it lies there already."""
        path = self._places.body(index, priority)
        if not _holds(path, blob):
            replace_file(path, blob)
        self.here.add(index)
        return path

    def write_ahead(self, index: int, priority: Priority, blob: bytes) -> None:
        """Put down a body that is too long for a frame, durably, before its entry.

        Raises:
            StorageFull, StorageFault: There is no such body.
        """
        write_durably(self._places.body(index, priority), blob, mode=0o644)

    def found(self, index: int) -> None:
        """This body was put down ahead of its entry, which is durable now."""
        self.here.add(index)

    def write_receipt(self, receipt: bytes) -> Path:
        """Publish a verified receipt."""
        said = claimed_receipt(receipt)  # verified before it came into a frame
        path = self._places.receipt(said.index)
        if not _holds(path, receipt):
            replace_file(path, receipt)
        self._take(said)
        return path

    def delete(self, index: int) -> None:
        """Remove a body and its receipt; repeating it does nothing."""
        with storage("deleting bodies"):
            for path in self._all_names(index):
                path.unlink(missing_ok=True)
        self.here.discard(index)
        self.said.received_ms.pop(index, None)

    def _all_names(self, index: int) -> Iterator[Path]:
        for priority in Priority:
            yield self._places.body(index, priority)
        yield self._places.receipt(index)

    def _take(self, said: DeliveryReceipt) -> None:
        self.said.take(said.index, said.received_ms, said.opened_through)


def _name(name: str) -> int | None:
    """The index in a body's file name; None when it is no body's name (a temporary file of a killed write)."""
    index, _, rest = name.partition(".")
    known = index.isascii() and index.isdigit() and rest in {f"{priority.value}.age" for priority in Priority}
    return int(index) if known else None


def _holds(path: Path, content: bytes) -> bool:
    """Whether the file is there with exactly this content."""
    assert len(content) <= BLOB_BYTES_MAX
    try:
        with path.open("rb") as file:
            return file.read(len(content) + 1) == content
    except FileNotFoundError:
        return False
