"""Going on in the middle of a log: a walk that stands before an entry, having taken its epoch's leaves again."""

from itertools import islice

from appliance.errors import Malformed, Untrusted
from appliance.formats.statement import EpochStart, parse_statement
from appliance.formats.tiles import TILE_WIDTH
from provisioning.audit.chronology import Chronology
from provisioning.audit.store import PulledLog
from provisioning.audit.walk import Walk


def walk_at(kept: PulledLog, size: int, chronology: Chronology | None = None) -> Walk:
    """A walk that stands before entry `size` of a kept log; what is not as it should be before it was named then.

    Args:
        kept: The log; its leaves are believed as far as its root was compared.
        size: Where to stand, no more than is kept.
        chronology: Follows the same entries.

    Raises:
        Untrusted, Malformed, StorageFault: Entries of the kept log cannot be read.
    """
    if size == 0:
        return Walk(kept.log)
    whole = kept.checkpoint().size  # partial tiles are kept for this size alone
    start = _epoch_start(kept, size, whole)
    walk = Walk(kept.log, start=start)
    for leaf in islice(kept.leaves(whole, start), size - start):
        try:
            statement = walk.take(leaf)
        except (Malformed, Untrusted):  # named when it was pulled; `verify` names it again
            continue
        if chronology is not None:
            chronology.follow(statement)
    return walk


def _epoch_start(kept: PulledLog, size: int, whole: int) -> int:
    """Index of the last entry below `size` that starts an epoch; 0 when none does."""
    for bundle in range((size - 1) // TILE_WIDTH, -1, -1):
        first = bundle * TILE_WIDTH
        count = min(size - first, TILE_WIDTH)
        for index, leaf in reversed(list(enumerate(islice(kept.leaves(whole, first), count), first))):
            if _starts_epoch(leaf):
                return index
    return 0


def _starts_epoch(leaf: bytes) -> bool:
    try:
        return isinstance(parse_statement(leaf).unverified.kind, EpochStart)
    except Malformed:
        return False
