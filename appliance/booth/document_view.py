"""Stage 7 of 8: show, the document - what it says, and the characters in which two readings of it differ."""

from collections.abc import Iterator, Sequence

from msgspec import Struct

from appliance.booth import words
from appliance.booth.filled import UNSEEN
from appliance.clock import Instant
from appliance.examine.second import counted, differences, is_camera, unsure
from appliance.examine.typed import FieldDifference, typed_differences
from appliance.model import CameraReading, DocumentFormat, TravelDocument
from appliance.recorded import Screened


class Line(Struct, frozen=True, kw_only=True):
    """One line at the foot of the page: as read and as taken, character by character with whether they differ."""

    read: tuple[tuple[str, bool], ...]
    taken: tuple[tuple[str, bool], ...]


class SecondLine(Struct, frozen=True, kw_only=True):
    """One printed line, or field, as two readers read it, character by character with whether they differ.

    Attributes:
        which: "Line 2 of 2, character 14", as an officer counts; "Surname, character 3" where it was typed.
        by: Who read it beside the camera: "scanner", or "typed".
        other: As that one read it; () where the camera alone reads: marked is then what it could not read surely.
    """

    which: str
    by: str = "scanner"
    other: tuple[tuple[str, bool], ...]
    camera: tuple[tuple[str, bool], ...]


class DocumentView(Struct, frozen=True, kw_only=True):
    """What the document says, in words.

    Attributes:
        lines: Only where a character was taken for another.
        second: Only where the camera read a character differently, or alone and not surely.
    """

    holder: str
    facts: tuple[tuple[str, str], ...]
    typed: bool
    lines: tuple[Line, ...]
    second: tuple[SecondLine, ...]


def document_view(document: TravelDocument, seen: Screened | None, now: Instant) -> DocumentView:
    """Work it out.

    Args:
        document: What lies there, as it was taken.
        seen: What was judged of it, with the camera's reading; None after a restart.
        now: For the years of what was typed.
    """
    facts = [
        ("Number", document.document_number or "none"),
        ("Issued by", words.state(document.issuing_state) or "not stated"),
        ("Born", _both_eras(document)),
        ("Valid until", words.partial(document.date_of_expiry)),
    ]
    if document.nationality and document.nationality != document.issuing_state:
        facts.insert(2, ("Nationality", words.state(document.nationality)))
    return DocumentView(
        holder=words.holder(document) or "No name",
        facts=tuple(facts),
        typed=document.format is DocumentFormat.TYPED,
        lines=_lines(document) if document.repairs else (),
        second=_beside(document, seen, now) if seen and seen.camera else (),
    )


def _beside(document: TravelDocument, seen: Screened, now: Instant) -> tuple[SecondLine, ...]:
    """What the camera read otherwise, or not surely."""
    assert seen.camera is not None, "it was asked for"
    if document.format is DocumentFormat.TYPED:
        return tuple(_typed_line(each) for each in typed_differences(document, seen.camera, now))
    return _second(document, seen.camera, alone=is_camera(seen.reading))


def _typed_line(different: FieldDifference) -> SecondLine:
    return SecondLine(
        which=f"{different.field}, {_counted(different.places)}",
        by="typed",
        other=tuple((char, at in different.places) for at, char in enumerate(different.typed)),
        camera=tuple((char, at in different.places) for at, char in enumerate(different.camera)),
    )


def _both_eras(document: TravelDocument) -> str:
    """A birth date; a Buddhist-era year that was typed is shown beside the other."""
    born = document.date_of_birth
    text = words.partial(born)
    if born and born.year and born.raw[:4].isdigit() and len(born.raw) >= 4 and int(born.raw[:4]) == born.year + 543:
        return f"{text} ({born.raw[:4]})"
    return text


def _lines(document: TravelDocument) -> tuple[Line, ...]:
    """Raw and taken characters of each line that differs; nothing is repaired in silence."""
    lines: list[Line] = []
    for raw, taken in zip(document.raw, document.mrz, strict=False):
        if raw == taken:
            continue
        same_length = len(raw) == len(taken)
        lines.append(
            Line(
                read=tuple((char, same_length and char != taken[at]) for at, char in enumerate(raw)),
                taken=tuple((char, same_length and char != raw[at]) for at, char in enumerate(taken)),
            )
        )
    return tuple(lines)


def _second(document: TravelDocument, camera: CameraReading, *, alone: bool) -> tuple[SecondLine, ...]:
    """The lines that somebody has to look at; where nothing is in question is none of the officer's work."""
    places: dict[int, list[int]] = {}
    for line, column in (
        unsure(camera) if alone else ((each.line, each.column) for each in differences(document, camera))
    ):
        places.setdefault(line, []).append(column)
    return tuple(
        SecondLine(
            which=_which(line, len(document.mrz), columns),
            other=() if alone else tuple((char, at in columns) for at, char in enumerate(document.mrz[line])),
            camera=tuple((char, at in columns) for at, char in enumerate(_as_seen(camera, line))),
        )
        for line, columns in places.items()
    )


def _as_seen(camera: CameraReading, line: int) -> Iterator[str]:
    """The characters of a line; a mark for each that is not to be seen, as the form has it."""
    width = len(camera.lines[line])
    sure = camera.percent[line * width : (line + 1) * width].ljust(width, b"\1")
    return (char if percent else UNSEEN for char, percent in zip(camera.lines[line], sure, strict=True))


def _which(line: int, of: int, columns: list[int]) -> str:
    return f"Line {line + 1} of {of}, {_counted(columns)}"


def _counted(places: Sequence[int]) -> str:
    return f"character{'s' if len(places) > 1 else ''} {', '.join(counted(places))}"
