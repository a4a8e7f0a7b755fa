"""Stage 6 of 8: record - the nouns of a record: whose crossing, which person, and what is said of them.

One reading is not one traveller: a crossing has persons, a person has documents. Encoded, committed to and sealed as
formats/README.md, "Record", has it.
"""

import enum
from typing import Annotated, Final

from msgspec import Meta, field

from appliance.clock import Instant
from appliance.judged import Band, Decision, Finding, ListAnswer, Screening
from appliance.model import (
    CameraReading,
    Digest,
    DocumentReading,
    Id,
    Line,
    ListName,
    Mode,
    Noun,
    PrintedCode,
    Text,
    TravelDocument,
    Word,
)

PICTURE_BYTES_MAX: Final = 307_200
"""One page image: 300 KB at a quality where the MRZ still reads."""


class Direction(enum.StrEnum):
    """Which way across the border."""

    ENTRY = "entry"
    EXIT = "exit"


class DocumentBasis(enum.StrEnum):
    """On what kind of paper a person crosses."""

    PASSPORT = "passport"
    IDENTITY_CARD = "identity card"
    VISA = "visa"
    BORDER_PASS = "border pass"  # noqa: S105 - a paper, not a password
    LETTER = "letter"
    NONE = "none"
    UNKNOWN = "unknown"


class Crossing(Noun, frozen=True, kw_only=True):
    """One going-across: a vehicle, a family, a lone traveller. It has persons; a person has documents.

    Attributes:
        lane: Name of the lane from the configuration.
        conveyance: Plate or flight when the officer gave it.
        group: How many persons the officer said belong together, 0 when nobody said.
    """

    id: Id
    direction: Direction
    lane: Word
    conveyance: Word = ""
    group: Annotated[int, Meta(ge=0, le=999)] = 0


class Person(Noun, frozen=True, kw_only=True):
    """One person of a crossing.

    Attributes:
        number: 1 for the first person of the crossing.
        document_basis: On what kind of paper this person crosses.
    """

    id: Id
    number: Annotated[int, Meta(ge=1, le=999)]
    document_basis: DocumentBasis


class Screened(Noun, frozen=True, kw_only=True, tag="screened"):
    """Body of a record: one document laid (or typed), examined, screened and decided.

    Attributes:
        document: None when nothing could be parsed; the decision then refers.
        laid: 1 for a person's first document, 2 for the next (a visa, the same page again).
        camera: What the camera made of the same page, or of what lay there while it was typed in; None where none is
            fitted.
        spared: Entries among the hits of which it was decided before that this traveller is not the person; with them
            and the rules of the release, headquarters comes to the same decision.
    """

    reading: DocumentReading
    document: TravelDocument | None
    laid: Annotated[int, Meta(ge=1, le=99)]
    findings: Annotated[tuple[Finding, ...], Meta(max_length=32)]
    screening: Screening
    decision: Decision
    spared: Annotated[tuple[Word, ...], Meta(max_length=16)] = ()
    camera: CameraReading | None = None


class OutcomeKind(enum.StrEnum):
    """What a human did with the person in front of them."""

    PASSED = "passed"
    SENT_TO_SECONDARY = "sent to secondary"
    TURNED_BACK = "turned back"
    HANDED_OVER = "handed over"
    TRAVELLER_LEFT = "traveller left"
    NOT_THE_HOLDER = "not the holder"


class Outcome(Noun, frozen=True, kw_only=True, tag="outcome"):
    """Body of a record: what was done with the person, chosen by an officer or by laying the next document.

    Attributes:
        of: The record whose person this concerns.
        implied: True when laying the next document after "nothing found" said it.
        note: The officer's words, "" when none; where the person was a possible match, the reason.
        legal_basis: What the officer acted on, where the person was a possible match.
        by: Badge of the officer who said it, "" when the box knows none.
        before: The newest record of the hit's life (Transition), None when there was no hit.
    """

    of: Id
    outcome: OutcomeKind
    implied: bool
    note: Text = ""
    legal_basis: Line = ""
    by: Word = ""
    before: Id | None = None


class Stage(enum.StrEnum):
    """Where a hit stands in its life (inquiry/moves.py has the moves between them)."""

    CANDIDATE = "candidate"
    FIRST_LINE_VERIFIED = "first line verified"
    NOT_SAME = "not the same"
    SECONDARY = "secondary"
    CONFIRMATION_REQUESTED = "confirmation requested"
    CONFIRMED = "confirmed"
    NOT_CONFIRMED = "not confirmed"
    NO_ANSWER = "no answer"
    TRAVELLER_LEFT = "traveller left"
    OUTCOME = "outcome"
    CLOSED = "closed"


