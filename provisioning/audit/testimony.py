"""What headquarters itself signed about one log: checkpoints that it cosigned, receipts for bodies; fetched and kept.

It bounds time and it convicts: a tree that headquarters cosigned is the tree, a body that it acknowledged was here, and
an entry under a cosigned checkpoint existed then. The collector shows it page by page (testimony_pages.py). Pages are
kept as they came, so a ledger that went back, or was written again, contradicts them. Only headquarters' own collector
is asked: another source could leave something out.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from appliance.errors import Malformed, Untrusted
from appliance.formats.checkpoint import parse_checkpoint
from appliance.formats.note import claimed_times
from appliance.formats.receipt import DeliveryReceipt, claimed_receipt, verify_receipt
from provisioning.audit.log import Problem, Trust, problem
from provisioning.audit.source import Source
from provisioning.audit.store import PulledLog
from provisioning.audit.testimony_pages import COSIGNED, ITEMS_A_PAGE, PAGE_BYTES_MAX, RECEIPTS, page_path, parse_page
from provisioning.audit.when import CosignedHead, cosigned_head

NAMES: Final = {COSIGNED: "cosigned checkpoints", RECEIPTS: "receipts"}


class Testimony:
    """What is known of headquarters' own signatures on one log.

    Args:
        heads: Checkpoints that it cosigned, the collector's in its order, then those of this desk.
        receipts: By entry.
        reaches: Entries under the last checkpoint of which the collector showed its cosignature; 0 before it was asked.
            Up to there, what is not among `heads` was not cosigned.
        asked: Whether the collector has shown its receipts, so that one that is not here was not given.
    """

    def __init__(
        self,
        heads: Sequence[CosignedHead] = (),
        receipts: Mapping[int, DeliveryReceipt] | None = None,
        *,
        reaches: int = 0,
        asked: bool = False,
    ) -> None:
        self.heads = tuple(heads)
        self.receipts = dict(receipts or {})
        self.reaches = reaches
        self.asked = asked
        self._receipted = sorted(self.receipts)
        # Of a checkpoint that was cosigned twice, the earlier counts: the box may have received that one.
        self._named: dict[bytes, CosignedHead] = {head.checkpoint.digest(): head for head in reversed(self.heads)}
        shown = [(head.checkpoint.size - 1, head.first_ms) for head in self.heads]
        shown += [(index, receipt.received_ms) for index, receipt in self.receipts.items()]
        self._shown: list[tuple[int, int]] = []
        for through, at_ms in sorted(shown, reverse=True):
            earliest = min(at_ms, self._shown[-1][1]) if self._shown else at_ms
            self._shown.append((through, earliest))
        self._shown.reverse()

    def named(self, digest: bytes) -> CosignedHead | None:
        """The cosigned checkpoint whose text has this SHA-256; None when there is none here."""
        return self._named.get(digest)

    def before_ms(self, index: int) -> int | None:
        """When headquarters had signed something that covers this entry, at the earliest; None when nothing does.

        A receipt covers the entries before its own as well: the collector takes a body only under a leaf that it has.
        """
        place = bisect_left(self._shown, (index, 0))
        return self._shown[place][1] if place < len(self._shown) else None

    def receipts_in(self, first: int, last: int) -> int:
        """How many entries from `first` to `last`, both included, have a receipt."""
        return bisect_right(self._receipted, last) - bisect_left(self._receipted, first)

    def shown_by(self, at_ms: int) -> int:
        """How many entries headquarters' signatures show to have existed at this time, milliseconds since 1970."""
        return max((through + 1 for through, before_ms in self._shown if before_ms <= at_ms), default=0)


def take_testimony(kept: PulledLog, kind: str, collector: Source, trust: Trust) -> list[Problem]:
    """Fetch what the collector has signed since, verify it, keep it; what does not hold is named and not kept.

    Raises:
        UplinkFault, StorageFault, StorageFull: It could not be read or kept; what was kept before is as it was.
    """
    n = max(0, kept.pages(kind) - 1)  # the last page may have grown
    while True:
        page = collector.read(page_path(kind, n), bytes_max=PAGE_BYTES_MAX) or b""
        ours = kept.page(kind, n) or b""
        try:
            items = _grown(page, ours, kind)
            for item in items[len(parse_page(ours, kind)) :]:
                _verify(kept, kind, item, trust)
        except (Malformed, Untrusted) as error:
            return [problem(kept.log, None, error)]
        if page != ours or (n == 0 and kept.note() is not None):  # an empty page says that the collector was asked
            kept.keep_page(kind, n, page)
        if len(items) < ITEMS_A_PAGE[kind]:
            return []
        n += 1


