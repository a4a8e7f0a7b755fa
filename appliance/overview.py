"""What each process last said of itself, for a technician in front of the box; never evidence."""

import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, TypeVar

import msgspec

from appliance.command import printable
from appliance.config import Config
from appliance.disk import DAYS, amount, days_left, free_and_total, usage
from appliance.disk import in_words as of_disk
from appliance.errors import ConfigError, Malformed
from appliance.files import read_regular
from appliance.formats.lists import ListedSource
from appliance.formats.rules import Age, LinkClass, list_age
from appliance.formats.status import (
    STATUS_BYTES_MAX,
    RecorderStatus,
    ReleasesStatus,
    UplinkStatus,
    parse_status,
)

DISK_PARTS: Final = {
    "log": "log",
    "sealed records": "bodies",
    "receipts": "receipts",
    "recorder": "recorder",
    "earlier logs": "former",
    "lists": "releases",
    "mirror": "mirror",
    "uplink": "uplink",
}
"""What a technician calls each folder of the box's durable files."""
GROWING: Final = ("log", "sealed records", "receipts")
RESERVE: Final = "reserve"
"""Room that is kept by a file (record/room.py): as good as free for records, so it is not counted as used."""
SILENT: Final = "has said nothing since the box was switched on"
FORBIDDEN: Final = "you may not look into the folders of this box; try it as root"
T = TypeVar("T", RecorderStatus, ReleasesStatus, UplinkStatus)


class Overview(msgspec.Struct, frozen=True, kw_only=True):
    """Status files as found; None for a process that has said nothing that can be read.

    Attributes:
        bodies: Sealed bodies in the box's folder, counted.
        link: Class of the post's link (formats/rules.py).
        list_age: Whether the oldest source of lists is older than the rules want it to be at such a post.
    """

    serial: str
    mode: str
    recorder: RecorderStatus | None
    releases: ReleasesStatus | None
    uplink: UplinkStatus | None
    bodies: int
    link: LinkClass
    list_age: Age


def look(config: Config, *, now_ms: int) -> Overview:
    """Read what lies there now; `now_ms` since 1970 is the clock's claim.

    Raises:
        ConfigError: Whoever asks may not read it: silence would be the wrong answer.
    """
    if not all(map(_may_look, (config.state, config.runtime))):
        raise ConfigError(FORBIDDEN)
    bodies = config.state / "bodies"
    releases = _said(config.runtime / "releases.status", ReleasesStatus)
    return Overview(
        serial=config.box.serial,
        mode=str(config.box.mode),
        recorder=_said(config.runtime / "recorder.status", RecorderStatus),
        releases=releases,
        uplink=_said(config.runtime / "uplink.status", UplinkStatus),
        bodies=sum(1 for _ in bodies.glob("*.age")),
        link=config.post.link,
        list_age=_list_age(releases, config.post.link, now_ms),
    )


def disk_in_words(config: Config, *, now_s: float) -> str:
    """What takes how much of the disk, and how long there is room at the rate of the last days.

    Args:
        config: Where things lie, and which share is kept for records.
        now_s: The clock's claim, seconds since 1970.

    Raises:
        ConfigError: Whoever asks may not look.
    """
    state = config.state
    if not _may_look(state):
        raise ConfigError(FORBIDDEN)
    uses = {
        name: usage(state / folder, now_s=now_s, without=frozenset({RESERVE}))
        for name, folder in DISK_PARTS.items()
        if (state / folder).is_dir()
    }
    free, total = free_and_total(state)
    grows = sum(uses[name].a_day for name in GROWING if name in uses)
    lines = [f"disk      {of_disk(uses, free=free)}"]
    pictures = days_left(free - int(total * config.recorder.picture_reserve_share), grows)
    records = days_left(free, grows)
    if pictures is None or records is None:
        lines.append(f"rate      nothing was recorded in the last {DAYS} days")
    else:
        lines.append(
            f"rate      {amount(grows)} a day in the last {DAYS} days (what headquarters has is deleted in time): "
            f"pictures are refused in {pictures} days, records in {records}"
        )
    return "\n".join(lines)


