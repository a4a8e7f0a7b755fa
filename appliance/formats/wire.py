"""Messages between the box's own processes: one deterministic CBOR message a packet, a closed set a role.

Sockets are SOCK_SEQPACKET, one a role, under `/run/landlink/`. A message is at most MESSAGE_BYTES_MAX; a longer record
crosses as a sealed memfd (F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL) of at most record.RECORD_BYTES_MAX,
passed beside the message that then has an empty `record`. Each side parses what it receives with the function of its
role; anything else is Malformed and ends the connection. Roles and their verbs:

| role | verbs |
|---|---|
| booth | Hello, Append, ListCases, Event, ListKeys, Inbox, Voice, Spared |
| uplink | Hello, Acknowledge, Cosigned, Deliver, StickSeen |
| releases | Hello, Switched, ListKeys, LastCosigned |
| audit | Hello, Cosigned, Exported |
"""

from typing import Annotated, Final, Literal

from msgspec import Meta

from appliance.clock import Instant, Milliseconds
from appliance.formats.cbor import pack, parse
from appliance.formats.fields import Count
from appliance.formats.voice import Verdict
from appliance.judged import Hit
from appliance.model import Digest, Id, Line, Mode, Noun, Priority, Text, TravelDocument, Word
from appliance.recorded import Crossing, Person, Stage

MESSAGE_BYTES_MAX: Final = 65_536
CASES_MAX: Final = 64
"""Open cases at one time."""
CASE_HITS_MAX: Final = 4
"""Hits that a case carries, the strongest."""
CASE_BYTES_MAX: Final = 32_768
"""Of an encoded case: four hits of 16 words a name, with what they were weighed by, have 21 KB; two fit one message."""
ANSWERS_KEPT_MAX: Final = 4
"""Answers of headquarters that wait in one case, the newest."""
SUBJECT_BYTES_MAX: Final = 1_024
LIST_KEYS_MAX: Final = 8
INBOX_MAX: Final = 24
NOTE_BYTES_MAX: Final = 16_384
"""Of a checkpoint with its cosignatures."""


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
        document: Of that record, None when it could not be read.
        hits: Of that record, those that refer, the strongest first.
        stage: Where the strongest hit stands; CANDIDATE also where there is no hit.
        last: The newest record of its life; the screening record until there is another.
        moved_ms: When it came to `stage`, wall time.
        asked: When confirmation was requested; None before.
        seeks_asylum: No request may go to the state of nationality.
        officer: Badge of who has it in hand, "" for nobody.
    """

    of: Id
    crossing: Crossing
    person: Person
    refers: bool
    title: Annotated[str, Meta(max_length=200)]
    reasons: Annotated[tuple[Line, ...], Meta(max_length=8)]
    next_step: Line
    opened_ms: Milliseconds
    document: TravelDocument | None = None
    hits: Annotated[tuple[Hit, ...], Meta(max_length=CASE_HITS_MAX)] = ()
    stage: Stage = Stage.CANDIDATE
    last: Id | None = None
    moved_ms: Milliseconds = 0
    asked: Instant | None = None
    seeks_asylum: bool = False
    officer: Word = ""


# --- requests ---------------------------------------------------------------------------------------------------------


class Hello(Noun, frozen=True, kw_only=True, tag="hello"):
    """Who are you, and can you record?"""


class Append(Noun, frozen=True, kw_only=True, tag="append"):
    """Record this. Asking again with the same record is safe: the same entry answers.

    Attributes:
        record: Encoded Record (formats/record.py), or b"" with the record in the memfd beside the message.
        priority: Class in the uplink's queue.
        opens: The case to keep until its outcome, None for none.
        updates: An open case (by its `of`) as it is from this record on, None for none. It comes with a Transition or
            HandOver that names it, or with another document of the same person.
        closes: The record whose case ends with this one, None for none.
    """

    record: bytes
    priority: Priority
    opens: Case | None = None
    updates: Case | None = None
    closes: Id | None = None


class ListCases(Noun, frozen=True, kw_only=True, tag="list_cases"):
    """Which results still wait for their outcome? As many as fit, newest first, after the first `skip`.

    At least one comes while there are any: whoever wants all asks again with `skip` counted up until none comes.
    """

    skip: Annotated[int, Meta(ge=0, le=CASES_MAX)] = 0


class ListKeys(Noun, frozen=True, kw_only=True, tag="list_keys"):
    """Under which keys are the lists?"""


class Inbox(Noun, frozen=True, kw_only=True, tag="inbox"):
    """Which answers of headquarters concern open cases?"""


class Voice(Noun, frozen=True, kw_only=True, tag="voice"):
    """Is this the code that headquarters gives for this case, and what does it say?

    Attributes:
        of: The screening record of an open case whose confirmation was requested.
        code: As the officer typed it.
    """

    of: Id
    code: Word


class Spared(Noun, frozen=True, kw_only=True, tag="spared"):
    """Of these entries, about which was it decided that this traveller is not the same person or document?

    Attributes:
        subject: Whoever or whatever is compared, in canonical form (inquiry/memory.py); never kept as it is.
        entries: Their identifier and revision, as a hit has them.
    """

    subject: Annotated[bytes, Meta(min_length=1, max_length=SUBJECT_BYTES_MAX)]
    entries: Annotated[tuple[tuple[Word, Word], ...], Meta(max_length=16)]


class Deliver(Noun, frozen=True, kw_only=True, tag="deliver"):
    """A sealed message of headquarters to this box (formats/downlink.py), from the link or from a stick."""

    sealed: Annotated[bytes, Meta(min_length=1, max_length=32_768)]


class Event(Noun, frozen=True, kw_only=True, tag="event"):
    """Log something without personal data (device lost, page started); declared in formats/event.py."""

    event: Word
    fields: Annotated[dict[Word, Line], Meta(max_length=8)]


class Acknowledge(Noun, frozen=True, kw_only=True, tag="acknowledge"):
    """Headquarters' signed receipts (formats/receipt.py), for the recorder to verify and act on."""

    receipts: Annotated[tuple[Annotated[bytes, Meta(max_length=2_048)], ...], Meta(max_length=24)]


