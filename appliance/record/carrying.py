"""Stage 6 of 8: record - what a lost log leaves to be delivered: its sealed bodies become entries of the log after it.

A box that has lost what it signed goes on under a new name (origin.py). Bodies that headquarters never received lie in
`former/LOG/bodies`, and the log that names them reaches headquarters no more. Each becomes an entry of the present log:
the same sealed body under the same commitment, naming the old statement. Nothing is opened for it; nothing can be.

Order: the entry is durable, then the former body goes. A crash in between leaves both; what the present log has already
is not carried twice. A body that no statement of the former log names stays where it lies, and so does one for which
headquarters' receipt is there, and a canary, which speaks of an epoch that is over. What was carried over
once, and lost again, goes on naming its first statement.
"""

import contextlib
import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from appliance.errors import Malformed, StorageFault, Untrusted
from appliance.files import read_regular, storage
from appliance.formats.age import BLOB_BYTES_MAX
from appliance.formats.note import NOTE_BYTES_MAX
from appliance.formats.receipt import DELIVERY_RECEIPT_BYTES_MAX
from appliance.formats.statement import Carried, Sealed, parse_statement
from appliance.formats.tiles import read_entries
from appliance.model import Origin, Priority
from appliance.record.bodies import body_name
from appliance.record.headquarters import Headquarters
from appliance.record.journals import read_journals
from appliance.record.log import Attached, Log
from appliance.record.places import Places
from appliance.record.publish import read_published
from appliance.record.room import Purpose

TEXT_LINES: Final = 3
"""Of a checkpoint: origin, size, root."""


@dataclass(frozen=True, slots=True)
class _Left:
    """A body of a former log."""

    path: Path
    index: int
    priority: Priority


class Carrying:
    """Carries over, one body at a time, between messages.

    Args:
        log: The present log.
        headquarters: Verifies the receipts that lie beside the bodies.
        places: Where both lie.
    """

    def __init__(self, log: Log, headquarters: Headquarters, places: Places) -> None:
        self._log = log
        self._headquarters = headquarters
        self._places = places
        self._bodies = self._all()
        self._next: tuple[Origin, _Left, bytes] | None = None

    def step(self) -> bool:
        """Look at one body; whether there are more.

        Raises:
            StorageFull, StorageFault, Malformed: As `Log.append`.
        """
        if not self._headquarters.version:
            return False  # without a release no receipt can be told from a planted one
        self._next = self._next or next(self._bodies, None)
        if self._next is None:
            return False
        with contextlib.suppress(OSError, Malformed):  # what cannot be read stays, for whoever looks into the card
            self._carry(*self._next)
        self._next = None
        return True

    def _all(self) -> Iterator[tuple[Origin, _Left, bytes]]:
        own = self._log.scribe.origin.partition("/")[0]
        for former in sorted(self._places.former.glob("*")):
            left = _left_in(former / "bodies")
            leaves = self._leaves(former) if left else {}
            for body in left:
                if body.index in leaves:
                    yield Origin(f"{own}/{former.name}"), body, leaves[body.index]

    def _leaves(self, former: Path) -> dict[int, bytes]:
        """The former log's leaves by index, as far as they are left: published ones, and those of its journals."""
        leaves: dict[int, bytes] = {}
        with contextlib.suppress(OSError, ValueError, Malformed, StorageFault):
            lines = read_regular(former / "log" / "checkpoint", NOTE_BYTES_MAX).split(b"\n", TEXT_LINES)
            leaves.update(enumerate(read_entries(int(lines[1]), lambda path: read_published(former / "log", path))))
        with contextlib.suppress(StorageFault):
            contents, _ = read_journals(self._places.private / "former" / former.name)
            leaves |= {frame.index: frame.leaf for one in contents for frame in one.frames}
        return leaves

    def _carry(self, origin: Origin, left: _Left, leaf: bytes) -> None:
        kind = parse_statement(leaf).unverified.kind
        blob = read_regular(left.path, BLOB_BYTES_MAX)
        if not isinstance(kind, Sealed) or hashlib.sha256(blob).digest() != kind.blob_sha256:
            return
        if self._received(origin, left, kind):
            return
        if not self._log.has(kind.commitment):
            carried = kind if isinstance(kind, Carried) else _carried(kind, origin, left.index, leaf)
            self._log.append(carried, Attached(blob=blob, priority=left.priority, purpose=Purpose.RECORD))
        with storage("removing a body that was carried over"):
            left.path.unlink()

    def _received(self, origin: Origin, left: _Left, kind: Sealed) -> bool:
        """Whether headquarters has it: a receipt lies there that holds now."""
        try:
            receipt = read_regular(left.path.parents[1] / "receipts" / str(left.index), DELIVERY_RECEIPT_BYTES_MAX)
            said = self._headquarters.verify_kept_receipt(receipt)
        except (OSError, Malformed, Untrusted):
            return False
        return (said.origin, said.index, said.sha256) == (origin, left.index, kind.blob_sha256)


def _carried(kind: Sealed, origin: Origin, index: int, leaf: bytes) -> Carried:
    return Carried(
        commitment=kind.commitment,
        blob_sha256=kind.blob_sha256,
        blob_bytes=kind.blob_bytes,
        origin=origin,
        index=index,
        statement=hashlib.sha256(leaf).digest(),
    )


def _left_in(folder: Path) -> list[_Left]:
    """The bodies in a folder, the most urgent and oldest first; no canaries."""
    found = [
        _Left(path, *named)
        for path in folder.glob("*.age")
        if (named := body_name(path.name)) and named[1] != Priority.HEAD
    ]
    return sorted(found, key=lambda left: (left.priority, left.index))
