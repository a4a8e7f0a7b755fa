"""Every event without personal data, declared once: its identifier, its meaning, who sees it, what each field may hold.

Such an event stands readable in the log's leaf. So that nothing about a person can get there, each field is a closed
pattern: a number, a time, hexadecimal digits, a version, or one of a few words.
"""

import enum
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
SHA256: Final = r"[0-9a-f]{64}"
SOFTWARE: Final = r"[0-9][0-9A-Za-z.+!_-]{0,31}"
"""A version as packages are numbered."""
FIELD_CHARACTERS_MAX: Final = 256


class Sight(enum.StrEnum):
    """Who is shown an event without asking for it; in the log it is read by whoever holds a copy of the log."""

    OFFICER = "officer"  # the booth's page
    TECHNICIAN = "technician"  # landlink-box status
    HEADQUARTERS = "headquarters"  # landlink-hq log


_ALL: Final = (Sight.OFFICER, Sight.TECHNICIAN, Sight.HEADQUARTERS)
_PAGE: Final = (Sight.OFFICER, Sight.HEADQUARTERS)
_STATUS: Final = (Sight.TECHNICIAN, Sight.HEADQUARTERS)
_LOG: Final = (Sight.HEADQUARTERS,)


@dataclass(frozen=True, slots=True, kw_only=True)
class Declared:
    """One kind of event.

    Attributes:
        event: Its identifier in the log.
        meaning: What it tells headquarters.
        words: The same of one such event, with its fields as `{name}`.
        seen_by: Who is shown it.
        fields: Name to pattern; every field is always there.
    """

    event: str
    meaning: str
    words: str
    seen_by: tuple[Sight, ...]
    fields: Mapping[str, str] = field(default_factory=dict[str, str])


def words(*allowed: str) -> str:
    """Pattern of exactly these words."""
    return "|".join(map(re.escape, allowed))


