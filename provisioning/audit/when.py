"""When an entry was made: what is proven, by headquarters' signed times alone, and what the box claims (I9). Pure.

Two sides, each with what proves it:

- **after**: the statement names the last checkpoint that headquarters had cosigned; that cosignature has a time. A box
  cannot name what it has not received; but it knows the text of its own checkpoints, so this side rests on the box's
  recorder having been honest when it signed. Nobody else can move it: it is inside the signed statement.
- **before**: headquarters cosigned a checkpoint that covers the entry, or signed a receipt for its body. This side
  rests on headquarters alone.

No clock of a box proves anything; its wall time is a claim with a grade, and its spacing to other entries of the same
boot is a claim by the boot-time clock, which nobody can set.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from appliance.formats.checkpoint import Checkpoint, open_checkpoint
from appliance.formats.note import Verifier
from appliance.formats.receipt import DeliveryReceipt
from appliance.formats.statement import Statement

COSIGNED_WITHIN_MS: Final = 999
"""A cosignature was given up to so much later than the second that it names."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CosignedHead:
    """A checkpoint of one log that headquarters cosigned.

    Attributes:
        note: As it was cosigned, for whoever verifies it again.
        first_ms, last_ms: The earliest and the latest time among the cosignatures, milliseconds since 1970.
    """

    checkpoint: Checkpoint
    note: bytes
    first_ms: int
    last_ms: int

    @property
    def by_ms(self) -> int:
        """When it had certainly been cosigned: a cosignature names whole seconds, cut off."""
        return self.first_ms + COSIGNED_WITHIN_MS


@dataclass(frozen=True, slots=True, kw_only=True)
class Interval:
    """When an entry was made, as far as it is proven; both ends in milliseconds since 1970.

    Attributes:
        after_ms: Not before this; None when the statement names no checkpoint, or one that is not at hand.
        after: The cosigned checkpoint that proves it.
        before_ms: Not after this; None when headquarters has signed nothing yet that covers it.
        before: What proves it: a cosigned checkpoint, or the receipt for the entry's own body.
    """

    after_ms: int | None
    after: CosignedHead | None
    before_ms: int | None
    before: CosignedHead | DeliveryReceipt | None

    @property
    def contradictory(self) -> bool:
        """Whether "before" lies before "after": a clock of headquarters was wrong, or the box named what it had not."""
        return self.after_ms is not None and self.before_ms is not None and self.before_ms < self.after_ms


def cosigned_head(note: bytes, log: Verifier, cosigners: Iterable[Verifier]) -> CosignedHead | None:
    """A checkpoint with the times at which these cosigners signed it; None when none of them did.

    Raises:
        Untrusted, Malformed: As `open_checkpoint`.
    """
    wanted = tuple(cosigners)
    checkpoint, opened = open_checkpoint(note, log, *wanted)
    times = [each.at_s for each in opened.signatures if each.verifier in wanted and each.at_s is not None]
    if not times:
        return None
    return CosignedHead(checkpoint=checkpoint, note=note, first_ms=min(times) * 1000, last_ms=max(times) * 1000)


def proven_interval(
    index: int, statement: Statement, heads: Iterable[CosignedHead], receipts: Iterable[DeliveryReceipt] = ()
) -> Interval:
    """When the entry at `index` was made, as far as headquarters' signatures prove it.

    Args:
        index: The entry.
        statement: Its verified statement.
        heads: Every cosigned checkpoint of that log at hand, verified (`cosigned_head`), in any order.
        receipts: Verified delivery receipts of that log; those for other entries say nothing here.
    """
    after: CosignedHead | None = None
    before: CosignedHead | DeliveryReceipt | None = None
    before_ms: int | None = None
    for head in heads:
        if head.checkpoint.size > index:
            if before_ms is None or head.by_ms < before_ms:
                before, before_ms = head, head.by_ms
        elif head.checkpoint.digest() == statement.cosigned and (after is None or head.first_ms < after.first_ms):
            after = head  # cosigned more than once: the box may have received the first
    for receipt in receipts:
        own = (receipt.origin, receipt.index) == (statement.origin, index)
        if own and (before_ms is None or receipt.received_ms < before_ms):
            before, before_ms = receipt, receipt.received_ms
    return Interval(after_ms=None if after is None else after.first_ms, after=after, before_ms=before_ms, before=before)
