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

from appliance.clock import Instant
from appliance.errors import StorageFault, Untrusted

KEY_BYTES_MAX: Final = 4_096
EPOCH_MS_MAX: Final = 24 * 3_600_000


def read_log_key(path: Path) -> Ed25519PrivateKey:
    """Read the log key, PEM PKCS#8.

    Raises:
        StorageFault: The file cannot be read.
        Untrusted: It holds no Ed25519 private key.
    """
    try:
        with path.open("rb") as file:
            pem = file.read(KEY_BYTES_MAX)
    except OSError as error:
        raise StorageFault(f"reading {path.name}: {error.strerror}") from error
    try:
        key = serialization.load_pem_private_key(pem, password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise Untrusted(f"{path.name} holds no private key in PEM") from None
    if not isinstance(key, Ed25519PrivateKey):
        raise Untrusted(f"{path.name} holds another kind of key than Ed25519")
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
