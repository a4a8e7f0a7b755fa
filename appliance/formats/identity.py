"""What the box's identity key (P-256) certifies: the log's key, the TLS key, the age identity, and each epoch's key.

The identity key signs nothing else but the enrolment request (enrolment.py). It may live in a token, so signing comes
in as a function. Headquarters knows its public half from the roster and finds every other key of the box from there.
"""

import enum
from collections.abc import Callable
from typing import Annotated, Final

from msgspec import Meta

from appliance.clock import Milliseconds
from appliance.errors import Untrusted
from appliance.formats import cbor, cose
from appliance.formats.fields import Count, OriginText, Serial
from appliance.model import Digest, Id, Line, Mode, Noun, Word

CERTIFICATE_TYPE: Final = "landlink/certificate"
EPOCH_TYPE: Final = "landlink/epoch"
CERTIFICATE_BYTES_MAX: Final = 4_096


class Role(enum.StrEnum):
    """What a certified key is for."""

    LOG = "log"
    TLS = "tls"
    AGE = "age"
    AUDIT = "audit"


class KeyCertificate(Noun, frozen=True, kw_only=True):
    """A long-lived key of the box.

    Attributes:
        name: LOG: the origin that it signs checkpoints of; otherwise the serial.
        public: LOG: 32 raw bytes of Ed25519; TLS (the uplink's) and AUDIT (of what serves the log):
            SubjectPublicKeyInfo DER; AGE: the recipient's text in ASCII.
    """

    role: Role
    serial: Serial
    name: Line
    public: Annotated[bytes, Meta(min_length=32, max_length=2_048)]


class PreviousOrigin(Noun, frozen=True, kw_only=True):
    """The log that a new origin takes over from, after a restore or a loss.

    Attributes:
        size, root: The last tree that the box itself still knew.
        cosigned_size, cosigned_root: The last tree that headquarters cosigned; 0 and None when there was none.
    """

    origin: OriginText
    size: Count
    root: Digest
    cosigned_size: Count
    cosigned_root: Digest | None


class EpochCertificate(Noun, frozen=True, kw_only=True):
    """The life of one signing key: from a start of the recorder, at most 24 hours.

    Attributes:
        epoch: 0 for the first of the origin, counted up by one.
        public: The epoch's Ed25519 public key.
        first_index: Index of the leaf that carries this certificate; the key signs from there to the next epoch.
        software: Version of the software that runs.
        started_ms: Wall time, milliseconds since 1970; a claim.
        previous: For the first epoch of an origin that replaces another.
    """

    origin: OriginText
    mode: Mode
    epoch: Count
    public: Digest
    first_index: Count
    software: Word
    boot_id: Id
    started_ms: Milliseconds
    previous: PreviousOrigin | None


def certify(
    role: Role, *, serial: str, name: str, public: bytes, identity_der: bytes, sign: Callable[[bytes], bytes]
) -> bytes:
    """Certify a key (fields as KeyCertificate); `sign` is the identity key's ES256 (r || s)."""
    certificate = KeyCertificate(role=role, serial=serial, name=name, public=public)
    return _sign(cbor.pack(certificate), CERTIFICATE_TYPE, identity_der, sign)


def verify_certificate(data: bytes, *, role: Role, identity_der: bytes) -> KeyCertificate:
    """The key that this identity certified for this role.

    Raises:
        Untrusted: Another identity, another role, or changed.
        Malformed: Not a certificate.
    """
    payload = _verified(data, CERTIFICATE_TYPE, identity_der)
    certificate: KeyCertificate = cbor.parse(
        payload, KeyCertificate, what="certificate", bytes_max=CERTIFICATE_BYTES_MAX
    )
    if certificate.role is not role:
        raise Untrusted(f"certificate: for the role {certificate.role}, not {role}")
    return certificate


def certify_epoch(certificate: EpochCertificate, *, identity_der: bytes, sign: Callable[[bytes], bytes]) -> bytes:
    """Certify an epoch's key; `sign` is the identity key's ES256 (r || s)."""
    return _sign(cbor.pack(certificate), EPOCH_TYPE, identity_der, sign)


def verify_epoch_certificate(data: bytes, identity_der: bytes) -> EpochCertificate:
    """The epoch that this identity certified.

    Raises:
        Untrusted: Another identity, or changed.
        Malformed: Not an epoch certificate.
    """
    payload = _verified(data, EPOCH_TYPE, identity_der)
    return cbor.parse(payload, EpochCertificate, what="epoch certificate", bytes_max=CERTIFICATE_BYTES_MAX)


def _sign(payload: bytes, typ: str, identity_der: bytes, sign: Callable[[bytes], bytes]) -> bytes:
    protected = {
        cose.LABEL_ALG: cose.ALG_ES256,
        cose.LABEL_KID: cose.kid(identity_der),
        cose.LABEL_TYP: typ,
    }
    return cose.sign1(payload, protected=protected, sign=sign)


def _verified(data: bytes, typ: str, identity_der: bytes) -> bytes:
    """The payload of a COSE_Sign1 of this type by this identity."""
    message = cose.parse_sign1(data, what=typ, bytes_max=CERTIFICATE_BYTES_MAX)
    cose.check_typ(message, typ)
    cose.verify_es256(message, identity_der)
    return message.payload
