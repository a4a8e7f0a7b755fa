"""Stages 1 and 2 of 8: scan, parse - the nouns of what is read, and what all other nouns share.

Frozen, bounded, and the same on the box and at headquarters. What is judged of a document is in judged.py; what a
record holds of both, and of whom, in recorded.py.

Every value that crosses a process border is one of these structs: msgspec refuses unknown fields, wrong types and
values out of bounds, so a struct that exists has been checked. Sum types are tagged; use `match` and `assert_never`.
"""

import enum
from datetime import date
from typing import Annotated, Literal, NewType

from msgspec import Meta, Struct

Sha256 = NewType("Sha256", bytes)
Origin = NewType("Origin", str)
"""Name of one log: `domain/log`, for example `landlink.example/la-0001.1`; see formats/README.md."""

Id = Annotated[str, Meta(pattern=r"\A[0-9a-f]{32}\Z")]
"""Of a record, crossing, person or case key: 16 random bytes, chosen by whoever makes it."""
Digest = Annotated[bytes, Meta(min_length=32, max_length=32)]
Word = Annotated[str, Meta(max_length=64)]
Line = Annotated[str, Meta(max_length=256)]
Text = Annotated[str, Meta(max_length=2_000)]
MrzLine = Annotated[str, Meta(max_length=44, pattern=r"\A[0-9A-Z<]*\Z")]
MrzLines = Annotated[tuple[MrzLine, ...], Meta(max_length=3)]
StateCode = Annotated[str, Meta(max_length=3, pattern=r"\A[A-Z]{0,3}\Z")]
"""ICAO Doc 9303-3 §5 code without fillers; "D" for Germany, "" where the document has none."""
PrintedCode = Annotated[str, Meta(max_length=3, pattern=r"\A[0-9A-Z]{0,3}\Z")]
"""A code as a document prints it: digits in it are for examine to find."""


CheckedField = Literal["document_number", "date_of_birth", "date_of_expiry", "optional_data", "composite"]
"""What a check digit covers, by the standard's name (Doc 9303-3 §4.9)."""
ListName = Literal["documents", "persons"]


