"""Stage 6 of 8: record - the keys that sign: the box's identity, the log's key, and each epoch's own.

The identity key certifies and nothing else; it lies in a `KeyStore`. The log key signs checkpoints and lies in a file.
An epoch key signs statements, lives in memory only, and ends with the process or after 24 hours: who takes the box
cannot sign yesterday again.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Final

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from appliance.at_rest import OPEN, AtRest, sealed
from appliance.clock import Instant
from appliance.errors import StorageFault, Untrusted
from appliance.files import read_regular
from appliance.formats.identity import Role, verify_certificate
from appliance.record.places import Places

KEY_BYTES_MAX: Final = 4_096
EPOCH_MS_MAX: Final = 24 * 3_600_000


def read_log_key(path: Path, at_rest: AtRest = OPEN) -> Ed25519PrivateKey:
    """Read the log key, PEM PKCS#8, as it lies there.

    Raises:
        StorageFault: The file cannot be read.
        Untrusted: It does not open, or holds no Ed25519 private key.
    """
    try:
        pem = at_rest.read(path, KEY_BYTES_MAX)
    except OSError as error:
        raise StorageFault(f"reading {path.name}: {error.strerror}") from error
    return _log_key(pem, path.name)


def check_identity(places: Places, identity_der: bytes) -> None:
    """The identity key is the one that this box was enrolled with. Raises Untrusted, StorageFault."""
    if _read(places.identity_public) != identity_der:
        raise Untrusted("the identity key is another than this box was enrolled with: is it another box's token?")


def seal_secrets(places: Places, key: bytes | None, identity_der: bytes) -> AtRest:
    """Seal what the recorder's folder still holds open, under `key`; how its secrets lie from then on.

    Args:
        places: The recorder's.
        key: The sealing key, None where this box has none.
        identity_der: The box's identity. An open log key is sealed only when this identity has certified it: nobody
            slips an old or strange one into a box that was sealed before.

    Raises:
        Untrusted: It has not.
        StorageFull, StorageFault: As `at_rest.sealed`.
    """

    def check(pem: bytes) -> None:
        certificate = verify_certificate(_read(places.log_certificate), role=Role.LOG, identity_der=identity_der)
        if certificate.public != _log_key(pem, places.log_key.name).public_key().public_bytes_raw():
            raise Untrusted(f"{places.log_key.name} lies open, and is not the key that this box's identity certified")

    return sealed(key, secrets_of(places), places.log_key, check)


def secrets_of(places: Places) -> tuple[Path, ...]:
    """Every secret in the recorder's folder but the log key, there or not."""
    single = (places.identity_key, places.age_identity, places.held_keys, places.not_same_key)
    return (*single, *sorted(places.case_keys.glob("*.key")))


def _read(path: Path) -> bytes:
    try:
        return read_regular(path, KEY_BYTES_MAX)
    except OSError as error:
        raise StorageFault(f"reading {path.name}: {error.strerror}") from error


def _log_key(pem: bytes, name: str) -> Ed25519PrivateKey:
    try:
        key = serialization.load_pem_private_key(pem, password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise Untrusted(f"{name} holds no private key in PEM") from None
    if not isinstance(key, Ed25519PrivateKey):
        raise Untrusted(f"{name} holds another kind of key than Ed25519")
    return key


class EpochKey:
    """One signing key's life.

    Args:
        number: The epoch, counted up by one at each new key of an origin.
        started: When.

    Attributes:
        public: Raw public key, 32 bytes.
    """

    def __init__(self, number: int, started: Instant) -> None:
        self.number = number
        self.started = started
        key = Ed25519PrivateKey.generate()
        self.public = key.public_key().public_bytes_raw()
        self.sign: Callable[[bytes], bytes] = key.sign

    def over(self, now: Instant) -> bool:
        """Whether its 24 hours are over, by the boot clock, which nobody can set."""
        return now.boot_ms - self.started.boot_ms >= EPOCH_MS_MAX
