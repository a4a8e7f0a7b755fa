"""Fixed keys and values that the tests of the formats share."""

from typing import Final

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from appliance.clock import Grade, Instant
from appliance.formats.age import Identity
from appliance.formats.identity import EpochCertificate, certify_epoch
from appliance.formats.note import LogSigner
from appliance.formats.statement import EpochStart, EventEntry, Sealed, Statement
from appliance.model import Mode
from appliance.recorded import Canary, Record

ORIGIN: Final = "landlink.example/la-0001.1"
SERIAL: Final = "LA-0001"
NOW: Final = Instant(
    wall_ms=1_793_100_000_000, grade=Grade.RTC, lower_bound_ms=1_793_000_000_000, boot_id="5a" * 16, boot_ms=90_000
)

LOG_KEY: Final = Ed25519PrivateKey.from_private_bytes(b"\x11" * 32)
LOG_SIGNER: Final = LogSigner(ORIGIN, LOG_KEY)
EPOCH_KEY: Final = Ed25519PrivateKey.from_private_bytes(b"\x22" * 32)
EPOCH_PUBLIC: Final = EPOCH_KEY.public_key().public_bytes_raw()
RECEIPTS_KEY: Final = Ed25519PrivateKey.from_private_bytes(b"\x77" * 32)
RECEIPTS_PUBLIC: Final = RECEIPTS_KEY.public_key().public_bytes_raw()
IDENTITY_KEY: Final = ec.derive_private_key(0x1234_5678_9ABC_DEF0, ec.SECP256R1())
IDENTITY_DER: Final = IDENTITY_KEY.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
OTHER_IDENTITY_KEY: Final = ec.derive_private_key(2, ec.SECP256R1())
OTHER_IDENTITY_DER: Final = OTHER_IDENTITY_KEY.public_key().public_bytes(
    Encoding.DER, PublicFormat.SubjectPublicKeyInfo
)
GENERAL: Final = Identity(b"\x33" * 32)
ESCROW: Final = Identity(b"\x44" * 32)

SEALED: Final = Sealed(commitment=b"\xc0" * 32, blob_sha256=b"\xb1" * 32, blob_bytes=7_453)
EVENT: Final = EventEntry(event="recovered", fields={"entries": "3", "torn_bytes": "0"})


def es256(message: bytes, key: ec.EllipticCurvePrivateKey = IDENTITY_KEY) -> bytes:
    """ECDSA P-256 with SHA-256 as r || s, as a KeyStore signs."""
    r, s = decode_dss_signature(key.sign(message, ec.ECDSA(hashes.SHA256())))
    return r.to_bytes(32, "big") + s.to_bytes(32, "big")


def a_record(number: int = 0, *, salt: bytes = b"\x5a" * 32) -> Record:
    """A record without personal data."""
    return Record(
        schema=1,
        origin=ORIGIN,
        record_id=f"{number:032x}",
        mode=Mode.LIVE,
        salt=salt,
        at=NOW,
        crossing=None,
        person=None,
        body=Canary(epoch=0, recipients_version=number + 1),
    )


def a_statement(kind: Sealed | EventEntry | EpochStart) -> Statement:
    """A statement of epoch 0."""
    return Statement(origin=ORIGIN, epoch=0, mode=Mode.LIVE, at=NOW, recipients_version=1, cosigned=None, kind=kind)


def an_epoch() -> EpochCertificate:
    """Epoch 0 of a first origin."""
    return EpochCertificate(
        origin=ORIGIN,
        mode=Mode.LIVE,
        epoch=0,
        public=EPOCH_PUBLIC,
        first_index=0,
        software="0.1.0",
        boot_id=NOW.boot_id,
        started_ms=NOW.wall_ms,
        previous=None,
    )


def epoch_start() -> EpochStart:
    """What the first leaf of that epoch carries."""
    return EpochStart(certificate=certify_epoch(an_epoch(), identity_der=IDENTITY_DER, sign=es256))
