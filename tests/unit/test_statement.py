"""The leaf of the log: what it says, what it does not say, and who signed it."""

import hashlib
import re
import struct

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from appliance.clock import Grade
from appliance.errors import Malformed, Untrusted
from appliance.formats import cose
from appliance.formats.event import EVENTS, Declared, check_event
from appliance.formats.identity import certify_epoch
from appliance.formats.statement import (
    Carried,
    EpochStart,
    EventEntry,
    Sealed,
    Statement,
    parse_statement,
    sign_statement,
    verify_epoch_start,
    verify_statement,
)
from appliance.model import Mode
from tests.formats_samples import (
    EPOCH_KEY,
    EPOCH_PUBLIC,
    EVENT,
    IDENTITY_DER,
    NOW,
    ORIGIN,
    OTHER_IDENTITY_DER,
    OTHER_IDENTITY_KEY,
    SEALED,
    a_statement,
    an_epoch,
    epoch_start,
    es256,
)


def a_leaf(statement: Statement) -> bytes:
    return sign_statement(statement, epoch_public=EPOCH_PUBLIC, sign=EPOCH_KEY.sign)


CARRIED = Carried(
    commitment=SEALED.commitment,
    blob_sha256=SEALED.blob_sha256,
    blob_bytes=SEALED.blob_bytes,
    origin="landlink.example/la-0001.1",
    index=7,
    statement=b"\x07" * 32,
)


@pytest.mark.parametrize("kind", [SEALED, CARRIED, EVENT, epoch_start()])
def test_a_statement_round_trips(kind: Sealed | EventEntry | EpochStart) -> None:
    statement = msgspec.structs.replace(a_statement(kind), cosigned=b"\xc5" * 32)
    assert verify_statement(parse_statement(a_leaf(statement)), EPOCH_PUBLIC) == statement


def test_the_bytes_are_those_of_the_readme() -> None:
    leaf = a_leaf(a_statement(SEALED))
    header = (
        b"\xa4\x01\x27"  # 1: EdDSA
        b"\x04\x48" + hashlib.sha256(EPOCH_PUBLIC).digest()[:8] + b"\x10\x72landlink/statement"  # 16
        b"\x3a\x00\x01\x00\x00"  # -65537
        b"\x8b"
        b"\x78\x1alandlink.example/la-0001.1"
        b"\x00"  # epoch
        b"\x64live"
        b"\x1b"
        + struct.pack(">Q", 1_793_100_000_000)
        + b"\x63rtc\x1b"
        + struct.pack(">Q", 1_793_000_000_000)
        + b"\x50"
        + b"\x5a" * 16
        + b"\x1a\x00\x01\x5f\x90"  # 90,000
        b"\x01"  # recipients
        b"\x58\x20" + b"\xc0" * 32 + b"\xf6"
    )
    payload = b"\x83\x66sealed\x58\x20" + b"\xb1" * 32 + b"\x19\x1d\x1d"
    expected = b"\xd2\x84\x58" + bytes([len(header)]) + header + b"\xa0\x58" + bytes([len(payload)]) + payload
    assert leaf[:-66].hex() == expected.hex()


def test_a_sealed_statement_is_at_most_330_bytes() -> None:
    at = msgspec.structs.replace(NOW, grade=Grade.HEADQUARTERS, boot_ms=2**40)
    sealed = msgspec.structs.replace(SEALED, blob_bytes=4_000_000)
    longest = Statement(
        origin=ORIGIN,
        epoch=60_000,
        mode=Mode.TRAINING,
        at=at,
        recipients_version=60_000,
        cosigned=b"\xc5" * 32,
        kind=sealed,
    )
    assert len(a_leaf(longest)) <= 330


def test_statements_about_different_kinds_of_entries_have_one_length() -> None:
    one = msgspec.structs.replace(SEALED, commitment=b"\x01" * 32, blob_sha256=b"\x02" * 32)
    assert len(a_leaf(a_statement(one))) == len(a_leaf(a_statement(SEALED)))


def test_a_statement_by_another_key_is_refused() -> None:
    other = Ed25519PrivateKey.from_private_bytes(b"\x99" * 32)
    signed = parse_statement(a_leaf(a_statement(SEALED)))
    with pytest.raises(Untrusted, match="by another key"):
        verify_statement(signed, other.public_key().public_bytes_raw())


def test_another_kind_of_signed_thing_is_no_statement() -> None:
    signed = parse_statement(a_leaf(a_statement(SEALED)))
    header = {**signed.sign1.protected, cose.LABEL_TYP: "landlink/receipt"}
    with pytest.raises(Malformed, match="its type is not"):
        parse_statement(cose.sign1(signed.sign1.payload, protected=header, sign=EPOCH_KEY.sign))


