"""Signing receipts: headquarters' only licence to delete, given after the entry is committed, never before."""

from collections.abc import Callable
from typing import Final

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from appliance.errors import ConfigError
from appliance.formats.receipt import DeliveryReceipt, receipt_digest, sign_receipt
from provisioning.audit.opened.logs import NOTHING_OPENED, OpenedThrough
from provisioning.authority.home import Home
from provisioning.collector.ledger import Entry

OPENED_BYTES_MAX: Final = 4_096


def read_opened_through(home: Home, origin: str) -> int:
    """How far headquarters has shown that it can open what this log's box seals (I4); -1 before it has.

    Raises:
        ConfigError: The file that says so cannot be read.
    """
    path = home.opened_file(origin)
    try:
        with path.open("rb") as file:
            opened = msgspec.json.decode(file.read(OPENED_BYTES_MAX), type=OpenedThrough, strict=True)
    except FileNotFoundError:
        return NOTHING_OPENED
    except (OSError, msgspec.DecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: {type(error).__name__}") from None
    return opened.opened_through if opened.origin == origin else NOTHING_OPENED


def signer(
    private: Ed25519PrivateKey, opened_through: Callable[[str], int]
) -> Callable[[int, Entry, bytes | None], bytes]:
    """A function that makes the receipt of an entry from its position, itself and the receipt before it.

    Args:
        private: Headquarters' key of the role `receipts`.
        opened_through: How far an origin has been opened.
    """
    public = private.public_key().public_bytes_raw()

    def sign(position: int, entry: Entry, previous: bytes | None) -> bytes:
        receipt = DeliveryReceipt(
            origin=entry.origin,
            index=entry.leaf,
            sha256=entry.sha256,
            size=entry.size,
            received_ms=entry.received_ms,
            ledger_position=position,
            previous=None if previous is None else receipt_digest(previous),
            opened_through=max(opened_through(entry.origin), -1),
        )
        return sign_receipt(receipt, public=public, sign=private.sign)

    return sign
