"""Bodies go next, by class: small ones in batches, large ones in parts that go on where the link broke.

A refused item is set aside with an alarm and the others go on; a lost answer is asked for, not sent again.
"""

import hashlib
import logging
from collections.abc import Mapping, Sequence
from typing import Final, NoReturn

from appliance.errors import Malformed, UplinkFault
from appliance.formats.receipt import claimed_receipt
from appliance.formats.upload import BatchItem, BatchResult, Have
from appliance.model import Origin
from appliance.uplink.bodies import Bodies, BodyFile
from appliance.uplink.collector import Collector, ItemRefused, Partly, Receipt
from appliance.uplink.index import Index, Item, State
from appliance.uplink.plan import AGEING_TURNS, Batch, Part, next_turn

CHOICE_MAX: Final = 512
"""Bodies to choose a turn from."""
NOTICE_MAX: Final = 64
"""Bodies taken into the index in one commit."""
DAMAGED_MAX: Final = 3
"""So often a body may arrive damaged before it is set aside."""

_journal = logging.getLogger("landlink.uplink")


class BodyDelivery:
    """Keeps the index in step with the folder, and sends.

    Attributes:
        behind: The collector lacks leaves that it was believed to have: ask it.
        headquarters_ms: The last time that a receipt claims, milliseconds since 1970; 0 before the first.
    """

    def __init__(self, origin: Origin, bodies: Bodies, index: Index, collector: Collector) -> None:
        self._origin = origin
        self._bodies = bodies
        self._index = index
        self._collector = collector
        self._files: dict[int, BodyFile] = {}
        self._fresh: set[int] = set()
        self._looked = False
        self._offsets: dict[int, int] = {}
        self._turn = 0
        self.behind = False
        self.headquarters_ms = 0

    def notice(self, *, below: int) -> None:
        """Take newly published bodies into the index, drop deleted ones.

        Args:
            below: Size of the published log. A body at or above it lies there ahead of its entry, and may go again.

        Raises:
            StorageFault, StorageFull: The card does not do its part.
        """
        changes = self._bodies.look()
        for body in changes.gone:
            self._files.pop(body.leaf, None)
            self._fresh.discard(body.leaf)
        self._files |= {body.leaf: body for body in changes.fresh}
        self._fresh |= {body.leaf for body in changes.fresh}
        if changes.gone or not self._looked:
            self._looked = True
            self._drop_gone(self._index.known())
        fresh = sorted(leaf for leaf in self._fresh if leaf < below)
        for start in range(0, len(fresh), NOTICE_MAX):
            some = fresh[start : start + NOTICE_MAX]
            items = (self._item(self._files[leaf]) for leaf in some)
            self._index.add([item for item in items if item is not None])
            self._fresh.difference_update(some)

    def _drop_gone(self, known: Mapping[int, State]) -> None:
        self._fresh.difference_update(known)
        gone = [leaf for leaf in known if leaf not in self._files]
        for leaf in gone:
            if known[leaf] in (State.QUEUED, State.SENDING):
                _journal.error("uplink: entry %d: its body is gone and was never acknowledged", leaf)
        if gone:
            self._index.forget(gone)

    def recover(self, have: Have) -> None:
        """After a rebuild every body may have been sent: what the collector lacks is queued, the rest asked for."""
        for leaf, state in self._index.known().items():
            lacking = leaf > have.high_water or any(first <= leaf <= last for first, last in have.gaps)
            if state is State.SENDING and lacking:
                self._index.queue_again(leaf)
        self._index.whole()

    def step(self, *, below: int) -> bool:
        """One exchange with headquarters; False when nothing waits.

        Args:
            below: Headquarters has the log up to this leaf.

        Raises:
            UplinkFault: The link or the collector does not do its part.
            StorageFault, StorageFull: The card does not.
        """
        self._turn += 1
        oldest_first = self._turn % AGEING_TURNS == 0
        waiting = self._index.waiting(below=below, count_max=CHOICE_MAX, oldest_first=oldest_first)
        if not waiting:
            return False
        try:
            match next_turn(waiting, self._collector.rate_bytes_per_s):
                case Batch(items=items):
                    self._send_batch(items)
                case Part(item=item, bytes_max=bytes_max):
                    self._send_part(item, bytes_max)
        except UplinkFault:
            self._offsets.clear()  # more may have arrived than was answered: the collector is asked
            raise
        return True

    def _item(self, body: BodyFile) -> Item | None:
        sealed = self._bodies.read(body)
        if sealed is None:
            return None
        state = State.SENDING if self._index.rebuilt else State.QUEUED
        sha256 = hashlib.sha256(sealed).digest()
        return Item(leaf=body.leaf, priority=body.priority, size=len(sealed), sha256=sha256, state=state)

    def _send_batch(self, items: Sequence[Item]) -> None:
        carried: dict[int, tuple[Item, BatchItem]] = {}
        for item in items:
            body = b"" if item.state is State.SENDING else self._sealed(item)
            if body is not None:
                carried[item.leaf] = (
                    item,
                    BatchItem(
                        origin=self._origin, index=item.leaf, priority=item.priority, sha256=item.sha256, body=body
                    ),
                )
        if not carried:
            return
        self._index.sending(carried)
        results = self._collector.send_batch([batch_item for _, batch_item in carried.values()])
        answered = {result.index: result for result in results if result.origin == self._origin}
        self._index.acknowledge(
            [
                (leaf, self._readable(answered[leaf].receipt))
                for leaf in carried
                if leaf in answered and answered[leaf].status == 200
            ]
        )
        for leaf, (item, _) in carried.items():
            if leaf in answered and answered[leaf].status != 200:
                self._settle(item, answered[leaf])

    def _send_part(self, item: Item, bytes_max: int) -> None:
        offset = self._offsets.get(item.leaf, 0)
        if item.state is State.SENDING and item.leaf not in self._offsets:
            answer = self._collector.offset(item)
        else:
            sealed = self._sealed(item)
            if sealed is None:
                return
            self._index.sending((item.leaf,))
            answer = self._collector.send_part(item, offset=offset, part=sealed[offset : offset + bytes_max])
        match answer:
            case Partly(offset=offset):
                self._offsets[item.leaf] = offset
            case Receipt(receipt=receipt):
                self._offsets.pop(item.leaf, None)
                self._index.acknowledge([(item.leaf, self._readable(receipt))])
            case ItemRefused(status=status, why=why):
                self._offsets.pop(item.leaf, None)
                self._settle(item, BatchResult(origin=self._origin, index=item.leaf, status=status, why=why[:256]))

    def _settle(self, item: Item, result: BatchResult) -> None:
        """Act on an answer about one item that is not a receipt."""
        match result.status:
            case 404:
                self._index.queue_again(item.leaf)
            case 425:
                self._index.queue_again(item.leaf)
                self.behind = True
                raise UplinkFault("headquarters lacks the statement of a body: the log goes again")
            case 422 if item.damaged + 1 < DAMAGED_MAX:
                self._index.queue_again(item.leaf, damaged=True)
            case status if 400 <= status < 500:
                self._park(item, result.why or f"status {status}")
            case status:
                self._trouble(status, result.why)

    def _sealed(self, item: Item) -> bytes | None:
        """The body, unless the card no longer gives what it took: then the item is set aside."""
        file = self._files.get(item.leaf)
        sealed = None if file is None else self._bodies.read(file)
        if sealed is None:
            return None  # the next notice drops it
        if hashlib.sha256(sealed).digest() != item.sha256:
            self._park(item, "the card no longer gives the body that it took")
            return None
        return sealed

    def _park(self, item: Item, why: str) -> None:
        self._index.park(item.leaf, why)
        _journal.error("uplink: entry %d set aside: %s", item.leaf, why)

    def _readable(self, receipt: bytes) -> bytes:
        """The receipt, when it can be read; the recorder verifies it."""
        try:
            said = claimed_receipt(receipt)
        except Malformed as error:
            raise UplinkFault(f"headquarters' answer cannot be read: {error}") from None
        self.headquarters_ms = max(self.headquarters_ms, said.received_ms)
        return receipt

    def _trouble(self, status: int, why: str) -> NoReturn:
        raise UplinkFault(f"headquarters cannot take bodies now ({status}): {why}")
