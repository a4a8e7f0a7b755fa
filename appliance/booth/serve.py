"""The booth's process: takes the page's socket, starts the lane, serves the page until it is told to stop."""

import ipaddress
import os
import signal
import socket
import sys
import threading
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from types import FrameType
from typing import Final, TypeVar

import uvicorn
from starlette.types import ASGIApp

from appliance.booth.board import Board, Snapshot
from appliance.booth.clerk import Clerk, Fittings
from appliance.booth.connections import CONNECTIONS_MAX, PageProtocol
from appliance.booth.frames import Sight
from appliance.booth.gate import Gate, allowed_hosts
from appliance.booth.lane import Lane
from appliance.booth.lists_on_hand import ListsOnHand
from appliance.booth.looks import Eyes, Looks
from appliance.booth.outbox import Outbox
from appliance.booth.page import Page, Place
from appliance.booth.page_watch import PageWatch
from appliance.booth.pictures import Pictures, Wanted
from appliance.booth.second_reader import SecondReader
from appliance.booth.state import State
from appliance.booth.status_line import Surroundings
from appliance.booth.words import clock_time
from appliance.clock import Clock
from appliance.config import Config
from appliance.errors import ConfigError, DeviceFault, Malformed
from appliance.files import read_regular
from appliance.formats.status import STATUS_BYTES_MAX, RecorderStatus, ReleasesStatus, UplinkStatus, parse_status
from appliance.last_words import last_words
from appliance.line import RecorderLine
from appliance.model import Id, Mode
from appliance.notify import READY, notify
from appliance.recorded import PICTURE_BYTES_MAX, Crossing, Person
from drivers.api import DeviceState, Image, LitCamera, Panel, Scanner

RECORD_PATIENCE_S: Final = 3.0
"""How long one record is asked for again while the recorder restarts, before the page says NOT RECORDED."""
PROBE_PATIENCE_S: Final = 0.15
PICTURE_PATIENCE_S: Final = 5.0
GOODBYE_S: Final = 1
"""How long open pages may finish when the box stops, seconds."""
SWITCH_S: Final = 0.0005
"""How long the page may hold the interpreter while the lane wants it, seconds; by default it is ten times that."""
REQUESTS_MAX: Final = 4 * CONNECTIONS_MAX
"""Answers in the making, those for connections that have gone among them."""
_Status = TypeVar("_Status", UplinkStatus, ReleasesStatus, RecorderStatus)

