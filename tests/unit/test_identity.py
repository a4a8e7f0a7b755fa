"""What the identity key certifies, and how a box asks to be enrolled."""

import hashlib

import msgspec
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509.oid import NameOID

from appliance.errors import Malformed, Untrusted
from appliance.formats import cose
from appliance.formats.enrolment import (
    Answer,
    Request,
    check_answer,
    encode_answer,
    fingerprint,
    parse_answer,
    sign_request,
    verify_request,
)
from appliance.formats.identity import (
    PreviousOrigin,
    Role,
    certify,
    certify_epoch,
    verify_certificate,
    verify_epoch_certificate,
)
from appliance.model import Mode
from tests.formats_samples import (
    GENERAL,
    IDENTITY_DER,
    LOG_KEY,
    ORIGIN,
    OTHER_IDENTITY_DER,
    OTHER_IDENTITY_KEY,
    SERIAL,
    an_epoch,
    es256,
)

TLS_KEY = ec.derive_private_key(3, ec.SECP256R1())
TLS_DER = TLS_KEY.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
CSR = (
    x509.CertificateSigningRequestBuilder()
    .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, SERIAL)]))
    .sign(TLS_KEY, hashes.SHA256())
    .public_bytes(Encoding.DER)
)


def certificate(role: Role, *, name: str = SERIAL, public: bytes, serial: str = SERIAL) -> bytes:
    return certify(role, serial=serial, name=name, public=public, identity_der=IDENTITY_DER, sign=es256)


LOG = certificate(Role.LOG, name=ORIGIN, public=LOG_KEY.public_key().public_bytes_raw())
TLS = certificate(Role.TLS, public=TLS_DER)
AGE = certificate(Role.AGE, public=GENERAL.recipient.encode().encode())
REQUEST = Request(
    serial=SERIAL,
    domain="landlink.example",
    mode=Mode.LIVE,
    identity_der=IDENTITY_DER,
    log_certificate=LOG,
    tls_certificate=TLS,
    age_certificate=AGE,
    tls_csr=CSR,
)


def asked(**changes: object) -> bytes:
    return sign_request(msgspec.structs.replace(REQUEST, **changes), es256)


def test_a_certificate_is_believed_for_its_role_alone() -> None:
    certified = verify_certificate(LOG, role=Role.LOG, identity_der=IDENTITY_DER)
    assert (certified.serial, certified.name) == (SERIAL, ORIGIN)
    assert certified.public == LOG_KEY.public_key().public_bytes_raw()
    with pytest.raises(Untrusted, match="for the role log, not tls"):
        verify_certificate(LOG, role=Role.TLS, identity_der=IDENTITY_DER)


def test_a_certificate_by_another_identity_is_refused() -> None:
    with pytest.raises(Untrusted):
        verify_certificate(LOG, role=Role.LOG, identity_der=OTHER_IDENTITY_DER)


def test_an_epoch_certificate_round_trips_with_the_origin_that_it_follows() -> None:
    previous = PreviousOrigin(origin=ORIGIN, size=9, root=b"\x01" * 32, cosigned_size=7, cosigned_root=b"\x02" * 32)
    epoch = msgspec.structs.replace(an_epoch(), origin="landlink.example/la-0001.2", previous=previous)
    signed = certify_epoch(epoch, identity_der=IDENTITY_DER, sign=es256)
    assert verify_epoch_certificate(signed, IDENTITY_DER) == epoch


def test_a_key_certificate_is_no_epoch_certificate() -> None:
    with pytest.raises(Untrusted, match="not of the type"):
        verify_epoch_certificate(LOG, IDENTITY_DER)
    epoch = certify_epoch(an_epoch(), identity_der=IDENTITY_DER, sign=es256)
    with pytest.raises(Untrusted, match="not of the type"):
        verify_certificate(epoch, role=Role.LOG, identity_der=IDENTITY_DER)


def test_a_request_of_one_piece_is_read() -> None:
    request = verify_request(asked())
    assert request == REQUEST
    assert request.first_origin == ORIGIN
    assert request.log_key().public == LOG_KEY.public_key().public_bytes_raw()
    assert request.age_recipient() == GENERAL.recipient


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"log_certificate": certificate(Role.LOG, name="landlink.example/la-0001.2", public=bytes(32))}, "first log"),
        ({"log_certificate": certificate(Role.LOG, name=ORIGIN, public=bytes(33))}, "first log"),
        ({"log_certificate": certificate(Role.LOG, name=ORIGIN, public=bytes(32), serial="LA-0002")}, "another box"),
        ({"tls_certificate": certificate(Role.TLS, public=TLS_DER, serial="LA-0002")}, "another box"),
        ({"tls_certificate": certificate(Role.TLS, public=OTHER_IDENTITY_DER)}, "another key"),
        ({"tls_certificate": AGE}, "for the role age"),
        ({"age_certificate": TLS}, "for the role tls"),
        ({"serial": "LA-0002"}, "another box"),
        ({"domain": "elsewhere.example"}, "first log"),
        ({"identity_der": OTHER_IDENTITY_DER}, "does not hold"),
    ],
)
def test_a_request_with_something_of_another_box_is_refused(changes: dict[str, object], why: str) -> None:
    with pytest.raises(Untrusted, match=why):
        verify_request(asked(**changes))


def test_a_csr_that_its_key_did_not_sign_is_refused() -> None:
    forged = bytearray(CSR)
    forged[-1] ^= 1
    with pytest.raises(Untrusted, match="its own key"):
        verify_request(asked(tls_csr=bytes(forged)))


def test_what_is_no_csr_or_no_recipient_is_refused() -> None:
    for changes in ({"tls_csr": b"\x30\x00"}, {"age_certificate": certificate(Role.AGE, public=b"age1pq" * 8)}):
        with pytest.raises(Malformed):
            verify_request(asked(**changes))


def test_a_request_that_another_key_signed_is_refused() -> None:
    signed = cose.parse_sign1(asked())
    forged = cose.sign1(
        signed.payload, protected=signed.protected, sign=lambda message: es256(message, OTHER_IDENTITY_KEY)
    )
    with pytest.raises(Untrusted, match="does not hold"):
        verify_request(forged)


def test_an_answer_is_to_one_request() -> None:
    request = asked()
    answer = Answer(
        serial=SERIAL,
        request_sha256=hashlib.sha256(request).digest(),
        tls_certificate=b"pem",
        ca_certificate=b"pem",
        root=b"{}",
        at_ms=1_793_100_000_000,
    )
    assert parse_answer(encode_answer(answer)) == answer
    check_answer(answer, request)
    with pytest.raises(Untrusted, match="another request"):
        check_answer(answer, asked(domain="elsewhere.example"))


def test_a_fingerprint_is_eighty_bits_in_five_groups() -> None:
    # SHA-256("abc") = ba7816bf 8f01cfea 4141... (FIPS 180-2, B.1)
    assert fingerprint(b"abc") == "ba78 16bf 8f01 cfea 4141"