def well(overview: Overview) -> bool:
    """Whether nobody has to look into anything: every process speaks, and none of them of something to look into."""
    silent = None in (overview.recorder, overview.releases, overview.uplink)
    return not silent and not _to_look_into(overview)


def as_json(overview: Overview) -> str:
    """For scripts: one JSON object."""
    return msgspec.json.encode(overview).decode()


def in_words(overview: Overview) -> str:
    """For people: one line a process, and a line where somebody has to act.

    Some words are of whoever answered the link, or lay on a stick: a terminal takes no orders from them.
    """
    lines = [f"Box {overview.serial}, {overview.mode}; sealed records on this box: {overview.bodies}"]
    lines.append("recorder  " + (SILENT if overview.recorder is None else _recorder(overview.recorder)))
    if overview.recorder is not None and overview.recorder.keys:
        lines.append(f"keys      {overview.recorder.keys}")
    lines.append("releases  " + (SILENT if overview.releases is None else _releases(overview.releases)))
    lines += [f"list      {_source(source)}" for source in (overview.releases.sources if overview.releases else ())]
    lines.append("uplink    " + (SILENT if overview.uplink is None else _uplink(overview.uplink)))
    if overview.uplink is not None and overview.uplink.stick:
        lines.append(f"stick     {overview.uplink.stick}")
    lines += [f"LOOK INTO  {words}" for words in _to_look_into(overview)]
    return "\n".join(map(printable, lines))


def _to_look_into(overview: Overview) -> list[str]:
    """What somebody has to act on."""
    found: list[str] = []
    if (uplink := overview.uplink) is not None:
        if uplink.parked:
            found.append(f"headquarters refuses {uplink.parked} records; the journal says why")
        if uplink.refused:
            why = uplink.refused_why
            found.append(f"{uplink.refused} messages in headquarters' name were refused, the last one because: {why}")
        if uplink.alarm:
            found.append(f"the log does not reach headquarters: {uplink.alarm}")
    if (releases := overview.releases) is not None:
        if releases.still_since is not None:
            found.append(f"headquarters' mirror STANDS STILL since {releases.still_since}: ask headquarters")
        if releases.why:
            found.append(f"the newest release was refused: {releases.why}")
    if overview.list_age == "alarm":
        found.append(f"lists are TOO OLD for a post with a {overview.link} link: does it still reach them?")
    return found


def _list_age(status: ReleasesStatus | None, link: LinkClass, now_ms: int) -> Age:
    """Of the oldest source; of the release where it names none."""
    if status is None or status.dated is None:
        return ""
    dated = min((source.taken_in for source in status.sources), default=status.dated)
    return list_age(status.list_ages, link, dated=dated, now_ms=now_ms)


def _recorder(status: RecorderStatus) -> str:
    return (
        f"{status.origin}: {status.entries} entries, fingerprint {status.fingerprint}; "
        f"headquarters has {status.acknowledged} records, {status.bodies} are kept here; "
        f"{status.free_share:.0%} of the disk is free"
    )


def _releases(status: ReleasesStatus) -> str:
    return "no release yet" if status.version == 0 else f"release {status.version} of {status.dated} is in service"


def _source(source: ListedSource) -> str:
    return (
        f"{source.title}: {source.entries} listed, {source.left_out} left out at its last import on {source.taken_in}"
    )


def _uplink(status: UplinkStatus) -> str:
    link = "connected" if status.connected else f"NOT connected: {status.why}"
    return f"{link}; last contact {_time(status.last_contact_ms)}; not sent yet: {status.not_sent}"


def _time(at_ms: int | None) -> str:
    if at_ms is None:
        return "never"
    return datetime.fromtimestamp(at_ms / 1000, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")


def _may_look(folder: Path) -> bool:
    try:
        return not folder.exists() or os.access(folder, os.R_OK | os.X_OK)
    except PermissionError:
        return False


def _said(path: Path, kind: type[T]) -> T | None:
    try:
        return parse_status(read_regular(path, STATUS_BYTES_MAX), kind)
    except (OSError, Malformed):
        return None
