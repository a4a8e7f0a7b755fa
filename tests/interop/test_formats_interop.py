"""Tools that others wrote read what our formats write, and refuse what was changed."""

import hashlib
import json
import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA44PrivateKey

from appliance.formats.age import Identity, encrypt
from appliance.formats.checkpoint import Checkpoint, sign_checkpoint
from appliance.formats.edge import Edge
from appliance.formats.note import Ed25519Cosigner, MlDsa44Cosigner, add_signatures
from appliance.formats.record import commitment, encode_record, pad
from appliance.formats.statement import EventEntry, Kind, Sealed, sign_statement
from tests.formats_samples import (
    EPOCH_KEY,
    EPOCH_PUBLIC,
    ESCROW,
    GENERAL,
    IDENTITY_DER,
    LOG_SIGNER,
    ORIGIN,
    OTHER_IDENTITY_DER,
    a_record,
    a_statement,
    epoch_start,
)

pytestmark = pytest.mark.interop

Run = Callable[..., subprocess.CompletedProcess[str]]


def an_encoded(number: int) -> bytes:
    return encode_record(a_record(number, salt=os.urandom(32)))


def a_leaf(kind: Kind) -> bytes:
    return sign_statement(a_statement(kind), epoch_public=EPOCH_PUBLIC, sign=EPOCH_KEY.sign)


def sealed(record: bytes, blob: bytes) -> Sealed:
    return Sealed(commitment=commitment(record), blob_sha256=hashlib.sha256(blob).digest(), blob_bytes=len(blob))


@pytest.fixture
def log(tmp_path: Path) -> Path:
    """A published log of 600 entries that was published in two steps, cosigned."""
    folder = tmp_path / "log"
    edge = Edge()
    blob = encrypt(pad(an_encoded(0)), [GENERAL.recipient])
    for number in range(600):
        event = EventEntry(event="case_expired", fields={"count": str(number)})
        kind = epoch_start() if number == 0 else sealed(an_encoded(number), blob) if number % 3 else event
        edge.append(a_leaf(kind))
        if number in (260, 599):
            for path, content in edge.publish():
                (folder / path).parent.mkdir(parents=True, exist_ok=True)
                (folder / path).write_bytes(content)
    checkpoint = Checkpoint(origin=ORIGIN, size=edge.size, root=edge.root())
    cosigners = (
        Ed25519Cosigner("landlink.example/headquarters", EPOCH_KEY, at_s=1_793_100_000),
        MlDsa44Cosigner(
            "landlink.example/headquarters", MLDSA44PrivateKey.from_seed_bytes(b"\x55" * 32), at_s=1_793_100_000
        ),
    )
    (folder / "checkpoint").write_bytes(add_signatures(sign_checkpoint(checkpoint, [LOG_SIGNER]), cosigners))
    return folder


def test_go_verifies_checkpoint_consistency_and_every_leaf(verify_log: Run, log: Path) -> None:
    done = verify_log(log, LOG_SIGNER.verifier.vkey(), 1, 255, 256, 257, 261, 599, 600)
    assert done.returncode == 0, done.stderr
    answer = json.loads(done.stdout)
    assert (answer["origin"], answer["size"], answer["leaves"], answer["consistent"]) == (ORIGIN, 600, 600, 7)


def test_go_refuses_a_leaf_that_was_changed(verify_log: Run, log: Path) -> None:
    bundle = log / "tile/entries/001"
    content = bytearray(bundle.read_bytes())
    content[100] ^= 1
    bundle.write_bytes(content)
    done = verify_log(log, LOG_SIGNER.verifier.vkey())
    assert done.returncode == 1
    assert "leaf 256" in done.stderr


def test_go_refuses_a_checkpoint_with_another_root(verify_log: Run, log: Path) -> None:
    checkpoint = (log / "checkpoint").read_text()
    (log / "checkpoint").write_text(checkpoint.replace("\n600\n", "\n599\n"))
    assert "checkpoint" in verify_log(log, LOG_SIGNER.verifier.vkey()).stderr


def test_age_encryption_opens_a_body_and_refuses_a_flipped_byte(node: Run, tmp_path: Path) -> None:
    bodies: list[Path] = []
    expected: list[str] = []
    for number in range(3):
        record = an_encoded(number)
        bodies.append(tmp_path / f"{number}.2.age")
        bodies[-1].write_bytes(encrypt(pad(record), [GENERAL.recipient, ESCROW.recipient]))
        expected.append(commitment(record).hex())
    for identity in (GENERAL, ESCROW):
        (tmp_path / "identity").write_text(identity.encode() + "\n")
        done = node("open_body.mjs", tmp_path / "identity", *bodies)
        assert done.returncode == 0, done.stderr
        opened = [json.loads(line) for line in done.stdout.splitlines()]
        assert [body["commitment"] for body in opened] == expected
        assert [body["record"]["body"]["recipients_version"] for body in opened] == [1, 2, 3]


def test_age_encryption_refuses_the_identity_of_somebody_else(node: Run, tmp_path: Path) -> None:
    (tmp_path / "identity").write_text(Identity(b"\x66" * 32).encode())
    (tmp_path / "0.2.age").write_bytes(encrypt(pad(an_encoded(0)), [GENERAL.recipient]))
    done = node("open_body.mjs", tmp_path / "identity", tmp_path / "0.2.age")
    assert done.returncode == 1
    assert not done.stdout


def test_auth0_cose_verifies_every_statement_and_refuses_a_flipped_byte(node: Run, log: Path, tmp_path: Path) -> None:
    (tmp_path / "identity.pub").write_bytes(IDENTITY_DER)
    done = node("verify_statement.mjs", tmp_path / "identity.pub", log)
    assert done.returncode == 0, done.stderr
    answer = json.loads(done.stdout)
    assert (answer["origin"], answer["statements"], answer["epochs"], answer["sealed"]) == (ORIGIN, 600, 1, 400)
    assert answer["events"] == {"case_expired": 199}


def test_auth0_cose_refuses_the_epoch_of_another_identity(node: Run, log: Path, tmp_path: Path) -> None:
    (tmp_path / "identity.pub").write_bytes(OTHER_IDENTITY_DER)
    done = node("verify_statement.mjs", tmp_path / "identity.pub", log)
    assert done.returncode == 1
    assert "leaf 0" in done.stderr
