"""The box's identity key (P-256) in a PKCS#11 token: a TPM through tpm2-pkcs11, a secure element, SoftHSM.

The key is made inside the token, sensitive and not extractable: it signs, and nobody reads it. Beside it the token has
an RSA key, which opens what was sealed to it (RSAES-OAEP is what TPMs and cards have in common): under it lies the key
of the box's other secrets, so that the card alone opens none of them.
"""

import os
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from pkcs11 import (
    DEFAULT,
    MGF,
    Attribute,
    DecryptMixin,
    Key,
    KeyType,
    Mechanism,
    MechanismFlag,
    MultipleObjectsReturned,
    NoSuchKey,
    ObjectClass,
    Session,
    SignMixin,
)
from pkcs11.util.ec import encode_named_curve_parameters

from drivers.api import DeviceError
from drivers.token_session import TokenSession

IDENTITY: Final = "landlink identity"
SEALING: Final = "landlink sealing"
RSA_BITS: Final = 2_048
SIGNATURE_BYTES: Final = 64
POINT_BYTES: Final = 65
OCTET_STRING: Final = b"\x04\x41"
"""How DER begins an OCTET STRING of 65 bytes; some tokens give the point without it (PKCS#11 v3.1 §6.3.3)."""


class TokenKeyStore:
    """Implements `api.KeyStore` over the token with this label.

    Args:
        module: The token's PKCS#11 library.
        label: The token's label.
        pin: Gives the user's PIN; may raise DeviceError.
    """

    def __init__(self, module: Path, label: str, pin: Callable[[], str]) -> None:
        self._token = TokenSession(module, label, pin)
        self._public: ec.EllipticCurvePublicKey | None = None

    def create(self) -> None:
        """Make the keys in the token that it does not have; one that it has is never replaced. Raises DeviceError."""
        self._token.change(_make_what_is_missing)

    def public_key_der(self) -> bytes:
        """SubjectPublicKeyInfo of the identity key.

        Raises:
            DeviceError: The token is away, has no identity key, or one whose halves do not belong together.
        """
        if self._public is None:
            public = self._token.ask(_identity)
            challenge = os.urandom(32)
            _verify(public, self._token.ask(lambda session: _signature(session, challenge)), challenge)
            self._public = public
        return self._public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)

    def sign(self, message: bytes) -> bytes:
        """ECDSA P-256 with SHA-256 over the message; r || s, 64 bytes (RFC 9053 §2.1). Raises DeviceError."""
        return self._token.ask(lambda session: _signature(session, message))

    def seal(self, secret: bytes) -> bytes:
        """Encrypt a short secret (at most 214 bytes) to the token. Raises DeviceError."""
        return self._token.ask(_sealing).encrypt(secret, _oaep())

    def open(self, sealed: bytes) -> bytes:
        """Decrypt what `seal` made. Raises DeviceError, also when it was sealed to another token."""
        return self._token.ask(lambda session: _opened(session, sealed))


def _make_what_is_missing(session: Session) -> None:
    private = {Attribute.SENSITIVE: True, Attribute.EXTRACTABLE: False}
    # What is not said the token decides: tpm2-pkcs11 refuses a template that says of a key what it sees otherwise.
    unsaid = {Attribute.WRAP: DEFAULT, Attribute.ENCRYPT: DEFAULT}
    unsaid_private = {Attribute.UNWRAP: DEFAULT, Attribute.DECRYPT: DEFAULT, Attribute.DERIVE: DEFAULT}
    if not _has(session, IDENTITY):
        curve = {Attribute.EC_PARAMS: encode_named_curve_parameters("secp256r1")}
        session.create_domain_parameters(KeyType.EC, curve, local=True).generate_keypair(
            id=IDENTITY.encode(),
            label=IDENTITY,
            store=True,
            capabilities=MechanismFlag.SIGN | MechanismFlag.VERIFY,
            public_template={**unsaid, Attribute.VERIFY: True},
            private_template={**unsaid_private, **private, Attribute.SIGN: True},
        )
    if not _has(session, SEALING):
        session.generate_keypair(
            KeyType.RSA,
            RSA_BITS,
            id=SEALING.encode(),
            label=SEALING,
            store=True,
            capabilities=MechanismFlag.ENCRYPT | MechanismFlag.DECRYPT,
            public_template={Attribute.WRAP: DEFAULT, Attribute.VERIFY: DEFAULT, Attribute.ENCRYPT: True},
            private_template={
                **unsaid_private,
                **private,
                Attribute.SIGN: DEFAULT,
                Attribute.DECRYPT: True,
            },
        )


