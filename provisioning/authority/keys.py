"""Headquarters' private keys: made once by `init`, one PEM file (PKCS#8) each, readable by the owner alone.

`root-*` and `offline-*` belong on media that are locked away after `init`; the online machine needs `lists`, `policy`,
`snapshot`, `timestamp`, `receipts` and the two cosigners; the auditor's desk `custody`; the duty desk `answers` and
`voice-master`, whoever enrols boxes `directives`, `list-key` and `voice-master`. The last two are secrets of 32 bytes,
no signing keys.
"""

import os
from pathlib import Path
from typing import Final

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA44PrivateKey
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes

from appliance.errors import ConfigError
from appliance.files import read_regular, storage, sync_folder, write_durably
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


def former_secrets(path: Path) -> list[Path]:
    """Files of the secrets that lay at `path` before, `<name>.1`, `.2` and so on, the oldest first."""
    numbered = [each for each in path.parent.glob(f"{path.name}.*") if each.suffix[1:].isdecimal()]
    return sorted(numbered, key=lambda each: int(each.suffix[1:]))


def following_secret(path: Path) -> bytes:
    """The secret that will follow the one at `path`, durable as `<name>.next`; the same one until `succeed`.

    Raises:
        ConfigError, StorageFull, StorageFault: There is none.
    """
    following = path.with_name(f"{path.name}.next")
    if not following.exists():
        write_durably(following, os.urandom(SECRET_BYTES), mode=0o600)
    return load_secret(following)


def succeed(path: Path) -> None:
    """Put the following secret in the place of the one at `path`, which stays as a former one.

    Raises:
        ConfigError, StorageFull, StorageFault: The one in use is what it was; do it again.
    """
    present, former = load_secret(path), former_secrets(path)
    if present not in map(load_secret, former):  # there when the last attempt ended in between
        write_durably(path.with_name(f"{path.name}.{len(former) + 1}"), present, mode=0o600)
    with storage(f"changing {path.name}"):
        path.with_name(f"{path.name}.next").replace(path)
        sync_folder(path.parent)


def load_secret(path: Path) -> bytes:
    """Read a secret of 32 bytes. Raises ConfigError when it is missing or none."""
    secret = read_key_file(path, PEM_BYTES_MAX)
    if len(secret) != SECRET_BYTES:
        raise ConfigError(f"{path}: a secret has {SECRET_BYTES} bytes")
    return secret
