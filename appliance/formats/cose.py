"""COSE_Sign1 (RFC 9052 §4.2): how statements, certificates, requests and receipts are signed.

Tagged (18), everything in the protected header, the unprotected header empty, the payload attached. Every kind of
signed thing has its own `typ` (RFC 9596), so a signature over one kind is never taken for another.
"""

import hashlib
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Final

import msgspec
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

from appliance.errors import Malformed, Untrusted
from appliance.formats import cbor

ALG_EDDSA: Final = -8
ALG_ES256: Final = -7
LABEL_ALG: Final = 1
LABEL_KID: Final = 4
LABEL_TYP: Final = 16
LABEL_CONTEXT: Final = -65_537
"""Of the private-use range: what the payload is signed together with."""
LABELS: Final = (LABEL_ALG, LABEL_KID, LABEL_TYP, LABEL_CONTEXT)
"""In deterministic order; for these the orders of RFC 8949 §4.2.1 (bytewise) and §4.2.3 (length first) are the same."""
SIGN1_BYTES_MAX: Final = 65_535
SIGNATURE_BYTES: Final = 64
KID_BYTES: Final = 8
_TAG_18: Final = b"\xd2"
_SIGN1: Final = _TAG_18 + b"\x84"
_NOTHING_UNPROTECTED: Final = 0xA0
_MAP: Final = 0xA0
_ALGORITHMS: Final = {cbor.encode(algorithm): algorithm for algorithm in (ALG_EDDSA, ALG_ES256)}
_ALG, _KID, _TYP, _CONTEXT = (cbor.encode(label) for label in LABELS)
_SIGNATURE1: Final = b"\x84" + cbor.encode("Signature1")


