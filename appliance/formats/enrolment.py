"""How a box joins: it asks with its public keys, headquarters answers with certificates and the root of trust.

Nothing secret is in either. Two people compare the fingerprints of both over another way (the label, the telephone), so
a swapped request or answer is noticed before the box is trusted or trusts.
"""

import hashlib
from collections.abc import Callable
from typing import Annotated, Final

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from msgspec import Meta

from appliance.clock import Milliseconds
from appliance.errors import Malformed, Untrusted
from appliance.formats import cbor, cose
from appliance.formats.age import Recipient, parse_recipient
from appliance.formats.fields import Serial
from appliance.formats.identity import KeyCertificate, Role, verify_certificate
from appliance.formats.note import ED25519, PUBLIC_BYTES
from appliance.model import Digest, Mode, Noun

REQUEST_TYPE: Final = "landlink/request"
REQUEST_BYTES_MAX: Final = 32_768
ANSWER_BYTES_MAX: Final = 262_144
FINGERPRINT_DIGITS: Final = 20
AUDITOR_URI: Final = "landlink:auditor"
"""By what name headquarters' auditor stands in his TLS certificate."""

Certificate = Annotated[bytes, Meta(min_length=1, max_length=4_096)]


def first_origin(domain: str, serial: str) -> str:
    """The name of a box's first log."""
    return f"{domain}/{serial.lower()}.1"


def box_uri(serial: str) -> str:
    """By what name a box stands in its TLS certificate (SubjectAlternativeName)."""
    return f"landlink:box:{serial}"


def audit_uri(serial: str) -> str:
    """By what name a box stands in the certificate under which it serves its log to the auditor."""
    return f"landlink:audit:{serial}"


class Request(Noun, frozen=True, kw_only=True):
    """What a box asks to be enrolled with.

    Attributes:
        identity_der: SubjectPublicKeyInfo of its identity key, which signs the request.
        log_certificate, tls_certificate, age_certificate: identity.certify of each role.
        tls_csr: PKCS#10 in DER for the TLS key, by which headquarters makes the X.509 certificate.
        audit_certificate, audit_csr: The same for the key under which the box serves its log to the auditor; None from
            a box that has no such key.
    """

    serial: Serial
    domain: Annotated[str, Meta(pattern=r"\A[a-z0-9][a-z0-9.-]{1,62}\Z")]
    mode: Mode
    identity_der: Annotated[bytes, Meta(min_length=1, max_length=256)]
    log_certificate: Certificate
    tls_certificate: Certificate
    age_certificate: Certificate
    tls_csr: Certificate
    audit_certificate: Certificate | None = None
    audit_csr: Certificate | None = None

    @property
    def first_origin(self) -> str:
        """The name of the box's first log."""
        return first_origin(self.domain, self.serial)

    def certified(self, role: Role) -> KeyCertificate:
        """The key of this role. Raises Untrusted unless this identity certified it for this serial; Malformed."""
        data = {
            Role.LOG: self.log_certificate,
            Role.TLS: self.tls_certificate,
            Role.AGE: self.age_certificate,
            Role.AUDIT: self.audit_certificate,
        }[role]
        if data is None:
            raise Untrusted(f"enrolment request: no {role} certificate is in it")
        certificate = verify_certificate(data, role=role, identity_der=self.identity_der)
        if certificate.serial != self.serial:
            raise Untrusted(f"enrolment request: the {role} certificate is for another box")
        return certificate

    def log_key(self) -> KeyCertificate:
        """The first log's key. Raises Untrusted, also when it is certified for another origin; Malformed."""
        certificate = self.certified(Role.LOG)
        if certificate.name != self.first_origin or len(certificate.public) != PUBLIC_BYTES[ED25519]:
            raise Untrusted("enrolment request: what is certified is no Ed25519 key of the box's first log")
        return certificate

    def age_recipient(self) -> Recipient:
        """To whom headquarters seals what comes down. Raises Untrusted, Malformed."""
        return parse_recipient(self.certified(Role.AGE).public.decode("ascii", "replace"))


