"""What was read of a page that refers, as the boxes of the form in which it is typed: the officer rights the rest.

Where a camera did not see a character, UNSEEN stands for it, which the form does not take: it is put right, or the box
is emptied by whoever sees that nothing is printed there, or the page is not sent. Of a date or a code that was not seen
whole, UNSEEN is all there is: an empty box would be sent, and what nobody has read would pass for what is not printed.
"""

import re
from collections.abc import Callable, Mapping
from typing import Final

from appliance.clock import Instant
from appliance.errors import Malformed
from appliance.examine.second import is_camera
from appliance.judged import Answer
from appliance.model import CameraReading, PartialDate, TravelDocument, TypedReading
from appliance.parse.characters import FILLER
from appliance.parse.dates import parse_birth, parse_expiry
from appliance.parse.layouts import Layout, Span, layout_of
from appliance.parse.mrz import parse_mrz
from appliance.parse.names import spaced
from appliance.recorded import Screened

UNSEEN: Final = "?"
"""For characters that are not to be seen, however many."""
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
    camera = seen.camera
    if camera is not None and 0 in camera.percent and (seen.document is None or is_camera(seen.reading)):
        return _in_part(camera, now)
    document = seen.document or _seen_by_camera(seen, now)
    return {} if document is None else _boxes(document)


def _boxes(document: TravelDocument) -> Mapping[str, str]:
    return {
        "document_kind": _kind(document.document_code),
        "issuing_state": document.issuing_state,
        "document_number": document.document_number[:NUMBER_MAX],
        "primary_identifier": document.primary_identifier,
        "secondary_identifier": document.secondary_identifier,
        "date_of_birth": _day_first(document.date_of_birth),
        "date_of_expiry": _day_first(document.date_of_expiry),
    }


def _kind(code: str) -> str:
    return code[:1] if code[:1] in ("P", "V") else "I"


def _in_part(camera: CameraReading, now: Instant) -> Mapping[str, str]:
    """Of lines of which a part is not to be seen; {} also of two documents, for nobody knows which one is meant."""
    lines = camera.lines
    layout = layout_of(len(lines), len(lines[0]), lines[0][:5]) if lines else None
    if layout is None or camera.another or len(camera.percent) != layout.line_count * layout.width:
        return {}
    text = "".join(char if sure else UNSEEN for char, sure in zip("".join(lines), camera.percent, strict=True))
    primary, secondary = _names(text, layout)
    return {
        "document_kind": _kind(text[0]) if text[0] != UNSEEN else ("P" if layout.width == 44 else "I"),
        "issuing_state": _whole(text, layout.issuing_state).replace(FILLER, ""),
        "document_number": _marked(text[slice(*layout.number)].replace(FILLER, "")),
        "primary_identifier": primary,
        "secondary_identifier": secondary,
        "date_of_birth": _date(_whole(text, layout.date_of_birth), parse_birth, now),
        "date_of_expiry": _date(_whole(text, layout.date_of_expiry), parse_expiry, now),
    }


def _names(text: str, layout: Layout) -> tuple[str, str]:
    """Unseen places behind a name's fillers are fillers as well; before them they may be anything."""
    first, *others = (text[slice(*span)] for span in layout.names)
    primary, parted, secondary = (first, FILLER * 2, others[0]) if others else first.partition(FILLER * 2)
    if not parted and primary.endswith(UNSEEN):
        secondary = UNSEEN  # whether there is one was not seen either
    return _name(primary), _name(secondary)


def _name(part: str) -> str:
    seen = part.rstrip(UNSEEN)
    return _marked(spaced(seen if seen.endswith(FILLER * 2) else part))


def _whole(text: str, span: Span | None) -> str:
    """What stands there if all of it was seen, else UNSEEN; "" where the page has no such field."""
    part = text[slice(*span)] if span else ""
    return UNSEEN if UNSEEN in part else part


def _date(part: str, parse: Callable[[str, Instant], PartialDate | None], now: Instant) -> str:
    return part if part in ("", UNSEEN) else _day_first(parse(part, now))


def _marked(part: str) -> str:
    """One mark for what is not seen, however long it is."""
    return re.sub(r"(\? ?)+", lambda found: UNSEEN + " " * found[0].endswith(" "), part).strip()


def _seen_by_camera(seen: Screened, now: Instant) -> TravelDocument | None:
    """Where the scanner's lines are no document, the camera's may be; not where it cannot know which one is meant."""
    if seen.camera is None or not seen.camera.lines or seen.camera.another:
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
