"""What is imported, by source, in `hq/lists/staged.db`: the one place that keeps listed documents and persons in plain.

```
source(name, title, taken_in, left_out)    taken_in is the day of its last import, left_out what it did not take
person(source, entry, body)                body: JSON of ListedPerson
held(source, entry, kind, issuer, document_type, number)      documents of listed persons
document(kind, issuer, document_type, number, body)    listed documents and vehicles; body: JSON of ListedDocument
```
An import is one transaction: it holds as a whole or not at all, however long the file. Whom it has named is kept in a
temporary table beside it, so that a row that does not change is not written.

The database has a version (SQLite's `user_version`). An older one is brought up in one transaction when it is opened; a
newer one is refused, since this program would not know what it means.
"""

import contextlib
import enum
import os
import sqlite3
from collections.abc import Generator, Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Final, TypeVar

import msgspec

from appliance.database import faults, result_code
from appliance.errors import Refused, StorageFault
from appliance.files import storage
from appliance.formats.lists import DocumentKey, ListedDocument, ListedPerson, ListedSource

STEPS: Final = (
    """
create table if not exists source (
    name text primary key, title text not null, taken_in text not null) strict;
create table if not exists person (
    source text not null, entry text not null, body blob not null, primary key (source, entry)) strict, without rowid;
create table if not exists held (
    source text not null, entry text not null, kind text not null, issuer text not null, document_type text not null,
    number text not null, primary key (source, entry, kind, issuer, document_type, number)) strict, without rowid;
create table if not exists document (
    kind text not null, issuer text not null, document_type text not null, number text not null, body blob not null,
    primary key (kind, issuer, document_type, number)) strict, without rowid
""",
    """
drop table if exists setting;
alter table source add column left_out integer not null default 0
""",
)
"""What makes version n of n - 1, statements apart by `;`. The first is also how it was before it had a version."""
VERSION: Final = len(STEPS)
NAMED: Final = "create temp table named (entry text primary key) strict, without rowid"
DOCUMENTS: Final = "documents"
"""Name of the source of listed documents."""
T = TypeVar("T", ListedPerson, ListedDocument)

_PERSONS: Final = msgspec.json.Decoder(ListedPerson)
_DOCUMENTS: Final = msgspec.json.Decoder(ListedDocument)


class Change(enum.Enum):
    """What putting a person did to the list."""

    NEW = 1
    CHANGED = 2
    NONE = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class StagedSource:
    """One source that was imported.

    Attributes:
        title: As officers read it.
        taken_in: Day of its last import.
        entries: How many of it are listed now: persons, or documents and vehicles.
        left_out: How many its last import did not take.
    """

    name: str
    title: str
    taken_in: date
    entries: int
    left_out: int

    def stated(self) -> ListedSource:
        """As a release states it."""
        return ListedSource(title=self.title, taken_in=self.taken_in, entries=self.entries, left_out=self.left_out)


