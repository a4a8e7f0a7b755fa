"""Stage 6 of 8: record - the places beside the log where things lie that belong to its entries."""

from dataclasses import dataclass

from appliance.record.bodies import Bodies
from appliance.record.cases import CaseStore
from appliance.record.counters import Counters
from appliance.record.not_same import NotSame
from appliance.record.room import Room


@dataclass(frozen=True, slots=True, kw_only=True)
class Stores:
    """What is published from an entry's frame beside its leaf, and the room that all of it takes."""

    room: Room
    bodies: Bodies
    cases: CaseStore
    counters: Counters
    not_same: NotSame
