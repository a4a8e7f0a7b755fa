"""The leaf of the log: a COSE_Sign1 by the epoch's key about one entry (README, "Statement").

The context stands in the protected header, so it is signed and readable without the body. About persons a statement
says only `sealed`: not what kind of entry it is, so that nobody learns from the log when somebody spoke.
"""

from collections.abc import Callable
from typing import Annotated, Final

import msgspec
from msgspec import Meta

from appliance.clock import Grade, Instant, Milliseconds
from appliance.errors import Malformed, Untrusted
from appliance.formats import cbor, cose
from appliance.formats.cose import Sign1
from appliance.formats.event import check_event
from appliance.formats.fields import Count, OriginText
from appliance.formats.identity import EpochCertificate, verify_epoch_certificate
from appliance.formats.record import RECORD_BYTES_MAX
from appliance.model import Digest, Line, Mode, Noun, Word

STATEMENT_TYPE: Final = "landlink/statement"
STATEMENT_BYTES_MAX: Final = 8_192


class Sealed(Noun, frozen=True, kw_only=True, gc=False, tag="sealed"):
    """An entry about a person, or a canary: its body lies outside the log, sealed.

    Attributes:
        commitment: SHA-256 over the record (record.commitment).
        blob_sha256: SHA-256 of the sealed body.
        blob_bytes: Its length.
    """

    commitment: Digest
    blob_sha256: Digest
    blob_bytes: Annotated[int, Meta(ge=1, le=2 * RECORD_BYTES_MAX)]


class Carried(Sealed, frozen=True, kw_only=True, tag="carried"):
    """An entry of a log that this box has lost, again: the same body under the same commitment.

    Attributes:
        origin, index: Where it stood.
        statement: SHA-256 of its old statement (the leaf).
    """

    origin: OriginText
    index: Count
    statement: Digest


class EventEntry(Noun, frozen=True, kw_only=True, tag="event"):
    """An entry without personal data; its event stands in the statement (event.py declares them all)."""

    event: Word
    fields: Annotated[dict[Word, Line], Meta(max_length=8)]


class EpochStart(Noun, frozen=True, kw_only=True, tag="epoch"):
    """The first entry of an epoch: the certificate of the key that signs it and all that follow (identity.py)."""

    certificate: Annotated[bytes, Meta(min_length=1, max_length=2_048)]


Kind = Sealed | Carried | EventEntry | EpochStart


class Statement(Noun, frozen=True, kw_only=True, gc=False):
    """What a leaf says. Its index is its place in the log and is not in it.

    Attributes:
        at: The clock's reading when the entry was made.
        recipients_version: Version of headquarters' recipients that records are sealed to; 0 before the first release.
        cosigned: SHA-256 of the text of the last checkpoint that headquarters cosigned ("not before"); None before it.
    """

    origin: OriginText
    epoch: Count
    mode: Mode
    at: Instant
    recipients_version: Count
    cosigned: Digest | None
    kind: Kind


