"""COSE_Sign1: the bytes that RFC 9052 says are signed, and what does not pass for them."""

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from appliance.errors import Malformed, Untrusted
from appliance.formats import cose
from tests.formats_samples import EPOCH_KEY, EPOCH_PUBLIC, IDENTITY_DER, IDENTITY_KEY, OTHER_IDENTITY_DER, es256

EDDSA = {cose.LABEL_ALG: cose.ALG_EDDSA, cose.LABEL_TYP: "landlink/example"}
ES256 = {cose.LABEL_ALG: cose.ALG_ES256, cose.LABEL_KID: cose.kid(IDENTITY_DER), cose.LABEL_TYP: "landlink/example"}


def signed(protected: dict[int, object] | None = None) -> bytes:
    return cose.sign1(b"payload", protected=protected or EDDSA, sign=EPOCH_KEY.sign)


def test_the_message_is_tag_18_over_header_empty_map_payload_and_signature() -> None:
    message = signed()
    header = bytes.fromhex("a20127") + b"\x10\x70landlink/example"  # {1: -8, 16: "landlink/example"}
    assert message[:-64] == b"\xd2\x84\x55" + header + b"\xa0\x47payload\x58\x40"
    # RFC 9052 §4.4: ["Signature1", protected, external_aad, payload]
    EPOCH_KEY.public_key().verify(message[-64:], b"\x84\x6aSignature1\x55" + header + b"\x40\x47payload")


def test_an_es256_signature_is_r_and_s() -> None:
    message = cose.parse_sign1(cose.sign1(b"payload", protected=ES256, sign=es256))
    r, s = int.from_bytes(message.signature[:32], "big"), int.from_bytes(message.signature[32:], "big")
    to_be_signed = b"\x84\x6aSignature1\x58\x1f" + message.protected_raw + b"\x40\x47payload"
    assert len(message.protected_raw) == 0x1F
    IDENTITY_KEY.public_key().verify(encode_dss_signature(r, s), to_be_signed, ec.ECDSA(hashes.SHA256()))
    cose.verify_es256(message, IDENTITY_DER)


def test_a_signature_by_another_key_is_refused() -> None:
    message = cose.parse_sign1(signed())
    cose.verify_ed25519(message, EPOCH_PUBLIC)
    with pytest.raises(Untrusted):
        cose.verify_ed25519(message, bytes(31) + b"\x01")
    with pytest.raises(Untrusted, match="by another key"):
        cose.verify_es256(cose.parse_sign1(cose.sign1(b"", protected=ES256, sign=es256)), OTHER_IDENTITY_DER)


def test_a_key_that_is_no_key_is_refused() -> None:
    message = cose.parse_sign1(signed())
    with pytest.raises(Untrusted):
        cose.verify_ed25519(message, b"short")


def test_the_header_names_the_algorithm_that_is_verified() -> None:
    with pytest.raises(Untrusted, match="algorithm -7"):
        cose.verify_es256(cose.parse_sign1(signed()), IDENTITY_DER)
    with pytest.raises(Untrusted, match="algorithm -8"):
        cose.verify_ed25519(cose.parse_sign1(cose.sign1(b"", protected=ES256, sign=es256)), EPOCH_PUBLIC)


def test_a_signature_of_one_type_does_not_pass_for_another() -> None:
    with pytest.raises(Untrusted, match="not of the type landlink/statement"):
        cose.check_typ(cose.parse_sign1(signed()), "landlink/statement")


@pytest.mark.parametrize(
    "key",
    [
        ec.derive_private_key(5, ec.SECP384R1()),
        rsa.generate_private_key(public_exponent=65_537, key_size=2_048),
        EPOCH_KEY,
    ],
)
def test_an_identity_key_that_is_not_p256_is_refused(key: ec.EllipticCurvePrivateKey) -> None:
    with pytest.raises(Untrusted, match="P-256"):
        cose.load_p256(key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo))


def test_bytes_that_are_no_key_are_refused() -> None:
    for der in (b"", b"\x30", IDENTITY_DER[:-1], IDENTITY_DER + b"\x00"):
        with pytest.raises(Untrusted):
            cose.load_p256(der)


@pytest.mark.parametrize(
    "message",
    [
        b"",
        signed()[1:],  # without the tag
        b"\xd2" + signed(),
        signed() + b"\x00",
        b"\xd2\x84\x43\xa1\x01\x27\xa1\x04\x41k\x47payload\x58\x40" + bytes(64),  # something in the unprotected header
        b"\xd2\x84\x43\xa1\x01\x27\xa0\xf6\x58\x40" + bytes(64),  # a detached payload
        b"\xd2\x84\x43\xa1\x01\x27\xa0\x40\x58\x3f" + bytes(63),  # a short signature
        b"\xd2\x84\x40\xa0\x40\x58\x40" + bytes(64),  # an empty header
        b"\xd2\x84\x43\xa1\x02\x27\xa0\x40\x58\x40" + bytes(64),  # a label that is not ours
        b"\xd2\x84\x44\xa1\x61a\x01\xa0\x40\x58\x40" + bytes(64),  # a text label
        b"\xd2\x83\x43\xa1\x01\x27\xa0\x40",
    ],
)
def test_what_is_no_message_of_ours_is_refused(message: bytes) -> None:
    with pytest.raises(Malformed):
        cose.parse_sign1(message)


def with_header(header: str) -> bytes:
    raw = bytes.fromhex(header)
    return b"\xd2\x84" + bytes((0x40 + len(raw),)) + raw + b"\xa0\x40\x58\x40" + bytes(64)


@pytest.mark.parametrize(
    ("header", "protected"),
    [
        ("a10126", {1: -7}),
        ("a3012704412010617a", {1: -8, 4: b" ", 16: "z"}),
        ("a201273a000100008201f6", {1: -8, -65537: [1, None]}),
    ],
)
def test_a_header_has_the_labels_that_it_may_have(header: str, protected: object) -> None:
    assert cose.parse_sign1(with_header(header)).protected == protected


@pytest.mark.parametrize(
    ("header", "why"),
    [
        ("a16161f6", "a text key"),
        ("a10226", "another label"),
        ("a2044120" + "0126", "labels out of order"),
        ("a1f526", "true, which is equal to 1"),
        ("a1fb3ff000000000000026", "1.0, which is equal to 1"),
        ("a1180126", "a label in two bytes"),
        ("a1013806", "a value in two bytes"),
        ("a10125", "ES512, which is none of our algorithms"),
        ("a101", "a label without its value"),
        ("a201260126", "a label twice"),
        ("a20126", "one label in a map of two"),
        ("a1012604412010617a", "three labels in a map of one"),
        ("a1046161", "a text as key identifier"),
        ("a1104161", "bytes as type"),
        ("a13a0001000081a10126", "a map with an integer key in its context"),
        ("a13a000100001817", "a number in two bytes as context"),
        ("a23a00010000000126", "something after the context"),
        ("8101", "an array"),
        ("01", "a number"),
    ],
)
def test_a_header_with_other_keys_or_another_spelling_is_refused(header: str, why: str) -> None:
    with pytest.raises(Malformed, match="COSE_Sign1 header"):
        cose.parse_sign1(with_header(header))
    assert why


def test_a_message_above_its_bound_is_refused() -> None:
    with pytest.raises(Malformed, match="at most"):
        cose.parse_sign1(signed(), bytes_max=50)
