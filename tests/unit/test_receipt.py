"""Receipts: what the booth believes before a light, and what the recorder believes before a deletion."""

import hashlib

import msgspec
import pytest

from appliance.errors import Malformed, Untrusted
from appliance.formats.checkpoint import Checkpoint, sign_checkpoint
from appliance.formats.edge import Edge
from appliance.formats.merkle import leaf_hash
from appliance.formats.note import LogSigner
from appliance.formats.receipt import (
    DeliveryReceipt,
    LogReceipt,
    encode_log_receipt,
    parse_log_receipt,
    receipt_digest,
    sign_receipt,
    verify_log_receipt,
    verify_receipt,
)
from appliance.formats.statement import EventEntry, Sealed, sign_statement
from tests.formats_samples import (
    EPOCH_KEY,
    EPOCH_PUBLIC,
    EVENT,
    LOG_KEY,
    LOG_SIGNER,
    ORIGIN,
    RECEIPTS_KEY,
    RECEIPTS_PUBLIC,
    SEALED,
    a_statement,
)

OTHER_ORIGIN = "landlink.example/la-0002.1"
DELIVERY = DeliveryReceipt(
    origin=ORIGIN,
    index=12,
    sha256=b"\xb1" * 32,
    size=7_453,
    received_ms=1_793_100_500_000,
    ledger_position=1,
    previous=None,
    opened_through=-1,
)


def a_receipt(kind: Sealed | EventEntry = SEALED, origin: str = ORIGIN) -> LogReceipt:
    """For the 13th entry of a log."""
    edge = Edge()
    for number in range(12):
        edge.append(bytes([number]))
    statement = msgspec.structs.replace(a_statement(kind), origin=origin)
    leaf = sign_statement(statement, epoch_public=EPOCH_PUBLIC, sign=EPOCH_KEY.sign)
    proof = edge.append(leaf)
    checkpoint = Checkpoint(origin=ORIGIN, size=13, root=edge.root())
    note = sign_checkpoint(checkpoint, [LOG_SIGNER])
    return LogReceipt(index=12, leaf=leaf, inclusion_proof=proof, checkpoint=note)


def test_a_log_receipt_round_trips_and_holds() -> None:
    receipt = parse_log_receipt(encode_log_receipt(a_receipt()))
    assert receipt == a_receipt()
    assert receipt.leaf_hash == leaf_hash(receipt.leaf)
    assert verify_log_receipt(receipt, LOG_SIGNER.verifier, SEALED.commitment).size == 13


def test_a_receipt_for_another_record_is_refused() -> None:
    with pytest.raises(Untrusted, match="this record's commitment"):
        verify_log_receipt(a_receipt(), LOG_SIGNER.verifier, b"\xc1" * 32)


def test_a_receipt_for_an_event_is_refused() -> None:
    with pytest.raises(Untrusted, match="this record's commitment"):
        verify_log_receipt(a_receipt(EVENT), LOG_SIGNER.verifier, SEALED.commitment)


def test_a_receipt_of_another_log_is_refused() -> None:
    for verifier in (LogSigner(OTHER_ORIGIN, LOG_KEY).verifier, LogSigner(ORIGIN, EPOCH_KEY).verifier):
        with pytest.raises(Untrusted):
            verify_log_receipt(a_receipt(), verifier, SEALED.commitment)
    with pytest.raises(Untrusted, match="another origin"):
        verify_log_receipt(a_receipt(origin=OTHER_ORIGIN), LOG_SIGNER.verifier, SEALED.commitment)


@pytest.mark.parametrize("change", [{"index": 11}, {"inclusion_proof": ()}, {"inclusion_proof": (b"\x00" * 32,) * 3}])
def test_a_receipt_whose_leaf_is_not_in_the_tree_there_is_refused(change: dict[str, object]) -> None:
    with pytest.raises(Untrusted):
        verify_log_receipt(msgspec.structs.replace(a_receipt(), **change), LOG_SIGNER.verifier, SEALED.commitment)


def test_a_receipt_beyond_its_checkpoint_is_refused() -> None:
    with pytest.raises(Malformed, match="not in a tree of 13"):
        verify_log_receipt(msgspec.structs.replace(a_receipt(), index=13), LOG_SIGNER.verifier, SEALED.commitment)


def test_a_delivery_receipt_round_trips() -> None:
    later = msgspec.structs.replace(DELIVERY, ledger_position=2, previous=b"\x01" * 32, opened_through=11)
    for receipt in (DELIVERY, later):
        signed = sign_receipt(receipt, public=RECEIPTS_PUBLIC, sign=RECEIPTS_KEY.sign)
        assert verify_receipt(signed, RECEIPTS_PUBLIC) == receipt
        assert receipt_digest(signed) == hashlib.sha256(signed).digest()
        assert len(signed) < 400


def test_a_delivery_receipt_by_a_box_or_another_key_is_refused() -> None:
    signed = sign_receipt(DELIVERY, public=EPOCH_PUBLIC, sign=EPOCH_KEY.sign)
    with pytest.raises(Untrusted):
        verify_receipt(signed, RECEIPTS_PUBLIC)


def test_a_statement_is_no_delivery_receipt_even_by_the_right_key() -> None:
    statement = sign_statement(a_statement(SEALED), epoch_public=RECEIPTS_PUBLIC, sign=RECEIPTS_KEY.sign)
    with pytest.raises(Untrusted, match="not of the type landlink/receipt"):
        verify_receipt(statement, RECEIPTS_PUBLIC)


def test_a_delivery_receipt_out_of_bounds_is_refused() -> None:
    signed = sign_receipt(
        msgspec.structs.replace(DELIVERY, opened_through=-2), public=RECEIPTS_PUBLIC, sign=RECEIPTS_KEY.sign
    )
    with pytest.raises(Malformed, match="opened_through"):
        verify_receipt(signed, RECEIPTS_PUBLIC)
