"""A box's logs after its first: one that lost what it had signed begins another, whose first entry says what it knew.

`<domain>/<serial>.<n>` is followed by `.<n+1>`. The certificate in entry 0 names the log before, the last tree that the
box still knew of it, and the last one that headquarters had cosigned (formats/README.md). Held against what
headquarters has of that log, it shows how much the box lost, and whether it tells the truth.
"""

from collections.abc import Iterator

from appliance.errors import Malformed, Untrusted
from appliance.formats.identity import EpochCertificate, PreviousOrigin
from appliance.formats.merkle import EMPTY_ROOT, root_hash
from appliance.formats.statement import parse_statement, verify_epoch_start
from appliance.formats.tiles import TileNodes
from provisioning.audit.log import Log, Problem, number_of
from provisioning.audit.store import PulledLog


def judge_succession(kept: PulledLog) -> list[Problem]:
    """What the first entry of a pulled log says of the one before it that is not so; [] for a first log that is one.

    Raises:
        StorageFault: Something cannot be read.
    """
    try:
        leaf = next(kept.leaves(kept.checkpoint().size))
        certificate = verify_epoch_start(parse_statement(leaf), kept.log.box.identity_der)
    except (Malformed, Untrusted, StopIteration):  # named with entry 0
        return []
    return [Problem(origin=kept.log.origin, index=0, words=words) for words in _contradictions(kept, certificate)]


def _contradictions(kept: PulledLog, certificate: EpochCertificate) -> Iterator[str]:
    previous = certificate.previous
    if kept.log.origin in kept.log.box.origins:
        if previous is not None and kept.log.origin == kept.log.box.origins[0]:
            yield "it says that it follows another log, and it is the one that the box was enrolled with"
        if previous is None:
            return
    if previous is None:
        yield "reset: the box began another log and does not say what became of the one before"
        return
    if not 0 < number_of(kept.log.box, previous.origin) < number_of(kept.log.box, kept.log.origin):
        yield f"it says that it follows {previous.origin}, which is no earlier log of this box"
        return
    yield from _against_the_former(kept, previous)


def _against_the_former(kept: PulledLog, previous: PreviousOrigin) -> Iterator[str]:
    """What it says of the former log, held against what headquarters has of that."""
    log = Log(box=kept.log.box, origin=previous.origin, mode=kept.log.mode)
    former = PulledLog(log, kept.folder.parent / previous.origin.rpartition("/")[2])
    if former.note() is None:
        return
    try:
        size = former.checkpoint().size
        roots = {0: EMPTY_ROOT, **_roots(former, size, previous)}
    except (Malformed, Untrusted):  # named with that log
        return
    if roots.get(previous.size, previous.root) != previous.root:
        yield f"fork: the tree that it names of {previous.origin} at {previous.size} entries is not the one here"
    cosigned = roots.get(previous.cosigned_size, previous.cosigned_root)
    if previous.cosigned_root is not None and cosigned != previous.cosigned_root:
        yield f"fork: the cosigned tree that it names of {previous.origin} is not the one that headquarters has"
    if previous.size < size:
        yield (
            f"the box lost entries {previous.size} to {size - 1} of {previous.origin} after it had signed them: its "
            "storage failed or lied, or its card was set back; headquarters has them"
        )


def _roots(former: PulledLog, size: int, previous: PreviousOrigin) -> dict[int, bytes]:
    nodes = TileNodes(size, former.tile)
    return {named: root_hash(named, nodes) for named in (previous.size, previous.cosigned_size) if 0 < named <= size}