EVENTS: Final[Mapping[str, Declared]] = {
    declared.event: declared
    for declared in (
        Declared(
            event="recorder_started",
            meaning="The recorder runs again. `before` is how it ended: an orderly stop, or cut off (power, a kill).",
            words="the recorder started, boot: {boot}, before: {before}",
            seen_by=_LOG,
            fields={"boot": words("new", "same"), "before": words("first", "stopped", "cut")},
        ),
        Declared(
            event="recorder_stopped",
            meaning="The recorder was told to stop (shutdown, update). Without it, what follows was cut off.",
            words="the recorder stopped in order",
            seen_by=_LOG,
        ),
        Declared(
            event="software_updated",
            meaning="This log's last start was of another version of the software.",
            words="the software went from {before} to {now}",
            seen_by=_LOG,
            fields={"before": SOFTWARE, "now": SOFTWARE},
        ),
        Declared(
            event="config_changed",
            meaning="From here on the box works by this box.toml, another than at the last start; its SHA-256.",
            words="the box works by the box.toml with SHA-256 {sha256}",
            seen_by=_LOG,
            fields={"sha256": SHA256},
        ),
        Declared(
            event="recovered",
            meaning="The recorder found entries in its journal that were not yet published, or a torn last frame.",
            words="recovered {entries} entries from the journal; {torn_bytes} bytes of a last one were torn",
            seen_by=_LOG,
            fields={"entries": COUNT, "torn_bytes": COUNT},
        ),
        Declared(
            event="release_switched",
            meaning="From here on, records are sealed to and lists and rules come from this verified release.",
            words="release {version} of {dated} is in service: recipients {recipients}, rules {rules}",
            seen_by=_ALL,
            fields={"version": COUNT, "dated": DATE, "recipients": COUNT, "rules": COUNT},
        ),
        Declared(
            event="policy_switched",
            meaning="From here on, these rules of headquarters decide who is referred; 0 are those that ship.",
            words="rules {version} are in force",
            seen_by=_STATUS,
            fields={"version": COUNT},
        ),
        Declared(
            event="clock_stepped",
            meaning="Wall time jumped against the boot-time clock, or its grade changed.",
            words="the clock stepped by {by_ms} ms; vouched for by: {grade}",
            seen_by=_LOG,
            fields={"by_ms": MILLISECONDS, "grade": words("headquarters", "network", "rtc", "none")},
        ),
        Declared(
            event="bodies_acknowledged",
            meaning="The recorder verified headquarters' signed receipts for these bodies.",
            words="headquarters has acknowledged {count} bodies: {ranges}",
            seen_by=_STATUS,
            fields={"ranges": RANGES, "count": COUNT},
        ),
        Declared(
            event="bodies_deleted",
            meaning="The recorder deletes these bodies: headquarters has acknowledged and can open them.",
            words="{count} bodies were deleted from the box: {ranges}",
            seen_by=_STATUS,
            fields={"ranges": RANGES, "count": COUNT},
        ),
        Declared(
            event="device_changed",
            meaning="A scanner, camera or panel came, went or failed.",
            words="the {device} is {state}",
            seen_by=_PAGE,
            fields={
                "device": words("scanner", "camera", "panel"),
                "state": words("absent", "probing", "ready", "faulted"),
            },
        ),
        Declared(
            event="lid_changed",
            meaning="The box's case was opened or closed, or was found open at the booth's start.",
            words="the case of the box is {state}",
            seen_by=_PAGE,
            fields={"state": words("open", "closed")},
        ),
        Declared(
            event="page_started",
            meaning="The booth's process started and can show results.",
            words="the booth started",
            seen_by=_LOG,
        ),
        Declared(
            event="signed_in",
            meaning="An officer said a badge at the page; which one stands in sealed records alone.",
            words="an officer signed in",
            seen_by=_PAGE,
        ),
        Declared(
            event="looked_up",
            meaning="A document was looked up that nobody had brought; which one stands in a sealed record.",
            words="a document was looked up without a crossing",
            seen_by=_PAGE,
        ),
        Declared(
            event="signed_out",
            meaning="The officer's badge was taken off the page.",
            words="the officer signed out",
            seen_by=_PAGE,
        ),
        Declared(
            event="sign_in_failed",
            meaning="Sign-ins at the page that were refused since the last entry: no badge that can be one.",
            words="{count} sign-ins were refused",
            seen_by=_PAGE,
            fields={"count": COUNT},
        ),
        Declared(
            event="not_recorded",
            meaning="Results were shown as NOT RECORDED since the last entry, because the recorder did not answer.",
            words="{count} results were shown as NOT RECORDED",
            seen_by=_PAGE,
            fields={"count": COUNT},
        ),
        Declared(
            event="storage_low",
            meaning="Pictures are refused from here on, to keep room for records and the log.",
            words="{free_percent} % of the disk is free: pictures are refused",
            seen_by=_ALL,
            fields={"free_percent": COUNT},
        ),
        Declared(
            event="storage_recovered",
            meaning="Pictures are taken again.",
            words="{free_percent} % of the disk is free: pictures are taken again",
            seen_by=_STATUS,
            fields={"free_percent": COUNT},
        ),
        Declared(
            event="peer_refused",
            meaning="A process with a wrong uid or verb spoke to one of the recorder's sockets.",
            words="the recorder's door for the {role} refused a process: {why}",
            seen_by=_LOG,
            fields={
                "role": words("booth", "uplink", "releases", "audit"),
                "why": words("uid", "verb", "malformed", "mode"),
            },
        ),
        Declared(
            event="stick_seen",
            meaning="A stick from headquarters was put in: how many messages were taken, what became of its lists.",
            words="a stick from headquarters was put in: {messages} new messages, lists: {lists}",
            seen_by=_STATUS,
            fields={"messages": COUNT, "lists": words("none", "known", "taken", "refused")},
        ),
        Declared(
            event="exported",
            meaning="The log up to here and sealed bodies of it were about to be copied to a stick for headquarters.",
            words="{entries} entries and {bodies} bodies were about to be copied to a stick",
            seen_by=_STATUS,
            fields={"entries": COUNT, "bodies": COUNT},
        ),
        Declared(
            event="downlink_taken",
            meaning="A signed message of headquarters to this box was taken; what is no longer needed was not kept.",
            words="message {counter} of headquarters' {role} was taken; kept: {kept}",
            seen_by=_LOG,
            fields={"role": words("answers", "directives"), "counter": COUNT, "kept": words("yes", "no")},
        ),
        Declared(
            event="voice_code_heard",
            meaning="A code was entered that headquarters is said to have given by telephone for a case.",
            words="a spoken code was entered; it held: {held}",
            seen_by=_PAGE,
            fields={"held": words("yes", "no")},
        ),
        Declared(
            event="case_expired",
            meaning="Open cases reached their maximum age without an outcome; what was kept of them is destroyed.",
            words="{count} open cases were too old and are destroyed",
            seen_by=_LOG,
            fields={"count": COUNT},
        ),
    )
}


def in_words(event: str, fields: Mapping[str, str]) -> str:
    """One event in plain words; one that this version does not know, as it stands."""
    declared = EVENTS.get(event)
    if declared is None or fields.keys() != declared.fields.keys():
        return " ".join([event, *(f"{name}={value}" for name, value in sorted(fields.items()))])
    return declared.words.format_map(fields)


_PATTERNS: Final = {
    COUNT: "a number",
    MILLISECONDS: "milliseconds, with a sign",
    DATE: "a day, YYYY-MM-DD",
    RANGES: "entries, as 0-4,7",
    SHA256: "SHA-256, 64 hexadecimal digits",
    SOFTWARE: "a version of the software",
}


def allowed(pattern: str) -> str:
    """What a field's pattern lets through, in words."""
    return _PATTERNS.get(pattern) or ", ".join(pattern.split("|"))


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
