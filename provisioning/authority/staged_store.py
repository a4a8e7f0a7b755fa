"""What is imported, by source, in `hq/lists/staged.db`: the one place that keeps listed documents and persons in plain.

```
source(name, title, taken_in)              taken_in is the day of its last import
person(source, entry, body)                body: JSON of ListedPerson
held(source, entry, kind, issuer, document_type, number)      documents of listed persons
document(kind, issuer, document_type, number, body)    listed documents and vehicles; body: JSON of ListedDocument
```
An import is one transaction: it holds as a whole or not at all, however long the file. Whom it has named is kept in a
temporary table beside it, so that a row that does not change is not written.
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

from appliance.errors import Refused, StorageFault, StorageFull
from appliance.files import storage
from appliance.formats.lists import DocumentKey, ListedDocument, ListedPerson

SCHEMA: Final = """
create table if not exists setting (name text primary key, value blob not null) strict;
create table if not exists source (
    name text primary key, title text not null, taken_in text not null) strict;
create table if not exists person (
    source text not null, entry text not null, body blob not null, primary key (source, entry)) strict, without rowid;
create table if not exists held (
    source text not null, entry text not null, kind text not null, issuer text not null, document_type text not null,
    number text not null, primary key (source, entry, kind, issuer, document_type, number)) strict, without rowid;
create table if not exists document (
    kind text not null, issuer text not null, document_type text not null, number text not null, body blob not null,
    primary key (kind, issuer, document_type, number)) strict, without rowid;
create temp table named (entry text primary key) strict, without rowid;
"""
T = TypeVar("T", ListedPerson, ListedDocument)

_KEY: Final = "kind = ? and issuer = ? and document_type = ? and number = ?"
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
        persons: How many of it are listed now.
    """

    name: str
    title: str
    taken_in: date
    persons: int


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
            self._connection.executescript(SCHEMA)

    def close(self) -> None:
        """Let go."""
        with _faults():
            self._connection.close()

    @contextlib.contextmanager
    def importing(self) -> Generator[None]:
        """All changes within hold together; an exception undoes them."""
        with _faults():
            self._connection.execute("begin immediate")
            self._connection.execute("delete from named")
        try:
            yield
        except BaseException:
            with _faults():
                self._connection.execute("rollback")
            raise
        with _faults():
            self._connection.execute("commit")

    # --- sources ------------------------------------------------------------------------------------------------------

    def begin(self, name: str, title: str, today: date) -> None:
        """Note an import of this source."""
        with _faults():
            self._connection.execute("insert or replace into source values (?, ?, ?)", (name, title, today.isoformat()))

    def sources(self) -> tuple[StagedSource, ...]:
        """All sources that were ever imported, by name."""
        query = (
            "select name, title, taken_in, (select count(*) from person where source = name) from source order by name"
        )
        with _faults():
            rows = self._connection.execute(query).fetchall()
        return tuple(
            StagedSource(name=name, title=title, taken_in=date.fromisoformat(day), persons=count)
            for name, title, day, count in rows
        )

    def setting(self, name: str, default: bytes) -> bytes:
        """A value that stays once it was set."""
        with _faults():
            self._connection.execute("insert into setting values (?, ?) on conflict do nothing", (name, default))
        row = self._one("select value from setting where name = ?", (name,))
        assert row is not None
        assert isinstance(row[0], bytes)
        return row[0]

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
        one = () if entry is None else (entry,)
        with _faults():
            self._connection.execute(f"delete from held where source = ?{' and entry = ?' * len(one)}", (source, *one))  # noqa: S608

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
            return self._connection.execute(f"delete from document where {_KEY}", _row(key)).rowcount > 0  # noqa: S608

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
    try:
        yield
    except sqlite3.Error as error:
        code = getattr(error, "sqlite_errorcode", 0)  # the module's own errors have none
        if code == sqlite3.SQLITE_FULL:
            raise StorageFull("staged.db: no room") from error
        if code == sqlite3.SQLITE_BUSY:
            raise Refused("another import is running; try again when it has ended") from error
        raise StorageFault(f"staged.db: {error}") from error
