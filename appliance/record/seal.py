"""Stage 6 of 8: record - seal: a record becomes a commitment and a body that this box can never open (I2).

Recipients come from the verified release and from nowhere else, so nobody who takes over a booth chooses who reads.
"""

import hashlib
from dataclasses import dataclass

from appliance.formats.age import Recipient, encrypt, parse_recipient
from appliance.formats.record import commitment, pad
from appliance.formats.release import Recipients
from appliance.formats.statement import Sealed


@dataclass(frozen=True, slots=True, kw_only=True)
class SealedBody:
    """What a statement says of a record, and the body itself: an age file."""

    sealed: Sealed
    blob: bytes


class Seal:
    """Seals to headquarters' current key and to the escrow key.

    Args:
        recipients: From the verified release.

    Raises:
        Malformed: A recipient is not a hybrid age recipient.

    Attributes:
        version: Of those recipients; it goes into every statement.
    """

    def __init__(self, recipients: Recipients) -> None:
        self.version = recipients.version
        self._recipients: tuple[Recipient, ...] = (
            parse_recipient(recipients.general),
            parse_recipient(recipients.escrow),
        )

    def seal(self, record: bytes) -> SealedBody:
        """Commit to an encoded record and encrypt it, padded."""
        blob = encrypt(pad(record), self._recipients)
        return SealedBody(
            sealed=Sealed(
                commitment=commitment(record), blob_sha256=hashlib.sha256(blob).digest(), blob_bytes=len(blob)
            ),
            blob=blob,
        )
