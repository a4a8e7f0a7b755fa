"""The queue's index: what of the published bodies was sent, what headquarters has, what was set aside.

The truth is elsewhere: bodies are files of the recorder, receipts are headquarters'. So the index may be thrown away: a
damaged one is set aside and rebuilt from the files, and the collector is asked what it has. Durable all the same (WAL,
synchronous FULL), since asking again costs the link. One connection in one process, exclusively.
"""

import enum
import sqlite3
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from sqlite_utils import Database

from appliance.database import connect_alone, faults, result_code
from appliance.model import Origin, Priority

NAME: Final = "uplink index"
SCHEMA_VERSION: Final = 1
SCHEMA: Final = """
create table about (origin text not null, rebuilt integer not null) strict;
create table item (
    leaf     integer primary key,
    priority integer not null check (priority between 0 and 3),
    size     integer not null check (size > 0),
    sha256   blob    not null check (length(sha256) = 32),
    state    text    not null check (state in ('queued', 'sending', 'acknowledged', 'parked')),
    damaged  integer not null default 0,
    why      text    not null default '',
    receipt  blob,
    handed   integer not null default 0,
    check ((state = 'acknowledged') = (receipt is not null))
) strict;
create index waiting on item (priority, leaf) where state in ('queued', 'sending');
create index unhanded on item (leaf) where state = 'acknowledged' and not handed;
"""


DAMAGE: Final = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_ERROR)
"""What SQLite says of a damaged file (SQLITE_ERROR: a table is missing); the rest is the disk or another process."""


class State(enum.StrEnum):
    """Where a body stands on its way."""

    QUEUED = "queued"
    SENDING = "sending"  # it went out and no answer came back: headquarters is asked before it goes again
    ACKNOWLEDGED = "acknowledged"
    PARKED = "parked"


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One body of the queue.

    Attributes:
        leaf: Index of its statement in the log.
        size: Bytes.
        damaged: How often the collector received it with another hash.
    """

    leaf: int
    priority: Priority
    size: int
    sha256: bytes
    state: State = State.QUEUED
    damaged: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """How many bodies stand where."""

    waiting: int
    acknowledged: int
    parked: int


class Index:
    """Open, checked, and empty when it had to be rebuilt.

    Args:
        path: The database; its folder exists.
        origin: The log whose bodies it keeps; another log's index is thrown away.

    Raises:
        StorageFault, StorageFull: The disk does not do its part.
    """

    def __init__(self, path: Path, origin: Origin) -> None:
        with faults(NAME):
            self._database = _open(path, origin)
        self.rebuilt = bool(self._scalar("select rebuilt from about"))

    def close(self) -> None:
        """Fold the write-ahead log in and let go."""
        self._database.close()

    def known(self) -> dict[int, State]:
        """Every leaf in the index and where it stands."""
        with faults(NAME):
            return {leaf: State(state) for leaf, state in self._database.execute("select leaf, state from item")}

    def add(self, items: Iterable[Item]) -> None:
        """Take bodies in."""
        rows = [
            {
                "leaf": item.leaf,
                "priority": int(item.priority),
                "size": item.size,
                "sha256": item.sha256,
                "state": str(item.state),
            }
            for item in items
        ]
        with faults(NAME):
            self._database.table("item").insert_all(rows)

    def forget(self, leaves: Iterable[int]) -> None:
        """Drop bodies that the recorder has deleted; a receipt that it has not taken stays."""
        self._change(
            "delete from item where leaf = ? and (state != 'acknowledged' or handed)", [(leaf,) for leaf in leaves]
        )

    def whole(self) -> None:
        """The collector has been asked about everything that a rebuilt index could not know."""
        self._change("update about set rebuilt = 0", [()])
        self.rebuilt = False

    def waiting(self, *, below: int, count_max: int, oldest_first: bool) -> tuple[Item, ...]:
        """Bodies to send next.

        Args:
            below: Only leaves below this: the collector has the log so far.
            count_max: At most so many.
            oldest_first: By age alone, instead of by class and then by age.
        """
        order = "leaf" if oldest_first else "priority, leaf"
        query = (
            "select leaf, priority, size, sha256, state, damaged from item "  # noqa: S608 - the order is one of two words
            f"where state in ('queued', 'sending') and leaf < ? order by {order} limit ?"
        )
        with faults(NAME):
            return tuple(
                Item(
                    leaf=leaf,
                    priority=Priority(priority),
                    size=size,
                    sha256=sha256,
                    state=State(state),
                    damaged=damaged,
                )
                for leaf, priority, size, sha256, state, damaged in self._database.execute(query, (below, count_max))
            )

    def sending(self, leaves: Iterable[int]) -> None:
        """These go out now."""
        self._change("update item set state = 'sending' where leaf = ?", [(leaf,) for leaf in leaves])

    def queue_again(self, leaf: int, *, damaged: bool = False) -> None:
        """The collector does not have it, or received it damaged."""
        self._change("update item set state = 'queued', damaged = damaged + ? where leaf = ?", [(int(damaged), leaf)])

    def acknowledge(self, receipts: Sequence[tuple[int, bytes]]) -> None:
        """Keep headquarters' receipts, durable before the recorder hears of them."""
        self._change(
            "update item set state = 'acknowledged', receipt = ?, why = '' where leaf = ?",
            [(receipt, leaf) for leaf, receipt in receipts],
        )

    def park(self, leaf: int, why: str) -> None:
        """Set one body aside, with the reason, so that the others go on."""
        self._change(
            "update item set state = 'parked', receipt = null, why = ? where leaf = ?",
            [(why, leaf)],
        )

    def unhanded(self, count_max: int) -> tuple[tuple[int, bytes], ...]:
        """Receipts that the recorder has not taken yet, oldest first."""
        query = "select leaf, receipt from item where state = 'acknowledged' and not handed order by leaf limit ?"
        with faults(NAME):
            return tuple((leaf, receipt) for leaf, receipt in self._database.execute(query, (count_max,)))

    def handed(self, leaves: Iterable[int]) -> None:
        """The recorder has taken these receipts."""
        self._change("update item set handed = 1 where leaf = ?", [(leaf,) for leaf in leaves])

    def counts(self) -> Counts:
        """How many bodies stand where."""
        with faults(NAME):
            states = dict(self._database.execute("select state, count(*) from item group by state").fetchall())
        return Counts(
            waiting=states.get("queued", 0) + states.get("sending", 0),
            acknowledged=states.get("acknowledged", 0),
            parked=states.get("parked", 0),
        )

    def _scalar(self, query: str) -> int:
        with faults(NAME):
            return int(self._database.execute(query).fetchone()[0])

    def _change(self, statement: str, rows: Sequence[tuple[object, ...]]) -> None:
        with faults(NAME), self._database.atomic():
            for row in rows:
                self._database.execute(statement, row)


