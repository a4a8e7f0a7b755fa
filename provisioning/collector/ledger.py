"""The ledger: what headquarters received, in order, never changed (embedded, on SQLite).

```
entry(position, origin, leaf, prio, size, sha256, body_ref, via, received_ms)   position counts over all boxes, from 1
receipt(position, receipt)          signed after the entry was committed; each names the one before it
head(origin, size, root, note, at_ms)   how far a log's copy reaches; note: the cosigned checkpoint, null for a part
conflict(origin, leaf, sha256, seen_ms)      a body was offered under another hash than the log's: an alarm
alarm(origin, kind, evidence, words, seen_ms)   a log that was refused; evidence is what the box signed
```
Triggers refuse every update and delete. No key reaches across origins, so that a country can split the table by box.
"""

import contextlib
import threading
from collections.abc import Callable, Generator, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from sqlite_utils import Database

from appliance.database import connect_alone, faults
from appliance.formats.merkle import EMPTY_ROOT

ALARMS_MAX: Final = 1_000
"""Of one kind and origin: a hostile box cannot fill the disk with them."""
TABLES: Final = ("entry", "receipt", "head", "conflict", "alarm")
SCHEMA: Final = (
    """create table if not exists entry (
        position integer primary key autoincrement, origin text not null, leaf integer not null check (leaf >= 0),
        prio integer not null, size integer not null check (size > 0), sha256 blob not null check (length(sha256) = 32),
        body_ref text not null, via text not null, received_ms integer not null, unique (origin, leaf)) strict""",
    "create index if not exists entry_of on entry (origin)",  # each row of it holds the position too
    """create table if not exists receipt (
        position integer primary key references entry (position), receipt blob not null) strict""",
    """create table if not exists head (
        id integer primary key autoincrement, origin text not null, size integer not null check (size >= 0),
        root blob not null, note blob, at_ms integer not null) strict""",
    "create index if not exists head_of on head (origin, id)",
    """create table if not exists conflict (
        origin text not null, leaf integer not null, sha256 blob not null, seen_ms integer not null,
        primary key (origin, leaf, sha256)) strict""",
    """create table if not exists alarm (
        origin text not null, kind text not null, evidence blob not null, words text not null, seen_ms integer not null,
        primary key (origin, kind, evidence)) strict""",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One received body.

    Attributes:
        leaf: Index of its statement in the log.
        body_ref: Path of the body in the object store.
        via: How it came: "batch", "upload".
        received_ms: Headquarters' time, milliseconds since 1970.
    """

    origin: str
    leaf: int
    prio: int
    size: int
    sha256: bytes
    body_ref: str
    via: str
    received_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """How far the copy of a log reaches.

    Attributes:
        root: Root hash over `size` leaves.
        note: The last checkpoint with headquarters' cosignatures; b"" before the first.
    """

    size: int
    root: bytes
    note: bytes


NO_HEAD: Final = Head(size=0, root=EMPTY_ROOT, note=b"")


class Ledger:
    """One connection, one thread at a time.

    Raises (every method):
        StorageFault, StorageFull: The disk does not do its part; nothing was changed.
    """

    def __init__(self, path: Path) -> None:
        self._lock = threading.Lock()
        with faults("ledger"):
            connection = connect_alone(path, one_thread=False)
            connection.execute("pragma foreign_keys = on")
            self._database = Database(connection, execute_plugins=False)
            with self._database.atomic():
                for statement in SCHEMA:
                    self._database.execute(statement)
                for table in TABLES:
                    for change in ("update", "delete"):
                        self._database.execute(
                            f"create trigger if not exists {table}_no_{change} before {change} on {table} "
                            "begin select raise(abort, 'the ledger is append-only'); end"
                        )

    def close(self) -> None:
        """Fold the write-ahead log in and let go."""
        with self._lock:
            self._database.close()

    def receipt(self, origin: str, leaf: int) -> bytes | None:
        """The stored receipt; None when the body has not been received, or has not been receipted yet."""
        query = "select receipt from entry join receipt using (position) where origin = ? and leaf = ?"
        with self._held():
            row = self._database.execute(query, (origin, leaf)).fetchone()
        return None if row is None else bytes(row[0])

    def enter(self, entries: Sequence[Entry]) -> None:
        """Commit entries whose bodies are durable; one that is there already stays as it is."""
        insert = (
            "insert into entry (origin, leaf, prio, size, sha256, body_ref, via, received_ms) values (?,?,?,?,?,?,?,?) "
            "on conflict (origin, leaf) do nothing"
        )
        with self._held(), self._database.atomic():
            for entry in entries:
                self._database.execute(
                    insert,
                    (
                        entry.origin,
                        entry.leaf,
                        entry.prio,
                        entry.size,
                        entry.sha256,
                        entry.body_ref,
                        entry.via,
                        entry.received_ms,
                    ),
                )

    def sign_pending(self, sign: Callable[[int, Entry, bytes | None], bytes]) -> None:
        """Sign and commit a receipt for each entry that has none, in the order of the ledger.

        Args:
            sign: Makes the receipt from position, entry and the receipt before it (None for the first).
        """
        query = (
            "select position, origin, leaf, prio, size, sha256, body_ref, via, received_ms from entry "
            "where position > (select coalesce(max(position), 0) from receipt) order by position"
        )
        with self._held(), self._database.atomic():
            last = self._database.execute("select receipt from receipt order by position desc limit 1").fetchone()
            previous = None if last is None else bytes(last[0])
            for position, origin, leaf, prio, size, sha256, body_ref, via, received_ms in self._database.execute(
                query
            ).fetchall():
                entry = Entry(
                    origin=origin,
                    leaf=leaf,
                    prio=prio,
                    size=size,
                    sha256=sha256,
                    body_ref=body_ref,
                    via=via,
                    received_ms=received_ms,
                )
                previous = sign(position, entry, previous)
                self._database.execute("insert into receipt values (?, ?)", (position, previous))

    def received(self, origin: str) -> Iterable[int]:
        """Leaves of this origin whose bodies are here, ascending."""
        with self._held():
            rows = self._database.execute("select leaf from entry where origin = ? order by leaf", (origin,)).fetchall()
        return (int(row[0]) for row in rows)

    def head(self, origin: str) -> Head:
        """How far the copy of this log reaches."""
        with self._held():
            row = self._database.execute(
                "select size, root from head where origin = ? order by id desc limit 1", (origin,)
            ).fetchone()
            note = self._database.execute(
                "select note from head where origin = ? and note is not null order by id desc limit 1", (origin,)
            ).fetchone()
        if row is None:
            return NO_HEAD
        return Head(size=row[0], root=bytes(row[1]), note=b"" if note is None else bytes(note[0]))

    def cosigned(self, origin: str, *, first: int, count: int) -> tuple[bytes, ...]:
        """Checkpoints of this log that headquarters cosigned, oldest first, from the `first` one on."""
        return self._signed(
            "select note from head where origin = ? and note is not null order by id", origin, first, count
        )

    def receipts(self, origin: str, *, first: int, count: int) -> tuple[bytes, ...]:
        """Receipts for bodies of this log in the order of the ledger, from the `first` one on."""
        query = "select receipt from entry join receipt using (position) where origin = ? order by position"
        return self._signed(query, origin, first, count)

    def _signed(self, query: str, origin: str, first: int, count: int) -> tuple[bytes, ...]:
        with self._held():
            rows = self._database.execute(f"{query} limit ? offset ?", (origin, count, first)).fetchall()
        return tuple(bytes(row[0]) for row in rows)

    def origins(self) -> tuple[str, ...]:
        """Logs of which there is a copy."""
        with self._held():
            return tuple(row[0] for row in self._database.execute("select distinct origin from head").fetchall())

    def reach(self, origin: str, head: Head, *, at_ms: int) -> None:
        """Commit that the copy of this log now reaches so far; its tiles are durable."""
        with self._held(), self._database.atomic():
            self._database.execute(
                "insert into head (origin, size, root, note, at_ms) values (?, ?, ?, ?, ?)",
                (origin, head.size, head.root, head.note or None, at_ms),
            )

    def conflict(self, origin: str, leaf: int, sha256: bytes, *, seen_ms: int) -> None:
        """Keep that a body was offered under another hash than the log's."""
        self._keep("conflict", origin, (origin, leaf, sha256, seen_ms))

    def alarm(self, origin: str, kind: str, evidence: bytes, words: str, *, seen_ms: int) -> None:
        """Keep that a log was refused, with what the box signed."""
        self._keep("alarm", origin, (origin, kind, evidence, words, seen_ms))

    def count(self, table: str, origin: str) -> int:
        """Rows of this origin in `conflict` or `alarm`."""
        with self._held():
            return self._count(table, origin)

    def _keep(self, table: str, origin: str, row: tuple[object, ...]) -> None:
        with self._held(), self._database.atomic():
            if self._count(table, origin) < ALARMS_MAX:
                marks = ",".join("?" * len(row))
                self._database.execute(f"insert or ignore into {table} values ({marks})", row)  # noqa: S608 - our own names

    def _count(self, table: str, origin: str) -> int:
        assert table in ("conflict", "alarm"), "a table of alarms"
        query = f"select count(*) from {table} where origin = ?"  # noqa: S608 - one of two names
        return int(self._database.execute(query, (origin,)).fetchone()[0])

    @contextlib.contextmanager
    def _held(self) -> Generator[None]:
        with self._lock, faults("ledger"):
            yield
