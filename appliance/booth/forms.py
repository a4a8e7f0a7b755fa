"""What the page's forms say, as events of the lane; total, and every refusal names the box to look at."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from appliance.booth.events import (
    AsylumSaid,
    BadgeSaid,
    CodeHeard,
    CrossingBegun,
    DetailsShown,
    Event,
    Following,
    HandedOver,
    Moved,
    NextBelongs,
    NextTraveller,
    OutcomeChosen,
)
from appliance.booth.filled import UNSEEN
from appliance.clock import Instant
from appliance.errors import Malformed
from appliance.formats.voice import ANSWER_SYMBOLS, read_code, spoken
from appliance.formats.wire import CASES_MAX
from appliance.model import Id, TypedReading
from appliance.parse.dates import parse_typed_date
from appliance.parse.reading import parse_reading
from appliance.recorded import OutcomeKind, Stage
from appliance.scan.reading import typed_reading

NOTE_CHARACTERS_MAX: Final = 2_000
LEGAL_BASIS_CHARACTERS_MAX: Final = 256
BADGE_CHARACTERS_MAX: Final = 64
CONVEYANCE_CHARACTERS_MAX: Final = 64

KINDS: Final = {
    "P": "Passport",
    "I": "Identity card",
    "V": "Visa",
    "BP": "Border pass",
    "VL": "Village head's letter",
}
"""Kinds of document that can be typed in (model.TypedReading.document_kind)."""

LABELS: Final = {
    "document_kind": "Kind of document",
    "issuing_state": "Issued by",
    "document_number": "Number",
    "primary_identifier": "Family name",
    "secondary_identifier": "Given names",
    "date_of_birth": "Born",
    "date_of_expiry": "Valid until",
}
_MORE_LABELS: Final = {
    "conveyance": "Plate",
    "group": "How many persons",
    "note": "Note",
    "outcome": "What was done",
    "belongs": "Whose document is it",
    "reason": "Reason",
    "legal_basis": "Law or rule",
    "code": "Code",
    "badge": "Badge",
    "gave": "Badge of who leaves",
    "took": "Badge of who takes over",
}

HINTS: Final = {
    "document_kind": "choose one",
    "issuing_state": "three letters, such as LAO",
    "document_number": "letters and digits, at most 24",
    "primary_identifier": "letters only, at most 80",
    "secondary_identifier": "letters only, at most 80",
    "date_of_birth": "write it as 12.4.1978, 4.1978 or 1978",
    "date_of_expiry": "write it as 30.6.2031",
}
"""What a box can hold, in the officer's words."""

_ID: Final = re.compile(r"[0-9a-f]{32}")
_DAY_FIRST: Final = re.compile(r"(\d{1,2})[ ./-](\d{1,2})[ ./-](\d{4})", re.ASCII)
_MONTH_FIRST: Final = re.compile(r"(\d{1,2})[ ./-](\d{4})", re.ASCII)


class FieldMalformed(Malformed):
    """One box of a form cannot be used as it is.

    Attributes:
        field: Its name.
    """

    def __init__(self, field: str, why: str) -> None:
        self.field = field
        super().__init__((LABELS | _MORE_LABELS).get(field, field), why)


@dataclass(frozen=True, slots=True, kw_only=True)
class TypedPage:
    """A typed page and whose it is."""

    reading: TypedReading
    following: Following


def outcome(fields: Mapping[str, str]) -> Event:
    """POST /outcome {of, outcome, note, legal_basis}. Raises Malformed."""
    try:
        kind = OutcomeKind(fields.get("outcome", ""))
    except ValueError:
        raise FieldMalformed("outcome", "choose one of the outcomes") from None
    return OutcomeChosen(
        of=_id(fields.get("of", "")),
        outcome=kind,
        note=_words(fields, "note", NOTE_CHARACTERS_MAX),
        legal_basis=_words(fields, "legal_basis", LEGAL_BASIS_CHARACTERS_MAX),
    )


def move(fields: Mapping[str, str]) -> Moved:
    """POST /move {of, now, reason}: `now` is a stage. Raises Malformed."""
    try:
        now = Stage(fields.get("now", ""))
    except ValueError:
        raise Malformed("form", "`now` is no stage of a case") from None
    reason = _words(fields, "reason", NOTE_CHARACTERS_MAX)
    return Moved(of=_id(fields.get("of", "")), now=now, reason=reason)


def voice(fields: Mapping[str, str]) -> CodeHeard:
    """POST /voice {of, code}. Raises Malformed: a character of the code was misheard, which counts as no attempt."""
    try:
        code = spoken(read_code(fields.get("code", ""), ANSWER_SYMBOLS))
    except Malformed as error:
        raise FieldMalformed("code", error.why) from None
    return CodeHeard(of=_id(fields.get("of", "")), code=code)


def asylum(fields: Mapping[str, str]) -> AsylumSaid:
    """POST /asylum {of, on}; on=0 takes it back. Raises Malformed."""
    return AsylumSaid(of=_id(fields.get("of", "")), seeks=fields.get("on") != "0")


def badge(fields: Mapping[str, str]) -> BadgeSaid:
    """POST /badge {badge}. Raises Malformed."""
    return BadgeSaid(badge=_badge(fields, "badge"))


