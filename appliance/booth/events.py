"""What can happen in a lane, and what the crossing's state machine then asks for; values only.

Identifiers, times and words come in with the events, so that the machine needs no clock and no chance.
"""

import enum
from dataclasses import dataclass

from appliance.formats.wire import Case
from appliance.model import Id
from appliance.recorded import DocumentBasis, OutcomeKind


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
    | NextTraveller
    | NotRead
    | NextBelongs
    | CrossingBegun
    | DetailsShown
    | Restored
)


# --- effects ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class KeepScreening:
    """Record what was judged last, with its place in the crossing."""

    opens: Case
    closes: Id | None
    laid: int


@dataclass(frozen=True, slots=True, kw_only=True)
class KeepOutcome:
    """Record what was done with the person of this case."""

    case: Case
    outcome: OutcomeKind
    implied: bool
    note: str = ""


Effect = KeepScreening | KeepOutcome
