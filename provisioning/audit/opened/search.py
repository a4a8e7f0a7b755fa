"""Find a record in the pulled logs, and what belongs to it: one pass over each log, every body opened.

Nothing is stored, so a record is found by opening; which logs were opened is written to the custody log before.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from appliance.errors import ConfigError, Malformed, Refused, Untrusted
from appliance.formats.age import Identity
from appliance.formats.statement import EpochStart, EventEntry, Sealed, Statement
from appliance.recorded import CarrierCheck, HandOver, Outcome, Picture, Record, Screened, Transition
from provisioning.audit.erased import read_erased
from provisioning.audit.opened.opening import (
    Awaited,
    Entry,
    Event,
    NotOpened,
    Opened,
    entries,
    open_entry,
)
from provisioning.audit.progress import Advance
from provisioning.audit.store import PulledLog
from provisioning.authority.home import Home
from provisioning.authority.identities import load_succession

RECORD = "record.identity"
PROTECTION = "protection.identity"


@dataclass(frozen=True, slots=True, kw_only=True)
class Openers:
    """The keys of this home that open records.

    Attributes:
        first, others: In the order in which they are tried.
        protection: Whether the protection unit's key is among them.
    """

    first: Identity
    others: tuple[Identity, ...]
    protection: bool


def openers(home: Home) -> Openers:
    """Every key of this home that opens records. Raises ConfigError when it has none, or one cannot be read."""
    found = {name: identity for name in (RECORD, PROTECTION) if (identity := _identity(home, name)) is not None}
    if not found:
        raise ConfigError(f"{home.folder} has neither {RECORD} nor {PROTECTION}: it opens no records")
    first, *others = found.values()
    return Openers(first=first, others=tuple(others), protection=PROTECTION in found)


def _identity(home: Home, name: str) -> Identity | None:
    path = home.folder / name
    return load_succession(path) if path.exists() else None


@dataclass(slots=True, kw_only=True)
class Seen:
    """What one pass over a log saw.

    Attributes:
        opened: Entries that the asker wants, by index.
        epochs: Where each epoch starts, by its number.
        events: Events without a body, in order.
        awaited: Sealed entries whose body is not here.
        closed: Sealed entries that no key of this home opens, or that do not hold, with the reason.
    """

    kept: PulledLog
    opened: dict[int, Opened] = field(default_factory=dict[int, Opened])
    epochs: dict[int, int] = field(default_factory=dict[int, int])
    events: list[tuple[int, Statement, EventEntry]] = field(default_factory=list[tuple[int, Statement, EventEntry]])
    awaited: list[int] = field(default_factory=list[int])
    closed: dict[int, str] = field(default_factory=dict[int, str])

    def take(self, entry: Entry, keys: Openers) -> Opened | None:
        """Take an entry in; the opened one where it is one."""
        match entry:
            case Opened():
                return entry
            case Awaited():
                self.awaited.append(entry.index)
            case Event():
                self._event(entry)
            case NotOpened():
                return self._again(entry, keys)
        return None

    def _event(self, entry: Event) -> None:
        kind = entry.statement.kind
        if isinstance(kind, EpochStart):
            self.epochs[entry.statement.epoch] = entry.index
        elif isinstance(kind, EventEntry):
            self.events.append((entry.index, entry.statement, kind))

    def _again(self, entry: NotOpened, keys: Openers) -> Opened | None:
        """Try the other keys."""
        statement, blob = entry.statement, self.kept.body(entry.index)
        if statement is not None and blob is not None and isinstance(statement.kind, Sealed):
            for identity in keys.others:
                try:
                    return open_entry(entry.index, blob, statement, statement.kind, identity)
                except (Malformed, Untrusted):  # none of the keys: what the first one said stands below
                    continue
        self.closed[entry.index] = entry.problem.words
        return None


def look(kept: PulledLog, keys: Openers, prefix: str, advance: Advance) -> Seen:
    """One pass over a log, keeping what is, or belongs to, a record whose identifier begins with `prefix`.

    Raises:
        Untrusted, Malformed: The log as a whole does not hold.
        StorageFault: It cannot be read.
    """
    seen = Seen(kept=kept)
    for entry in entries(kept, keys.first, advance):
        opened = seen.take(entry, keys)
        if opened is not None and any(name.startswith(prefix) for name in concerned(opened.record)):
            seen.opened[opened.index] = opened
    return seen


def concerned(record: Record) -> Sequence[str]:
    """Records that this one is, or belongs to."""
    match record.body:
        case Screened() | CarrierCheck():
            return (record.record_id,)
        case Outcome(of=of) | Transition(of=of) | Picture(of=of):
            return (of,)
        case HandOver(cases=cases):
            return cases
        case _:
            return ()


def pick(prefix: str, seen: Iterable[Seen], keys: Openers) -> tuple[Seen, Opened]:
    """The one record that was meant, and the log that has it.

    Raises:
        Refused: None begins so, or several do.
    """
    passed = list(seen)
    found = [
        (each, opened)
        for each in passed
        for opened in each.opened.values()
        if isinstance(opened.record.body, (Screened, CarrierCheck)) and opened.record.record_id.startswith(prefix)
    ]
    if not found:
        raise Refused(_none(prefix, passed, keys))
    if len({opened.record.record_id for _, opened in found}) > 1:
        names = ", ".join(sorted({opened.record.record_id for _, opened in found})[:5])
        raise Refused(f"several records begin with {prefix}: {names}; give more of the identifier")
    return found[0]


def _none(prefix: str, passed: list[Seen], keys: Openers) -> str:
    words = [f"no record that this home opens begins with {prefix}; `landlink-hq find` prints identifiers"]
    closed = sum(len(each.closed) for each in passed)
    if closed and not keys.protection:
        words.append(
            f"{closed} bodies do not open with {RECORD}: a record of the protection unit needs {PROTECTION}, "
            "which is not in this home"
        )
    erased, awaited = (sum(map(len, part)) for part in zip(*map(_gone, passed), strict=True))
    if erased:
        words.append(f"{erased} bodies were erased on order; `landlink-hq custody show --record {prefix}` may name it")
    if awaited:
        words.append(f"{awaited} bodies have not arrived; next: landlink-hq pull")
    return "; ".join(words)


def _gone(seen: Seen) -> tuple[list[int], list[int]]:
    """Of the bodies that are not here those that were erased on order, and those that have not arrived."""
    ordered = read_erased(seen.kept)
    return [index for index in seen.awaited if index in ordered], [
        index for index in seen.awaited if index not in ordered
    ]


def missing(seen: Seen) -> list[str]:
    """What may belong to a record and is not in its exhibit, in words."""
    words: list[str] = []
    erased, awaited = _gone(seen)
    if erased:
        words.append(f"{len(erased)} bodies of this log were erased on order; some may have belonged to this record")
    if awaited:
        words.append(f"{len(awaited)} bodies of this log have not arrived; some may belong to this record")
    if seen.closed:
        words.append(f"{len(seen.closed)} entries of this log do not open with the keys at hand, or do not hold")
    return words
