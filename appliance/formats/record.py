"""Stage 6 of 8: record - the bytes that are committed to and sealed, and the padding that hides their length.

A record is deterministic CBOR of `recorded.Record`. Its commitment binds the log's leaf to the content without showing
it: the record's 32 random bytes of salt hide what could be guessed.
"""

import hashlib
from typing import Final

from appliance.errors import Malformed
from appliance.formats import cbor
from appliance.model import Sha256
from appliance.recorded import Record

RECORD_SCHEMA: Final = 1
RECORD_BYTES_MAX: Final = 4 * 1024 * 1024
COMMITMENT_DOMAIN: Final = b"landlink.example/commit/v1\x00"
PAD_STEP_BYTES_MIN: Final = 4_096
PADDED_BYTES_MIN: Final = 8_192
"""A screening has 3.4 KB and 0.9 KB more a hit: with none, with up to five, and every outcome, it has this length."""
LENGTH_BYTES: Final = 4


def encode_record(record: Record) -> bytes:
    """Deterministic CBOR of the record."""
    return cbor.pack(record)


def parse_record(data: bytes) -> Record:
    """Parse a record. Raises Malformed."""
    return cbor.parse(data, Record, what="record", bytes_max=RECORD_BYTES_MAX)


def commitment(record: bytes) -> Sha256:
    """SHA-256("landlink.example/commit/v1" || 00 || record), 32 bytes; `record` as encoded, without padding."""
    hashed = hashlib.sha256(COMMITMENT_DOMAIN)
    hashed.update(record)
    return Sha256(hashed.digest())


def padded_size(size: int) -> int:
    """Bytes after padding: 8 KiB, or the next multiple of a step of 4 KiB, or of Padmé's step where that is longer.

    Padmé (Nikitin et al., PETS 2019, §4) keeps the leading floor(log2(log2 L)) + 1 binary digits of a length, so a
    length shows O(log log L) bits and costs at most 12 %; its step passes 4 KiB from 128 KiB on.
    """
    exponent = size.bit_length() - 1
    padme_step = 1 << (exponent - exponent.bit_length()) if exponent > 0 else 1
    step = max(PAD_STEP_BYTES_MIN, padme_step)
    return max(PADDED_BYTES_MIN, -(-size // step) * step)


def pad(content: bytes) -> bytes:
    """Length as big-endian uint32, content, zeros up to `padded_size`."""
    end = LENGTH_BYTES + len(content)
    return b"".join((len(content).to_bytes(LENGTH_BYTES, "big"), content, bytes(padded_size(end) - end)))


def unpad(padded: bytes) -> bytes:
    """The inverse of `pad`.

    Raises:
        Malformed: The length does not fit, the size is not the one that `pad` makes of it, or a pad byte is not zero.
    """
    end = LENGTH_BYTES + int.from_bytes(padded[:LENGTH_BYTES], "big")
    if len(padded) != padded_size(end):
        raise Malformed("padding", "the stated length does not belong to this size", offset=0)
    if padded.count(b"\x00", end) != len(padded) - end:
        raise Malformed("padding", "a pad byte is not zero", offset=end)
    return padded[LENGTH_BYTES:end]
