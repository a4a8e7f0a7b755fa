"""The box's keys that lie in files: read where they exist, made where they do not, never replaced."""

from pathlib import Path
from typing import Final

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from appliance.enrol.places import read_bounded
from appliance.errors import ConfigError, Malformed
from appliance.files import write_durably
from appliance.formats.age import Identity, generate_identity, parse_identity

KEY_BYTES_MAX: Final = 4_096


def log_key(path: Path) -> Ed25519PrivateKey:
    """The key that signs checkpoints. Raises ConfigError, StorageFull, StorageFault."""
    key = _load(path) if path.exists() else _keep(path, Ed25519PrivateKey.generate())
    if not isinstance(key, Ed25519PrivateKey):
        raise ConfigError(f"{path} holds another kind of key than Ed25519")
    return key


def tls_key(path: Path) -> ec.EllipticCurvePrivateKey:
    """The uplink's key, or that of the audit. Raises ConfigError, StorageFull, StorageFault."""
    key = _load(path) if path.exists() else _keep(path, ec.generate_private_key(ec.SECP256R1()))
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        raise ConfigError(f"{path} holds another kind of key than P-256")
    return key


def age_identity(path: Path) -> Identity:
    """What opens what comes down to this box alone. Raises ConfigError, StorageFull, StorageFault."""
    if not path.exists():
        identity = generate_identity()
        write_durably(path, f"{identity.encode()}\n".encode("ascii"), mode=0o600)
        return identity
    try:
        return parse_identity(read_bounded(path, KEY_BYTES_MAX).decode("ascii").strip())
    except (Malformed, UnicodeDecodeError):
        raise ConfigError(f"{path} holds no identity of the form AGE-SECRET-KEY-PQ-1...") from None


def _keep(
    path: Path, key: Ed25519PrivateKey | ec.EllipticCurvePrivateKey
) -> Ed25519PrivateKey | ec.EllipticCurvePrivateKey:
    write_durably(path, key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()), mode=0o600)
    return key


def _load(path: Path) -> object:
    try:
        return serialization.load_pem_private_key(read_bounded(path, KEY_BYTES_MAX), password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise ConfigError(f"{path} holds no private key in PEM") from None
