"""SQLite's word on the disk, by whose fault it is."""

from contextlib import closing
from pathlib import Path

import pytest

from appliance.database import connect_alone, faults
from appliance.errors import StorageFault, StorageFull


def test_a_database_that_may_not_grow_is_full(tmp_path: Path) -> None:
    with closing(connect_alone(tmp_path / "it.db")) as connection:
        connection.execute("create table thing (content blob)")
        connection.execute("pragma max_page_count = 4")
        with pytest.raises(StorageFull, match=r"\Ait: no room\Z"), faults("it"):
            connection.execute("insert into thing values (zeroblob(100000))")


def test_what_is_no_database_is_a_fault_that_is_named(tmp_path: Path) -> None:
    path = tmp_path / "it.db"
    path.write_bytes(b"no database at all" * 100)
    with pytest.raises(StorageFault, match="it: file is not a database"), faults("it"):
        connect_alone(path)


def test_a_second_connection_is_refused_while_the_first_lives(tmp_path: Path) -> None:
    path = tmp_path / "it.db"
    with closing(connect_alone(path)) as first:
        first.execute("create table thing (content blob)")
        with pytest.raises(StorageFault, match="locked"), faults("it"):
            connect_alone(path)


def test_an_error_of_pythons_own_module_has_no_code_and_is_a_fault(tmp_path: Path) -> None:
    connection = connect_alone(tmp_path / "it.db")
    connection.close()
    with pytest.raises(StorageFault, match="closed database"), faults("it"):
        connection.execute("select 1")


def test_a_database_is_durable_with_each_transaction(tmp_path: Path) -> None:
    with closing(connect_alone(tmp_path / "it.db")) as connection:
        (journal,) = connection.execute("pragma journal_mode").fetchone()
        (synchronous,) = connection.execute("pragma synchronous").fetchone()
    assert (journal, synchronous) == ("wal", 2)  # 2 is FULL: https://sqlite.org/pragma.html#pragma_synchronous
