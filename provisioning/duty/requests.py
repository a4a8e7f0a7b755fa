"""What boxes ask headquarters to confirm, from opened records, beside what headquarters has said of it.

The box's side is its records: the screening, the life of its hit, the outcome. Headquarters' side is its own memory of
what it said (authority/downlink.py), since it cannot open what it sealed to a box.
"""

from collections.abc import Iterable
from typing import Final

import msgspec

from appliance.formats.voice import case_code
from appliance.judged import Hit
from appliance.model import TravelDocument
from appliance.recorded import RequestedEntry, Stage
from provisioning.audit.opened.lives import LifeLine
from provisioning.audit.opened.records import RecordLine
from provisioning.authority.downlink import Said

CASE_ANSWER: Final = "case_answer"
VOICE_CODE: Final = "voice_code"


class CaseRequest(msgspec.Struct, frozen=True, kw_only=True):
    """One request for confirmation.

    Attributes:
        serial, origin, index: The box, its log, and the entry that asks.
        of: The screening record that it is about.
        case: Its code, as people read it to each other.
        since: When it was asked, as the box claims it, ISO 8601.
        entries: Which list entries.
        not_to: The state that must not be asked, "" for none: the person said to seek asylum from it.
        document, hits: What the document says, and the hits that are asked about; None and () as in the record.
        stage: Where the hit stands at the box, as far as its records have arrived.
        written, told: What headquarters answered in writing, and what it read out over a telephone, oldest first.
    """

    serial: str
    origin: str
    index: int
    of: str
    case: str
    since: str
    entries: tuple[RequestedEntry, ...]
    not_to: str
    document: TravelDocument | None
    hits: tuple[Hit, ...]
    stage: Stage
    written: tuple[Said, ...]
    told: tuple[Said, ...]

    @property
    def over(self) -> bool:
        """Whether the box has said what was done with the person, so that no answer moves anything there."""
        return self.stage in (Stage.OUTCOME, Stage.CLOSED)

    @property
    def owed(self) -> bool:
        """Whether the box waits for a written answer: nothing was said yet, or only over a telephone."""
        return not self.written and (bool(self.told) or not self.over)


class ToldBefore(msgspec.Struct, frozen=True, kw_only=True):
    """A code that was read out for a case whose request has not arrived: the box has no link.

    Attributes:
        of: "", since the record is not known.
    """

    serial: str
    case: str
    said: Said
    of: str = ""


def requests_of(serial: str, lines: Iterable[RecordLine], said: Iterable[Said]) -> list[CaseRequest]:
    """The requests of one log, in its order.

    Args:
        serial: Whose log it is.
        lines: Its records, opened.
        said: What headquarters said to that box.
    """
    remembered = tuple(said)
    return [_request(serial, line, asked, remembered) for line in lines if (asked := _asked(line)) and asked.request]


def told_before(serial: str, requests: Iterable[CaseRequest], said: Iterable[Said]) -> list[ToldBefore]:
    """Codes that were read out to that box and belong to none of its requests."""
    known = {request.case for request in requests}
    return [
        ToldBefore(serial=serial, case=one.case, said=one)
        for one in said
        if one.kind == VOICE_CODE and one.case not in known
    ]


def _asked(line: RecordLine) -> LifeLine | None:
    """The newest step of its life that asks headquarters."""
    return next((step for step in reversed(line.life) if step.request is not None), None)


def _request(serial: str, line: RecordLine, asked: LifeLine, said: tuple[Said, ...]) -> CaseRequest:
    assert asked.request is not None, "_asked saw to it"
    case = case_code(line.record_id)  # the box's own word for it is not needed, and could be another case's
    entries = {entry.entry for entry in asked.request.entries}
    return CaseRequest(
        serial=serial,
        origin=line.origin,
        index=asked.index,
        of=line.record_id,
        case=case,
        since=asked.at,
        entries=asked.request.entries,
        not_to=asked.request.not_to,
        document=line.document,
        hits=tuple(hit for hit in line.hits if hit.entry in entries),
        stage=line.life[-1].stage,
        written=tuple(one for one in said if one.kind == CASE_ANSWER and one.of == line.record_id),
        told=tuple(one for one in said if one.kind == VOICE_CODE and one.case == case),
    )
