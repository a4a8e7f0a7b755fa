"""age files: the vectors of C2SP CCTV, the example of the specification, and what we refuse beyond it."""

import hashlib
import zlib
from dataclasses import dataclass
from pathlib import Path

import pytest

from appliance.errors import Malformed, Untrusted
from appliance.formats.age import (
    BLOB_BYTES_MAX,
    Identity,
    Recipient,
    decrypt,
    encrypt,
    generate_identity,
    parse_identity,
    parse_recipient,
)
from appliance.formats.age_header import check_mac, encode_header, parse_header
from appliance.formats.age_payload import open_payload, payload_cipher, payload_size, seal_payload
from appliance.formats.record import RECORD_BYTES_MAX, padded_size
from tests.formats_samples import ESCROW, GENERAL

PLAINTEXT_BYTES_MAX = 17_000_000
SPEC_IDENTITY = "AGE-SECRET-KEY-PQ-1XX76JRALNLXDMEW0CRK45QMCCH4X06SE84UN3VPM33W6HWDX0H3SK3ZQFR"
SPEC_RECIPIENT_SHA256 = "a091dd7e0ee9d62b75173dcc98441a0424baa941e66a8776e570a4ae60ff61ea"
CLASSICAL_RECIPIENT = "age1zvkyg2lqzraa2lnjvqej32nkuu0ues2s82hzrye869xeexvn73equnujwj"
CLASSICAL_IDENTITY = "AGE-SECRET-KEY-1GFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPQ4EGAEX"


@dataclass(frozen=True)
class Vector:
    """One file of CCTV: what should become of it, and with what."""

    name: str
    expect: str
    fields: dict[str, str]
    body: bytes

    @property
    def file_key(self) -> bytes:
        return bytes.fromhex(self.fields["file key"])

    def check(self, plaintext: bytes) -> None:
        assert self.expect == "success", f"{self.name} opened, expected {self.expect}"
        assert hashlib.sha256(plaintext).hexdigest() == self.fields["payload"], self.name


def read_vectors(folder: Path, *prefixes: str) -> list[Vector]:
    vectors = []
    for path in sorted(folder.iterdir()):
        if path.name.startswith(prefixes):
            head, _, body = path.read_bytes().partition(b"\n\n")
            fields = dict(line.split(": ", 1) for line in head.decode().split("\n"))
            body = zlib.decompress(body) if fields.get("compressed") == "zlib" else body
            vectors.append(Vector(path.name, fields["expect"], fields, body))
    return vectors


def test_every_hybrid_vector_of_cctv_has_the_outcome_it_expects(shared_data: Path) -> None:
    vectors = read_vectors(shared_data / "age/testdata", "hybrid")
    assert len(vectors) == 18
    for vector in vectors:
        identity = parse_identity(vector.fields["identity"])
        if vector.expect == "success":
            vector.check(decrypt(vector.body, identity, plaintext_bytes_max=PLAINTEXT_BYTES_MAX))
        else:
            with pytest.raises((Malformed, Untrusted)):
                decrypt(vector.body, identity, plaintext_bytes_max=PLAINTEXT_BYTES_MAX)


def test_every_header_and_payload_vector_of_cctv_has_the_outcome_it_expects(shared_data: Path) -> None:
    # Their stanzas are X25519, which we do not open; header, MAC and payload need the stated file key only.
    vectors = read_vectors(shared_data / "age/testdata", "empty", "header", "hmac", "stanza", "stream", "version")
    assert len(vectors) == 53
    for vector in vectors:
        if vector.expect == "success":
            vector.check(open_with_file_key(vector))
        else:
            with pytest.raises((Malformed, Untrusted)):
                open_with_file_key(vector)


def open_with_file_key(vector: Vector) -> bytes:
    header = parse_header(vector.body)
    check_mac(header, vector.file_key)
    payload = vector.body[header.payload_offset :]
    return open_payload(payload, vector.file_key, plaintext_bytes_max=PLAINTEXT_BYTES_MAX)


def test_classical_and_passphrase_vectors_do_not_open_with_a_hybrid_identity(shared_data: Path) -> None:
    vectors = read_vectors(shared_data / "age/testdata", "x25519", "scrypt", "armor")
    assert len(vectors) > 60
    for vector in vectors:
        with pytest.raises((Malformed, Untrusted)):
            decrypt(vector.body, GENERAL, plaintext_bytes_max=PLAINTEXT_BYTES_MAX)


