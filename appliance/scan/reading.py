"""Stage 1 of 8: scan - a device's frame, or what an officer typed, as a reading with the hash of its raw bytes.

Nothing is guessed and nothing silently changed: a character that no machine readable zone has (a lower-case letter, a
scanner's `?` for "not recognised") makes the reading unreadable, so that the page is laid again or typed. Only white
space at both ends of a line is dropped, and lines run together are cut where Doc 9303 ends them.
"""

import hashlib
import re
from typing import Final

import msgspec

from appliance.errors import Malformed
from appliance.formats import cbor
from appliance.model import MrzReading, TypedReading
from drivers.api import Frame

RUN_TOGETHER: Final = {88: 44, 72: 36, 90: 30}
"""Length of a whole zone on one line to length of its lines: TD3 and MRV-A, TD2 and MRV-B, TD1 (Doc 9303-4 to -7)."""

_LINE: Final = re.compile(r"[0-9A-Z<]{1,44}")
_DATE: Final = re.compile(r"([0-9]{4}(-[0-9]{2}(-[0-9]{2})?)?)?")


def reading_of(frame: Frame) -> MrzReading:
    """Make a reading of a scanner's frame; total.

    Returns:
        Two or three lines of the MRZ character set as the device gave them, of up to 44 characters (whether they are
        a document is the parser's to say); no lines when nothing, or anything else, was read.
    """
    return MrzReading(device=frame.dialect[:64], lines=_mrz_lines(frame), raw_sha256=hashlib.sha256(frame.raw).digest())


def _mrz_lines(frame: Frame) -> tuple[str, ...]:
    lines = [line.strip(" \t\r\n") for line in frame.lines]
    lines = [line for line in lines if line]
    if len(lines) == 1 and (width := RUN_TOGETHER.get(len(lines[0]))):
        lines = [lines[0][at : at + width] for at in range(0, len(lines[0]), width)]
    if len(lines) not in (2, 3) or not all(_LINE.fullmatch(line) for line in lines):
        return ()
    return tuple(lines)


def typed_reading(
    *,
    document_kind: str,
    issuing_state: str,
    document_number: str,
    primary_identifier: str,
    secondary_identifier: str,
    date_of_birth: str,
    date_of_expiry: str,
) -> TypedReading:
    """Make a reading of what an officer typed.

    State and number come out in capitals, the number without spaces and hyphens, as a zone would hold them; the page
    shows them so before the officer confirms. Names keep their letters, white space between words becomes one space.

    Raises:
        Malformed: A box holds what its document cannot: named, never quoted.
    """
    fields = {
        "document_kind": document_kind.strip(),
        "issuing_state": _capitals(issuing_state.strip()),
        "document_number": _capitals(re.sub(r"[\s-]", "", document_number)),
        "primary_identifier": " ".join(primary_identifier.split()),
        "secondary_identifier": " ".join(secondary_identifier.split()),
        "date_of_birth": date_of_birth.strip(),
        "date_of_expiry": date_of_expiry.strip(),
    }
    for name in ("date_of_birth", "date_of_expiry"):
        if not _DATE.fullmatch(fields[name]):
            raise Malformed(f"typed entry, {name}", "not YYYY-MM-DD, YYYY-MM or YYYY")
    for name in ("primary_identifier", "secondary_identifier"):
        if not fields[name].isprintable():
            raise Malformed(f"typed entry, {name}", "holds a character that cannot be printed")
    try:
        raw_sha256 = hashlib.sha256(cbor.encode(fields)).digest()
        return msgspec.convert({"type": "typed", **fields, "raw_sha256": raw_sha256}, TypedReading)
    except UnicodeEncodeError:
        raise Malformed("typed entry", "holds half a character") from None
    except msgspec.ValidationError as error:
        raise Malformed("typed entry", str(error)) from None


def _capitals(text: str) -> str:
    """ASCII letters in capitals; other text unchanged, to be refused: capitals of it may be others."""
    return text.upper() if text.isascii() else text
