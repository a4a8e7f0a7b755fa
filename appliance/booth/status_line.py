"""Stage 7 of 8: show, the status line - list, link, clock and devices: what is always in view, and quietly.

Both profiles have it, an officer's page and a carrier's desk. Nothing of a traveller is in it (I11).
"""

from collections.abc import Callable, Mapping
from typing import Final

from msgspec import Struct

from appliance.booth import words
from appliance.booth.board import Device
from appliance.booth.lists_on_hand import OnHand
from appliance.clock import Grade, Instant
from appliance.formats.rules import LinkClass, list_age
from appliance.formats.status import RecorderStatus, ReleasesStatus, UplinkStatus
from appliance.screen.documents import NoDocuments
from appliance.screen.persons import NoPersons
from drivers.api import DeviceState

GRADE_WORDS: Final = {
    Grade.HEADQUARTERS: "headquarters",
    Grade.NETWORK: "network",
    Grade.RTC: "own, not confirmed",
    Grade.NONE: "not confirmed",
}
DEVICE_WORDS: Final = {
    DeviceState.ABSENT: "not connected",
    DeviceState.PROBING: "starting",
    DeviceState.READY: "ready",
    DeviceState.FAULTED: "not working",
}

READER: Final = "scanner"
"""What reads documents, by its name among the devices."""
CAMERA: Final = "camera"


class ListView(Struct, frozen=True, kw_only=True):
    """The lists in service; `dated` None when none could be verified."""

    name: str
    dated: str | None
    words: str
    why: str


class Quiet(Struct, frozen=True, kw_only=True):
    """One thing that is always in view, quietly: its words, and whether somebody should look at it.

    Attributes:
        alarm: It does not wait until somebody has time to look.
    """

    name: str
    words: str
    well: bool
    alarm: bool = False


class Surroundings(Struct, frozen=True, kw_only=True):
    """What the page needs to know beside the lane itself.

    Attributes:
        uplink, releases, recorder: What those processes last said of themselves; None when nothing could be read.
        local_time: A time of day at the box, in words, for milliseconds since 1970.
        link: How the post reaches headquarters (box.toml), by which the rules say how old its lists may be.
        camera_alone: There is no scanner: the camera stands in its place, in the log too (page_watch.py).
    """

    now: Instant
    on_hand: OnHand
    uplink: UplinkStatus | None
    duty_telephone: str
    local_time: Callable[[int], str]
    link: LinkClass = "mobile"
    releases: ReleasesStatus | None = None
    recorder: RecorderStatus | None = None
    camera_alone: bool = False


def quiet(devices: Mapping[str, Device], around: Surroundings) -> tuple[Quiet, ...]:
    """What is always in view, in one line."""
    uplink = around.uplink
    link = "Link: no word yet" if uplink is None else "Link: connected" if uplink.connected else "Link: none now"
    if uplink and not uplink.connected and uplink.last_contact_ms is not None:
        link = f"Link: none since {around.local_time(uplink.last_contact_ms)}"
    return (
        _quiet_list(around),
        *_not_searched(around),
        *_standing_still(around),
        Quiet(name="sent", words=f"Not sent yet: {uplink.not_sent if uplink else 'not known'}", well=True),
        Quiet(name="link", words=link, well=uplink is not None and uplink.connected),
        Quiet(name="clock", words=f"Clock: {GRADE_WORDS[around.now.grade]}", well=around.now.trusted),
        *_devices(_camera_for_scanner(devices) if around.camera_alone else devices, around),
        *_for_the_technician(around),
    )


def listed(around: Surroundings) -> ListView:
    """The lists in service, and of which day; what no release backs is no list (I5)."""
    release = around.on_hand.release
    if release is None or around.on_hand.why:
        return ListView(name="lists", dated=None, words="No list: nothing can be checked", why=around.on_hand.why)
    dated = around.on_hand.dated or release.dated
    return ListView(
        name="lists",
        dated=dated.isoformat(),
        words=f"List of {words.day(dated)}, {words.age((around.now.today - dated).days)}",
        why="",
    )


def _quiet_list(around: Surroundings) -> Quiet:
    """The list's day and age; from the age that the rules name for this post, what to do about it."""
    shown, dated = listed(around), around.on_hand.dated
    if shown.dated is None or dated is None:
        return Quiet(name="list", words=shown.words, well=False, alarm=True)
    now_ms = max(around.now.wall_ms, around.now.lower_bound_ms)
    age = list_age(around.on_hand.rules.list_ages, around.link, dated=dated, now_ms=now_ms)
    return Quiet(name="list", words=f"{shown.words}{words.OLD_WORDS[age]}", well=age != "alarm", alarm=age == "alarm")


def _not_searched(around: Surroundings) -> tuple[Quiet, ...]:
    """Each list of the release in service that cannot be searched, and why; the other one still can."""
    lists = around.on_hand.lists
    if around.on_hand.release is None:
        return ()
    unsearched = (("documents", lists.documents, NoDocuments), ("persons", lists.persons, NoPersons))
    return tuple(
        Quiet(name=name, words=f"List of {name} NOT checked: {which.why}", well=False, alarm=True)
        for name, which, none in unsearched
        if isinstance(which, none)
    )


def _standing_still(around: Surroundings) -> tuple[Quiet, ...]:
    since = around.releases.still_since if around.releases else None
    if since is None:
        return ()
    said = f"No newer list since {words.day(since)}, though one is due: telephone the technician"
    return (Quiet(name="still", words=said, well=False),)


def _for_the_technician(around: Surroundings) -> tuple[Quiet, ...]:
    """What does not mend itself; our words, for what the uplink says of it was not written for an officer."""
    uplink = around.uplink
    said: list[tuple[str, str]] = []
    if uplink and uplink.parked:
        records = "1 record" if uplink.parked == 1 else f"{uplink.parked} records"
        said.append(("refused", f"Headquarters refused {records}"))
    if uplink and uplink.alarm:
        said.append(("alarm", "Headquarters does not get this box's records"))
    if around.on_hand.older_refused:
        said.append(("older", "An older list was put on this box, and not used"))
    return tuple(Quiet(name=name, words=f"{what}: telephone the technician", well=False) for name, what in said)


def _camera_for_scanner(devices: Mapping[str, Device]) -> dict[str, Device]:
    return {CAMERA if name == READER else name: device for name, device in devices.items()}


def _devices(devices: Mapping[str, Device], around: Surroundings) -> tuple[Quiet, ...]:
    """Each device that needs somebody; the others together, so that a small screen keeps its one line.

    Of a camera that reads alone it is said why it does not: an officer can look at its lamp.
    """
    why_of = CAMERA if around.camera_alone else ""
    names = {state: [name for name in sorted(devices) if devices[name].state is state] for state in DeviceState}
    well = names.pop(DeviceState.READY)
    ready = (Quiet(name="devices", words=f"{' and '.join(well).capitalize()} ready", well=True),) if well else ()
    look = tuple(
        Quiet(
            name=name,
            words=f"{name.capitalize()}: {(name == why_of and devices[name].why) or DEVICE_WORDS[state]}",
            well=False,
        )
        for state, some in names.items()
        for name in some
    )
    noted = tuple(  # works, and somebody should know more of it
        Quiet(name=name, words=f"{name.capitalize()}: {devices[name].why}", well=True)
        for name in well
        if devices[name].why not in ("", DEVICE_WORDS[DeviceState.READY])
    )
    return (*look, *ready, *noted)
