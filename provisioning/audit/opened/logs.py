"""Read pulled logs with headquarters' record key: lines for `open`, `find` and `report`, and how far it got.

`opened/<log>.json` tells the collector how far headquarters has shown that it can open what was sealed (I4): receipts
repeat it, and a box deletes a body only at or below it. An entry counts when its epoch and its recipients have a canary
that was opened, and nothing at or below it failed to open. A body that has not arrived yet does not hold it up: what it
was sealed under is in its statement.
"""

from dataclasses import dataclass, field
from typing import Final

import msgspec

from appliance.errors import Malformed, Untrusted
from appliance.files import replace_file, storage
from appliance.formats.age import Identity
from appliance.formats.statement import Statement
from appliance.recorded import Canary
from provisioning.audit.erased import read_erased
from provisioning.audit.log import Problem, problem
from provisioning.audit.opened.carrier_checks import CarrierLine
from provisioning.audit.opened.opening import Awaited, Entry, Event, NotOpened, Opened, entries
from provisioning.audit.opened.records import Folding, RecordLine
from provisioning.audit.progress import Advance
from provisioning.audit.store import PulledLog
from provisioning.authority.home import Home

NOTHING_OPENED: Final = -1


class OpenedThrough(msgspec.Struct, frozen=True, kw_only=True):
    """`opened/<log>.json`.

    Attributes:
        origin: The log.
        opened_through: Index, inclusive; -1 for nothing.
        at_ms: When headquarters opened it, milliseconds since 1970.
    """

    origin: str
    opened_through: int
    at_ms: int


@dataclass(slots=True, kw_only=True)
class OpenedLog:
    """What one pulled log says.

    Attributes:
        origin: The log.
        serial: Whose it is.
        entries: Entries of the log.
        lines: Screening records in log order.
        carrier_checks: What a desk of the carrier profile asked, in log order.
        awaited: Sealed entries whose body has not arrived.
        erased: Sealed entries whose body was destroyed on order.
        opened: Bodies that were opened, of every kind.
        opened_through: As in OpenedThrough.
        problems: What is not as it should be.
    """

    origin: str
    serial: str
    entries: int = 0
    lines: list[RecordLine] = field(default_factory=list[RecordLine])
    carrier_checks: list[CarrierLine] = field(default_factory=list[CarrierLine])
    awaited: list[int] = field(default_factory=list[int])
    erased: list[int] = field(default_factory=list[int])
    opened: int = 0
    opened_through: int = NOTHING_OPENED
    problems: list[Problem] = field(default_factory=list[Problem])


class _Reach:
    """How far the log is shown to be openable."""

    def __init__(self) -> None:
        self._sealed: list[tuple[int, tuple[int, int]]] = []
        self._canaries: set[tuple[int, int]] = set()
        self._failed: int | None = None
        self._last = NOTHING_OPENED

    def take(self, entry: Entry) -> None:
        """The next entry in order."""
        self._last = entry.index
        match entry:
            case Event():
                return
            case NotOpened():
                self._failed = entry.index if self._failed is None else self._failed
                return
            case Opened() if isinstance(entry.record.body, Canary):
                self._canaries.add(_keys(entry.statement))
            case Opened() | Awaited():
                pass
        self._sealed.append((entry.index, _keys(entry.statement)))

    def through(self) -> int:
        """The highest index at or below which everything is shown to be openable; -1 for none."""
        uncovered = (index for index, keys in self._sealed if keys not in self._canaries)
        first = min(next(uncovered, self._last + 1), self._last + 1 if self._failed is None else self._failed)
        return first - 1


def _keys(statement: Statement) -> tuple[int, int]:
    return statement.epoch, statement.recipients_version


def read_log(kept: PulledLog, identity: Identity, advance: Advance) -> OpenedLog:
    """Open everything of one pulled log; a log that does not hold as a whole gives its problem and nothing else.

    Raises:
        StorageFault: Something of it cannot be read.
    """
    result = OpenedLog(origin=kept.log.origin, serial=kept.log.box.serial)
    folding, reach, ordered = Folding(kept.log.origin), _Reach(), read_erased(kept)
    try:
        for entry in entries(kept, identity, advance):
            result.entries += 1
            reach.take(entry)
            match entry:
                case Opened():
                    result.opened += 1
                    folding.take(entry)
                case Awaited():
                    (result.erased if entry.index in ordered else result.awaited).append(entry.index)
                case NotOpened():
                    result.problems.append(entry.problem)
                case Event():
                    pass
    except (Malformed, Untrusted) as error:
        return OpenedLog(origin=kept.log.origin, serial=kept.log.box.serial, problems=[problem(kept.log, None, error)])
    result.lines = folding.lines()
    result.carrier_checks = folding.carrier_checks
    result.problems.extend(folding.problems)
    result.opened_through = reach.through()
    return result


def keep_opened_through(home: Home, log: OpenedLog, *, at_ms: int) -> None:
    """Tell the collector how far the log has been opened. Raises StorageFull, StorageFault."""
    path = home.opened_file(log.origin)
    reached = OpenedThrough(origin=log.origin, opened_through=log.opened_through, at_ms=at_ms)
    with storage(f"making {path.parent}"):
        path.parent.mkdir(exist_ok=True)
    replace_file(path, msgspec.json.encode(reached))
