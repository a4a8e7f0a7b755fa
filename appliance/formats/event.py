"""Every event without personal data, declared once: its identifier, its meaning, and what each of its fields may hold.

Such an event stands readable in the log's leaf. So that nothing about a person can get there, each field is a closed
pattern: a number, a time, hexadecimal digits, a version, or one of a few words.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from appliance.errors import Malformed

COUNT: Final = r"[0-9]{1,12}"
MILLISECONDS: Final = r"-?[0-9]{1,15}"
DATE: Final = r"[0-9]{4}-[0-9]{2}-[0-9]{2}"
RANGES: Final = r"[0-9]{1,12}(-[0-9]{1,12})?(,[0-9]{1,12}(-[0-9]{1,12})?)*"
"""Index ranges, both ends included: `0-4,7,9-12`; at most 256 characters as every field."""
FIELD_CHARACTERS_MAX: Final = 256


@dataclass(frozen=True, slots=True, kw_only=True)
class Declared:
    """One kind of event.

    Attributes:
        event: Its identifier in the log.
        meaning: What it tells headquarters.
        fields: Name to pattern; every field is always there.
    """

    event: str
    meaning: str
    fields: Mapping[str, str] = field(default_factory=dict[str, str])


def words(*allowed: str) -> str:
    """Pattern of exactly these words."""
    return "|".join(map(re.escape, allowed))


EVENTS: Final[Mapping[str, Declared]] = {
    declared.event: declared
    for declared in (
        Declared(
            event="recovered",
            meaning="The recorder found entries in its journal that were not yet published, or a torn last frame.",
            fields={"entries": COUNT, "torn_bytes": COUNT},
        ),
        Declared(
            event="release_switched",
            meaning="From here on, records are sealed to and lists and rules come from this verified release.",
            fields={"version": COUNT, "dated": DATE, "recipients": COUNT, "rules": COUNT},
        ),
        Declared(
            event="clock_stepped",
            meaning="Wall time jumped against the boot-time clock, or its grade changed.",
            fields={"by_ms": MILLISECONDS, "grade": words("headquarters", "network", "rtc", "none")},
        ),
        Declared(
            event="bodies_acknowledged",
            meaning="The recorder verified headquarters' signed receipts for these bodies.",
            fields={"ranges": RANGES, "count": COUNT},
        ),
        Declared(
            event="bodies_deleted",
            meaning="The recorder deletes these bodies: headquarters has acknowledged and can open them.",
            fields={"ranges": RANGES, "count": COUNT},
        ),
        Declared(
            event="device_changed",
            meaning="A scanner, camera or panel came, went or failed.",
            fields={
                "device": words("scanner", "camera", "panel"),
                "state": words("absent", "probing", "ready", "faulted"),
            },
        ),
        Declared(event="page_started", meaning="The booth's process started and can show results."),
        Declared(
            event="not_recorded",
            meaning="Results were shown as NOT RECORDED since the last entry, because the recorder did not answer.",
            fields={"count": COUNT},
        ),
        Declared(
            event="storage_low",
            meaning="Pictures are refused from here on, to keep room for records and the log.",
            fields={"free_percent": COUNT},
        ),
        Declared(
            event="storage_recovered",
            meaning="Pictures are taken again.",
            fields={"free_percent": COUNT},
        ),
        Declared(
            event="peer_refused",
            meaning="A process with a wrong uid or verb spoke to one of the recorder's sockets.",
            fields={
                "role": words("booth", "uplink", "releases"),
                "why": words("uid", "verb", "malformed", "mode"),
            },
        ),
        Declared(
            event="downlink_taken",
            meaning="A signed message of headquarters to this box was taken; what is no longer needed was not kept.",
            fields={"role": words("answers", "directives"), "counter": COUNT, "kept": words("yes", "no")},
        ),
        Declared(
            event="voice_code_heard",
            meaning="A code was entered that headquarters is said to have given by telephone for a case.",
            fields={"held": words("yes", "no")},
        ),
        Declared(
            event="case_expired",
            meaning="Open cases reached their maximum age without an outcome; what was kept of them is destroyed.",
            fields={"count": COUNT},
        ),
    )
}


def check_event(event: str, fields: Mapping[str, str]) -> None:
    """Check an event against its declaration; no text of the refusal holds a field's value.

    Raises:
        Malformed: Not declared, a field is missing or too many, or a value is outside its pattern.
    """
    declared = EVENTS.get(event)
    if declared is None:
        raise Malformed("event", "not declared")
    if fields.keys() != declared.fields.keys():
        raise Malformed(f"event {event}", f"its fields are exactly {sorted(declared.fields)}")
    for name, pattern in declared.fields.items():
        value = fields[name]
        if len(value) > FIELD_CHARACTERS_MAX or not re.fullmatch(pattern, value, re.ASCII):
            raise Malformed(f"event {event}", f"the value of {name} is outside its pattern")
