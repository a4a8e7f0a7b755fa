"""What `landlink-hq log` does: the entries of the logs in order, in plain words; nothing sealed is opened."""

import argparse
import sys
from collections.abc import Generator
from dataclasses import dataclass
from typing import Final

import msgspec

from appliance.clock import Instant
from appliance.errors import Malformed, Misuse, Untrusted
from appliance.formats.event import EVENTS, allowed, in_words
from appliance.formats.identity import verify_epoch_certificate
from appliance.formats.statement import EpochStart, EventEntry, Statement
from provisioning.audit.log import (
    Log,
    Problem,
    Trust,
    logs_of,
    policy_of,
    print_problems,
    problem,
    pulled_logs,
    trust_of,
)
from provisioning.audit.moments import best_ms, proven
from provisioning.audit.opened.find import parse_range
from provisioning.audit.opened.records import iso
from provisioning.audit.progress import Advance, bars
from provisioning.audit.statements import stated
from provisioning.audit.store import PulledLog
from provisioning.audit.testimony import load_testimony
from provisioning.audit.when import Interval, proven_interval
from provisioning.authority.home import Home
from provisioning.authority.roster import read_roster
from provisioning.command import json_line, say

SEALED: Final = "sealed"
EPOCH: Final = "epoch"


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """What is printed; every part that is given must hold.

    Attributes:
        events: Identifiers of events, `sealed` and `epoch` among them; () for all.
        since_ms, until_ms: The claimed time, moved into what is proven; since 1970, the last not included.
    """

    events: tuple[str, ...] = ()
    since_ms: int | None = None
    until_ms: int | None = None

    def lets(self, name: str, at_ms: int) -> bool:
        """Whether an entry of that name and time is printed."""
        return (
            (not self.events or name in self.events)
            and (self.since_ms is None or at_ms >= self.since_ms)
            and (self.until_ms is None or at_ms < self.until_ms)
        )


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """One entry, as `--json` prints it.

    Attributes:
        event: An event's identifier, `sealed` or `epoch`.
        fields: Of the event.
        words: The same for a person.
        clock: What the box claims.
        after, before: What is proven, ISO 8601 UTC; None where nothing is.
    """

    origin: str
    index: int
    event: str
    fields: dict[str, str]
    words: str
    clock: Instant
    after: str | None
    before: str | None


def run_log(arguments: argparse.Namespace) -> int:
    """The verb; returns its exit code."""
    if arguments.events:
        print_declared()
        return 0
    home = Home.open(arguments.home)
    roster = read_roster(home)
    since_ms, until_ms = parse_range(arguments.since, arguments.until)
    wanted = Filter(
        events=tuple(map(_named, arguments.event)),
        since_ms=since_ms,
        until_ms=until_ms,
    )
    trust = trust_of(roster, policy_of(home, None))
    problems: list[Problem] = []
    passed = 0
    with bars() as shown:
        for log in pulled_logs(home, logs_of(home, roster, arguments.box)):
            kept = PulledLog(log, home.pulled_log(log.origin))
            for line, interval in lines(kept, trust, wanted, problems, shown.bar(log.origin)):
                say(json_line(line) if arguments.json else _for_people(line, interval))
                passed += 1
    if not passed:
        print("no entry of these logs answers this; landlink-hq log --events: what there can be", file=sys.stderr)
    print_problems(problems, sys.stderr)
    return int(bool(problems))


def print_declared() -> None:
    """Every event that a box's log can hold, as it is declared; then what else stands there."""
    for each in EVENTS.values():
        print(f"{each.event}\n  {each.meaning}\n  shown to: {', '.join(each.seen_by)}")
        for name, pattern in each.fields.items():
            print(f"  {name}: {allowed(pattern)}")
    print(f"{SEALED}\n  A sealed record: what it says is for whoever has the key, and `landlink-hq open`.")
    print(f"{EPOCH}\n  A new signing key begins, certified by the box's identity key.")


def _named(event: str) -> str:
    """An event's identifier as typed. Raises Misuse when no entry can have it."""
    if event in EVENTS or event in (SEALED, EPOCH):
        return event
    raise Misuse(f"no event {event[:64]!r}; `landlink-hq log --events` shows those there are")


def lines(
    kept: PulledLog, trust: Trust, wanted: Filter, problems: list[Problem], advance: Advance
) -> Generator[tuple[Line, Interval]]:
    """The entries of one log that pass, in order, each with when it was made; what does not hold is named."""
    testimony, doubts = load_testimony(kept, trust, again=False)
    problems.extend(doubts)
    try:
        for entry in stated(kept, advance):
            if entry.problem is not None:
                problems.append(entry.problem)
            if entry.statement is None:
                continue
            receipt = testimony.receipts.get(entry.index)
            receipts = () if receipt is None else (receipt,)
            interval = proven_interval(entry.index, entry.statement, testimony.heads, receipts)
            line = _line(kept.log, entry.index, entry.statement, interval)
            if wanted.lets(line.event, best_ms(entry.statement.at, interval)):
                yield line, interval
    except (Malformed, Untrusted) as error:
        problems.append(problem(kept.log, None, error))


def _line(log: Log, index: int, statement: Statement, interval: Interval) -> Line:
    event, fields, words = SEALED, dict[str, str](), SEALED
    match statement.kind:
        case EventEntry(event=name, fields=said):
            event, fields, words = name, dict(said), in_words(name, said)
        case EpochStart(certificate=certificate):
            event, words = EPOCH, _epoch_words(log, statement, certificate)
        case _:
            pass
    return Line(
        origin=log.origin,
        index=index,
        event=event,
        fields=fields,
        words=words,
        clock=statement.at,
        after=None if interval.after_ms is None else iso(interval.after_ms),
        before=None if interval.before_ms is None else iso(interval.before_ms),
    )


def _epoch_words(log: Log, statement: Statement, certificate: bytes) -> str:
    says = verify_epoch_certificate(certificate, log.box.identity_der)  # the walk has verified it
    words = f"a new signing key begins epoch {statement.epoch}: software {says.software}, boot {says.boot_id[:8]}"
    if says.previous is None:
        return words
    return (
        f"{words}; this log follows {says.previous.origin}, which was lost at {says.previous.size} entries "
        f"(headquarters had cosigned {says.previous.cosigned_size})"
    )


def _for_people(line: Line, interval: Interval) -> str:
    at = line.clock
    return f"{line.origin} {line.index:>6}  {iso(at.wall_ms)} ({at.grade.value})  [{proven(interval)}]  {line.words}"