def test_the_recipient_of_the_specifications_identity_is_the_specifications_recipient() -> None:
    recipient = parse_identity(SPEC_IDENTITY).recipient
    assert hashlib.sha256(recipient.encode().encode()).hexdigest() == SPEC_RECIPIENT_SHA256
    assert parse_recipient(recipient.encode()) == recipient
    assert parse_identity(SPEC_IDENTITY).encode() == SPEC_IDENTITY


def test_every_recipient_opens_the_file_and_nobody_else() -> None:
    blob = encrypt(b"record", [GENERAL.recipient, ESCROW.recipient])
    assert [decrypt(blob, identity, plaintext_bytes_max=6) for identity in (GENERAL, ESCROW)] == [b"record"] * 2
    with pytest.raises(Untrusted, match="no recipient stanza"):
        decrypt(blob, generate_identity(), plaintext_bytes_max=6)


@pytest.mark.parametrize("size", [0, 1, 65_535, 65_536, 65_537, 131_072, 200_000])
def test_a_file_of_any_number_of_chunks_round_trips(size: int) -> None:
    plaintext = bytes(size)
    blob = encrypt(plaintext, [GENERAL.recipient])
    assert decrypt(blob, GENERAL, plaintext_bytes_max=size) == plaintext


def test_a_plaintext_above_the_readers_bound_is_refused_before_it_is_opened() -> None:
    blob = encrypt(bytes(4_097), [GENERAL.recipient])
    with pytest.raises(Malformed, match="at most"):
        decrypt(blob, GENERAL, plaintext_bytes_max=4_096)


def test_two_files_of_the_same_plaintext_share_nothing_after_the_version_line() -> None:
    one, other = (encrypt(b"record", [GENERAL.recipient]) for _ in range(2))
    assert len(one) == len(other)
    shared = sum(a == b for a, b in zip(one[22 + 19 :], other[22 + 19 :], strict=True))
    assert shared < len(one) // 16


def test_the_file_key_and_nonce_come_from_the_given_entropy() -> None:
    asked: list[int] = []

    def entropy(count: int) -> bytes:
        asked.append(count)
        return b"\x07" * count

    blob = encrypt(b"record", [GENERAL.recipient], entropy)
    header = parse_header(blob)
    check_mac(header, b"\x07" * 16)
    assert blob[header.payload_offset :] == seal_payload(
        b"record", payload_cipher(b"\x07" * 16, b"\x07" * 16), head=b"\x07" * 16
    )
    assert asked == [16, 16]


def test_the_largest_record_to_eight_recipients_fits_the_bound_of_a_body() -> None:
    header = encode_header(tuple(GENERAL.recipient.wrap(b"k" * 16) for _ in range(8)), b"k" * 16)
    assert len(header) + payload_size(padded_size(RECORD_BYTES_MAX + 4)) <= BLOB_BYTES_MAX


@pytest.mark.parametrize("text", [CLASSICAL_RECIPIENT, CLASSICAL_RECIPIENT.upper()])
def test_a_classical_recipient_is_refused_by_name(text: str) -> None:
    with pytest.raises(Malformed, match="classical"):
        parse_recipient(text)


def test_a_classical_identity_is_refused_by_name_without_showing_it() -> None:
    with pytest.raises(Malformed, match="classical") as refused:
        parse_identity(CLASSICAL_IDENTITY)
    assert "GFPYY" not in str(refused.value).upper()


def test_an_identity_is_no_recipient_and_a_recipient_no_identity() -> None:
    with pytest.raises(Malformed):
        parse_recipient(GENERAL.encode())
    with pytest.raises(Malformed):
        parse_identity(GENERAL.recipient.encode())


def test_an_identity_does_not_show_itself_when_printed() -> None:
    assert GENERAL.encode()[-20:] not in f"{GENERAL!r}{GENERAL}{[GENERAL]}"


@pytest.mark.parametrize(
    "public",
    [
        b"",
        bytes(1_216),  # X25519 public key of low order
        b"\xff" * 1_184 + b"\x09" + bytes(31),  # ML-KEM coefficients above q
    ],
)
def test_public_keys_that_would_give_the_file_away_are_refused(public: bytes) -> None:
    with pytest.raises(Malformed):
        Recipient(public)


def test_a_seed_of_another_length_is_refused() -> None:
    with pytest.raises(Malformed, match="31 bytes"):
        Identity(bytes(31))


def test_a_header_that_never_ends_is_refused_within_its_bound() -> None:
    with pytest.raises(Malformed, match="more than 32 stanzas"):
        parse_header(b"age-encryption.org/v1\n" + b"-> grease\n\n" * 100_000)
    with pytest.raises(Malformed):
        parse_header(b"age-encryption.org/v1\n-> grease\n" + (b"A" * 64 + b"\n") * 100_000)