class RequestedEntry(Noun, frozen=True, kw_only=True):
    """One list entry that headquarters is asked about."""

    list_name: ListName
    list_version: Annotated[int, Meta(ge=1)]
    entry: Word
    source: Word
    band: Band


class ConfirmationRequest(Noun, frozen=True, kw_only=True):
    """What is asked of headquarters: is this person, or document, the listed one?

    Attributes:
        case_code: As spoken on the telephone (formats/voice.py).
        entries: Which entries; the screening record has the rest.
        not_to: The state that must not be asked, because the person said to seek asylum from it; "" for none.
    """

    case_code: Word
    entries: Annotated[tuple[RequestedEntry, ...], Meta(min_length=1, max_length=16)]
    not_to: PrintedCode = ""


class Transition(Noun, frozen=True, kw_only=True, tag="transition"):
    """Body of a record: a hit moved on in its life; each names the one before, so the life is a chain.

    Attributes:
        of: The screening record with the hit.
        before: The newest record of this life until now: that screening, or the transition before.
        by: Badge of the officer; "" when nobody at the box did it (an answer, a wait that ended).
        reason: In the officer's words, or the rule that moved it.
        answer: SHA-256 of headquarters' signed answer (formats/downlink.py), where that moved it.
        by_voice: Headquarters' code given by telephone moved it; the written answer follows.
        request: What is asked, where confirmation is requested.
    """

    of: Id
    before: Id
    was: Stage
    now: Stage
    by: Word = ""
    reason: Text = ""
    answer: Digest | None = None
    by_voice: bool = False
    request: ConfirmationRequest | None = None


class HandOver(Noun, frozen=True, kw_only=True, tag="hand_over"):
    """Body of a record: open cases passed from one shift to the next.

    Attributes:
        gave, took: Badges of the officers.
        cases: Screening records of the cases that the new shift has seen.
    """

    gave: Word
    took: Word
    cases: Annotated[tuple[Id, ...], Meta(max_length=64)]
    note: Text = ""


class CarrierCheck(Noun, frozen=True, kw_only=True, tag="carrier_check"):
    """Body of a record in the carrier profile: only number, type and country of a document, and what was answered.

    Attributes:
        call: Whether the answer was "call this number"; otherwise "continue".
        why: "listed", "not checked" or "unreadable" where it was; never shown at the desk.
    """

    document_number: Annotated[str, Meta(max_length=32)]
    document_type: Word
    issuing_state: PrintedCode
    lists: Annotated[tuple[ListAnswer, ...], Meta(max_length=8)]
    call: bool
    why: Word = ""


class Picture(Noun, frozen=True, kw_only=True, tag="picture"):
    """Body of a record: one image of a page, an entry of its own so that no result waits for it.

    Attributes:
        of: The record it belongs to.
        media_type: "image/jpeg".
        content: The stored bytes as the camera made them.
        captured: Camera metadata of the same frame, name and value.
    """

    of: Id
    media_type: Word
    content: Annotated[bytes, Meta(max_length=PICTURE_BYTES_MAX)]
    captured: Annotated[dict[Word, Line], Meta(max_length=16)] = field(default_factory=dict[str, str])


class Canary(Noun, frozen=True, kw_only=True, tag="canary"):
    """Body of a record sealed at each epoch and change of recipients: headquarters opens it to show that it can."""

    epoch: Annotated[int, Meta(ge=0)]
    recipients_version: Annotated[int, Meta(ge=1)]


Body = Screened | Outcome | Transition | HandOver | CarrierCheck | Picture | Canary


class Record(Noun, frozen=True, kw_only=True):
    """What is committed to, sealed and logged (formats/README.md, "Record").

    Attributes:
        schema: 1.
        salt: 32 random bytes that hide the content behind its commitment.
        at: The clock's reading when the record was made.
        crossing, person: None for entries about no person (a canary).
        pictures: SHA-256 of images appended before this record.
    """

    schema: Annotated[int, Meta(ge=1, le=1)]
    origin: Annotated[str, Meta(pattern=r"\A[a-z0-9.-]{1,64}/[a-z0-9.-]{1,64}\Z")]
    record_id: Id
    mode: Mode
    salt: Digest
    at: Instant
    crossing: Crossing | None
    person: Person | None
    body: Body
    pictures: Annotated[tuple[Digest, ...], Meta(max_length=8)] = ()
