"""Headquarters' receipts are one chain over all logs: what was written again contradicts itself, gaps say nothing."""

import hashlib
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from appliance.formats.receipt import DeliveryReceipt, sign_receipt
from appliance.formats.release import RosterBox
from appliance.model import Mode
from provisioning.audit.ledger_chain import broken_links
from provisioning.audit.log import Log
from provisioning.audit.store import PulledLog
from provisioning.audit.testimony_pages import ITEMS_A_PAGE, RECEIPTS, encode_page
from tests.formats_samples import IDENTITY_DER, LOG_SIGNER

KEY = Ed25519PrivateKey.from_private_bytes(b"\x31" * 32)
ONE, TWO = "landlink.example/la-0001.1", "landlink.example/la-0002.1"


class Ledger:
    """A collector's receipts, for two boxes in turns."""

    def __init__(self) -> None:
        self.signed: list[tuple[str, bytes]] = []

    def sign(self, count: int, *, size: int = 100) -> None:
        for _ in range(count):
            position = len(self.signed) + 1
            previous = hashlib.sha256(self.signed[-1][1]).digest() if self.signed else None
            self.put(position, previous, size=size)

    def put(self, position: int, previous: bytes | None, *, size: int = 100) -> None:
        origin = ONE if position % 3 else TWO
        receipt = DeliveryReceipt(
            origin=origin,
            index=position,
            sha256=bytes(32),
            size=size,
            received_ms=position,
            ledger_position=position,
            previous=previous,
            opened_through=-1,
        )
        public = KEY.public_key().public_bytes_raw()
        self.signed.append((origin, sign_receipt(receipt, public=public, sign=KEY.sign)))


def pulled(folder: Path, ledger: Ledger, *, without: str = "") -> list[PulledLog]:
    """What the auditor has of it, log by log."""
    logs: list[PulledLog] = []
    for origin in (ONE, TWO):
        serial = origin.partition("/")[2].partition(".")[0].upper()
        box = RosterBox(
            serial=serial,
            identity_der=IDENTITY_DER,
            log_vkey=LOG_SIGNER.verifier.vkey(),
            origins=(origin,),
            age_recipient="",
            tls_sha256=bytes(32),
        )
        kept = PulledLog(Log(box=box, origin=origin, mode=Mode.LIVE), folder / serial)
        items = [signed for to, signed in ledger.signed if to == origin]
        for n in range(0, len(items), ITEMS_A_PAGE[RECEIPTS]):
            kept.keep_page(RECEIPTS, n // ITEMS_A_PAGE[RECEIPTS], encode_page(items[n : n + ITEMS_A_PAGE[RECEIPTS]]))
        if origin != without:
            logs.append(kept)
    return logs


@pytest.fixture
def ledger() -> Ledger:
    made = Ledger()
    made.sign(12)
    return made


def test_one_chain_over_two_boxes_has_no_break(ledger: Ledger, tmp_path: Path) -> None:
    assert broken_links(pulled(tmp_path, ledger)) == []


def test_it_goes_on_from_page_to_page(tmp_path: Path) -> None:
    ledger = Ledger()
    ledger.sign(500)
    assert broken_links(pulled(tmp_path, ledger)) == []


def test_receipts_of_a_log_that_is_not_here_leave_gaps_that_say_nothing(ledger: Ledger, tmp_path: Path) -> None:
    for origin in (ONE, TWO):
        assert broken_links(pulled(tmp_path / origin.rpartition("/")[2], ledger, without=origin)) == []


def test_a_ledger_written_again_from_somewhere_is_named_where_it_no_longer_follows(
    ledger: Ledger, tmp_path: Path
) -> None:
    again = Ledger()
    again.signed = ledger.signed[:6]
    again.sign(6, size=200)
    mixed = Ledger()
    mixed.signed = [*ledger.signed[:8], *again.signed[8:]]
    (found,) = broken_links(pulled(tmp_path, mixed))
    assert (found.origin, found.index) == (TWO, 9)
    assert "receipt 9 of headquarters' ledger does not follow the one before it" in found.words


def test_one_number_signed_twice_is_named(ledger: Ledger, tmp_path: Path) -> None:
    ledger.put(7, hashlib.sha256(ledger.signed[5][1]).digest(), size=200)
    found = broken_links(pulled(tmp_path, ledger))
    assert [(each.index, each.words.partition(" of ")[0]) for each in found] == [(7, "receipt 7")]
    assert "signed twice, differently" in found[0].words


def test_a_ledger_that_began_again_is_named(ledger: Ledger, tmp_path: Path) -> None:
    ledger.put(13, None)
    (found,) = broken_links(pulled(tmp_path, ledger))
    assert found.index == 13


def test_a_first_receipt_that_names_one_before_it_is_named(tmp_path: Path) -> None:
    ledger = Ledger()
    ledger.put(1, bytes(32))
    (found,) = broken_links(pulled(tmp_path, ledger))
    assert found.index == 1
