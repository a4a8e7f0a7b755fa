"""Small status files under the runtime folder: what each process tells the page and the technician, as JSON.

They say what the officer's page shows quietly; they are never evidence. Written whole by `files.replace_file`.
"""

from datetime import date
from typing import Annotated, Final, TypeVar

import msgspec
from msgspec import Meta

from appliance.errors import Malformed
from appliance.formats.lists import ListedSource
from appliance.formats.refusal import refusal
from appliance.formats.rules import ListAge
from appliance.model import Line, Noun, Word

STATUS_BYTES_MAX: Final = 16_384
Count = Annotated[int, Meta(ge=0, le=2**47)]
ShownTime = Annotated[int, Meta(ge=0, le=2**47)]
"""Milliseconds since 1970, to the year 6429: far enough from the last year of a calendar for every time zone."""
T = TypeVar("T", bound=msgspec.Struct)


class UplinkStatus(Noun, frozen=True, kw_only=True):
    """`uplink.status`.

    Attributes:
        connected: The last attempt reached the collector.
        not_sent: Bodies that headquarters has not acknowledged.
        last_contact_ms: Wall time of the last contact, milliseconds since 1970; None before the first.
        headquarters_ms: The last time that headquarters signed, milliseconds since 1970; None before the first.
        why: When not connected, why, in plain words.
        parked: Bodies of `not_sent` that headquarters refused and somebody has to look into.
        alarm: Why headquarters does not get or take the log, in plain words; "" when all is well.
        refused: Messages to this box that the recorder refused: not headquarters', for another box, or damaged.
        refused_why: Of the last one, why, in plain words.
        stick: What became of the last stick, in plain words; "" when there was none since the start.
    """

    connected: bool
    not_sent: Count
    last_contact_ms: ShownTime | None = None
    headquarters_ms: ShownTime | None = None
    why: Line = ""
    parked: Count = 0
    alarm: Line = ""
    refused: Count = 0
    refused_why: Line = ""
    stick: Line = ""


class ReleasesStatus(Noun, frozen=True, kw_only=True):
    """`releases.status`.

    Attributes:
        version: The release in service; 0 for none.
        dated: The day it was made.
        why: When the newest one in the mirror was refused, why, in plain words.
        still_since: The day of the release in service, when headquarters has proven (I9) that the next one should have
            come long ago: its mirror is held back, or it publishes nothing. None as long as nothing is overdue.
        sources: What the release in service has of each source, and what it left out.
        rules: Version of its rules; 0 without a release.
        list_ages: Of its rules.
    """

    version: Annotated[int, Meta(ge=0)]
    dated: date | None = None
    why: Line = ""
    still_since: date | None = None
    sources: Annotated[tuple[ListedSource, ...], Meta(max_length=64)] = ()
    rules: Annotated[int, Meta(ge=0)] = 0
    list_ages: Annotated[tuple[ListAge, ...], Meta(max_length=8)] = ()


class RecorderStatus(Noun, frozen=True, kw_only=True):
    """`recorder.status`.

    Attributes:
        origin: The log it appends to.
        entries: Leaves of that log.
        acknowledged: Bodies with a verified receipt from headquarters.
        bodies: Bodies on this box.
        free_share: Free share of the disk, 0 to 1.
        syncs, sync_us: How often this process synced its journal since it started, and how long that took in all.
        fingerprint: Of all these entries, for the paper register (fingerprint.py).
        keys: Where and how this box's keys lie, in plain words.
    """

    origin: Word
    entries: Annotated[int, Meta(ge=0)]
    acknowledged: Annotated[int, Meta(ge=0)]
    bodies: Annotated[int, Meta(ge=0)]
    free_share: Annotated[float, Meta(ge=0, le=1)]
    fingerprint: Word
    syncs: Annotated[int, Meta(ge=0)] = 0
    sync_us: Annotated[int, Meta(ge=0)] = 0
    keys: Line = ""


def encode_status(status: UplinkStatus | ReleasesStatus | RecorderStatus) -> bytes:
    """JSON of a status."""
    return msgspec.json.encode(status)


def parse_status(text: bytes, kind: type[T]) -> T:
    """Parse a status file. Raises Malformed."""
    if len(text) > STATUS_BYTES_MAX:
        raise Malformed("status file", f"{len(text)} bytes, at most {STATUS_BYTES_MAX}")
    try:
        return msgspec.json.decode(text, type=kind, strict=True)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Malformed("status file", refusal(error)) from None
