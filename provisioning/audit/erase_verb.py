"""What `landlink-hq erase` does: destroy bodies by record or by age, on an order in headquarters' own log.

Nothing of the log itself changes: statement and hash stay, so that something was recorded then stays provable, and what
it was does not. Canaries stay, for they show that headquarters can open what follows; so does the note of a hand-over
that other records share.
"""

import argparse
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

from appliance.errors import Misuse, Refused
from appliance.judged import Refer
from appliance.recorded import CarrierCheck, Screened
from provisioning.audit.chronology import moment
from provisioning.audit.erased import Erased, destroy, keep_erased
from provisioning.audit.log import Trust, logs_of, policy_of, pulled_logs, trust_of
from provisioning.audit.opened.find import record_prefix
from provisioning.audit.opened.opening import entries
from provisioning.audit.opened.reading import note_use, use_of
from provisioning.audit.opened.search import Openers, Seen, concerned, openers
from provisioning.audit.progress import Advance, bars
from provisioning.audit.store import PulledLog
from provisioning.audit.testimony import load_testimony
from provisioning.audit.when import proven_interval
from provisioning.authority.home import Home
from provisioning.authority.roster import read_roster
from provisioning.command import counted, now_ms
from provisioning.custody.act import Did, Reach
from provisioning.custody.log import CustodyLog

DAY_MS: Final = 86_400_000
REACHES_MAX: Final = 256
"""In one entry of headquarters' own log."""


@dataclass(slots=True, kw_only=True)
class Inventory:
    """What one log holds, as far as this home opens it.

    Attributes:
        entries: Index, the records that it is or belongs to, and when it is proven to have been made before.
        refers: Of each record, whether the box asked for a person to look.
    """

    kept: PulledLog
    entries: list[tuple[int, tuple[str, ...], int | None]] = field(
        default_factory=list[tuple[int, tuple[str, ...], int | None]]
    )
    refers: dict[str, bool] = field(default_factory=dict[str, bool])

    def of(self, records: Iterable[str]) -> list[int]:
        """Entries that are, or belong to, these records and no others."""
        wanted = set(records)
        return [index for index, names, _ in self.entries if names and wanted.issuperset(names)]

    def older(self, before_ms: int, *, routine: bool) -> set[str]:
        """Records that are proven older, all that belongs to them too; `routine`: only those that referred nobody."""
        young = {
            name
            for _, names, proven_ms in self.entries
            if proven_ms is None or proven_ms >= before_ms
            for name in names
        }
        return {name for name, refers in self.refers.items() if name not in young and not (routine and refers)}


def run_erase(arguments: argparse.Namespace) -> int:
    """The verb; returns its exit code."""
    _check(arguments)
    home = Home.open(arguments.home)
    roster = read_roster(home)
    copies = [
        PulledLog(log, home.pulled_log(log.origin)) for log in pulled_logs(home, logs_of(home, roster, arguments.box))
    ]
    finished = sum(destroy(kept, arguments.data) for kept in copies)
    if finished:
        print(f"of an earlier order {counted(finished, 'file')} had stayed, and are gone now")
    if arguments.finish:
        return 0
    keys, trust, bodies = openers(home), trust_of(roster, policy_of(home, None)), use_of(arguments, Did.OPENED, "erase")
    note_use(home, copies, bodies)
    with bars() as shown:
        inventories = [_inventory(kept, keys, trust, shown.bar(kept.log.origin)) for kept in copies]
    chosen = [(inventory, _chosen(inventory, arguments)) for inventory in inventories]
    count = sum(len(records) for _, records in chosen)
    if arguments.record and count != 1:
        raise Refused(_not_one(home, arguments.record.lower(), count))
    for inventory, records in chosen:
        if records:
            _erase(home, inventory, records, arguments)
    if not count:
        print("nothing here is proven to be so old")
    return 0


def _check(arguments: argparse.Namespace) -> None:
    """What was asked for makes sense. Raises Misuse."""
    if arguments.record:
        record_prefix(arguments.record)
    if arguments.finish:
        return
    if bool(arguments.record) == bool(arguments.older_than):
        raise Misuse("say which: RECORD, as `landlink-hq find` prints it, or --older-than DAYS")
    if arguments.routine and arguments.record:
        raise Misuse("--routine goes with --older-than DAYS")
    if not (arguments.why or arguments.dry_run):
        raise Misuse("say on whose order and why: --why TEXT; or only count: --dry-run")


def _not_one(home: Home, prefix: str, count: int) -> str:
    """Why no one record can be meant: several are, or none is left, or none ever was."""
    if count:
        return f"{count} records begin with {prefix}; give more of the identifier"
    for index, act in enumerate(CustodyLog(home).acts()):
        if act.did is Did.ERASED and any(record.startswith(prefix) for record in act.records):
            on = moment(act.at_ms)
            return f"it was erased on {on} on order of {act.by}; next: landlink-hq custody show (entry {index})"
    return f"no record here begins with {prefix}; `landlink-hq find` prints identifiers, `landlink-hq pull` fetches"


def _inventory(kept: PulledLog, keys: Openers, trust: Trust, advance: Advance) -> Inventory:
    """One pass over a log, every body opened. Raises as `opening.entries`."""
    heads = load_testimony(kept, trust, again=False)[0].heads
    inventory, seen = Inventory(kept=kept), Seen(kept=kept)
    for entry in entries(kept, keys.first, advance):
        opened = seen.take(entry, keys)
        if opened is None:
            continue
        match opened.record.body:
            case Screened(decision=decision):
                inventory.refers[opened.record.record_id] = isinstance(decision, Refer)
            case CarrierCheck(call=call):
                inventory.refers[opened.record.record_id] = call
            case _:
                pass
        before_ms = proven_interval(opened.index, opened.statement, heads).before_ms
        inventory.entries.append((opened.index, tuple(concerned(opened.record)), before_ms))
    return inventory


def _chosen(inventory: Inventory, arguments: argparse.Namespace) -> set[str]:
    if arguments.record:
        prefix = arguments.record.lower()
        return {name for name in inventory.refers if name.startswith(prefix)}
    return inventory.older(now_ms() - arguments.older_than * DAY_MS, routine=arguments.routine)


def _erase(home: Home, inventory: Inventory, records: set[str], arguments: argparse.Namespace) -> None:
    kept, indices = inventory.kept, inventory.of(records)
    print(f"{kept.log.origin}: {counted(len(records), 'record')} with {counted(len(indices), 'body')}", end="")
    if arguments.dry_run:
        print(" would be erased")
        return
    use, at_ms = use_of(arguments, Did.ERASED), now_ms()
    custody = CustodyLog(home)
    reaches = [Reach(origin=kept.log.origin, first=index, end=index + 1) for index in indices]
    for at in range(0, len(reaches), REACHES_MAX):
        part = reaches[at : at + REACHES_MAX]
        names = sorted(records) if at == 0 else []
        act = custody.write(use.did, use.by, records=names, reaches=part, words=use.words)
        keep_erased(kept, {reach.first: Erased(act=act, at_ms=at_ms, by=use.by) for reach in part})
    gone = destroy(kept, arguments.data)
    print(f" erased ({counted(gone, 'file')}); the log stays whole, and `landlink-hq verify` says on whose order")
    if arguments.data is None:
        print("  a collector keeps copies of its own: run this there with --finish --data DIR")
