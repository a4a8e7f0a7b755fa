"""Every statement of a pulled log in order, verified, without opening a body: what `log` and `when` read."""

from collections.abc import Generator
from dataclasses import dataclass

from appliance.errors import Malformed, Untrusted
from appliance.formats.edge import Edge
from appliance.formats.statement import Statement
from provisioning.audit.log import Problem, problem
from provisioning.audit.progress import Advance
from provisioning.audit.store import PulledLog
from provisioning.audit.walk import Walk


@dataclass(frozen=True, slots=True, kw_only=True)
class Stated:
    """One entry of a log.

    Attributes:
        statement: Verified; None when it does not hold, and `problem` says why.
    """

    index: int
    statement: Statement | None
    problem: Problem | None = None


def whole_tree(kept: PulledLog) -> int:
    """How many entries the copy has; its leaves give the root that its checkpoint signs.

    Raises:
        Untrusted, Malformed: They do not, or the checkpoint does not hold.
        StorageFault: Something cannot be read.
    """
    checkpoint = kept.checkpoint()
    edge = Edge()
    for bundle in kept.bundles(checkpoint.size):
        edge.extend(bundle)
        edge.take_full()  # nobody wants them
    if edge.root() != checkpoint.root:
        raise Untrusted(
            f"{checkpoint.origin}: its entries do not give the root that its checkpoint signs; "
            "`landlink-hq verify` says where"
        )
    return checkpoint.size


def stated(kept: PulledLog, advance: Advance) -> Generator[Stated]:
    """Every entry in order; `advance` is told how far it is. Raises as `whole_tree`."""
    size = whole_tree(kept)
    walk = Walk(kept.log)
    verified = (statement for bundle in kept.bundles(size) for statement in walk.take_all(bundle))
    for index, statement in enumerate(verified):
        if isinstance(statement, (Malformed, Untrusted)):
            yield Stated(index=index, statement=None, problem=problem(kept.log, index, statement))
        else:
            yield Stated(index=index, statement=statement)
        advance("entries", index + 1, size)
