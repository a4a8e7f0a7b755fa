"""The box's keys that lie in files: read where they exist, made where they do not, never replaced."""

from pathlib import Path
from typing import Final

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from appliance.at_rest import OPEN, AtRest
from appliance.errors import ConfigError, Malformed
from appliance.formats.age import Identity, generate_identity, parse_identity

KEY_BYTES_MAX: Final = 4_096


def log_key(path: Path, at_rest: AtRest = OPEN) -> Ed25519PrivateKey:
    """The key that signs checkpoints. Raises ConfigError, Untrusted, StorageFull, StorageFault."""
    key = _load(path, at_rest) if path.exists() else _keep(path, at_rest, Ed25519PrivateKey.generate())
    if not isinstance(key, Ed25519PrivateKey):
        raise ConfigError(f"{path} holds another kind of key than Ed25519")
    return key


def tls_key(path: Path, at_rest: AtRest = OPEN) -> ec.EllipticCurvePrivateKey:
    """The uplink's key, or that of the audit. Raises ConfigError, Untrusted, StorageFull, StorageFault."""
    key = _load(path, at_rest) if path.exists() else _keep(path, at_rest, ec.generate_private_key(ec.SECP256R1()))
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        raise ConfigError(f"{path} holds another kind of key than P-256")
    return key


def age_identity(path: Path, at_rest: AtRest = OPEN) -> Identity:
    """What opens what comes down to this box alone. Raises ConfigError, Untrusted, StorageFull, StorageFault."""
    if not path.exists():
        identity = generate_identity()
        at_rest.write(path, f"{identity.encode()}\n".encode("ascii"))
        return identity
    try:
        return parse_identity(_read(path, at_rest).decode("ascii").strip())
    except (Malformed, UnicodeDecodeError):
        raise ConfigError(f"{path} holds no identity of the form AGE-SECRET-KEY-PQ-1...") from None


def _keep(
    path: Path, at_rest: AtRest, key: Ed25519PrivateKey | ec.EllipticCurvePrivateKey
) -> Ed25519PrivateKey | ec.EllipticCurvePrivateKey:
    at_rest.write(path, key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    return key


def _read(path: Path, at_rest: AtRest) -> bytes:
    try:
        return at_rest.read(path, KEY_BYTES_MAX)
    except OSError as error:
        raise ConfigError(f"{path}: {error.strerror}") from None


def _load(path: Path, at_rest: AtRest) -> object:
    try:
        return serialization.load_pem_private_key(_read(path, at_rest), password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise ConfigError(f"{path} holds no private key in PEM") from None
