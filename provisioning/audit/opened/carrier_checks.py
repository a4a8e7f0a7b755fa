"""What desks of the carrier profile asked: number, type and country of a document, and what was answered. No person."""

from typing import Final

import msgspec

from appliance.clock import Instant
from appliance.judged import ListAnswer
from appliance.model import Mode
from appliance.recorded import CarrierCheck, Record

CARRIER_CHECK: Final = "carrier check"


class CarrierLine(msgspec.Struct, frozen=True, kw_only=True):
    """One check as README.md specifies it; `kind` tells its line from a screening's, which has none."""

    kind: str
    origin: str
    index: int
    record_id: str
    mode: Mode
    at: str
    clock: Instant
    document_number: str
    document_type: str
    issuing_state: str
    lists: tuple[ListAnswer, ...]
    call: bool
    why: str

    @property
    def day(self) -> str:
        """The claimed day in UTC, `YYYY-MM-DD`."""
        return self.at[:10]


def carrier_line(index: int, at: str, record: Record, check: CarrierCheck) -> CarrierLine:
    """The line of one opened check; `at` is its claimed time in ISO 8601."""
    return CarrierLine(
        kind=CARRIER_CHECK,
        origin=record.origin,
        index=index,
        record_id=record.record_id,
        mode=record.mode,
        at=at,
        clock=record.at,
        document_number=check.document_number,
        document_type=check.document_type,
        issuing_state=check.issuing_state,
        lists=check.lists,
        call=check.call,
        why=check.why,
    )
