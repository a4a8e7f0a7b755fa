"""Headquarters' keys for receipts: the newest signs, every one that the roster has had still proves what it signed."""

from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from appliance.errors import Malformed, Untrusted
from appliance.formats.receipt import DeliveryReceipt, sign_receipt
from appliance.formats.release import COSIGN_ED25519, RECEIPTS, Roster, RosterKey
from appliance.model import Sha256
from appliance.record.headquarters import Headquarters, ProvenTime
from appliance.shelf import Shelf

FORMER, NEWEST, COSIGNER, STRANGER = (Ed25519PrivateKey.from_private_bytes(bytes([n]) * 32) for n in range(4))
SAID = DeliveryReceipt(
    origin="landlink.example/la-0001.1",
    index=7,
    sha256=Sha256(bytes(32)),
    size=4_096,
    received_ms=1_800_000_000_000,
    ledger_position=1,
    previous=None,
    opened_through=-1,
)


def public(key: Ed25519PrivateKey) -> bytes:
    return key.public_key().public_bytes_raw()


def signed(key: Ed25519PrivateKey) -> bytes:
    return sign_receipt(SAID, public=public(key), sign=key.sign)


@pytest.fixture
def headquarters(tmp_path: Path) -> Headquarters:
    keys = (
        RosterKey(role=RECEIPTS, public=public(FORMER)),
        RosterKey(role=RECEIPTS, public=public(NEWEST)),
        RosterKey(role=COSIGN_ED25519, public=public(COSIGNER)),
    )
    return Headquarters(Shelf(tmp_path), ProvenTime(), _roster=Roster(version=1, keys=keys, boxes=()))


@pytest.mark.parametrize("key", [FORMER, NEWEST], ids=["former", "newest"])
def test_a_kept_receipt_holds_under_every_key_that_signed_receipts_and_proves_its_time(
    headquarters: Headquarters, key: Ed25519PrivateKey
) -> None:
    assert headquarters.verify_kept_receipt(signed(key)) == SAID
    assert headquarters.proven.at_ms == SAID.received_ms


@pytest.mark.parametrize("key", [COSIGNER, STRANGER], ids=["another role", "stranger"])
def test_a_kept_receipt_by_any_other_key_proves_nothing(headquarters: Headquarters, key: Ed25519PrivateKey) -> None:
    with pytest.raises(Untrusted):
        headquarters.verify_kept_receipt(signed(key))
    assert headquarters.proven.at_ms == 0


def test_a_receipt_that_comes_now_must_be_by_the_newest_key(headquarters: Headquarters) -> None:
    assert headquarters.verify_receipt(signed(NEWEST)) == SAID
    with pytest.raises(Untrusted):
        headquarters.verify_receipt(signed(FORMER))


@pytest.mark.parametrize("torn", [b"", b"\x00", signed(NEWEST)[:40]], ids=["nothing", "zero", "half"])
def test_a_torn_receipt_is_malformed(headquarters: Headquarters, torn: bytes) -> None:
    with pytest.raises(Malformed):
        headquarters.verify_kept_receipt(torn)


def test_without_a_release_nothing_can_be_verified(tmp_path: Path) -> None:
    with pytest.raises(Untrusted):
        Headquarters(Shelf(tmp_path), ProvenTime()).verify_kept_receipt(signed(NEWEST))
