"""The collector's ledger and body store: append-only, in order, and never overwritten."""

import hashlib
import json
import sqlite3
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from appliance.errors import ConfigError
from appliance.formats.receipt import receipt_digest, verify_receipt
from appliance.model import Mode
from provisioning.authority.home import Home, Settings
from provisioning.collector.bodies import BodyStore
from provisioning.collector.ledger import ALARMS_MAX, Entry, Head, Ledger
from provisioning.collector.receipts import read_opened_through, signer

ORIGIN = "landlink.example/la-0001.1"
OTHER = "landlink.example/la-0002.1"


def entry(leaf: int, origin: str = ORIGIN, sha256: bytes = b"\x01" * 32) -> Entry:
    return Entry(
        origin=origin,
        leaf=leaf,
        prio=2,
        size=9_000,
        sha256=sha256,
        body_ref=f"bodies/{origin}/{leaf}.age",
        via="batch",
        received_ms=1_800_000_000_000 + leaf,
    )


def test_receipts_count_the_ledger_and_name_the_one_before(tmp_path: Path) -> None:
    key = Ed25519PrivateKey.from_private_bytes(bytes(32))
    sign = signer(key, {ORIGIN: 4, OTHER: -1}.__getitem__)
    ledger = Ledger(tmp_path / "ledger.db")
    ledger.enter([entry(5), entry(3, OTHER)])
    ledger.sign_pending(sign)
    ledger.enter([entry(9)])
    ledger.sign_pending(sign)
    signed = [ledger.receipt(ORIGIN, 5), ledger.receipt(OTHER, 3), ledger.receipt(ORIGIN, 9)]
    public = key.public_key().public_bytes_raw()
    receipts = [verify_receipt(data, public) for data in signed if data is not None]
    assert [receipt.ledger_position for receipt in receipts] == [1, 2, 3]
    assert [receipt.opened_through for receipt in receipts] == [4, -1, 4]
    assert signed[0] is not None
    assert signed[1] is not None
    assert [receipt.previous for receipt in receipts] == [None, receipt_digest(signed[0]), receipt_digest(signed[1])]
    ledger.close()


def test_an_entry_that_a_crash_left_without_its_receipt_gets_it_when_asked_again(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "ledger.db")
    ledger.enter([entry(5)])
    assert ledger.receipt(ORIGIN, 5) is None
    ledger.close()  # the process ended between row and receipt
    again = Ledger(tmp_path / "ledger.db")
    again.sign_pending(lambda position, row, previous: f"{position} {row.leaf} {previous}".encode())
    assert again.receipt(ORIGIN, 5) == b"1 5 None"
    again.close()


def test_the_same_body_twice_is_one_entry(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "ledger.db")
    ledger.enter([entry(5)])
    ledger.enter([entry(5), entry(6)])
    assert list(ledger.received(ORIGIN)) == [5, 6]
    ledger.close()


@pytest.mark.parametrize("table", ["entry", "receipt", "head", "conflict", "alarm"])
@pytest.mark.parametrize("change", ["delete from {}", "update {} set rowid = rowid"])
def test_the_database_itself_refuses_to_change_what_was_written(tmp_path: Path, table: str, change: str) -> None:
    ledger = Ledger(tmp_path / "ledger.db")
    ledger.enter([entry(5)])
    ledger.sign_pending(lambda *_: b"receipt")
    ledger.reach(ORIGIN, Head(size=6, root=bytes(32), note=b"note"), at_ms=1)
    ledger.conflict(ORIGIN, 5, b"\x02" * 32, seen_ms=1)
    ledger.alarm(ORIGIN, "fork", b"note", "words", seen_ms=1)
    ledger.close()
    outside = sqlite3.connect(tmp_path / "ledger.db")
    with pytest.raises(sqlite3.IntegrityError, match="append-only"):
        outside.execute(change.format(table))
    outside.close()


def test_the_last_cosigned_checkpoint_stays_known_while_parts_arrive(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "ledger.db")
    ledger.reach(ORIGIN, Head(size=6, root=b"\x06" * 32, note=b"cosigned"), at_ms=1)
    ledger.reach(ORIGIN, Head(size=9, root=b"\x09" * 32, note=b""), at_ms=2)
    assert ledger.head(ORIGIN) == Head(size=9, root=b"\x09" * 32, note=b"cosigned")
    assert ledger.head(OTHER) == Head(size=0, root=hashlib.sha256(b"").digest(), note=b"")
    ledger.close()


def test_a_hostile_box_cannot_fill_the_disk_with_alarms(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "ledger.db")
    for number in range(ALARMS_MAX + 5):
        ledger.conflict(ORIGIN, number, b"\x02" * 32, seen_ms=1)
    ledger.conflict(OTHER, 1, b"\x02" * 32, seen_ms=1)
    assert ledger.count("conflict", ORIGIN) == ALARMS_MAX
    assert ledger.count("conflict", OTHER) == 1
    ledger.close()


def test_a_body_lies_where_an_auditor_looks_for_it(tmp_path: Path) -> None:
    (reference,) = BodyStore(tmp_path).keep_all([(ORIGIN, 7, b"sealed")])
    assert reference == f"bodies/{ORIGIN}/7.age"
    assert (tmp_path / reference).read_bytes() == b"sealed"


def test_a_torn_body_that_nobody_was_told_of_is_replaced(tmp_path: Path) -> None:
    torn = tmp_path / "bodies" / ORIGIN / "7.age"
    torn.parent.mkdir(parents=True)
    torn.write_bytes(b"sea")
    BodyStore(tmp_path).keep_all([(ORIGIN, 7, b"sealed")])
    assert torn.read_bytes() == b"sealed"


@pytest.fixture
def home(tmp_path: Path) -> Home:
    (tmp_path / "opened").mkdir()
    return Home(
        tmp_path,
        Settings(domain="landlink.example", mode=Mode.LIVE, collector_host="localhost", collector_port=8443),
    )


def test_nothing_is_said_to_be_opened_before_headquarters_says_so(home: Home) -> None:
    assert read_opened_through(home, ORIGIN) == -1


def test_what_headquarters_opened_goes_into_receipts(home: Home) -> None:
    home.opened_file(ORIGIN).write_text(json.dumps({"origin": ORIGIN, "opened_through": 41, "at_ms": 1}))
    assert read_opened_through(home, ORIGIN) == 41


def test_what_was_opened_of_another_log_says_nothing_about_this_one(home: Home) -> None:
    home.opened_file(ORIGIN).write_text(json.dumps({"origin": OTHER, "opened_through": 41, "at_ms": 1}))
    assert read_opened_through(home, ORIGIN) == -1


def test_a_damaged_paper_of_what_was_opened_is_named(home: Home) -> None:
    home.opened_file(ORIGIN).write_text('{"origin": ')
    with pytest.raises(ConfigError, match="la-0001"):
        read_opened_through(home, ORIGIN)
