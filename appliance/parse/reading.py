"""Stage 2 of 8: parse - whatever was read or typed becomes a TravelDocument."""

from typing import assert_never

from appliance.clock import Instant
from appliance.model import DocumentReading, MrzReading, TravelDocument, TypedReading
from appliance.parse.mrz import parse_mrz
from appliance.parse.typed import parse_typed


def parse_reading(reading: DocumentReading, now: Instant) -> TravelDocument:
    """Parse one reading; `now` decides centuries.

    Raises:
        Malformed: Nothing was read, or what was read is no travel document's zone or fields.
    """
    match reading:
        case MrzReading():
            return parse_mrz(reading.lines, now)
        case TypedReading():
            return parse_typed(reading)
        case _:
            assert_never(reading)
