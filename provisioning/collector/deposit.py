"""Taking bodies: each compared with its statement, made durable, entered, receipted, and only then answered.

Order: object durable -> row committed -> receipt signed and committed -> answer. The same body again gets the same
receipt. One bad item is refused by name and blocks nothing.
"""

import hashlib
import threading
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from appliance.formats.release import RosterBox
from appliance.formats.upload import Have, LogUpload
from appliance.model import Mode, Priority
from provisioning.audit.log import Log
from provisioning.collector.bodies import BodyStore
from provisioning.collector.ledger import Entry, Ledger
from provisioning.collector.logs import FOLDER, Behind, Cosigners, MirroredLog

GAPS_MAX: Final = 4_096
"""In one answer (upload.Have)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """A body that a box brings, however it came.

    Attributes:
        sha256: What it is sent under.
        body: b"" asks for the stored receipt.
        via: "batch" or "upload".
    """

    origin: str
    leaf: int
    priority: Priority
    sha256: bytes
    body: bytes
    via: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """What the log says about a body.

    Attributes:
        size: Its length, bytes.
        receipt: Headquarters' receipt when it is here already.
    """

    size: int
    receipt: bytes | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """Why a body is not taken; `status` as HTTP says it (upload.py)."""

    status: int
    why: str


class Deposit:
    """Everything that boxes bring, put where it belongs. Any thread; one box at a time.

    Args:
        folder: The collector's data.
        ledger: In that folder.
        mode: The home's; logs of the other are refused (I7).
        cosigners: Headquarters'.
        sign: Makes receipts.
        now_ms: Headquarters' time, milliseconds since 1970.
    """

    def __init__(
        self,
        folder: Path,
        ledger: Ledger,
        *,
        mode: Mode,
        cosigners: Cosigners,
        sign: Callable[[int, Entry, bytes | None], bytes],
        now_ms: Callable[[], int],
    ) -> None:
        self._folder = folder
        self._ledger = ledger
        self._mode = mode
        self._cosigners = cosigners
        self._sign = sign
        self._now_ms = now_ms
        self._bodies = BodyStore(folder)
        self._logs: dict[str, MirroredLog] = {}
        self._locks: dict[str, threading.Lock] = {}
        self._locks_lock = threading.Lock()
        ledger.sign_pending(sign)  # what a crash left between row and receipt

    def take_log(self, box: RosterBox, origin: str, upload: LogUpload) -> bytes | None:
        """Take a part of a log; as MirroredLog.take."""
        with self._of(box):
            log = self._log(box, origin)
            note = log.take(upload, now_ms=self._now_ms())
            self._keep(log)
            return note

    def have(self, box: RosterBox, origin: str) -> Have:
        """What is here of a log and its bodies."""
        with self._of(box):
            head = self._log(box, origin).head
            high_water, missing = gaps(self._ledger.received(origin))
            return Have(size=head.size, high_water=high_water, gaps=missing, checkpoint=head.note)

    def take(self, box: RosterBox, offers: Sequence[Offer]) -> tuple[bytes | Refusal, ...]:
        """Take bodies of this box; a receipt or a refusal for each, in the same order.

        Raises:
            StorageFault, StorageFull: Nobody was told anything; the sender comes again.
        """
        with self._of(box):
            verdicts = [self._judge(box, offer) for offer in offers]
            fresh = [offer for offer, verdict in zip(offers, verdicts, strict=True) if verdict is None]
            if fresh:
                references = self._bodies.keep_all([(offer.origin, offer.leaf, offer.body) for offer in fresh])
                self._ledger.enter([self._entry(*each) for each in zip(fresh, references, strict=True)])
                self._ledger.sign_pending(self._sign)
            return tuple(
                self._receipt(offer) if verdict is None else verdict
                for offer, verdict in zip(offers, verdicts, strict=True)
            )

    def expects(self, box: RosterBox, offer: Offer) -> Expected | Refusal:
        """What the log says about the body that this offer names."""
        with self._of(box):
            return self._expected(box, offer)

    def _judge(self, box: RosterBox, offer: Offer) -> bytes | Refusal | None:
        """The stored receipt, or why an offer is not taken; None when it is to be taken."""
        expected = self._expected(box, offer)
        if isinstance(expected, Refusal):
            return expected
        if expected.receipt is not None:
            return expected.receipt
        if not offer.body:
            return Refusal(status=404, why="not received yet")
        if len(offer.body) != expected.size or hashlib.sha256(offer.body).digest() != offer.sha256:
            return Refusal(status=422, why="damaged: the body does not have the hash that it is sent under")
        return None

    def _expected(self, box: RosterBox, offer: Offer) -> Expected | Refusal:
        try:
            sealed = self._log(box, offer.origin).sealed(offer.leaf)
        except Behind:
            return Refusal(status=425, why="its statement is not in headquarters' copy of the log yet")
        if sealed is None:
            return Refusal(status=400, why="its statement names no body")
        if sealed.blob_sha256 != offer.sha256:
            self._ledger.conflict(offer.origin, offer.leaf, offer.sha256, seen_ms=self._now_ms())
            return Refusal(status=409, why="conflict: the log names another body at this place")
        return Expected(size=sealed.blob_bytes, receipt=self._ledger.receipt(offer.origin, offer.leaf))

    def _entry(self, offer: Offer, reference: str) -> Entry:
        return Entry(
            origin=offer.origin,
            leaf=offer.leaf,
            prio=int(offer.priority),
            size=len(offer.body),
            sha256=offer.sha256,
            body_ref=reference,
            via=offer.via,
            received_ms=self._now_ms(),
        )

    def _receipt(self, offer: Offer) -> bytes:
        receipt = self._ledger.receipt(offer.origin, offer.leaf)
        assert receipt is not None, "entered and signed above"
        return receipt

    def _log(self, box: RosterBox, origin: str) -> MirroredLog:
        """The copy, kept at hand when there is one: a name that nothing was taken for costs no memory."""
        log = self._logs.get(origin)
        if log is None or log.log.box != box:
            whose = Log(box=box, origin=origin, mode=self._mode)
            log = MirroredLog(whose, self._folder / FOLDER / origin, self._ledger, self._cosigners)
            self._keep(log)
        return log

    def _keep(self, log: MirroredLog) -> None:
        if log.head.size:
            self._logs[log.log.origin] = log

    def _of(self, box: RosterBox) -> threading.Lock:
        with self._locks_lock:
            return self._locks.setdefault(box.serial, threading.Lock())


def gaps(received: Iterable[int]) -> tuple[int, tuple[tuple[int, int], ...]]:
    """High-water mark (-1 for none) and the ranges below it that are not among `received` (ascending).

    The last ones when they are more than fit: what is new is more likely still on its way.
    """
    high_water = -1
    missing: deque[tuple[int, int]] = deque(maxlen=GAPS_MAX)
    for leaf in received:
        if leaf > high_water + 1:
            missing.append((high_water + 1, leaf - 1))
        high_water = leaf
    return high_water, tuple(missing)