PASSED_IN_FD: Final = 3
"""The first descriptor that systemd passes (sd_listen_fds(3))."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Hardware:
    """What is fitted.

    Attributes:
        camera: None where there is none, or where it did not start; `camera_why` then says why.
        scanner: None where the camera alone reads.
        sight, eyes: How images are understood; they load what they need at their first call.
    """

    scanner: Scanner | None
    panel: Panel
    camera: LitCamera | None
    sight: Sight
    eyes: Eyes
    camera_why: str = ""


def run(config: Config, hardware: Hardware, *, clock: Clock, lists: ListsOnHand) -> None:
    """Work one lane until SIGTERM or SIGINT.

    Raises:
        ConfigError: The page's address cannot be used.
        DeviceFault: There is nothing that reads documents.
    """
    listening = page_socket(config)
    board = Board(Snapshot(state=State(direction=config.post.direction, lane=config.post.lane)))
    scanner, reader = _readers(config, hardware, lambda said: lane.notice(said))  # noqa: PLW0108 - the lane is made next
    second = reader if isinstance(reader, SecondReader) else None
    lane = Lane(scanner, hardware.panel, second.laid if second else lambda _number: None)
    pictures = Pictures(reader, _outbox(config, PICTURE_PATIENCE_S), clock, lane.notice) if reader else None
    looks = Looks(hardware.camera, hardware.eyes, wait_s=_wait_s(config)) if hardware.camera else None
    fittings = Fittings(
        panel=hardware.panel,
        outbox=record_outbox(config),
        board=board,
        clock=clock,
        on_hand=lambda: lists.current,
        duty_telephone=config.post.duty_telephone,
        lit=_photograph(pictures, lane),
        referred=_photograph_in_other_light(pictures, lane, hardware.camera),
        look=lambda: looks.in_infrared(reader.look(lane.at_work)) if reader and looks else None,
        look_at_typed=lambda: looks.at_typed() if looks else None,
    )
    page = Page(
        lane=lane,
        board=board,
        gate=gate_of(listening),
        around=lambda: surroundings(config, clock, lists),
        place=place_of(config),
    )
    threading.excepthook = end_with_thread
    sys.setswitchinterval(SWITCH_S)
    with ExitStack() as ends:
        for part in (lists, pictures, second):
            if part is not None:
                part.start()
                ends.callback(part.stop)
        if looks is not None:
            ends.callback(looks.stop)
        clerk = Clerk(board.latest.state, fittings)
        if hardware.camera_why:
            clerk.device("camera", DeviceState.FAULTED, hardware.camera_why)
        lane.start(clerk)
        ends.callback(lane.stop)  # before all others: it asks them
        notify(READY)  # the page's socket listens already, and whoever asks early is answered when the page is up
        signal.signal(signal.SIGTERM, leave)
        page_server(page.application()).run(sockets=[listening])


def _readers(
    config: Config, hardware: Hardware, notice: Callable[[str], None]
) -> tuple[Scanner, SecondReader | PageWatch | None]:
    """What gives documents, and what the camera is beside it: a second reader, the only one, or not there.

    Raises:
        DeviceFault: There is neither scanner nor camera.
    """
    if hardware.scanner is None:
        if hardware.camera is None:
            raise DeviceFault(f"camera: {hardware.camera_why}; it is the only reader of this box")
        watch = PageWatch(hardware.camera, hardware.sight)
        return watch, watch
    if hardware.camera is None:
        return hardware.scanner, None
    return hardware.scanner, SecondReader(hardware.camera, hardware.sight, wait_s=_wait_s(config), notice=notice)


def _wait_s(config: Config) -> float:
    """How long the light waits for the camera, in seconds."""
    return config.camera.wait_ms / 1_000


def surroundings(config: Config, clock: Clock, lists: ListsOnHand) -> Surroundings:
    """What the page shows beside the lane itself; a process that has said nothing yet is not known."""
    return Surroundings(
        now=clock.now(),
        on_hand=lists.current,
        uplink=_status(config.runtime / "uplink.status", UplinkStatus),
        duty_telephone=config.post.duty_telephone,
        local_time=clock_time,
        link=config.post.link,
        releases=_status(config.runtime / "releases.status", ReleasesStatus),
        recorder=_status(config.runtime / "recorder.status", RecorderStatus),
        camera_alone=config.scanner.dialect == "none",
    )


def _status(path: Path, kind: type[_Status]) -> _Status | None:
    """What another process last said of itself; None when nothing that can be read."""
    try:
        return parse_status(read_regular(path, STATUS_BYTES_MAX), kind)
    except (OSError, Malformed):
        return None


def page_socket(config: Config) -> socket.socket:
    """The page's listening socket: the one that systemd passed in, else one bound as the configuration says.

    Raises:
        ConfigError: No such address on this box, or another program has the port.
    """
    if os.environ.get("LISTEN_PID") == str(os.getpid()) and os.environ.get("LISTEN_FDS") == "1":
        return socket.socket(fileno=PASSED_IN_FD)
    address = (config.page.host, config.page.port)
    try:
        family = socket.AF_INET6 if ipaddress.ip_address(config.page.host).version == 6 else socket.AF_INET
        return socket.create_server(address, family=family)
    except (OSError, ValueError) as error:
        raise ConfigError(f"box.toml: page: cannot listen on {address[0]} port {address[1]}: {error}") from None


def _photograph(pictures: Pictures | None, lane: Lane) -> Callable[[Id, Crossing, Person, Image | None], None]:
    """What to do once a result is lit: keep the picture of the page, or take one as long as it lies there."""

    def lit(of: Id, crossing: Crossing, person: Person, image: Image | None) -> None:
        if pictures is not None:
            laid = lane.laid
            wanted = Wanted(of=of, crossing=crossing, person=person, still_lies=lambda: lane.laid == laid, image=image)
            pictures.want(wanted)

    return lit


def _photograph_in_other_light(
    pictures: Pictures | None, lane: Lane, camera: LitCamera | None
) -> Callable[[Id, Crossing, Person], None]:
    """What to do once a referral is lit: a picture under each other lamp, as long as the page lies there."""

    def referred(of: Id, crossing: Crossing, person: Person) -> None:
        if pictures is None or camera is None:
            return
        laid = lane.laid
        for light in sorted(camera.lights):
            take = partial(camera.capture_under, light, bytes_max=PICTURE_BYTES_MAX)
            pictures.want(
                Wanted(of=of, crossing=crossing, person=person, still_lies=lambda: lane.laid == laid, take=take)
            )

    return referred


def gate_of(listening: socket.socket) -> Gate:
    """Who may ask the page that listens there: browsers that name its own address; sessions end with the process."""
    address, port = listening.getsockname()[:2]
    return Gate(hosts=allowed_hosts(address, port), key=os.urandom(32))


def place_of(config: Config) -> Place:
    """Where the page stands."""
    return Place(
        post=config.post.name,
        lane=config.post.lane,
        direction=config.post.direction.value,
        training=config.box.mode is Mode.TRAINING,
    )


def record_outbox(config: Config) -> Outbox:
    """The way of the lane's records into the log."""
    return _outbox(config, RECORD_PATIENCE_S)


def _outbox(config: Config, patience_s: float) -> Outbox:
    path = Path(config.runtime / "booth.sock")
    line, probe = RecorderLine(path, timeout_s=patience_s), RecorderLine(path, timeout_s=PROBE_PATIENCE_S)
    return Outbox(line, probe, mode=config.box.mode)


def page_server(application: ASGIApp) -> uvicorn.Server:
    """What serves the page on a listening socket: bounded in connections and in patience (connections.py)."""
    settings = uvicorn.Config(
        application,
        http=PageProtocol,
        ws="none",
        lifespan="off",
        access_log=False,  # the journal holds nothing about persons, and addresses of requests say who was asked for
        log_level="warning",
        server_header=False,
        timeout_graceful_shutdown=GOODBYE_S,
        limit_concurrency=REQUESTS_MAX,
    )
    return uvicorn.Server(settings)


def leave(_signal: int, _frame: FrameType | None) -> None:
    """The page's server, once it has ended, raises the signal again; by its default the lamps would stay lit."""
    raise SystemExit(0)


def end_with_thread(arguments: threading.ExceptHookArgs) -> None:
    """A thread that ends by a bug ends the process: the supervisor starts a whole one, the recorder kept the rest."""
    print(last_words(arguments.exc_value), file=sys.stderr, flush=True)  # noqa: T201 - the unit's journal
    os.abort()