class Cosigned(Noun, frozen=True, kw_only=True, tag="cosigned"):
    """A checkpoint with headquarters' cosignatures (formats/note.py), to be kept; as a reply, the one that is kept."""

    note: Annotated[bytes, Meta(max_length=NOTE_BYTES_MAX)]


class StickSeen(Noun, frozen=True, kw_only=True, tag="stick_seen"):
    """A stick of headquarters was put in; to be logged.

    Attributes:
        messages: How many of its messages were taken now.
        lists: What became of its lists.
    """

    messages: Count
    lists: Literal["none", "known", "taken", "refused"]


class Switched(Noun, frozen=True, kw_only=True, tag="switched"):
    """A newly verified release lies at `current`; load it, verify it, log the switch."""

    version: Annotated[int, Meta(ge=1)]


class LastCosigned(Noun, frozen=True, kw_only=True, tag="last_cosigned"):
    """What did headquarters cosign last? Its times prove, to whoever verifies it, that it is later (I9)."""


class Exported(Noun, frozen=True, kw_only=True, tag="exported"):
    """So much of the log and so many sealed bodies are about to be copied for headquarters; to be logged before."""

    entries: Count
    bodies: Count


BoothRequest = Hello | Append | ListCases | Event | ListKeys | Inbox | Voice | Spared
UplinkRequest = Hello | Acknowledge | Cosigned | Deliver | StickSeen
ReleasesRequest = Hello | Switched | ListKeys | LastCosigned
AuditRequest = Hello | Cosigned | Exported
Request = BoothRequest | UplinkRequest | ReleasesRequest | AuditRequest


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


class Keys(Noun, frozen=True, kw_only=True, tag="keys"):
    """Keys of lists, the newest first; secrets, held in memory only by who asked."""

    keys: Annotated[tuple[Digest, ...], Meta(max_length=LIST_KEYS_MAX)]


class Answered(Noun, frozen=True, kw_only=True):
    """An answer of headquarters that the recorder has verified.

    Attributes:
        of: The screening record that it answers.
        verdict: As headquarters says.
        words: What it says beside, for the officer.
        by: Who answered, as headquarters has it.
        at_ms: When headquarters signed it.
        digest: SHA-256 of the signed answer.
    """

    of: Id
    verdict: Verdict
    words: Text
    by: Word
    at_ms: Milliseconds
    digest: Digest


class Inboxed(Noun, frozen=True, kw_only=True, tag="inboxed"):
    """Answers to open cases that are not yet in their life, oldest first."""

    answers: Annotated[tuple[Answered, ...], Meta(max_length=INBOX_MAX)]


class Voiced(Noun, frozen=True, kw_only=True, tag="voiced"):
    """The code holds, and says this; a code that does not is refused with `wrong_code` or `locked`."""

    verdict: Verdict


class SparedEntries(Noun, frozen=True, kw_only=True, tag="spared_entries"):
    """Identifiers of those entries, of the ones asked about."""

    entries: Annotated[tuple[Word, ...], Meta(max_length=16)]


class Done(Noun, frozen=True, kw_only=True, tag="done"):
    """Accepted and acted on."""


RefusalCode = Literal[
    "not_ready",
    "storage_full",
    "malformed",
    "untrusted",
    "wrong_origin",
    "wrong_uid",
    "busy",
    "wrong_code",
    "locked",
]
"""Why not, for the program; a code that is not among these is no reply."""


class RefusedReply(Noun, frozen=True, kw_only=True, tag="refused"):
    """Understood, and no.

    Attributes:
        words: What to do, in plain words.
    """

    code: RefusalCode
    words: Text


Reply = Welcome | Appended | Cases | Keys | Inboxed | Voiced | SparedEntries | Cosigned | Done | RefusedReply


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


def parse_audit_request(packet: bytes) -> AuditRequest:
    """Parse what the audit's socket received. Raises Malformed."""
    return parse(packet, AuditRequest, what="audit message", bytes_max=MESSAGE_BYTES_MAX)


def parse_reply(packet: bytes) -> Reply:
    """Parse what the recorder answered. Raises Malformed."""
    return parse(packet, Reply, what="recorder's reply", bytes_max=MESSAGE_BYTES_MAX)