class Sign1(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A parsed COSE_Sign1 whose signature nobody has verified yet.

    Attributes:
        protected: The protected header; its labels are among LABELS.
        protected_raw: The bytes that are signed for it.
    """

    protected: Mapping[int, object]
    protected_raw: bytes
    payload: bytes
    signature: bytes

    def to_be_signed(self) -> bytes:
        """The bytes that are signed."""
        return _to_be_signed(self.protected_raw, self.payload)


@lru_cache(maxsize=64)
def kid(public: bytes) -> bytes:
    """Key identifier in our headers: the first 8 bytes of SHA-256(public key as its format carries it)."""
    return hashlib.sha256(public).digest()[:KID_BYTES]


def sign1(payload: bytes, *, protected: Mapping[int, object], sign: Callable[[bytes], bytes]) -> bytes:
    """Sign a payload.

    Args:
        payload: What is signed.
        protected: Header parameters by label, LABEL_ALG among them.
        sign: Gives the 64-byte signature of a message: Ed25519, or ECDSA P-256 as r || s.
    """
    assert protected.keys() <= set(LABELS), "another label needs its place in the deterministic order"
    protected_raw = cbor.encode(dict(protected))
    signature = sign(_to_be_signed(protected_raw, payload))
    return _TAG_18 + cbor.encode([protected_raw, {}, payload, signature])


def parse_sign1(data: bytes, *, what: str = "COSE_Sign1", bytes_max: int = SIGN1_BYTES_MAX) -> Sign1:
    """Parse a COSE_Sign1 without verifying it. Raises Malformed."""
    if len(data) > bytes_max:
        raise Malformed(what, f"{len(data)} bytes, at most {bytes_max}")
    if not data.startswith(_SIGN1):
        raise Malformed(what, "no COSE_Sign1 (tag 18, an array of four)", offset=0)
    protected_raw, at = cbor.take_bytes(data, len(_SIGN1), what=what)
    if at == len(data) or data[at] != _NOTHING_UNPROTECTED:
        raise Malformed(what, "an unprotected header that is not empty", offset=at)
    payload, at = cbor.take_bytes(data, at + 1, what=what)
    signature, at = cbor.take_bytes(data, at, what=what)
    if len(signature) != SIGNATURE_BYTES or at != len(data):
        raise Malformed(what, f"does not end with a signature of {SIGNATURE_BYTES} bytes")
    protected = _parse_header(protected_raw, f"{what} header")
    return Sign1(protected=protected, protected_raw=protected_raw, payload=payload, signature=signature)


def _parse_header(raw: bytes, what: str) -> dict[int, object]:
    """The map of some of our labels, in one pass; the context's label is the last, so all that follows is its value."""
    header: dict[int, object] = {}
    at = 1
    if raw.startswith(_ALG, at):
        header[LABEL_ALG] = _ALGORITHMS.get(raw[at + 1 : at + 2])
        at += 2
    if raw.startswith(_KID, at):
        header[LABEL_KID], at = cbor.take_bytes(raw, at + 1, what=what)
    if raw.startswith(_TYP, at):
        header[LABEL_TYP], at = cbor.take_text(raw, at + 1, what=what)
    if raw.startswith(_CONTEXT, at):
        at += len(_CONTEXT)
        header[LABEL_CONTEXT] = cbor.decode(raw[at:], what=what, bytes_max=len(raw))
        at = len(raw)
    if at != len(raw) or raw[0] != _MAP + len(header) or None in header.values():
        raise Malformed(what, f"no map of the labels {LABELS} in this order, each with a value that it can have")
    return header


def check_typ(message: Sign1, typ: str) -> None:
    """Refuse a signed thing of another kind. Raises Untrusted."""
    if message.protected.get(LABEL_TYP) != typ:
        raise Untrusted(f"COSE_Sign1: not of the type {typ}")


def verify_ed25519(message: Sign1, public: bytes) -> None:
    """Verify an EdDSA signature by the 32-byte Ed25519 key. Raises Untrusted."""
    _check_key(message, ALG_EDDSA, public)
    try:
        _load_ed25519(public).verify(message.signature, message.to_be_signed())
    except (InvalidSignature, ValueError):
        raise Untrusted("COSE_Sign1: the Ed25519 signature does not hold") from None


def verify_es256(message: Sign1, public_der: bytes) -> None:
    """Verify an ES256 signature (r || s) by the P-256 key in SubjectPublicKeyInfo DER. Raises Untrusted."""
    _check_key(message, ALG_ES256, public_der)
    middle = SIGNATURE_BYTES // 2
    r, s = (int.from_bytes(half, "big") for half in (message.signature[:middle], message.signature[middle:]))
    try:
        load_p256(public_der).verify(
            encode_dss_signature(r, s),
            message.to_be_signed(),
            ec.ECDSA(hashes.SHA256()),
        )
    except InvalidSignature:
        raise Untrusted("COSE_Sign1: the ES256 signature does not hold") from None


@lru_cache(maxsize=64)
def _load_ed25519(public: bytes) -> Ed25519PublicKey:
    """Raises ValueError. One epoch's key verifies thousands of entries in a row."""
    return Ed25519PublicKey.from_public_bytes(public)


def load_p256(public_der: bytes) -> ec.EllipticCurvePublicKey:
    """The P-256 public key of a SubjectPublicKeyInfo. Raises Untrusted for any other key."""
    try:
        key = serialization.load_der_public_key(public_der)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise Untrusted("not a SubjectPublicKeyInfo of a P-256 key") from None
    if not isinstance(key, ec.EllipticCurvePublicKey) or not isinstance(key.curve, ec.SECP256R1):
        raise Untrusted("not a SubjectPublicKeyInfo of a P-256 key")
    return key


def _check_key(message: Sign1, algorithm: int, public: bytes) -> None:
    """The header names this algorithm and, where it names a key, this key."""
    if message.protected.get(LABEL_ALG) != algorithm:
        raise Untrusted(f"COSE_Sign1: not signed with algorithm {algorithm}")
    named = message.protected.get(LABEL_KID)
    if LABEL_KID in message.protected and named != kid(public):
        raise Untrusted("COSE_Sign1: signed by another key")


def _to_be_signed(protected_raw: bytes, payload: bytes) -> bytes:
    """Sig_structure (RFC 9052 §4.4) with no external data."""
    heads = cbor.bytes_head(len(protected_raw)), cbor.bytes_head(0) + cbor.bytes_head(len(payload))
    return b"".join((_SIGNATURE1, heads[0], protected_raw, heads[1], payload))
