"""Headquarters' private keys: made once by `init`, one PEM file (PKCS#8) each, readable by the owner alone.

`root-*` and `offline-*` belong on media that are locked away after `init`; the online machine needs `lists`, `policy`,
`snapshot`, `timestamp`, `receipts` and the two cosigners; the auditor's desk `custody`; the duty desk `answers` and
`voice-master`, whoever enrols boxes `directives`, `list-key` and `voice-master`. The last two are secrets of 32 bytes,
no signing keys.
"""

from pathlib import Path
from typing import Final

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA44PrivateKey
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes

from appliance.errors import ConfigError
from appliance.files import read_regular, write_durably
from provisioning.authority.holders import absent

PEM_BYTES_MAX: Final = 16_384
SECRET_BYTES: Final = 32
CUSTODY: Final = "custody"
"""Role in the roster, and file, of the key that signs headquarters' own log (provisioning/custody/log.py)."""


def cosigner_name(domain: str) -> str:
    """Headquarters' name in signed notes; both of its cosigners carry it."""
    return f"{domain}/headquarters"


def write_private_key(path: Path, key: PrivateKeyTypes) -> None:
    """Write the key as PEM PKCS#8, 0600, durably. Raises StorageFull, StorageFault."""
    pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    write_durably(path, pem, mode=0o600)


def read_key_file(path: Path, bytes_max: int) -> bytes:
    """Read a file that holds a key. Raises ConfigError when it is missing, and says where it belongs; or is none."""
    try:
        return read_regular(path, bytes_max)
    except FileNotFoundError:
        raise absent(path) from None
    except OSError as error:
        raise ConfigError(f"{path}: {error.strerror}") from None


def load_private_key(path: Path) -> PrivateKeyTypes:
    """Read a key file. Raises ConfigError when it is missing or holds no private key."""
    pem = read_key_file(path, PEM_BYTES_MAX)
    try:
        return serialization.load_pem_private_key(pem, password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise ConfigError(f"{path}: no private key in PEM") from None


def load_ed25519(path: Path) -> Ed25519PrivateKey:
    """Read an Ed25519 key. Raises ConfigError, also for another kind of key."""
    key = load_private_key(path)
    if not isinstance(key, Ed25519PrivateKey):
        raise ConfigError(f"{path}: not an Ed25519 key")
    return key


def load_mldsa44(path: Path) -> MLDSA44PrivateKey:
    """Read an ML-DSA-44 key. Raises ConfigError, also for another kind of key."""
    key = load_private_key(path)
    if not isinstance(key, MLDSA44PrivateKey):
        raise ConfigError(f"{path}: not an ML-DSA-44 key")
    return key


def load_secret(path: Path) -> bytes:
    """Read a secret of 32 bytes. Raises ConfigError when it is missing or none."""
    secret = read_key_file(path, PEM_BYTES_MAX)
    if len(secret) != SECRET_BYTES:
        raise ConfigError(f"{path}: a secret has {SECRET_BYTES} bytes")
    return secret
