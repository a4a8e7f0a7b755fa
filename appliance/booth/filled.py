"""What was read of a page that refers, as the boxes of the form in which it is typed: the officer rights the rest."""

from collections.abc import Mapping
from typing import Final

from appliance.clock import Instant
from appliance.errors import Malformed
from appliance.judged import Answer
from appliance.model import PartialDate, TravelDocument, TypedReading
from appliance.parse.mrz import parse_mrz
from appliance.recorded import Screened

NUMBER_MAX: Final = 24
"""Characters that the form takes (model.TypedReading)."""
READINGS: Final = frozenset({"check_digits", "sure_reading", "second_reading"})
"""Findings that say that a page may have been read wrongly."""


def filled(seen: Screened, now: Instant) -> Mapping[str, str] | None:
    """Name of a box -> what was read for it, "" for nothing; {} where nothing was; None where nothing is in doubt."""
    if isinstance(seen.reading, TypedReading):
        return None
    failed = {found.check for found in seen.findings if found.answer is Answer.FAILED}
    if seen.document is not None and not failed & READINGS:
        return None
    document = seen.document or _seen_by_camera(seen, now)
    if document is None:
        return {}
    return {
        "document_kind": document.document_code[:1] if document.document_code[:1] in ("P", "V") else "I",
        "issuing_state": document.issuing_state,
        "document_number": document.document_number[:NUMBER_MAX],
        "primary_identifier": document.primary_identifier,
        "secondary_identifier": document.secondary_identifier,
        "date_of_birth": _day_first(document.date_of_birth),
        "date_of_expiry": _day_first(document.date_of_expiry),
    }


def _seen_by_camera(seen: Screened, now: Instant) -> TravelDocument | None:
    """Where the scanner's lines are no document, the camera's may be."""
    if seen.camera is None or not seen.camera.lines:
        return None
    try:
        return parse_mrz(seen.camera.lines, now)
    except Malformed:
        return None


def _day_first(date: PartialDate | None) -> str:
    """As the form's boxes hold it; "" for a date that is not known."""
    if date is None or date.year is None:
        return ""
    known = (date.day, date.month, date.year) if date.month else (date.year,)
    return ".".join(str(part) for part in known if part)
