"""What `landlink-hq when` does: what is proven of the time of one entry, by which signatures, and what is claimed."""

import argparse
import re
from typing import Final

from appliance.clock import Instant
from appliance.errors import Refused, Untrusted
from provisioning.audit.log import Log, logs_of, policy_of, pulled_logs, trust_of
from provisioning.audit.moments import claimed, proofs
from provisioning.audit.opened.find import record_prefix
from provisioning.audit.opened.reading import note_use, use_of
from provisioning.audit.opened.search import look, openers, pick
from provisioning.audit.progress import Advance, bars
from provisioning.audit.spacing import spacing
from provisioning.audit.statements import Stated, stated
from provisioning.audit.store import PulledLog
from provisioning.audit.testimony import load_testimony
from provisioning.audit.when import proven_interval
from provisioning.authority.home import Home
from provisioning.authority.roster import read_roster
from provisioning.command import say
from provisioning.custody.act import Did

ENTRY: Final = re.compile(r"(?P<log>[^:]{1,128}):(?P<index>[0-9]{1,12})")
NEIGHBOURS: Final = 2
"""On each side: entries whose distance is printed."""


def run_when(arguments: argparse.Namespace) -> int:
    """The verb; returns its exit code."""
    if not ENTRY.fullmatch(arguments.record):
        record_prefix(arguments.record)
    home = Home.open(arguments.home)
    roster = read_roster(home)
    logs = pulled_logs(home, logs_of(home, roster, arguments.box))
    log, index = _place(home, logs, arguments)
    kept = PulledLog(log, home.pulled_log(log.origin))
    testimony, problems = load_testimony(kept, trust_of(roster, policy_of(home, None)), again=False)
    with bars() as shown:
        entry, near = _near(kept, index, shown.bar(log.origin))
    if entry.statement is None:
        raise Untrusted(str(entry.problem))
    receipt = testimony.receipts.get(index)
    interval = proven_interval(index, entry.statement, testimony.heads, () if receipt is None else (receipt,))
    say(f"{log.origin} entry {index}")
    for line in proofs(interval):
        say(f"  {line}")
    at = entry.statement.at
    say(f"  claimed {claimed(at)}")
    say(f"  boot    {at.boot_id}, {at.boot_ms} ms after it began")
    for words in spacing(index, at, near):
        say(f"          {words}")
    for problem in problems:
        say(f"  doubt   {problem}")
    if interval.contradictory:
        say("  These contradict each other: a clock of headquarters was wrong, or the box named what it had not.")
    return int(interval.contradictory or bool(problems))


def _place(home: Home, logs: tuple[Log, ...], arguments: argparse.Namespace) -> tuple[Log, int]:
    """The entry that RECORD means. Raises Refused."""
    named = ENTRY.fullmatch(arguments.record)
    if named is not None:
        found = [log for log in logs if named["log"] in (log.origin, log.origin.rpartition("/")[2], log.box.serial)]
        if len(found) != 1:
            raise Refused(
                f"{len(found)} pulled logs are called {named['log']}: {', '.join(log.origin for log in logs)}"
            )
        return found[0], int(named["index"])
    prefix = record_prefix(arguments.record)
    keys = openers(home)
    copies = [PulledLog(log, home.pulled_log(log.origin)) for log in logs]
    note_use(home, copies, use_of(arguments, Did.SEARCHED, f"when {prefix}"))
    with bars() as shown:
        seen = [look(kept, keys, prefix, shown.bar(kept.log.origin)) for kept in copies]
    where, main = pick(prefix, seen, keys)
    return where.kept.log, main.index


def _near(kept: PulledLog, index: int, advance: Advance) -> tuple[Stated, dict[int, Instant]]:
    """The entry, and the clocks of those around it. Raises Refused when there is no such entry."""
    entry: Stated | None = None
    near: dict[int, Instant] = {}
    for each in stated(kept, advance):
        if abs(each.index - index) <= NEIGHBOURS and each.statement is not None:
            near[each.index] = each.statement.at
        if each.index == index:
            entry = each
        if each.index > index + NEIGHBOURS:
            break
    if entry is None:
        raise Refused(f"{kept.log.origin} has no entry {index} here; next: landlink-hq pull")
    return entry, near
