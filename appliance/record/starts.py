"""Stage 6 of 8: record - what a start says: how the recorder ended before, and what is no longer as the log has it.

The log itself tells an orderly stop from a power cut: a recorder that is told to stop makes `recorder_stopped` its last
entry. Software, configuration and rules are logged when they are others than were told last, which lies in a small
file. It says nothing that the log does not say: where a power cut took it, the log is told once more.
"""

from typing import Annotated, Final

import msgspec
from msgspec import Meta

from appliance.errors import Malformed
from appliance.files import read_regular, replace_file
from appliance.formats.event import SHA256, SOFTWARE
from appliance.formats.fields import Count
from appliance.formats.refusal import refusal
from appliance.formats.statement import EventEntry, Statement
from appliance.record.log import Log
from appliance.record.places import Places

TOLD_BYTES_MAX: Final = 1_024


class Told(msgspec.Struct, frozen=True, kw_only=True):
    """What the log was told last.

    Attributes:
        software: Version; "0" before the first start.
        config_sha256: Of box.toml, hexadecimal; "" before.
        rules: Version of headquarters' rules; None before.
    """

    software: Annotated[str, Meta(pattern=rf"\A{SOFTWARE}\Z")] = "0"
    config_sha256: Annotated[str, Meta(pattern=rf"\A({SHA256})?\Z")] = ""
    rules: Count | None = None


def log_start(log: Log, places: Places, last: Statement | None, *, software: str, config_sha256: str) -> None:
    """Log this start; call it when its epoch has begun.

    Args:
        log: Recovered.
        places: Where it lies what was told.
        last: The last statement before this start; None in an empty log.
        software: Version of what runs now.
        config_sha256: Of box.toml as it is now, hexadecimal.

    Raises:
        StorageFull, StorageFault: As `Log.append`.
    """
    log.event("recorder_started", {"boot": _boot(log, last), "before": _before(last)})
    told = read_told(places)
    if software != told.software and told != Told():
        log.event("software_updated", {"before": told.software, "now": software})
    if config_sha256 != told.config_sha256:
        log.event("config_changed", {"sha256": config_sha256})
    keep_told(places, told, Told(software=software, config_sha256=config_sha256, rules=told.rules))


def log_rules(log: Log, places: Places, rules: int) -> None:
    """Log the version of the rules in force, unless the log has it. Raises as `Log.append`."""
    told = read_told(places)
    if rules != told.rules:
        log.event("policy_switched", {"version": str(rules)})
        keep_told(places, told, msgspec.structs.replace(told, rules=rules))


def _boot(log: Log, last: Statement | None) -> str:
    return "same" if last is not None and last.at.boot_id == log.scribe.now().boot_id else "new"


def _before(last: Statement | None) -> str:
    if last is None:
        return "first"
    stopped = isinstance(last.kind, EventEntry) and last.kind.event == "recorder_stopped"
    return "stopped" if stopped else "cut"


def keep_told(places: Places, before: Told, now: Told) -> None:
    """Remember what the log was told, where that is news."""
    if now != before:
        replace_file(places.told, msgspec.json.encode(now), mode=0o600)


def read_told(places: Places) -> Told:
    """What lies there; nothing told where nothing lies that can be read."""
    try:
        return parse_told(read_regular(places.told, TOLD_BYTES_MAX))
    except (OSError, Malformed):
        return Told()


def parse_told(text: bytes) -> Told:
    """Parse the file. Raises Malformed."""
    try:
        return msgspec.json.decode(text, type=Told, strict=True)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Malformed("what the log was told", refusal(error)) from None