@pytest.mark.parametrize("change", [{"commitment": b"\xc0" * 31}, {"boot_id": b""}, {"mode": "test"}, {"origin": "x"}])
def test_a_context_out_of_its_bounds_is_refused(change: dict[str, object]) -> None:
    signed = parse_statement(a_leaf(a_statement(SEALED)))
    names = ("origin", "epoch", "mode", "wall", "grade", "bound", "boot_id", "boot_ms", "recipients", "commitment")
    context = signed.sign1.protected[cose.LABEL_CONTEXT]
    assert isinstance(context, list)
    ((name, value),) = change.items()
    context[names.index(name)] = value
    with pytest.raises(Malformed, match=r"statement context: .*\$\["):
        parse_statement(cose.sign1(signed.sign1.payload, protected=signed.sign1.protected, sign=EPOCH_KEY.sign))


def test_a_sealed_entry_without_commitment_and_an_event_with_one_are_refused() -> None:
    sealed, carried, event = (parse_statement(a_leaf(a_statement(kind))).sign1 for kind in (SEALED, CARRIED, EVENT))
    for header, payload in (
        (sealed.protected, event.payload),
        (event.protected, sealed.payload),
        (event.protected, carried.payload),
    ):
        with pytest.raises(Malformed, match="commitment"):
            parse_statement(cose.sign1(payload, protected=header, sign=EPOCH_KEY.sign))


# --- epochs -----------------------------------------------------------------------------------------------------------


def test_an_epoch_is_believed_through_the_identity_alone() -> None:
    signed = parse_statement(a_leaf(a_statement(epoch_start())))
    assert verify_epoch_start(signed, IDENTITY_DER) == an_epoch()


def test_an_epoch_that_another_identity_certified_is_refused() -> None:
    certificate = certify_epoch(
        an_epoch(), identity_der=OTHER_IDENTITY_DER, sign=lambda message: es256(message, OTHER_IDENTITY_KEY)
    )
    signed = parse_statement(a_leaf(a_statement(EpochStart(certificate=certificate))))
    with pytest.raises(Untrusted):
        verify_epoch_start(signed, IDENTITY_DER)


def test_an_epoch_that_its_own_key_did_not_sign_is_refused() -> None:
    other = Ed25519PrivateKey.from_private_bytes(b"\x99" * 32)
    leaf = sign_statement(
        a_statement(epoch_start()), epoch_public=other.public_key().public_bytes_raw(), sign=other.sign
    )
    with pytest.raises(Untrusted):
        verify_epoch_start(parse_statement(leaf), IDENTITY_DER)


@pytest.mark.parametrize("change", [{"epoch": 1}, {"mode": Mode.TRAINING}, {"origin": "landlink.example/la-0002.1"}])
def test_an_epoch_whose_leaf_names_something_else_is_refused(change: dict[str, object]) -> None:
    statement = msgspec.structs.replace(a_statement(epoch_start()), **change)
    with pytest.raises(Untrusted, match="do not name the same"):
        verify_epoch_start(parse_statement(a_leaf(statement)), IDENTITY_DER)


def test_an_ordinary_leaf_begins_no_epoch() -> None:
    with pytest.raises(Untrusted, match="no certificate"):
        verify_epoch_start(parse_statement(a_leaf(a_statement(SEALED))), IDENTITY_DER)


# --- events -----------------------------------------------------------------------------------------------------------


def test_an_undeclared_event_is_never_signed() -> None:
    with pytest.raises(Malformed, match="not declared"):
        a_leaf(a_statement(EventEntry(event="met_somebody", fields={})))


def test_an_event_of_a_newer_box_is_read() -> None:
    signed = parse_statement(a_leaf(a_statement(EVENT))).sign1
    newer = signed.payload.replace(b"\x69recovered", b"\x69rejoiced!")
    read = parse_statement(cose.sign1(newer, protected=signed.protected, sign=EPOCH_KEY.sign)).unverified.kind
    assert isinstance(read, EventEntry)
    assert read.event == "rejoiced!"


@pytest.mark.parametrize("declared", EVENTS.values(), ids=list(EVENTS))
def test_no_field_of_an_event_can_hold_a_name_or_a_document_number(declared: Declared) -> None:
    assert declared.meaning.endswith(".")
    for pattern in declared.fields.values():
        for personal in ("SOUKSAVANH KHAMPHOUY", "PA0047113", "souksavanh", ""):
            assert not re.fullmatch(pattern, personal)


def test_a_refused_event_does_not_show_its_value() -> None:
    for value in ("SOUKSAVANH", "1" * 257, "\u0661", "1\n"):
        with pytest.raises(Malformed, match="outside its pattern") as refused:
            check_event("recovered", {"entries": value, "torn_bytes": "0"})
        assert value not in str(refused.value)


def test_an_event_with_a_missing_or_a_further_field_is_refused() -> None:
    check_event("recovered", {"entries": "3", "torn_bytes": "0"})
    for fields in ({}, {"entries": "3"}, {"entries": "3", "torn_bytes": "0", "why": "x"}):
        with pytest.raises(Malformed, match="exactly"):
            check_event("recovered", fields)
