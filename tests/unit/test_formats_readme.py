"""The vectors in the formats' README are what the code writes, and the README tells of every module, type and event."""

import hashlib
import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from appliance.formats import cose
from appliance.formats.age import Identity, decrypt
from appliance.formats.checkpoint import open_checkpoint
from appliance.formats.downlink import (
    CaseAnswer,
    downlink_digest,
    open_downlink,
    seal_downlink,
    sign_downlink,
    verify_downlink,
)
from appliance.formats.event import EVENTS
from appliance.formats.merkle import Frontier, leaf_hash
from appliance.formats.note import LogSigner, parse_vkey
from appliance.formats.receipt import verify_receipt
from appliance.formats.record import commitment, encode_record, padded_size, parse_record
from appliance.formats.statement import EventEntry, Sealed, parse_statement, sign_statement, verify_statement
from appliance.formats.upload import parse_batch
from appliance.formats.voice import Verdict, answer_code, case_code
from tests.formats_samples import GENERAL, a_record

FORMATS = Path(__file__).parents[2] / "appliance" / "formats"
README = (FORMATS / "README.md").read_text(encoding="utf-8")
VECTORS: dict[str, Any] = tomllib.loads("\n".join(re.findall(r"```toml\n(.*?)```", README, re.DOTALL)))


def key_of(seed: str) -> Ed25519PrivateKey:
    return Ed25519PrivateKey.from_private_bytes(bytes.fromhex(seed))


def test_the_record_and_its_commitment() -> None:
    record = bytes.fromhex(VECTORS["record"]["record"])
    assert parse_record(record) == a_record()
    assert encode_record(a_record()) == record
    assert commitment(record).hex() == VECTORS["record"]["commitment"]


def test_the_padded_sizes() -> None:
    assert {int(size): padded for size, padded in VECTORS["padding"]["sizes"].items()} == {
        int(size): padded_size(int(size)) for size in VECTORS["padding"]["sizes"]
    }


def test_the_age_identity_and_its_recipient() -> None:
    identity = Identity(bytes.fromhex(VECTORS["age"]["seed"]))
    assert identity.encode() == VECTORS["age"]["identity"]
    recipient = identity.recipient.encode()
    assert hashlib.sha256(recipient.encode()).hexdigest() == VECTORS["age"]["recipient_sha256"]
    assert len(recipient) == 1_959


@pytest.mark.parametrize(("name", "kind"), [("sealed", Sealed), ("event", EventEntry)])
def test_the_statements(name: str, kind: type) -> None:
    vector = VECTORS["statement"]
    key, leaf = key_of(vector["epoch_seed"]), bytes.fromhex(vector[name])
    public = key.public_key().public_bytes_raw()
    assert (public.hex(), cose.kid(public).hex()) == (vector["epoch_public"], vector["kid"])
    statement = verify_statement(parse_statement(leaf), public)
    assert isinstance(statement.kind, kind)
    assert sign_statement(statement, epoch_public=public, sign=key.sign) == leaf


def test_the_log() -> None:
    vector = VECTORS["log"]
    frontier = Frontier()
    for name, expected in zip(("sealed", "event"), vector["leaf_hashes"], strict=True):
        hashed = leaf_hash(bytes.fromhex(VECTORS["statement"][name]))
        assert hashed.hex() == expected
        frontier.append(hashed)
    verifier = parse_vkey(vector["vkey"])
    assert LogSigner(verifier.name, key_of(vector["log_seed"])).verifier == verifier
    checkpoint, _ = open_checkpoint(vector["checkpoint"].encode(), verifier)
    assert (checkpoint.size, checkpoint.root) == (2, frontier.root())
    assert (checkpoint.root.hex(), checkpoint.digest().hex()) == (vector["root"], vector["digest"])


def test_the_delivery_receipt() -> None:
    vector = VECTORS["receipt"]
    public = key_of(vector["receipts_seed"]).public_key().public_bytes_raw()
    assert public.hex() == vector["receipts_public"]
    receipt = verify_receipt(bytes.fromhex(vector["receipt"]), public)
    assert (receipt.index, receipt.ledger_position, receipt.opened_through) == (0, 1, -1)


def test_the_batch() -> None:
    (item,) = parse_batch(bytes.fromhex(VECTORS["upload"]["batch"]))
    assert item.body == b"sealed"
    assert item.sha256 == hashlib.sha256(b"sealed").digest()


def test_the_downlink() -> None:
    vector = VECTORS["downlink"]
    key, signed = key_of(vector["answers_seed"]), bytes.fromhex(vector["signed"])
    public = key.public_key().public_bytes_raw()
    assert public.hex() == vector["answers_public"]
    said = verify_downlink(signed, keys_of={"answers": [public]}.__getitem__, box="landlink.example/la-0001")
    assert said.message == CaseAnswer(
        of="0123456789abcdef" * 2,
        verdict=Verdict.CONFIRMED,
        words="Compared: it is the listed person.",
        by="Duty desk 1",
    )
    assert sign_downlink(said, public=public, sign=key.sign) == signed
    assert downlink_digest(signed).hex() == vector["digest"]


def test_the_padded_sizes_of_a_downlink() -> None:
    for size, padded in VECTORS["downlink"]["padded"].items():
        sealed = seal_downlink(bytes(int(size)), GENERAL.recipient)
        assert len(decrypt(sealed, GENERAL, plaintext_bytes_max=65_536)) == padded
        assert open_downlink(sealed, GENERAL) == bytes(int(size))


def test_the_voice_codes() -> None:
    vector = VECTORS["voice"]
    assert case_code(vector["record_id"]) == vector["case"]
    for verdict, name in ((Verdict.CONFIRMED, "confirmed"), (Verdict.NOT_CONFIRMED, "not_confirmed")):
        code = answer_code(bytes.fromhex(vector["key"]), box=vector["box"], case=vector["case"], verdict=verdict)
        assert code == vector[name]


def test_every_module_is_in_the_table() -> None:
    modules = {path.name for path in FORMATS.glob("*.py")} - {"__init__.py", "fields.py", "cbor.py"}
    assert {name for name in modules if f"`{name}`" not in README} == set()


def test_the_table_of_events_is_the_one_that_the_declarations_give() -> None:
    lines = ["| event | fields | meaning | who is shown it |", "|---|---|---|---|"]
    for each in EVENTS.values():
        fields = ", ".join(f"`{name}`" for name in each.fields) or "none"
        lines.append(f"| `{each.event}` | {fields} | {each.meaning} | {', '.join(each.seen_by)} |")
    table = "\n".join(lines)
    assert f"\n\n{table}\n\n##" in README


def test_every_type_of_signed_thing_is_in_the_table() -> None:
    declared = {
        value
        for path in FORMATS.glob("*.py")
        for value in re.findall(r'_TYPE: Final = "(landlink/[a-z]+)"', path.read_text())
    }
    assert len(declared) == 6
    assert {typ for typ in declared if f"`{typ}`" not in README} == set()
