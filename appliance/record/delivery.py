"""Stage 6 of 8: record - delivery: what the uplink brings back from headquarters is verified, logged and kept."""

import contextlib
import heapq
from collections.abc import Sequence
from typing import Final

from appliance.errors import Malformed, StorageFault, Untrusted
from appliance.files import read_regular, replace_file, write_durably
from appliance.formats.merkle import root_hash
from appliance.formats.receipt import DeliveryReceipt
from appliance.formats.statement import Sealed, parse_statement
from appliance.formats.tiles import TileNodes
from appliance.formats.wire import NOTE_BYTES_MAX, Acknowledge, Cosigned
from appliance.record.deletion import ranges_text
from appliance.record.headquarters import Headquarters
from appliance.record.intake import RefusedWith
from appliance.record.log import Attached, Log
from appliance.record.places import Places
from appliance.record.room import Purpose
from appliance.record.stores import Stores

KEPT_AT_ONCE: Final = 4
"""Receipts verified again between two messages, a few milliseconds: no light waits for them."""


class Delivery:
    """Acts on headquarters' receipts and cosigned checkpoints."""

    def __init__(self, log: Log, stores: Stores, headquarters: Headquarters, places: Places) -> None:
        self._log = log
        self._stores = stores
        self._headquarters = headquarters
        self._places = places
        self._doubted: set[int] = set()
        self._doubted_at = 0

    def acknowledge(self, request: Acknowledge) -> None:
        """Verify all receipts, then log and keep those that are new, in one entry.

        Raises:
            Untrusted, RefusedWith: One does not hold, or is for another log; none was taken.
            StorageFull, StorageFault, Malformed: As `Log.append`.
        """
        all_said = [self._headquarters.verify_receipt(receipt) for receipt in request.receipts]
        self._check(all_said)
        says = {said.index: said for said in all_said if self._is_news(said)}
        if not says:
            return
        new = {said.index: receipt for said, receipt in zip(all_said, request.receipts, strict=True)}
        ranges, named = ranges_text(sorted(says))
        if len(named) < len(says):
            raise Malformed("receipts", "their indices lie too far apart for one entry; send fewer")
        receipts = tuple(new[index] for index in named)
        fields = {"ranges": ranges, "count": str(len(named))}
        self._log.event("bodies_acknowledged", fields, Attached(receipts=receipts, purpose=Purpose.UPKEEP))
        for index in named:
            self._stores.bodies.believe(says[index])

    def verify_kept(self) -> bool:
        """Verify again a few of the receipts that a start found, newest first: only then do they say anything.

        A file may have been put there while the box was off. What does not hold counts for nothing and stays where it
        lies; it is looked at again when headquarters' keys change, and replaced when the real one comes.

        Returns:
            Whether there is more to do at once.
        """
        version, bodies = self._headquarters.version, self._stores.bodies
        if version != self._doubted_at:
            self._doubted_at = version
            self._doubted.clear()
        waiting = bodies.unverified - self._doubted
        if not version or not waiting:
            return False
        for index in heapq.nlargest(KEPT_AT_ONCE, waiting):
            self._doubted.add(index)
            with contextlib.suppress(Malformed, Untrusted, RefusedWith):
                said = self._headquarters.verify_kept_receipt(bodies.read_receipt(index))
                if said.index == index:
                    self._check([said])
                    bodies.believe(said)
        return len(waiting) > KEPT_AT_ONCE

    def cosigned(self, request: Cosigned) -> None:
        """Keep headquarters' word on this log.

        Raises:
            Untrusted: Not signed by the log and by all of headquarters' cosigners.
            StorageFault: Headquarters knows another log than this one, or more of it: this box was rolled back. The
                evidence is kept, the process ends, and recovery opens a new origin.
        """
        checkpoint = self._headquarters.verify_cosigned(request.note, self._log.scribe.verifier)
        size = self._published(checkpoint.size)
        same = checkpoint.size <= size and (
            not checkpoint.size or root_hash(checkpoint.size, TileNodes(size, self._log.read)) == checkpoint.root
        )
        if not same:
            write_durably(self._places.cosigned, request.note, mode=0o644)
            raise StorageFault("headquarters cosigned another log than this box has: it was rolled back or changed")
        if checkpoint.size > self._log.cosigned_size:
            replace_file(self._places.cosigned, request.note)  # an older one after a power cut is given anew
            self._log.cosigned_size = checkpoint.size
            self._log.scribe.cosigned = checkpoint.digest()

    def last_cosigned(self) -> bytes:
        """What `cosigned` kept last, b"" before the first and when the card does not give it back."""
        try:
            return read_regular(self._places.cosigned, NOTE_BYTES_MAX)
        except OSError:
            return b""

    def _published(self, size: int) -> int:
        """Size of the published tree, at least `size` where the log has so many entries.

        Headquarters speaks of what was published; only a start on a full disk may have to publish it again.
        """
        if size > self._log.publisher.published:
            self._log.publisher.publish()
        return self._log.publisher.published

    def _check(self, all_said: Sequence[DeliveryReceipt]) -> None:
        """Each receipt is about the very body that this log names at that index."""
        if any(said.origin != self._log.scribe.origin for said in all_said):
            raise RefusedWith("wrong_origin", "The receipt is for another log than the current one.")
        size = self._published(max((max(said.index, said.opened_through) for said in all_said), default=-1) + 1)
        if any(said.index >= size for said in all_said):
            raise Untrusted("receipt: for an entry that this log does not have")
        if any(said.opened_through >= size for said in all_said):
            raise Untrusted("receipt: nobody can have opened entries that this log does not have")
        leaves = self._log.leaves({said.index for said in all_said})
        for said in all_said:
            kind = parse_statement(leaves[said.index]).unverified.kind
            if not isinstance(kind, Sealed) or (kind.blob_sha256, kind.blob_bytes) != (said.sha256, said.size):
                raise Untrusted("receipt: for another body than the one at this index")

    def _is_news(self, said: DeliveryReceipt) -> bool:
        """Whether it says more than is known: a first receipt of a body that is here, or a further opened_through."""
        known = self._stores.bodies.said
        return said.index in self._stores.bodies.here and (
            said.index not in known.received_ms or said.opened_through > known.opened_through
        )
