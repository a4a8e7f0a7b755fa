"""The record's encoding, commitment and padding."""

import hashlib

import pytest

from appliance.errors import Malformed
from appliance.formats.record import RECORD_BYTES_MAX, commitment, encode_record, pad, padded_size, parse_record, unpad
from appliance.recorded import Picture
from tests.formats_samples import a_record


def test_a_record_round_trips() -> None:
    assert parse_record(encode_record(a_record(7))) == a_record(7)


def test_the_commitment_is_sha256_over_the_domain_a_zero_and_the_record() -> None:
    assert commitment(b"record") == hashlib.sha256(b"landlink.example/commit/v1" + b"\x00" + b"record").digest()


def test_two_records_that_differ_in_salt_alone_have_different_commitments() -> None:
    one, other = (commitment(encode_record(a_record(salt=bytes([byte]) * 32))) for byte in (1, 2))
    assert one != other


def test_a_record_of_another_schema_is_refused() -> None:
    later = encode_record(a_record()).replace(b"\x66schema\x01", b"\x66schema\x02")
    with pytest.raises(Malformed, match=r"\$\.schema"):
        parse_record(later)


def test_a_picture_above_its_bound_is_refused() -> None:
    picture = Picture(of="0" * 32, media_type="image/jpeg", content=bytes(307_201))
    record = a_record()
    oversized = encode_record(
        type(record)(**{name: getattr(record, name) for name in record.__struct_fields__} | {"body": picture})
    )
    with pytest.raises(Malformed, match="307200"):
        parse_record(oversized)


@pytest.mark.parametrize(
    ("size", "padded"),
    [  # by hand: 8 KiB at least, steps of 4 KiB; Padmé's step is 2**(E-S), E = floor(log2 L), S = floor(log2 E) + 1
        (1, 8_192),
        (8_192, 8_192),
        (8_193, 12_288),
        (131_072, 131_072),
        (131_073, 135_168),  # E 17, S 5: 2**12
        (262_145, 270_336),  # E 18, S 5: 2**13
        (300_000, 303_104),
        (4_194_308, 4_325_376),  # E 22, S 5: 2**17
    ],
)
def test_padded_sizes_are_those_of_the_specification(size: int, padded: int) -> None:
    assert padded_size(size) == padded


def test_a_padded_record_is_its_length_itself_and_zeros() -> None:
    assert pad(b"record") == b"\x00\x00\x00\x06record" + bytes(8_192 - 10)
    assert unpad(pad(b"record")) == b"record"


@pytest.mark.parametrize(
    "padded",
    [
        b"",
        b"\x00\x00",
        bytes(8_191),
        bytes(4_096),
        bytes(12_288),
        b"\x00\x00\x20\x00" + bytes(8_188),
        b"\xff\xff\xff\xff" + bytes(8_188),
        bytes(8_191) + b"\x01",
    ],
)
def test_padding_that_pad_does_not_make_is_refused(padded: bytes) -> None:
    with pytest.raises(Malformed):
        unpad(padded)


def test_the_longest_record_costs_at_most_an_eighth_for_padding() -> None:
    assert padded_size(RECORD_BYTES_MAX + 4) <= RECORD_BYTES_MAX * 9 // 8