def count_kept(kept: PulledLog, kind: str) -> int:
    """How many items of a kind are kept. Raises StorageFault, Untrusted, Malformed."""
    pages = kept.pages(kind)
    if pages == 0:
        return 0
    return (pages - 1) * ITEMS_A_PAGE[kind] + len(parse_page(kept.page(kind, pages - 1) or b"", kind))


def load_testimony(kept: PulledLog, trust: Trust, *, again: bool) -> tuple[Testimony, list[Problem]]:
    """What is kept of it, and what of that does not hold.

    Args:
        kept: The log.
        trust: Headquarters' keys.
        again: Whether to verify every signature again: all were verified when they were kept, and are many.

    Raises:
        StorageFault: Something cannot be read.
    """
    problems: list[Problem] = []
    heads: list[CosignedHead] = []
    for item in _items(kept, COSIGNED, problems):
        try:
            heads.append(_head(kept, item, trust) if again else _claimed_head(item, trust))
        except (Malformed, Untrusted) as error:
            problems.append(problem(kept.log, None, error))
    reaches = max((head.checkpoint.size for head in heads), default=0)
    for note in (*kept.own_cosigned(), kept.note()):
        if note is None:
            continue
        try:
            head = cosigned_head(note, kept.log.verifier, trust.cosigners)
        except (Malformed, Untrusted) as error:
            problems.append(problem(kept.log, None, error))
            continue
        if head is not None:
            heads.append(head)
    receipts: dict[int, DeliveryReceipt] = {}
    for item in _items(kept, RECEIPTS, problems):
        try:
            receipt = _receipt(kept, item, trust) if again else claimed_receipt(item)
        except (Malformed, Untrusted) as error:
            problems.append(problem(kept.log, None, error))
            continue
        receipts[receipt.index] = receipt
    return Testimony(heads, receipts, reaches=reaches, asked=kept.pages(RECEIPTS) > 0), problems


def _grown(page: bytes, ours: bytes, kind: str) -> tuple[bytes, ...]:
    """Items of a page that begins with the one that was kept. Raises Untrusted, Malformed."""
    if not page.startswith(ours):
        raise Untrusted(
            f"the collector shows other {NAMES[kind]} than it showed before: its ledger went back or was written "
            "again; those of before are kept"
        )
    return parse_page(page, kind)


def _items(kept: PulledLog, kind: str, problems: list[Problem]) -> Iterator[bytes]:
    for n in range(kept.pages(kind)):
        try:
            yield from parse_page(kept.page(kind, n) or b"", kind)
        except (Malformed, Untrusted) as error:
            problems.append(problem(kept.log, None, error))


def _verify(kept: PulledLog, kind: str, item: bytes, trust: Trust) -> None:
    if kind == COSIGNED:
        _head(kept, item, trust)
    else:
        _receipt(kept, item, trust)


def _head(kept: PulledLog, note: bytes, trust: Trust) -> CosignedHead:
    head = cosigned_head(note, kept.log.verifier, trust.cosigners)
    if head is None:
        raise Untrusted("the collector shows a checkpoint as cosigned that headquarters did not cosign")
    return head


def _claimed_head(note: bytes, trust: Trust) -> CosignedHead:
    """A kept page's checkpoint. Raises Malformed, Untrusted."""
    text, times = claimed_times(note, trust.cosigners)
    if not times:
        raise Untrusted("a checkpoint is kept as cosigned that headquarters did not cosign")
    first_ms, last_ms = min(times) * 1_000, max(times) * 1_000
    return CosignedHead(checkpoint=parse_checkpoint(text), note=note, first_ms=first_ms, last_ms=last_ms)


def _receipt(kept: PulledLog, data: bytes, trust: Trust) -> DeliveryReceipt:
    receipt = _signed_receipt(data, trust)
    if receipt.origin != kept.log.origin:
        raise Untrusted(f"the collector shows a receipt of another log ({receipt.origin}) among those of this one")
    return receipt


def _signed_receipt(data: bytes, trust: Trust) -> DeliveryReceipt:
    for public in trust.receipts:
        try:
            return verify_receipt(data, public)
        except Untrusted:  # a former key may have signed it
            continue
    raise Untrusted("the collector shows a receipt that none of headquarters' keys signed")
