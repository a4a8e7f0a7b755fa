"""What `landlink-hq fingerprint` does: a line of the paper register, held against what headquarters has pulled.

Whoever alters or cuts a log after the shift contradicts the book. So each tree that the log ever had, from its first
entry on, is worked out again, and the one that has the written fingerprint is named.
"""

import argparse
from dataclasses import dataclass

from appliance.formats.checkpoint import Checkpoint
from appliance.formats.fingerprint import log_fingerprint, read_fingerprint
from appliance.formats.merkle import Frontier, leaf_hash
from appliance.formats.statement import parse_statement
from provisioning.audit.log import logs_of, policy_of, pulled_logs, trust_of
from provisioning.audit.moments import claimed, proven
from provisioning.audit.progress import Advance, bars
from provisioning.audit.statements import whole_tree
from provisioning.audit.store import PulledLog
from provisioning.audit.testimony import load_testimony
from provisioning.audit.when import proven_interval
from provisioning.authority.home import Home
from provisioning.authority.roster import read_roster
from provisioning.command import say


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """The tree that a fingerprint stands for, and the last leaf of it."""

    size: int
    leaf: bytes


def run_fingerprint(arguments: argparse.Namespace) -> int:
    """The verb; returns its exit code: 1 when the book is contradicted, or nothing here has that fingerprint."""
    home = Home.open(arguments.home)
    roster = read_roster(home)
    written = read_fingerprint(arguments.written)
    sizes = dict[str, int]()
    with bars() as shown:
        for log in pulled_logs(home, logs_of(home, roster, arguments.box)):
            kept = PulledLog(log, home.pulled_log(log.origin))
            sizes[log.origin] = whole_tree(kept)
            found = find_tree(kept, sizes[log.origin], written, shown.bar(log.origin))
            if found is not None:
                testimony, _ = load_testimony(kept, trust_of(roster, policy_of(home, None)), again=False)
                statement = parse_statement(found.leaf).unverified
                interval = proven_interval(found.size - 1, statement, testimony.heads)
                say(f"{log.origin}: these are its first {found.size} entries of {sizes[log.origin]}, unaltered since")
                say(f"  the last of them  claimed {claimed(statement.at)}; [{proven(interval)}]")
                return _as_written(arguments.entries, found.size)
    _say_contradiction(arguments.entries, sizes)
    return 1


def find_tree(kept: PulledLog, size: int, written: str, advance: Advance) -> Found | None:
    """The tree of the log that has this fingerprint; None when it never had one. Raises as `PulledLog.leaves`."""
    frontier = Frontier()
    for leaf in kept.leaves(size):
        frontier.append(leaf_hash(leaf))
        tree = Checkpoint(origin=kept.log.origin, size=frontier.size, root=frontier.root())
        if log_fingerprint(tree) == written:
            return Found(size=frontier.size, leaf=leaf)
        advance("entries", frontier.size, size)
    return None


def _as_written(entries: int | None, size: int) -> int:
    if entries is None or entries == size:
        return 0
    say(f"  but the book says {entries} entries: one of the two was written down wrong")
    return 1


def _say_contradiction(entries: int | None, sizes: dict[str, int]) -> None:
    say("No log that was pulled ever had this fingerprint:")
    for origin, size in sizes.items():
        if entries is None or entries > size:
            say(f"  {origin}: {size} entries are here; it may be of a later one: landlink-hq pull, then ask again")
        else:
            say(f"  {origin}: its first {entries} entries are others; the log that is here, or the book, was altered")