class StagedStore:
    """An open database; made when it is not there.

    Raises (every method):
        StorageFault, StorageFull: The disk does not do its part; nothing was changed.
        Refused: Another import is running; likewise.
    """

    def __init__(self, path: Path) -> None:
        with storage("making hq/lists"):
            path.parent.mkdir(parents=True, exist_ok=True)
            os.close(os.open(path, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600))
        with _faults():
            self._connection = sqlite3.connect(path, isolation_level=None, timeout=1.0)
            for pragma in ("journal_mode = wal", "synchronous = full"):  # who publishes reads while somebody imports
                self._connection.execute(f"pragma {pragma}").fetchall()
            self._connection.execute(NAMED)
        try:
            self._bring_up()
        except BaseException:
            self.close()
            raise

    def _bring_up(self) -> None:
        """Make it of this program's version. Raises Refused when it is of a newer one."""
        if self._version() == VERSION:
            return
        with self._changing():
            found = self._version()
            if found > VERSION:
                raise Refused(
                    f"staged.db is of version {found}, this landlink-hq knows {VERSION} at most: "
                    "use the newer one, or import the sources anew into another folder"
                )
            for statement in (line for step in STEPS[found:] for line in step.split(";")):
                self._connection.execute(statement)
            self._connection.execute(f"pragma user_version = {VERSION}")

    def _version(self) -> int:
        row = self._one("pragma user_version", ())
        assert row is not None
        return int(str(row[0]))

    def close(self) -> None:
        """Let go."""
        with _faults():
            self._connection.close()

    @contextlib.contextmanager
    def importing(self) -> Generator[None]:
        """All changes within hold together; an exception undoes them."""
        with self._changing():
            with _faults():
                self._connection.execute("delete from named")
            yield

    @contextlib.contextmanager
    def _changing(self) -> Generator[None]:
        with _faults():
            self._connection.execute("begin immediate")
        try:
            with _faults():
                yield
        except BaseException:
            with _faults():
                self._connection.execute("rollback")
            raise
        with _faults():
            self._connection.execute("commit")

    # --- sources ------------------------------------------------------------------------------------------------------

    def note(self, name: str, title: str, today: date, *, left_out: int = 0) -> None:
        """Note an import of this source."""
        row = (name, title, today.isoformat(), left_out)
        with _faults():
            self._connection.execute("insert or replace into source values (?, ?, ?, ?)", row)

    def sources(self) -> tuple[StagedSource, ...]:
        """All sources that were ever imported, by name."""
        query = (
            "select name, title, taken_in, left_out, iif(name = ?, (select count(*) from document),"
            " (select count(*) from person where source = name)) from source order by name"
        )
        with _faults():
            rows = self._connection.execute(query, (DOCUMENTS,)).fetchall()
        return tuple(
            StagedSource(name=name, title=title, taken_in=date.fromisoformat(day), left_out=left_out, entries=count)
            for name, title, day, left_out, count in rows
        )

    # --- persons ------------------------------------------------------------------------------------------------------

    def count(self, source: str) -> int:
        """Persons of this source."""
        row = self._one("select count(*) from person where source = ?", (source,))
        assert row is not None
        return int(str(row[0]))

    def name(self, entry: str) -> bool:
        """Note that this import has this entry; whether it comes for the first time."""
        with _faults():
            return self._connection.execute("insert or ignore into named values (?)", (entry,)).rowcount > 0

    def person(self, source: str, entry: str) -> ListedPerson | None:
        """As staged."""
        row = self._one("select body from person where source = ? and entry = ?", (source, entry))
        return None if row is None else _decode(_PERSONS, row[0])

    def put(self, source: str, person: ListedPerson) -> Change:
        """List this person, or what is known of it now."""
        body = msgspec.json.encode(person)
        with _faults():
            execute = self._connection.execute
            if execute("insert or ignore into person values (?, ?, ?)", (source, person.entry, body)).rowcount:
                return Change.NEW
            change = "update person set body = ?3 where source = ?1 and entry = ?2 and body <> ?3"
            changed = execute(change, (source, person.entry, body)).rowcount
        return Change.CHANGED if changed else Change.NONE

    def hold(self, source: str, entry: str, keys: Iterable[DocumentKey]) -> None:
        """These documents are of this person, who may be listed later in the same import."""
        with _faults():
            for key in keys:
                row = (source, entry, *_row(key))
                self._connection.execute("insert or ignore into held values (?, ?, ?, ?, ?, ?)", row)

    def let_go(self, source: str, entry: str | None = None) -> None:
        """Forget the documents of this person, or of the whole source."""
        with _faults():
            if entry is None:
                self._connection.execute("delete from held where source = ?", (source,))
            else:
                self._connection.execute("delete from held where source = ? and entry = ?", (source, entry))

    def withdraw(self, source: str) -> int:
        """Remove persons whom this import has not named; returns how many."""
        query = "delete from person where source = ? and entry not in (select entry from named)"
        with _faults():
            return self._connection.execute(query, (source,)).rowcount

    def drop_strays(self, source: str) -> int:
        """Remove documents whose holder is not listed; returns how many."""
        with _faults():
            return self._connection.execute(
                "delete from held where source = ?1 and entry not in (select entry from person where source = ?1)",
                (source,),
            ).rowcount

    def people(self) -> Iterator[ListedPerson]:
        """Everybody, by source and entry."""
        for (body,) in self._rows("select body from person order by source, entry"):
            yield _decode(_PERSONS, body)

    # --- documents ----------------------------------------------------------------------------------------------------

    def enter(self, key: DocumentKey, listed: ListedDocument) -> bool:
        """List this document; whether it was not listed before."""
        row = (*_row(key), msgspec.json.encode(listed))
        with _faults():
            if self._connection.execute("insert or ignore into document values (?, ?, ?, ?, ?)", row).rowcount:
                return True
            self._connection.execute("replace into document values (?, ?, ?, ?, ?)", row)
        return False

    def strike_all(self) -> int:
        """Remove every document that was not named by a listed person; returns how many."""
        with _faults():
            return self._connection.execute("delete from document").rowcount

    def strike(self, key: DocumentKey) -> bool:
        """Remove this document; whether it was listed."""
        with _faults():
            query = "delete from document where kind = ? and issuer = ? and document_type = ? and number = ?"
            return self._connection.execute(query, _row(key)).rowcount > 0

    def documents(self) -> Iterator[tuple[DocumentKey, ListedDocument]]:
        """Listed documents and those of listed persons, in no order; a document may come twice, its own entry first."""
        for *key, body in self._rows("select * from document"):
            yield _key(key), _decode(_DOCUMENTS, body)
        query = "select kind, issuer, document_type, number, entry, source.title from held join source on name = source"
        for *key, entry, title in self._rows(query):
            yield _key(key), ListedDocument(entry=str(entry), source=str(title), fraud="listed person")

    def count_documents(self) -> int:
        """How many `documents` gives."""
        row = self._one("select (select count(*) from document) + (select count(*) from held)", ())
        assert row is not None
        return int(str(row[0]))

    # --- rows ---------------------------------------------------------------------------------------------------------

    def _one(self, query: str, values: tuple[object, ...]) -> tuple[object, ...] | None:
        with _faults():
            row: tuple[object, ...] | None = self._connection.execute(query, values).fetchone()
        return row

    def _rows(self, query: str) -> Iterator[tuple[object, ...]]:
        with _faults():
            yield from self._connection.execute(query)


def _row(key: DocumentKey) -> tuple[str, str, str, str]:
    return key.kind, key.issuer, key.document_type, key.number


def _key(row: list[object]) -> DocumentKey:
    kind, issuer, document_type, number = map(str, row)
    return DocumentKey(kind=kind, issuer=issuer, document_type=document_type, number=number)


def _decode(decoder: msgspec.json.Decoder[T], body: object) -> T:
    assert isinstance(body, bytes)
    try:
        return decoder.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise StorageFault("staged.db: an entry is damaged; import the sources again") from error


@contextlib.contextmanager
def _faults() -> Generator[None]:
    with faults("staged.db"):
        try:
            yield
        except sqlite3.OperationalError as error:
            if result_code(error) == sqlite3.SQLITE_BUSY:
                raise Refused("another import is running; try again when it has ended") from error
            raise