class Answer(Noun, frozen=True, kw_only=True):
    """What headquarters answers; the box believes it after two people compared its root's fingerprint.

    Attributes:
        request_sha256: SHA-256 of the signed request that it answers.
        tls_certificate, ca_certificate: PEM; the second is what the collector's certificate must chain to.
        audit_certificate: PEM, where the request had a key for it.
        root: The first root of headquarters' TUF repository, to be pinned.
        at_ms: When headquarters answered.
    """

    serial: Serial
    request_sha256: Digest
    tls_certificate: Annotated[bytes, Meta(min_length=1, max_length=16_384)]
    ca_certificate: Annotated[bytes, Meta(min_length=1, max_length=16_384)]
    root: Annotated[bytes, Meta(min_length=1, max_length=131_072)]
    at_ms: Milliseconds
    audit_certificate: Annotated[bytes, Meta(min_length=1, max_length=16_384)] | None = None


def sign_request(request: Request, sign: Callable[[bytes], bytes]) -> bytes:
    """Sign a request; `sign` is the ES256 of the identity key inside (r || s)."""
    protected = {
        cose.LABEL_ALG: cose.ALG_ES256,
        cose.LABEL_KID: cose.kid(request.identity_der),
        cose.LABEL_TYP: REQUEST_TYPE,
    }
    return cose.sign1(cbor.pack(request), protected=protected, sign=sign)


def verify_request(data: bytes) -> Request:
    """Read a request and check that it is of one piece.

    1. The identity key inside signed it. 2. It certified the first log's key, 3. an age recipient, 4. the TLS key, each
    for this serial. 5. The CSR is for that TLS key and signed by it. 6. The same of the key for the audit, if any.

    Raises:
        Untrusted: One of these does not hold.
        Malformed: Something in it cannot be read.
    """
    message = cose.parse_sign1(data, what="enrolment request", bytes_max=REQUEST_BYTES_MAX)
    cose.check_typ(message, REQUEST_TYPE)
    request: Request = cbor.parse(message.payload, Request, what="enrolment request", bytes_max=REQUEST_BYTES_MAX)
    cose.verify_es256(message, request.identity_der)
    request.log_key()
    request.age_recipient()
    if request.certified(Role.TLS).public != _key_of_csr(request.tls_csr):
        raise Untrusted("enrolment request: the CSR is for another key than the certified TLS key")
    if (request.audit_certificate is None) is not (request.audit_csr is None):
        raise Untrusted("enrolment request: of the key for the audit, either certificate or CSR is missing")
    if request.audit_csr is not None and request.certified(Role.AUDIT).public != _key_of_csr(request.audit_csr):
        raise Untrusted("enrolment request: the CSR is for another key than the certified key for the audit")
    return request


def _key_of_csr(csr_der: bytes) -> bytes:
    """SubjectPublicKeyInfo of a CSR that its own key signed. Raises Malformed, Untrusted."""
    try:
        csr = x509.load_der_x509_csr(csr_der)
        public = csr.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        genuine = csr.is_signature_valid
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise Malformed("enrolment request", "the CSR is no PKCS#10") from None
    if not genuine:
        raise Untrusted("enrolment request: the CSR is not signed by its own key")
    return public


def encode_answer(answer: Answer) -> bytes:
    """Deterministic CBOR of the answer."""
    return cbor.pack(answer)


def parse_answer(data: bytes) -> Answer:
    """Parse an answer. Raises Malformed."""
    return cbor.parse(data, Answer, what="enrolment answer", bytes_max=ANSWER_BYTES_MAX)


def check_answer(answer: Answer, request: bytes) -> None:
    """Check that the answer is to this signed request. Raises Untrusted."""
    if answer.request_sha256 != hashlib.sha256(request).digest():
        raise Untrusted("enrolment answer: it answers another request than the last one of this box")


def fingerprint(data: bytes) -> str:
    """80 bits of SHA-256 for two people to compare: five groups of four hexadecimal digits."""
    digits = hashlib.sha256(data).hexdigest()[:FINGERPRINT_DIGITS]
    return " ".join(digits[start : start + 4] for start in range(0, FINGERPRINT_DIGITS, 4))
