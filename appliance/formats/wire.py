"""Messages between the box's own processes: one deterministic CBOR message a packet, a closed set a role.

Sockets are SOCK_SEQPACKET, one a role, under `/run/landlink/`. A message is at most MESSAGE_BYTES_MAX; a longer record
crosses as a sealed memfd (F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL) of at most record.RECORD_BYTES_MAX,
passed beside the message that then has an empty `record`. Each side parses what it receives with the function of its
role; anything else is Malformed and ends the connection. Roles and their verbs:

| role | verbs |
|---|---|
| booth | Hello, Append, ListCases, Event |
| uplink | Hello, Acknowledge, Cosigned |
| releases | Hello, Switched |
"""

from typing import Annotated, Final, Literal

from msgspec import Meta

from appliance.clock import Milliseconds
from appliance.formats.cbor import pack, parse
from appliance.model import Id, Line, Mode, Noun, Priority, Text, Word
from appliance.recorded import Crossing, Person

MESSAGE_BYTES_MAX: Final = 65_536
CASES_MAX: Final = 64
"""Open cases in one answer; the newest come first."""


class Case(Noun, frozen=True, kw_only=True):
    """What the booth shows again after a power cut: a result whose outcome nobody has recorded yet.

    Attributes:
        of: The screening record.
        crossing, person: As in that record, so that the outcome's record says the same of them.
        refers: False for "nothing found" (its outcome is implied by the next document).
        title: How the officer recognises the person: name and document number.
        reasons: Words for the officer, most important first; () when not refers.
        next_step: What to do next.
        opened_ms: Wall time when it was opened, milliseconds since 1970.
    """

    of: Id
    crossing: Crossing
    person: Person
    refers: bool
    title: Annotated[str, Meta(max_length=200)]
    reasons: Annotated[tuple[Line, ...], Meta(max_length=8)]
    next_step: Line
    opened_ms: Milliseconds


# --- requests ---------------------------------------------------------------------------------------------------------


class Hello(Noun, frozen=True, kw_only=True, tag="hello"):
    """Who are you, and can you record?"""


class Append(Noun, frozen=True, kw_only=True, tag="append"):
    """Record this. Asking again with the same record is safe: the same entry answers.

    Attributes:
        record: Encoded Record (formats/record.py), or b"" with the record in the memfd beside the message.
        priority: Class in the uplink's queue.
        opens: The case to keep until its outcome, None for none.
        closes: The record whose case ends with this one, None for none.
    """

    record: bytes
    priority: Priority
    opens: Case | None = None
    closes: Id | None = None


class ListCases(Noun, frozen=True, kw_only=True, tag="list_cases"):
    """Which results still wait for their outcome?"""


class Event(Noun, frozen=True, kw_only=True, tag="event"):
    """Log something without personal data (device lost, page started); declared in formats/event.py."""

    event: Word
    fields: Annotated[dict[Word, Line], Meta(max_length=8)]


class Acknowledge(Noun, frozen=True, kw_only=True, tag="acknowledge"):
    """Headquarters' signed receipts (formats/receipt.py), for the recorder to verify and act on."""

    receipts: Annotated[tuple[Annotated[bytes, Meta(max_length=2_048)], ...], Meta(max_length=24)]


class Cosigned(Noun, frozen=True, kw_only=True, tag="cosigned"):
    """A checkpoint with headquarters' cosignatures (formats/note.py), to be kept."""

    note: Annotated[bytes, Meta(max_length=16_384)]


class Switched(Noun, frozen=True, kw_only=True, tag="switched"):
    """A newly verified release lies at `current`; load it, verify it, log the switch."""

    version: Annotated[int, Meta(ge=1)]


BoothRequest = Hello | Append | ListCases | Event
UplinkRequest = Hello | Acknowledge | Cosigned
ReleasesRequest = Hello | Switched
Request = BoothRequest | UplinkRequest | ReleasesRequest


# --- replies ----------------------------------------------------------------------------------------------------------


class Welcome(Noun, frozen=True, kw_only=True, tag="welcome"):
    """Who the recorder is.

    Attributes:
        origin: The log that it appends to now.
        log_vkey: Verifier key of that log (signed-note vkey).
        ready: Whether it can record now.
        why: When not ready, why, in plain words.
    """

    origin: Word
    mode: Mode
    log_vkey: Line
    ready: bool
    why: Line = ""


class Appended(Noun, frozen=True, kw_only=True, tag="appended"):
    """It is durable. `receipt` is an encoded LogReceipt; the booth verifies it before any light."""

    receipt: Annotated[bytes, Meta(max_length=16_384)]


class Cases(Noun, frozen=True, kw_only=True, tag="cases"):
    """Results that wait for their outcome, newest first."""

    cases: Annotated[tuple[Case, ...], Meta(max_length=CASES_MAX)]


class Done(Noun, frozen=True, kw_only=True, tag="done"):
    """Accepted and acted on."""


RefusalCode = Literal["not_ready", "storage_full", "malformed", "untrusted", "wrong_origin", "wrong_uid", "busy"]
"""Why not, for the program; a code that is not among these is no reply."""


class RefusedReply(Noun, frozen=True, kw_only=True, tag="refused"):
    """Understood, and no.

    Attributes:
        words: What to do, in plain words.
    """

    code: RefusalCode
    words: Text


Reply = Welcome | Appended | Cases | Done | RefusedReply


def encode(message: Request | Reply) -> bytes:
    """Encode one message as deterministic CBOR."""
    return pack(message)


def parse_booth_request(packet: bytes) -> BoothRequest:
    """Parse what the booth's socket received. Raises Malformed."""
    return parse(packet, BoothRequest, what="booth message", bytes_max=MESSAGE_BYTES_MAX)


def parse_uplink_request(packet: bytes) -> UplinkRequest:
    """Parse what the uplink's socket received. Raises Malformed."""
    return parse(packet, UplinkRequest, what="uplink message", bytes_max=MESSAGE_BYTES_MAX)


def parse_releases_request(packet: bytes) -> ReleasesRequest:
    """Parse what the releases' socket received. Raises Malformed."""
    return parse(packet, ReleasesRequest, what="releases message", bytes_max=MESSAGE_BYTES_MAX)


def parse_reply(packet: bytes) -> Reply:
    """Parse what the recorder answered. Raises Malformed."""
    return parse(packet, Reply, what="recorder's reply", bytes_max=MESSAGE_BYTES_MAX)