def _open(path: Path, origin: Origin) -> Database:
    if path.exists():
        database = _sound(path)
        if database is not None:
            if database.execute("select origin from about").fetchone()[0] == origin:
                return database
            database.close()
        _set_aside(path)
    database = Database(connect_alone(path), execute_plugins=False)
    with database.atomic():
        for statement in SCHEMA.split(";"):
            database.execute(statement)
        database.execute("insert into about values (?, 1)", (origin,))
        database.execute(f"pragma user_version = {SCHEMA_VERSION}")
    return database


def _sound(path: Path) -> Database | None:
    """The database at `path` when SQLite finds it whole and the schema is ours; None when it is damaged."""
    try:
        database = Database(connect_alone(path), execute_plugins=False)
    except sqlite3.DatabaseError as error:
        if result_code(error) in DAMAGE:
            return None
        raise
    try:
        if _holds(database):
            return database
    except sqlite3.DatabaseError as error:
        if result_code(error) not in DAMAGE:
            raise
    database.close()
    return None


def _holds(database: Database) -> bool:
    """Whether SQLite finds the database sound and the schema is ours."""
    if database.execute("pragma quick_check(1)").fetchone()[0] != "ok":
        return False
    return bool(database.execute("pragma user_version").fetchone()[0] == SCHEMA_VERSION)


def _set_aside(path: Path) -> None:
    """Keep the last index that was given up, for whoever looks into it; one, so that they never fill the disk."""
    for suffix in ("", "-wal", "-shm"):
        part = path.with_name(path.name + suffix)
        if part.exists():
            part.replace(path.with_name(f"{path.name}{suffix}.aside"))
