"""Stage 6 of 8: record - what headquarters says to the recorder: recipients, receipts, cosigned checkpoints.

Everything is verified here, with keys of the verified release; the uplink that carries it is not believed (I10).
"""

import contextlib
from dataclasses import dataclass
from typing import Final

from appliance.errors import Malformed, StorageFault, Untrusted
from appliance.formats.checkpoint import Checkpoint, open_checkpoint
from appliance.formats.downlink import Downlink, verify_downlink
from appliance.formats.note import Verifier, parse_vkey
from appliance.formats.receipt import DeliveryReceipt, verify_receipt
from appliance.formats.release import COSIGN_ED25519, COSIGN_MLDSA44, RECEIPTS, Release, Roster
from appliance.record.seal import Seal
from appliance.shelf import Shelf

COSIGNER_ROLES: Final = (COSIGN_ED25519, COSIGN_MLDSA44)


@dataclass(slots=True)
class ProvenTime:
    """The latest time that headquarters signed, milliseconds since 1970: it is later than this (I9)."""

    at_ms: int = 0

    def learn(self, at_ms: int) -> None:
        """Headquarters signed this time."""
        self.at_ms = max(self.at_ms, at_ms)


@dataclass(slots=True)
class Headquarters:
    """The verified release in service, as far as the recorder needs it.

    Attributes:
        shelf: Where it lies.
        proven: Learns every time that headquarters signed.
        version: Of the release in service; 0 for none.
        dated: The day it was made, `YYYY-MM-DD`.
        rules: Version of its rules.
        why: Why there is none, in plain words.
    """

    shelf: Shelf
    proven: ProvenTime
    version: int = 0
    dated: str = ""
    rules: int = 0
    why: str = "No release from headquarters has been put into service yet."
    _seal: Seal | None = None
    _roster: Roster | None = None
    _refused: int = 0

    @property
    def seal(self) -> Seal | None:
        """Seals records; None while there is no verified release."""
        return self._seal

    def look(self, *, recipients_at_least: int) -> bool:
        """Take what lies on the shelf if it is new; whether it was taken. What does not hold leaves all as it was.

        Args:
            recipients_at_least: The recipients' version that this log has seen; headquarters never goes back.
        """
        version = self.shelf.version()
        if version in (0, self.version, self._refused):
            return False
        try:
            self._take(self.shelf.load(lists=False), recipients_at_least)  # who searches lists reads them
        except (Malformed, Untrusted) as error:
            self._refused = version
            self.why = f"The release on this box does not hold: {error}"[:256]
            return False
        except StorageFault as error:  # a release that cannot be read now may be readable later
            self.why = f"The release on this box cannot be read: {error}"[:256]
            return False
        return True

    def verify_receipt(self, receipt: bytes) -> DeliveryReceipt:
        """A receipt that headquarters signed. Raises Malformed, Untrusted."""
        said = verify_receipt(receipt, self._trusted().key(RECEIPTS).public)
        self.proven.learn(said.received_ms)
        return said

    def verify_kept_receipt(self, receipt: bytes) -> DeliveryReceipt:
        """A receipt that headquarters signed at any time, with a key that it may no longer use.

        Raises:
            Malformed, Untrusted: None of the roster's keys for receipts has signed it.
        """
        for key in self._trusted().keys_of(RECEIPTS):
            with contextlib.suppress(Untrusted):
                said = verify_receipt(receipt, key.public)
                self.proven.learn(said.received_ms)
                return said
        raise Untrusted("receipt: none of headquarters' keys has signed it")

    def verify_downlink(self, signed: bytes, *, box: str) -> Downlink:
        """A message to this box; a role's newest key counts, since a former one may have been stolen.

        Raises:
            Malformed, Untrusted: As `formats.downlink.verify_downlink`.
        """
        said = verify_downlink(signed, keys_of=lambda role: [self._trusted().key(role).public], box=box)
        self.proven.learn(said.at_ms)
        return said

    def verify_cosigned(self, note: bytes, log: Verifier) -> Checkpoint:
        """A checkpoint of this log that all of headquarters' cosigners signed. Raises Malformed, Untrusted."""
        roster = self._trusted()
        cosigners = [parse_vkey(roster.key(role).vkey) for role in COSIGNER_ROLES]
        checkpoint, opened = open_checkpoint(note, log, *cosigners)
        for cosigner in cosigners:
            at_s = opened.require(cosigner).at_s
            if at_s is not None:
                self.proven.learn(at_s * 1_000)
        return checkpoint

    def _take(self, release: Release, recipients_at_least: int) -> None:
        if release.version < self.version or release.recipients.version < recipients_at_least:
            raise Untrusted("it is older than what this box has used")
        if self._seal is not None:
            self._seal.forget(older_than_s=0)
        self._seal = Seal(release.recipients)
        self._roster = release.roster
        self.version, self.dated, self.why = release.version, release.dated.isoformat(), ""
        self.rules = release.rules.version
        self.proven.learn(release.signed_ms)

    def _trusted(self) -> Roster:
        if self._roster is None:
            raise Untrusted("there is no verified release to know headquarters' keys from")
        return self._roster
