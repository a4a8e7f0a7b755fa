"""Stage 6 of 8: record - what the recorder signs: statements with the epoch's key, checkpoints with the log's key."""

from dataclasses import dataclass

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from appliance.at_rest import OPEN, AtRest
from appliance.clock import Clock, Instant
from appliance.formats.checkpoint import Checkpoint, sign_checkpoint
from appliance.formats.downlink import box_name
from appliance.formats.identity import EpochCertificate, PreviousOrigin, certify_epoch
from appliance.formats.note import LogSigner
from appliance.formats.statement import EpochStart, Kind, Statement, sign_statement
from appliance.model import Line, Mode
from appliance.record.keys import EpochKey
from drivers.api import KeyStore


@dataclass(frozen=True, slots=True, kw_only=True)
class Signing:
    """Who signs, and as what.

    Attributes:
        serial: Of the box.
        identity: Certifies epochs.
        log_key: Signs checkpoints.
        mode: Inside every statement (I7).
        software: Version, for the epoch's certificate.
        clock: Gives every statement its time.
        at_rest: How the recorder's secrets lie on the card.
        kept: Where and how this box's keys lie, in plain words for the technician.
    """

    serial: str
    identity: KeyStore
    log_key: Ed25519PrivateKey
    mode: Mode
    software: str
    clock: Clock
    at_rest: AtRest = OPEN
    kept: Line = ""


class Scribe:
    """Signs for one origin.

    Attributes:
        origin: The log's name.
        verifier: Of its checkpoints.
        recipients_version, cosigned: What statements say from now on.
        epoch: The signing key in use; `begin_epoch` makes it.
    """

    epoch: EpochKey

    def __init__(self, signing: Signing, origin: str) -> None:
        self._signing = signing
        self.origin = origin
        self._log_signer = LogSigner(origin, signing.log_key)
        self.verifier = self._log_signer.verifier
        self.recipients_version = 0
        self.cosigned: bytes | None = None

    @property
    def box(self) -> str:
        """The box's name, which stays when its log begins anew."""
        return box_name(self.origin.partition("/")[0], self._signing.serial)

    def now(self) -> Instant:
        """The time."""
        return self._signing.clock.now()

    def begin_epoch(self, number: int, *, first_index: int, previous: PreviousOrigin | None) -> EpochStart:
        """Make a new signing key; the entry that certifies it is returned, to be appended next."""
        now = self.now()
        self.epoch = EpochKey(number, now)
        certificate = EpochCertificate(
            origin=self.origin,
            mode=self._signing.mode,
            epoch=number,
            public=self.epoch.public,
            first_index=first_index,
            software=self._signing.software,
            boot_id=now.boot_id,
            started_ms=now.wall_ms,
            previous=previous,
        )
        identity = self._signing.identity
        return EpochStart(
            certificate=certify_epoch(certificate, identity_der=identity.public_key_der(), sign=identity.sign)
        )

    def leaf(self, kind: Kind) -> bytes:
        """The signed statement about an entry. Raises Malformed for an event that is not declared so."""
        statement = Statement(
            origin=self.origin,
            epoch=self.epoch.number,
            mode=self._signing.mode,
            at=self.now(),
            recipients_version=self.recipients_version,
            cosigned=self.cosigned,
            kind=kind,
        )
        return sign_statement(statement, epoch_public=self.epoch.public, sign=self.epoch.sign)

    def checkpoint(self, size: int, root: bytes) -> bytes:
        """The signed note over a tree."""
        return sign_checkpoint(Checkpoint(origin=self.origin, size=size, root=root), [self._log_signer])
