"""SQLite, alone and durable: how a connection is opened, and what SQLite says of the disk, in the project's words."""

import contextlib
import sqlite3
from collections.abc import Generator
from pathlib import Path
from typing import Final

from appliance.errors import StorageFault, StorageFull

PRIMARY: Final = 0xFF
"""Of an extended result code, the bits that say what happened (SQLite, "Result and Error Codes")."""


@contextlib.contextmanager
def faults(what: str) -> Generator[None]:
    """Turn an error of the enclosed work into StorageFull (no room) or StorageFault; `what` names the database."""
    try:
        yield
    except sqlite3.Error as error:
        if result_code(error) == sqlite3.SQLITE_FULL:
            raise StorageFull(f"{what}: no room") from error
        raise StorageFault(f"{what}: {error}") from error


def result_code(error: sqlite3.Error) -> int:
    """SQLite's primary result code; 0 for an error of Python's own module, which has none."""
    return int(getattr(error, "sqlite_errorcode", 0)) & PRIMARY


def connect_alone(path: Path, *, one_thread: bool = True) -> sqlite3.Connection:
    """Open or make a database for this process alone: stock SQLite up to 3.51.2 can corrupt a WAL that two write.

    What a transaction changed outlives a power cut (WAL, synchronous FULL).

    Args:
        path: Its file.
        one_thread: Refuse every other thread; otherwise the caller lets one in at a time.

    Raises:
        sqlite3.Error: It is no database, damaged, held by another process, or the disk fails; `faults` names it.
    """
    connection = sqlite3.connect(path, timeout=0.0, check_same_thread=one_thread)
    try:
        for pragma in ("locking_mode = exclusive", "journal_mode = wal", "synchronous = full"):
            connection.execute(f"pragma {pragma}").fetchall()
    except sqlite3.Error:
        connection.close()
        raise
    return connection
