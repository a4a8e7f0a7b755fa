"""Stage 3 of 8: examine - what an officer typed against what the camera reads of the page, field by field.

A page is typed in because the scanner could not read it; the camera may read it all the same, and then a slip of the
keyboard, or a page that is not the one that was typed, is seen.
"""

from collections.abc import Iterator
from datetime import date
from itertools import zip_longest
from typing import Final

from msgspec import Struct

from appliance.clock import Instant
from appliance.errors import Malformed
from appliance.examine.findings import SECOND_READING
from appliance.examine.subject import Subject, found
from appliance.judged import Answer, Finding
from appliance.model import CameraReading, PartialDate, TravelDocument
from appliance.parse.mrz import parse_mrz

WITHOUT_LINES: Final = frozenset({"BP", "VL"})
"""Kinds of typed entry that have no printed lines: border passes and village letters."""


class FieldDifference(Struct, frozen=True, kw_only=True):
    """One field that was typed otherwise than the camera reads it.

    Attributes:
        field: As the officer calls it.
        typed, camera: Both as the printed lines have it: capitals and digits; days as YYYYMMDD.
        places: Zero-based characters that differ; those of the longer one beyond the other's end among them.
    """

    field: str
    typed: str
    camera: str
    places: tuple[int, ...]


def typed_differences(document: TravelDocument, camera: CameraReading, now: Instant) -> tuple[FieldDifference, ...]:
    """What was typed otherwise than the camera reads it; () also where the camera read no travel document."""
    seen = _seen(camera, now)
    return () if seen is None else tuple(_differences(document, seen))


def examine_typed(subject: Subject) -> Finding:
    """Typed against camera."""
    camera, document = subject.camera, subject.document
    if camera is None:
        return found(SECOND_READING, Answer.NOT_APPLICABLE, "Typed in, and no camera looks at the page.")
    if document.document_code in WITHOUT_LINES:
        return found(SECOND_READING, Answer.NOT_APPLICABLE, "Typed in, of a kind that has no printed lines.")
    seen = _seen(camera, subject.now)
    if seen is None:
        why = camera.why or "what it read is no travel document."
        return found(SECOND_READING, Answer.UNAVAILABLE, f"No second reading by the camera: {why}")
    different = tuple(_differences(document, seen))
    if not different:
        return found(SECOND_READING, Answer.PASSED, "The camera reads what was typed.")
    fields = ", ".join(each.field.lower() for each in different)
    evidence = [_words(each) for each in different]
    if camera.doubt:
        words = f"The camera may read otherwise than was typed, but is not sure: {fields}."
        return found(SECOND_READING, Answer.INCONCLUSIVE, words, *evidence)
    return found(SECOND_READING, Answer.FAILED, f"The camera reads otherwise than was typed: {fields}.", *evidence)


def _seen(camera: CameraReading, now: Instant) -> TravelDocument | None:
    try:
        return parse_mrz(camera.lines, now) if camera.lines and not camera.another else None
    except Malformed:
        return None


def _differences(typed: TravelDocument, seen: TravelDocument) -> Iterator[FieldDifference]:
    """Fields that both have."""
    pairs = (
        ("Document number", typed.document_number, seen.document_number),
        ("Issuing state", typed.issuing_state, seen.issuing_state),
        ("Date of birth", *_days(typed.date_of_birth, seen.date_of_birth)),
        ("Date of expiry", *_days(typed.date_of_expiry, seen.date_of_expiry)),
        ("Surname", *_names(typed.primary_identifier, seen.primary_identifier, cut=seen.name_truncated)),
        ("Given names", *_names(typed.secondary_identifier, seen.secondary_identifier, cut=seen.name_truncated)),
    )
    for field, mine, theirs in pairs:
        places = tuple(at for at, (one, other) in enumerate(zip_longest(mine, theirs)) if one != other)
        if mine and theirs and places:
            yield FieldDifference(field=field, typed=mine, camera=theirs, places=places)


def _days(typed: PartialDate | None, seen: PartialDate | None) -> tuple[str, str]:
    """Of days that both know whole."""
    mine, theirs = (each.full if each else None for each in (typed, seen))
    return ("", "") if mine is None or theirs is None else (_digits(mine), _digits(theirs))


def _digits(day: date) -> str:
    return f"{day:%Y%m%d}"


def _names(typed: str, seen: str, *, cut: bool) -> tuple[str, str]:
    """Letters alone: how names are parted is nobody's mistake; in another script than the lines' they say nothing."""
    mine, theirs = ("".join(letter for letter in name.upper() if letter.isalpha()) for name in (typed, seen))
    if not mine.isascii():
        return "", ""
    return (mine[: len(theirs)], theirs) if cut else (mine, theirs)


def _words(different: FieldDifference) -> str:
    """Counted from one, as a person does."""
    counted = ", ".join(str(place + 1) for place in different.places[:8])
    return f"{different.field.lower()}: typed {different.typed}, camera {different.camera}, character {counted}"[:256]
