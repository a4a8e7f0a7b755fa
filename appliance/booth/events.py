"""What can happen in a lane, and what the crossing's state machine then asks for; values only.

Identifiers, times and words come in with the events, so that the machine needs no clock and no chance.
"""

import enum
from dataclasses import dataclass

from appliance.formats.wire import Case
from appliance.inquiry.life import Said
from appliance.judged import Hit
from appliance.model import Id, TravelDocument
from appliance.recorded import Crossing, DocumentBasis, OutcomeKind, Person, Stage, Transition


class Following(enum.StrEnum):
    """Whose the next document is, as the officer said before laying it."""

    TRAVELLER = "traveller"
    PERSON = "person"
    DOCUMENT = "document"


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrived:
    """A document is being read; whatever was shown is no longer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """The stages have decided; nothing is recorded yet.

    Attributes:
        of: The identifier that its record will have.
        crossing_id, person_id: Fresh identifiers, used when this begins a new crossing or person.
        title: How the officer recognises the document.
        key: The same text for the same document and for no other; "" when nothing makes it recognisable.
        unread: The page could not be read.
        unsure: It was read, though not surely, and nothing else speaks against it.
        hits: Those whose life begins with it, the strongest first.
    """

    of: Id
    crossing_id: Id
    person_id: Id
    document_basis: DocumentBasis
    title: str
    key: str
    unread: bool
    refers: bool
    reasons: tuple[str, ...]
    next_step: str
    opened_ms: int
    document: TravelDocument | None = None
    unsure: bool = False
    hits: tuple[Hit, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ScreeningKept:
    """The screening record is durable and its receipt verified."""

    of: Id


@dataclass(frozen=True, slots=True, kw_only=True)
class ScreeningNotKept:
    """The screening record could not be kept in time; it is tried again, and may yet be kept."""

    of: Id


@dataclass(frozen=True, slots=True, kw_only=True)
class OutcomeKept:
    """The record of the outcome of `of` is durable and its receipt verified."""

    of: Id


@dataclass(frozen=True, slots=True, kw_only=True)
class OutcomeNotKept:
    """The record of the outcome of `of` could not be kept in time; it is tried again."""

    of: Id


@dataclass(frozen=True, slots=True, kw_only=True)
class OutcomeChosen:
    """An officer said what was done with the person of that record."""

    of: Id
    outcome: OutcomeKind
    note: str = ""
    legal_basis: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class OutcomeRefused:
    """The recorder will never take that outcome's record: the case waits for another one."""

    of: Id


@dataclass(frozen=True, slots=True, kw_only=True)
class Stepped:
    """A hit moves on: an officer, headquarters or the clock said so."""

    of: Id
    said: Said


@dataclass(frozen=True, slots=True, kw_only=True)
class StepKept:
    """The record of a step is durable and its receipt verified."""

    of: Id
    record: Id


@dataclass(frozen=True, slots=True, kw_only=True)
class StepNotKept:
    """The record of a step could not be kept in time; it is tried again."""

    of: Id
    record: Id


@dataclass(frozen=True, slots=True, kw_only=True)
class StepRefused:
    """The recorder will never take that step's record: the case stays where its newest record says."""

    of: Id
    record: Id


@dataclass(frozen=True, slots=True, kw_only=True)
class BadgeSaid:
    """Who is at the booth; "" signs nobody in."""

    badge: str


@dataclass(frozen=True, slots=True, kw_only=True)
class HandedOver:
    """A shift takes over from another, having looked at these cases."""

    gave: str
    took: str
    cases: tuple[Id, ...]
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class NextTraveller:
    """The start button: done with what is shown."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NotRead:
    """The scanner sent something that is no document: what is shown is not of whatever lies there now."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NextBelongs:
    """The officer says whose the next document is."""

    following: Following


@dataclass(frozen=True, slots=True, kw_only=True)
class CrossingBegun:
    """The officer begins a crossing: with a vehicle or a group its persons follow one another."""

    crossing_id: Id
    conveyance: str = ""
    group: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class DetailsShown:
    """The officer opens the details of a case, or hides them (None)."""

    of: Id | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Restored:
    """What the recorder kept while the booth was away, newest first."""

    cases: tuple[Case, ...]


Event = (
    Arrived
    | Judged
    | ScreeningKept
    | ScreeningNotKept
    | OutcomeKept
    | OutcomeNotKept
    | OutcomeChosen
    | OutcomeRefused
    | Stepped
    | StepKept
    | StepNotKept
    | StepRefused
    | BadgeSaid
    | HandedOver
    | NextTraveller
    | NotRead
    | NextBelongs
    | CrossingBegun
    | DetailsShown
    | Restored
)


# --- words that the clerk makes events of -----------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Moved:
    """An officer moves a hit on to another stage, or writes something down where it stands (the same stage)."""

    of: Id
    now: Stage
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class CodeHeard:
    """Headquarters' code for this case, as it was heard over the telephone."""

    of: Id
    code: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SignInFailed:
    """Somebody tried to sign in with what is no badge."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AsylumSaid:
    """What the person of this case said of seeking asylum."""

    of: Id
    seeks: bool


Word = Event | Moved | CodeHeard | AsylumSaid | SignInFailed
"""What can be said to a lane: the first three take the time, and the second a look at the code, before they are events;
the fourth is none, and is only counted."""


# --- effects ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class KeepScreening:
    """Record what was judged last, with its place in the crossing.

    Attributes:
        opens: The case that begins with it; None where it is shown as a case that is open already.
        updates: That case, with what speaks against this document too.
        closes: The record whose case it takes over.
    """

    of: Id
    crossing: Crossing
    person: Person
    opens: Case | None
    updates: Case | None
    closes: Id | None
    laid: int


@dataclass(frozen=True, slots=True, kw_only=True)
class KeepOutcome:
    """Record what was done with the person of this case."""

    case: Case
    outcome: OutcomeKind
    implied: bool
    note: str = ""
    legal_basis: str = ""
    by: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class KeepStep:
    """Record a step of a hit's life.

    Attributes:
        case: As it is from this record on; its `last` is the record's identifier.
    """

    case: Case
    transition: Transition


@dataclass(frozen=True, slots=True, kw_only=True)
class KeepHandOver:
    """Record that a shift has taken over."""

    gave: str
    took: str
    cases: tuple[Id, ...]
    note: str


Effect = KeepScreening | KeepOutcome | KeepStep | KeepHandOver
