"""One leaf of headquarters' own log, and what is sealed beside it."""

import enum
import hashlib
from collections.abc import Sequence
from typing import Annotated, Final

from msgspec import Meta

from appliance.clock import Milliseconds
from appliance.errors import Untrusted
from appliance.formats import cbor
from appliance.formats.age import Identity, Recipient, decrypt, encrypt
from appliance.formats.fields import Count, OriginText
from appliance.formats.record import pad, padded_size, unpad
from appliance.model import Digest, Id, Line, Noun, Text

ACT_SCHEMA: Final = 1
ACT_BYTES_MAX: Final = 65_535
RECORDS_MAX: Final = 1_000
"""In one leaf; who found more writes several."""
COMMITMENT_DOMAIN: Final = b"landlink.example/custody/v1\x00"
DETAIL_BYTES_MAX: Final = 65_536


class Did(enum.StrEnum):
    """What somebody at headquarters did with records."""

    OPENED = "opened"
    SEARCHED = "searched"
    REPORTED = "reported"
    REPLAYED = "replayed"
    TESTED = "rules tried"
    ASKED = "requests read"
    EXPORTED = "exported"
    HANDED_OVER = "handed over"
    ERASED = "erased"


class Reach(Noun, frozen=True, kw_only=True):
    """Entries of one log, `end` not included, whose bodies were opened or destroyed."""

    origin: OriginText
    first: Count
    end: Count


class Act(Noun, frozen=True, kw_only=True):
    """One leaf.

    Attributes:
        origin: Of this log.
        at_ms: Headquarters' clock, milliseconds since 1970.
        by: The operator.
        records: Records that were given out, by their identifiers.
        reaches: Whose bodies were opened for it.
        exhibit: SHA-256 of the exhibit's SHA256SUMS, where one is handed over.
        detail: SHA-256(`landlink.example/custody/v1` || 00 || detail); None when nothing was said.
    """

    schema: Annotated[int, Meta(ge=ACT_SCHEMA, le=ACT_SCHEMA)] = ACT_SCHEMA
    origin: OriginText
    at_ms: Milliseconds
    did: Did
    by: Line
    records: Annotated[tuple[Id, ...], Meta(max_length=RECORDS_MAX)] = ()
    reaches: Annotated[tuple[Reach, ...], Meta(max_length=256)] = ()
    exhibit: Digest | None = None
    detail: Digest | None = None


class Detail(Noun, frozen=True, kw_only=True):
    """What was said in words; it may name people, so it is sealed and lies outside the log.

    Attributes:
        salt: 32 random bytes, so that the leaf's hash of it tells nobody what it says.
        why: For what case.
        to: Whom it was handed to.
        asked: What was searched for.
    """

    salt: Digest
    why: Text = ""
    to: Text = ""
    asked: Text = ""


def encode_act(act: Act) -> bytes:
    """The leaf: deterministic CBOR."""
    return cbor.pack(act)


def parse_act(leaf: bytes) -> Act:
    """Parse a leaf. Raises Malformed."""
    return cbor.parse(leaf, Act, what="custody entry", bytes_max=ACT_BYTES_MAX)


def seal_detail(detail: Detail, recipients: Sequence[Recipient]) -> tuple[bytes, bytes]:
    """The sealed detail, and the hash of it for the leaf."""
    encoded = encode_detail(detail)
    return encrypt(pad(encoded), recipients), _commitment(encoded)


def open_detail(blob: bytes, identity: Identity, commitment: bytes) -> Detail:
    """Open a detail.

    Raises:
        Malformed: It is none.
        Untrusted: Sealed to others, changed, or not the one that the leaf has the hash of.
    """
    return read_detail(unpad(decrypt(blob, identity, plaintext_bytes_max=padded_size(DETAIL_BYTES_MAX))), commitment)


def encode_detail(detail: Detail) -> bytes:
    """Deterministic CBOR, without padding: what the leaf has the hash of."""
    return cbor.pack(detail)


def read_detail(encoded: bytes, commitment: bytes | None) -> Detail:
    """A detail that its leaf commits to. Raises Malformed, Untrusted."""
    if _commitment(encoded) != commitment:
        raise Untrusted("not what the entry commits to")
    return cbor.parse(encoded, Detail, what="custody detail", bytes_max=DETAIL_BYTES_MAX)


def _commitment(encoded: bytes) -> bytes:
    return hashlib.sha256(COMMITMENT_DOMAIN + encoded).digest()
