"""drivers/key_store.py: the identity key in a file signs as RFC 9053 has it, and stays where it is."""

import stat
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

from drivers.api import DeviceError, KeyStore
from drivers.key_store import FileKeyStore


def pem(key: ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def test_a_signature_is_r_and_s_in_64_bytes_and_verifies_under_the_public_key(tmp_path: Path) -> None:
    store: KeyStore = FileKeyStore.create(tmp_path / "identity.key")
    signature = store.sign(b"a message")
    assert len(signature) == 64
    public = serialization.load_der_public_key(store.public_key_der())
    assert isinstance(public, ec.EllipticCurvePublicKey)
    der = encode_dss_signature(int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:], "big"))
    public.verify(der, b"a message", ec.ECDSA(hashes.SHA256()))


def test_the_key_outlives_the_process_and_is_its_owners_alone(tmp_path: Path) -> None:
    path = tmp_path / "identity.key"
    made = FileKeyStore.create(path)
    assert FileKeyStore(path).public_key_der() == made.public_key_der()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [file.name for file in tmp_path.iterdir()] == ["identity.key"]


def test_an_existing_key_is_never_replaced(tmp_path: Path) -> None:
    path = tmp_path / "identity.key"
    FileKeyStore.create(path)
    before = path.read_bytes()
    with pytest.raises(DeviceError, match="cannot be written: File exists"):
        FileKeyStore.create(path)
    assert path.read_bytes() == before
    assert [file.name for file in tmp_path.iterdir()] == ["identity.key"]


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "no private key"),
        (b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n", "no private key"),
        (pem(ed25519.Ed25519PrivateKey.generate()), "another kind"),
        (pem(ec.generate_private_key(ec.SECP384R1())), "another kind"),
    ],
    ids=["empty", "not a key", "Ed25519", "P-384"],
)
def test_a_file_without_a_p256_key_is_refused(tmp_path: Path, content: bytes, says: str) -> None:
    path = tmp_path / "identity.key"
    path.write_bytes(content)
    path.chmod(0o600)
    with pytest.raises(DeviceError, match=says):
        FileKeyStore(path)


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660])
def test_a_key_that_others_may_read_is_refused(tmp_path: Path, mode: int) -> None:
    path = tmp_path / "identity.key"
    FileKeyStore.create(path)
    path.chmod(mode)
    with pytest.raises(DeviceError, match=f"mode {mode:04o}"):
        FileKeyStore(path)


def test_a_missing_key_is_named(tmp_path: Path) -> None:
    with pytest.raises(DeviceError, match="cannot be read: No such file"):
        FileKeyStore(tmp_path / "identity.key")
