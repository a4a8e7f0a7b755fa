"""Stage 6 of 8: record - seal: a record becomes a commitment and a body that this box can never open (I2).

Recipients come from the verified release and from nowhere else, so nobody who takes over a booth chooses who reads.

Wrapping a file key for two post-quantum recipients is the longest part of sealing, and needs nothing of the record. So
a few headers are made ahead, in quiet moments, each with its payload's nonce and key. They are random, in this
process's memory alone, each for one file, and gone with its use, with the release, or after a minute: whoever copied
the memory could open no more than the few records of the next minute that are sealed with them, all of which pass
through that memory anyway.
"""

import hashlib
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from appliance.formats.age import Prepared, Recipient, parse_recipient
from appliance.formats.record import pad
from appliance.formats.release import Recipients
from appliance.formats.statement import Sealed
from appliance.model import Sha256

PREPARED_MAX: Final = 8
"""A traveller's record and pictures."""
PREPARED_S: Final = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class SealedBody:
    """What a statement says of a record, and the body itself: an age file."""

    sealed: Sealed
    blob: bytes


class Seal:
    """Seals to headquarters' current key and to the escrow key.

    Args:
        recipients: From the verified release.
        clock: Counts seconds.

    Raises:
        Malformed: A recipient is not a hybrid age recipient.

    Attributes:
        version: Of those recipients; it goes into every statement.
    """

    def __init__(self, recipients: Recipients, clock: Callable[[], float] = time.monotonic) -> None:
        self.version = recipients.version
        self._recipients: tuple[Recipient, ...] = (
            parse_recipient(recipients.general),
            parse_recipient(recipients.escrow),
        )
        self._clock = clock
        self._prepared: deque[tuple[float, Prepared]] = deque()

    @property
    def wanted(self) -> bool:
        """Whether fewer headers are ready than should be."""
        return len(self._prepared) < PREPARED_MAX

    def prepare(self) -> None:
        """Make one header ahead."""
        self._prepared.append((self._clock(), Prepared(self._recipients)))

    def forget(self, *, older_than_s: float = PREPARED_S) -> None:
        """Forget headers that were made ahead so long ago, with their keys."""
        while self._prepared and self._clock() - self._prepared[0][0] >= older_than_s:
            self._prepared.popleft()[1].forget()

    def seal(self, record: bytes, committed: Sha256) -> SealedBody:
        """Encrypt an encoded record, padded; `committed` is its commitment."""
        self.forget()
        prepared = self._prepared.popleft()[1] if self._prepared else Prepared(self._recipients)
        blob = prepared.seal(pad(record))
        return SealedBody(
            sealed=Sealed(commitment=committed, blob_sha256=hashlib.sha256(blob).digest(), blob_bytes=len(blob)),
            blob=blob,
        )