def hand_over(fields: Mapping[str, str]) -> HandedOver:
    """POST /hand_over {gave, took, cases, note}: `cases` are identifiers with spaces between. Raises Malformed."""
    took = _badge(fields, "took")
    if not took:
        raise FieldMalformed("took", "who takes over?")
    cases = fields.get("cases", "").split()
    if len(cases) > CASES_MAX:
        raise Malformed("form", f"at most {CASES_MAX} cases")
    return HandedOver(
        gave=_badge(fields, "gave"),
        took=took,
        cases=tuple(_id(of) for of in dict.fromkeys(cases)),
        note=_words(fields, "note", NOTE_CHARACTERS_MAX),
    )


def _words(fields: Mapping[str, str], name: str, characters_max: int) -> str:
    words = fields.get(name, "").strip()
    if len(words) > characters_max:
        raise FieldMalformed(name, f"at most {characters_max} characters")
    return words


def _badge(fields: Mapping[str, str], name: str) -> str:
    said = " ".join(fields.get(name, "").split())
    if len(said) > BADGE_CHARACTERS_MAX or not said.isprintable():
        raise FieldMalformed(name, f"at most {BADGE_CHARACTERS_MAX} printable characters")
    return said


def details(fields: Mapping[str, str], newest: Id | None) -> Event:
    """POST /details {show, of}; without `of`, those of `newest`. Raises Malformed."""
    if fields.get("show", "0") != "1":
        return DetailsShown(of=None)
    return DetailsShown(of=_id(fields["of"]) if fields.get("of") else newest)


def person(fields: Mapping[str, str]) -> Event:
    """POST /person {on}: the next document belongs to another person of this crossing; on=0 takes it back."""
    return _belongs(fields, Following.PERSON)


def document(fields: Mapping[str, str]) -> Event:
    """POST /document {on}: the next document belongs to the same person; on=0 takes it back."""
    return _belongs(fields, Following.DOCUMENT)


def _belongs(fields: Mapping[str, str], following: Following) -> Event:
    return NextBelongs(following=Following.TRAVELLER if fields.get("on") == "0" else following)


def next_traveller(_: Mapping[str, str]) -> Event:
    """POST /next: as the start button."""
    return NextTraveller()


def crossing(fields: Mapping[str, str], crossing_id: Id) -> Event:
    """POST /crossing {conveyance, group}. Raises Malformed."""
    conveyance = " ".join(fields.get("conveyance", "").split())
    if len(conveyance) > CONVEYANCE_CHARACTERS_MAX or not conveyance.isprintable():
        raise FieldMalformed("conveyance", f"at most {CONVEYANCE_CHARACTERS_MAX} printable characters")
    group = fields.get("group", "").strip() or "0"
    if not (group.isascii() and group.isdigit() and len(group) <= 3):
        raise FieldMalformed("group", "a number of persons from 1 to 999, or empty")
    return CrossingBegun(crossing_id=crossing_id, conveyance=conveyance, group=int(group))


def typed(fields: Mapping[str, str], now: Instant) -> TypedPage:
    """POST /typed: the fields of model.TypedReading, and `belongs` (traveller, person or document).

    Raises:
        Malformed: A box holds what its document cannot; nothing was recorded, the form keeps what it holds.
    """
    values = {name: fields.get(name, "") for name in LABELS}
    if values["document_kind"] not in KINDS:
        raise FieldMalformed("document_kind", "choose one")
    for name, value in values.items():
        if UNSEEN in value:
            raise FieldMalformed(name, f"put in what the page shows where {UNSEEN} stands")
    if not (values["document_number"].strip() or values["primary_identifier"].strip()):
        raise FieldMalformed("document_number", "a number or a name is needed")
    try:
        following = Following(fields.get("belongs") or "traveller")
    except ValueError:
        raise FieldMalformed("belongs", "choose whose the document is") from None
    values |= {name: _typed_date(name, values[name]) for name in ("date_of_birth", "date_of_expiry")}
    try:
        reading = typed_reading(**values)
        parse_reading(reading, now)
    except Malformed as error:
        field = _field_of(error)
        raise FieldMalformed(field, HINTS[field]) from None
    return TypedPage(reading=reading, following=following)


def _typed_date(name: str, text: str) -> str:
    """A date as people here write it, day first, as the record has it, year first. Raises FieldMalformed."""
    text = text.strip()
    if match := _DAY_FIRST.fullmatch(text):
        text = f"{match[3]}-{int(match[2]):02}-{int(match[1]):02}"
    elif match := _MONTH_FIRST.fullmatch(text):
        text = f"{match[2]}-{int(match[1]):02}"
    try:
        parse_typed_date(text)
    except Malformed:
        raise FieldMalformed(name, HINTS[name]) from None
    return text


def _field_of(error: Malformed) -> str:
    """Which box the stages behind this form mean."""
    named = f"{error.what} {error.why}".replace(" ", "_")
    return next((name for name in LABELS if name in named), "document_number")


def _id(text: str) -> Id:
    if not _ID.fullmatch(text):
        raise Malformed("form", "`of` is no record's identifier")
    return text