def _has(session: Session, label: str) -> bool:
    template = {Attribute.CLASS: ObjectClass.PRIVATE_KEY, Attribute.LABEL: label}
    return any(True for _ in session.get_objects(template))


def _key(session: Session, kind: ObjectClass, label: str) -> Key:
    try:
        return session.get_key(object_class=kind, label=label)
    except NoSuchKey:
        raise DeviceError(f"the token has no key {label!r}; a new box makes it: landlink-box request") from None
    except MultipleObjectsReturned:
        raise DeviceError(f"the token has several keys {label!r}; take out those that are not this box's") from None


def _identity(session: Session) -> ec.EllipticCurvePublicKey:
    point = bytes(_key(session, ObjectClass.PUBLIC_KEY, IDENTITY)[Attribute.EC_POINT])
    if len(point) == len(OCTET_STRING) + POINT_BYTES:
        point = point.removeprefix(OCTET_STRING)
    try:
        return ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), point)
    except ValueError:
        raise DeviceError("the token's identity key is no P-256 key") from None


def _signature(session: Session, message: bytes) -> bytes:
    key = _key(session, ObjectClass.PRIVATE_KEY, IDENTITY)
    if not isinstance(key, SignMixin):
        raise DeviceError("the token's identity key may not sign")
    signature = bytes(key.sign(sha256(message).digest(), mechanism=Mechanism.ECDSA))
    if len(signature) != SIGNATURE_BYTES:
        raise DeviceError(f"the token gave a signature of {len(signature)} bytes, not {SIGNATURE_BYTES}")
    return signature


def _verify(public: ec.EllipticCurvePublicKey, signature: bytes, message: bytes) -> None:
    r, s = int.from_bytes(signature[:32]), int.from_bytes(signature[32:])
    try:
        public.verify(encode_dss_signature(r, s), message, ec.ECDSA(hashes.SHA256()))
    except InvalidSignature:
        raise DeviceError("the token's identity key does not sign what its public half verifies") from None


def _sealing(session: Session) -> rsa.RSAPublicKey:
    key = _key(session, ObjectClass.PUBLIC_KEY, SEALING)
    exponent, modulus = (int.from_bytes(key[name]) for name in (Attribute.PUBLIC_EXPONENT, Attribute.MODULUS))
    try:
        return rsa.RSAPublicNumbers(exponent, modulus).public_key()
    except ValueError:
        raise DeviceError("the token's sealing key is no RSA key") from None


def _opened(session: Session, sealed: bytes) -> bytes:
    oaep = (Mechanism.SHA_1, MGF.SHA1, None)
    key = _key(session, ObjectClass.PRIVATE_KEY, SEALING)
    if not isinstance(key, DecryptMixin):
        raise DeviceError("the token's sealing key may not decrypt")
    secret = key.decrypt(sealed, mechanism=Mechanism.RSA_PKCS_OAEP, mechanism_param=oaep)
    assert isinstance(secret, bytes), "what is decrypted in one piece"
    return secret


def _oaep() -> padding.OAEP:
    """SoftHSM knows OAEP with SHA-1 alone; its security asks for no resistance to collisions (RFC 8017 §7.1)."""
    return padding.OAEP(padding.MGF1(hashes.SHA1()), hashes.SHA1(), None)  # noqa: S303 - as said above