class Noun(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A value that knows its bounds."""


class Mode(enum.StrEnum):
    """Real or rehearsed (I7): inside every signed payload, under other keys and another origin."""

    LIVE = "live"
    TRAINING = "training"


class Priority(enum.IntEnum):
    """Classes of the uplink's queue (uplink/README.md). Travels beside the statement, never in it."""

    ALERT = 0
    HEAD = 1
    RECORD = 2
    BULK = 3


# --- 1 scan -----------------------------------------------------------------------------------------------------------


class MrzReading(Noun, frozen=True, kw_only=True, tag="mrz"):
    """What a device read of the machine readable zone, before anyone judged it.

    Attributes:
        device: Which device and dialect ("elyctis", "generic", "camera").
        lines: Non-empty when something was read: two or three lines of the MRZ character set; () when unreadable.
        raw_sha256: SHA-256 of the bytes as the device sent them, framing included.
    """

    device: Word
    lines: MrzLines
    raw_sha256: Digest


class TypedReading(Noun, frozen=True, kw_only=True, tag="typed"):
    """What an officer typed from a page that no device can read; marked typed everywhere.

    Attributes:
        document_kind: What lies there: "P" passport, "I" identity card, "V" visa, "BP" border pass, "VL" village
            letter.
        date_of_birth, date_of_expiry: As typed, `YYYY-MM-DD`, `YYYY-MM`, `YYYY` or ""; Buddhist years allowed.
        raw_sha256: SHA-256 of the deterministic encoding of the other fields.
    """

    document_kind: Word
    issuing_state: StateCode
    document_number: Annotated[str, Meta(max_length=24, pattern=r"\A[0-9A-Z]*\Z")]
    primary_identifier: Annotated[str, Meta(max_length=80)]
    secondary_identifier: Annotated[str, Meta(max_length=80)]
    date_of_birth: Annotated[str, Meta(max_length=10)]
    date_of_expiry: Annotated[str, Meta(max_length=10)]
    raw_sha256: Digest


DocumentReading = MrzReading | TypedReading


class ShiftedCharacter(Noun, frozen=True, kw_only=True):
    """A character that stands off its line, in thousandths of a character's pitch; positive is right, and down.

    Attributes:
        line, column: Zero-based place in the printed lines.
        along, across: How far along the line, and across it.
    """

    line: Annotated[int, Meta(ge=0, le=2)]
    column: Annotated[int, Meta(ge=0, le=43)]
    along: Annotated[int, Meta(ge=-2_000, le=2_000)]
    across: Annotated[int, Meta(ge=-2_000, le=2_000)]


class ZoneGeometry(Noun, frozen=True, kw_only=True):
    """How the printed lines are printed, in thousandths of a character's pitch (ocr/geometry.py).

    Attributes:
        pixels: Of the image for one character's pitch, in tenths.
        height: Of the characters' ink, the median of all.
        spacing: From line to line.
        aside: How far the lines stand to the side of each other, which begin and end alike.
        shifted: Characters out of place, the farthest first.
        unseen: How many characters the image does not show so clearly that their place can be told.
    """

    pixels: Annotated[int, Meta(ge=0, le=100_000)]
    height: Annotated[int, Meta(ge=-4_000, le=4_000)]
    spacing: Annotated[tuple[Annotated[int, Meta(ge=-100_000, le=100_000)], ...], Meta(max_length=2)]
    aside: Annotated[int, Meta(ge=0, le=100_000)]
    shifted: Annotated[tuple[ShiftedCharacter, ...], Meta(max_length=8)] = ()
    unseen: Annotated[int, Meta(ge=0, le=90)] = 0


class InfraredReading(Noun, frozen=True, kw_only=True):
    """What an image under infrared light shows where the camera has read the printed lines (ocr/second.py).

    Attributes:
        seen: How many characters of the lines are seen there as they were read, in hundredths of all; None when there
            is nothing to say.
        vanished: Which of the lines joined have no ink there at all, though paper is seen: their places.
        why: Why there is nothing to say; "" otherwise.
    """

    seen: Annotated[int, Meta(ge=0, le=100)] | None = None
    vanished: Annotated[bytes, Meta(max_length=132)] = b""
    why: Line = ""


class CameraReading(Noun, frozen=True, kw_only=True):
    """What the box read from the camera's image of the same page (ocr/second.py).

    Attributes:
        lines: After its own check digits had their say; () when there is no reading.
        raw: As seen, before that.
        percent: For each character of `lines` joined, how sure it is, 1 to 100; 0, and a filler, where none is seen.
        doubt: Somebody should look before the lines count as read.
        why: Why there are no lines, or what is in doubt; "" otherwise.
        image_sha256: Of the stored image (recorded.Picture has it); None when there was no image.
        images: How many images of the page have a say in `lines`; the stored one is the surest of them.
        another: Another document is in view, so these lines may be of the one that is not meant.
        geometry: How the lines are printed; None when the image does not say.
        infrared: None where no infrared lamp is fitted.
    """

    lines: MrzLines = ()
    raw: MrzLines = ()
    percent: Annotated[bytes, Meta(max_length=132)] = b""
    doubt: bool = True
    why: Line = ""
    image_sha256: Digest | None = None
    images: Annotated[int, Meta(ge=1, le=9)] = 1
    another: bool = False
    geometry: ZoneGeometry | None = None
    infrared: InfraredReading | None = None


# --- 2 parse ----------------------------------------------------------------------------------------------------------


class DocumentFormat(enum.StrEnum):
    """Doc 9303 parts 4 to 7, the French card of before 2021, and typed entry."""

    TD1 = "TD1"
    TD2 = "TD2"
    TD3 = "TD3"
    MRVA = "MRVA"
    MRVB = "MRVB"
    FRA_ID = "FRA_ID"
    TYPED = "TYPED"


class PartialDate(Noun, frozen=True, kw_only=True):
    """A date of which month or day may be unknown; with the text it came from and the rule that gave the century.

    Attributes:
        raw: As printed or typed: six characters of an MRZ, or what the officer wrote.
        year: Gregorian, None when unknown.
        month, day: None when unknown.
        rule: How the century was found, in words for the record ("latest century not in the future").
    """

    raw: Annotated[str, Meta(max_length=10)]
    year: Annotated[int, Meta(ge=1, le=9999)] | None
    month: Annotated[int, Meta(ge=1, le=12)] | None
    day: Annotated[int, Meta(ge=1, le=31)] | None
    rule: Line

    @property
    def full(self) -> date | None:
        """The calendar date when all three parts are known and such a day exists."""
        if self.year is None or self.month is None or self.day is None:
            return None
        try:
            return date(self.year, self.month, self.day)
        except ValueError:
            return None


class CheckDigit(Noun, frozen=True, kw_only=True):
    """One check digit as printed and as computed (7-3-1 mod 10).

    Attributes:
        printed: The character in the MRZ.
        computed: The digit it should be.
        blank_allowed: The format allows a filler here because the field is empty.
    """

    field: CheckedField
    printed: Annotated[str, Meta(min_length=1, max_length=1)]
    computed: Annotated[str, Meta(min_length=1, max_length=1)]
    blank_allowed: bool = False

    @property
    def holds(self) -> bool:
        """Whether the printed character is right."""
        return self.printed == self.computed or (self.blank_allowed and self.printed == "<")


class RepairReason(enum.StrEnum):
    """Why a character was taken for another; the value is the words for the record."""

    POSITION = "only this class of character can stand here"
    CHECK_DIGITS = "only so do the check digits hold"


class Repair(Noun, frozen=True, kw_only=True):
    """One character that the reader took for another; raw and repaired are both kept (never silent).

    Attributes:
        line, column: Zero-based place in the MRZ.
        read: The character as the device gave it.
        taken_as: The character it was taken for.
        reason: POSITION is a reading error; CHECK_DIGITS may be one, or a character that somebody changed.
    """

    line: Annotated[int, Meta(ge=0, le=2)]
    column: Annotated[int, Meta(ge=0, le=43)]
    read: Annotated[str, Meta(min_length=1, max_length=1)]
    taken_as: Annotated[str, Meta(min_length=1, max_length=1)]
    reason: RepairReason


class TravelDocument(Noun, frozen=True, kw_only=True):
    """What the document says of itself, judged by nobody yet.

    Attributes:
        mrz: The lines after repair; () for typed entry.
        raw: The lines as read; equal to mrz when nothing was repaired.
        document_code: One or two letters of the first field, fillers removed ("P", "I", "AC", "V").
        document_number: Without fillers and check digit, long numbers joined.
        primary_identifier, secondary_identifier: Names with single spaces for fillers; secondary "" for a mononym.
        name_truncated: The name field is full, so names match by prefix.
        sex: "M", "F", "X" or "" (unspecified).
        optional_data: Optional data elements joined as printed, trailing fillers removed, without the rest of a long
            number.
    """

    format: DocumentFormat
    mrz: MrzLines
    raw: MrzLines
    repairs: Annotated[tuple[Repair, ...], Meta(max_length=132)]
    document_code: Word
    issuing_state: PrintedCode
    nationality: PrintedCode
    document_number: Annotated[str, Meta(max_length=32)]
    primary_identifier: Annotated[str, Meta(max_length=80)]
    secondary_identifier: Annotated[str, Meta(max_length=80)]
    name_truncated: bool
    date_of_birth: PartialDate | None
    sex: Annotated[str, Meta(pattern=r"\A[MFX]?\Z")]
    date_of_expiry: PartialDate | None
    optional_data: Annotated[str, Meta(max_length=64)]
    check_digits: Annotated[tuple[CheckDigit, ...], Meta(max_length=6)]
