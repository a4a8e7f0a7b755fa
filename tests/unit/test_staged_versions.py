"""staged.db brings itself up from what earlier programs wrote, refuses what later ones wrote, counts its sources."""

import contextlib
import io
import sqlite3
from datetime import date
from pathlib import Path

import pytest

from appliance.errors import Refused
from appliance.formats.lists import ListedSource
from appliance.formats.release import POLICY_TARGET, parse_policy
from provisioning.authority.sources.document_csv import read_documents
from provisioning.authority.staged_store import VERSION, StagedSource
from provisioning.authority.staging import Staging
from tests.release_world import NOW_MS, make_world

TODAY = date(2026, 11, 3)
BEFORE_VERSIONS = """
create table setting (name text primary key, value blob not null) strict;
create table source (name text primary key, title text not null, taken_in text not null) strict;
create table person (
    source text not null, entry text not null, body blob not null, primary key (source, entry)) strict, without rowid;
create table held (
    source text not null, entry text not null, kind text not null, issuer text not null, document_type text not null,
    number text not null, primary key (source, entry, kind, issuer, document_type, number)) strict, without rowid;
create table document (
    kind text not null, issuer text not null, document_type text not null, number text not null, body blob not null,
    primary key (kind, issuer, document_type, number)) strict, without rowid;
insert into source values ('un', 'UN Security Council', '2026-10-12');
insert into person values ('un', '1', cast('{"entry":"1","source":"UN Security Council",
    "names":[{"text":"A B","quality":"primary"}]}' as blob));
insert into held values ('un', '1', 'document', 'LAO', 'P', 'A1');
"""
"""As the first program wrote it."""


def database(tmp_path: Path, script: str) -> Path:
    path = tmp_path / "lists" / "staged.db"
    path.parent.mkdir()
    with contextlib.closing(sqlite3.connect(path)) as connection:
        connection.executescript(script)
    return path


def version(path: Path) -> int:
    with contextlib.closing(sqlite3.connect(path)) as connection:
        return int(connection.execute("pragma user_version").fetchone()[0])


def documents(staging: Staging, text: bytes) -> None:
    staging.take_documents(read_documents(io.BytesIO(b"din,issuing_country,doc_type,op\n" + text)), today=TODAY)


def test_a_database_from_before_versions_keeps_what_it_has(tmp_path: Path) -> None:
    path = database(tmp_path, BEFORE_VERSIONS)
    staging = Staging(path.parent)
    assert [person.entry for person in staging.people()] == ["1"]
    assert [key.number for key, _ in staging.listed_documents()] == ["A1"]
    assert staging.sources() == (
        StagedSource(name="un", title="UN Security Council", taken_in=date(2026, 10, 12), entries=1, left_out=0),
    )
    assert version(path) == VERSION
    documents(staging, b"A2,LAO,P,A\n")
    assert staging.count_documents() == 2


def test_a_new_database_has_the_newest_version(tmp_path: Path) -> None:
    staging = Staging(tmp_path / "lists")
    documents(staging, b"A2,LAO,P,A\n")
    assert version(tmp_path / "lists" / "staged.db") == VERSION


def test_a_database_of_a_newer_program_is_refused_and_left_as_it_is(tmp_path: Path) -> None:
    path = database(tmp_path, f"{BEFORE_VERSIONS} pragma user_version = {VERSION + 1};")
    before = path.read_bytes()
    with pytest.raises(Refused, match=f"version {VERSION + 1}, this landlink-hq knows {VERSION}"):
        Staging(path.parent).sources()
    with pytest.raises(Refused, match="use the newer one"):
        documents(Staging(path.parent), b"A2,LAO,P,A\n")
    assert version(path) == VERSION + 1
    assert path.read_bytes()[100:] == before[100:]  # but for how it is written to (SQLite's header: WAL)


def test_a_step_up_that_fails_leaves_the_version_before(tmp_path: Path) -> None:
    """Here somebody has added the column by hand."""
    path = database(tmp_path, f"{BEFORE_VERSIONS} alter table source add column left_out integer;")
    with pytest.raises(Exception, match=r"staged\.db: duplicate column"):
        Staging(path.parent).sources()
    assert version(path) == 0
    with contextlib.closing(sqlite3.connect(path)) as connection:
        assert connection.execute("select count(*) from setting").fetchone() == (0,)


def test_a_release_states_what_it_has_of_each_source_and_what_was_left_out(tmp_path: Path) -> None:
    world = make_world(tmp_path)
    staging = Staging(tmp_path / "lists")
    documents(staging, b"A1,LAO,P,A\nA2,LAO,P,A\nA3,NOWHERE,P,A\nA9,LAO,P,D\n")
    sources = [source.stated() for source in staging.sources()]
    stated = (ListedSource(title="stolen and lost documents", taken_in=TODAY, entries=2, left_out=2),)
    assert world.repository.publish({}, at_ms=NOW_MS, sources=sources).sources == stated
    assert world.carry_and_take().policy.sources == stated
    world.repository.publish({}, at_ms=NOW_MS + 1)  # of something else than lists
    assert parse_policy(world.repository.target(POLICY_TARGET) or b"").sources == stated