class SignedStatement(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A parsed leaf whose signature nobody has verified yet.

    Attributes:
        unverified: What it says. To find the epoch's key; to believe it, take what `verify_statement` returns.
    """

    unverified: Statement
    sign1: Sign1
    leaf: bytes


class _Context(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True, gc=False):
    """LABEL_CONTEXT of the protected header: an array, for a leaf is kept forever."""

    origin: OriginText
    epoch: Count
    mode: Mode
    wall_ms: Milliseconds
    grade: Grade
    lower_bound_ms: Milliseconds
    boot_id: Annotated[bytes, Meta(min_length=16, max_length=16)]
    boot_ms: Annotated[int, Meta(ge=0, le=2**53)]
    recipients_version: Count
    commitment: Digest | None
    cosigned: Digest | None


class _SealedPayload(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True, gc=False, tag="sealed"):
    blob_sha256: Digest
    blob_bytes: Annotated[int, Meta(ge=1, le=2 * RECORD_BYTES_MAX)]


class _CarriedPayload(
    msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True, gc=False, tag="carried"
):
    blob_sha256: Digest
    blob_bytes: Annotated[int, Meta(ge=1, le=2 * RECORD_BYTES_MAX)]
    origin: OriginText
    index: Count
    statement: Digest


class _EventPayload(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True, gc=False, tag="event"):
    event: Word
    fields: Annotated[dict[Word, Line], Meta(max_length=8)]


class _EpochPayload(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True, gc=False, tag="epoch"):
    certificate: Annotated[bytes, Meta(min_length=1, max_length=2_048)]


_Payload = _SealedPayload | _CarriedPayload | _EventPayload | _EpochPayload
_PAYLOADS: Final[dict[object, type[_Payload]]] = {
    kind.__struct_config__.tag: kind for kind in (_SealedPayload, _CarriedPayload, _EventPayload, _EpochPayload)
}


def sign_statement(statement: Statement, *, epoch_public: bytes, sign: Callable[[bytes], bytes]) -> bytes:
    """Make the leaf.

    Args:
        statement: What it says.
        epoch_public: The epoch's Ed25519 public key, 32 bytes; its kid goes into the header.
        sign: That key's signature.

    Raises:
        Malformed: An event that is not declared so.
    """
    commitment, payload = _payload_of(statement.kind)
    at = statement.at
    context = _Context(
        origin=statement.origin,
        epoch=statement.epoch,
        mode=statement.mode,
        wall_ms=at.wall_ms,
        grade=at.grade,
        lower_bound_ms=at.lower_bound_ms,
        boot_id=bytes.fromhex(at.boot_id),
        boot_ms=at.boot_ms,
        recipients_version=statement.recipients_version,
        commitment=commitment,
        cosigned=statement.cosigned,
    )
    protected = {
        cose.LABEL_ALG: cose.ALG_EDDSA,
        cose.LABEL_KID: cose.kid(epoch_public),
        cose.LABEL_TYP: STATEMENT_TYPE,
        cose.LABEL_CONTEXT: msgspec.to_builtins(context, builtin_types=(bytes,)),
    }
    return cose.sign1(cbor.pack(payload), protected=protected, sign=sign)


def _payload_of(kind: Kind) -> tuple[bytes | None, _Payload]:
    match kind:
        case Carried():
            old = (kind.origin, kind.index, kind.statement)
            return kind.commitment, _CarriedPayload(kind.blob_sha256, kind.blob_bytes, *old)
        case Sealed():
            return kind.commitment, _SealedPayload(kind.blob_sha256, kind.blob_bytes)
        case EventEntry():
            check_event(kind.event, kind.fields)
            return None, _EventPayload(kind.event, kind.fields)
        case EpochStart():
            return None, _EpochPayload(kind.certificate)


def parse_statement(leaf: bytes) -> SignedStatement:
    """Parse a leaf without verifying it.

    Raises:
        Malformed: Not a COSE_Sign1 of the statement type with exactly this context and payload.
    """
    sign1 = cose.parse_sign1(leaf, what="statement", bytes_max=STATEMENT_BYTES_MAX)
    if sign1.protected.get(cose.LABEL_TYP) != STATEMENT_TYPE:
        raise Malformed("statement", f"its type is not {STATEMENT_TYPE}")
    context: _Context = cbor.convert(sign1.protected.get(cose.LABEL_CONTEXT), _Context, what="statement context")
    payload = _parse_payload(sign1.payload)
    statement = Statement(
        origin=context.origin,
        epoch=context.epoch,
        mode=context.mode,
        at=Instant(
            wall_ms=context.wall_ms,
            grade=context.grade,
            lower_bound_ms=context.lower_bound_ms,
            boot_id=context.boot_id.hex(),
            boot_ms=context.boot_ms,
        ),
        recipients_version=context.recipients_version,
        cosigned=context.cosigned,
        kind=_kind_of(context.commitment, payload),
    )
    return SignedStatement(unverified=statement, sign1=sign1, leaf=leaf)


def _parse_payload(data: bytes) -> _Payload:
    """By its tag, which is several times as fast as the union; what has none of these tags, the union refuses."""
    value = cbor.decode(data, what="statement payload", bytes_max=STATEMENT_BYTES_MAX)
    tag = value[0] if isinstance(value, list) and value and isinstance(value[0], str) else None
    payload: _Payload = cbor.convert(value, _PAYLOADS.get(tag, _Payload), what="statement payload")
    return payload


def _kind_of(commitment: bytes | None, payload: _Payload) -> Kind:
    if isinstance(payload, _SealedPayload | _CarriedPayload):
        if commitment is None:
            raise Malformed("statement", "a sealed entry without its commitment")
        return _sealed_of(commitment, payload)
    if commitment is not None:
        raise Malformed("statement", "a commitment though nothing is sealed")
    if isinstance(payload, _EpochPayload):
        return EpochStart(certificate=payload.certificate)
    return EventEntry(event=payload.event, fields=payload.fields)


def _sealed_of(commitment: bytes, payload: _SealedPayload | _CarriedPayload) -> Sealed:
    if isinstance(payload, _SealedPayload):
        return Sealed(commitment=commitment, blob_sha256=payload.blob_sha256, blob_bytes=payload.blob_bytes)
    return Carried(
        commitment=commitment,
        blob_sha256=payload.blob_sha256,
        blob_bytes=payload.blob_bytes,
        origin=payload.origin,
        index=payload.index,
        statement=payload.statement,
    )


def verify_statement(signed: SignedStatement, epoch_public: bytes) -> Statement:
    """What the leaf says, signed by this epoch's key.

    Raises:
        Untrusted: Signed by another key, or changed.
    """
    cose.verify_ed25519(signed.sign1, epoch_public)
    return signed.unverified


def verify_epoch_start(signed: SignedStatement, identity_der: bytes) -> EpochCertificate:
    """The certificate in the first leaf of an epoch.

    1. The leaf carries a certificate. 2. The box's identity key signed it. 3. The key inside signed the leaf.
    4. Both name the same origin, mode, epoch and boot.

    Raises:
        Untrusted: One of these does not hold.
        Malformed: The certificate cannot be read.
    """
    kind = signed.unverified.kind
    if not isinstance(kind, EpochStart):
        raise Untrusted("epoch: its first leaf carries no certificate")
    certificate = verify_epoch_certificate(kind.certificate, identity_der)
    statement = verify_statement(signed, certificate.public)
    inner = (certificate.origin, certificate.mode, certificate.epoch, certificate.boot_id)
    if inner != (statement.origin, statement.mode, statement.epoch, statement.at.boot_id):
        raise Untrusted("epoch: certificate and leaf do not name the same origin, mode, epoch and boot")
    return certificate
