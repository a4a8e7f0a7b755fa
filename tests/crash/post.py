"""A box's real recorder and real uplink, and headquarters' real collector, at work on the forgetful file system.

Only the box's durable folder lies there; headquarters' own disk is not what is cut. Each workload has a headquarters
and a collector of its own, since all of them write the log of one name.
"""

import atexit
import contextlib
import os
import shutil
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Generator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from tempfile import mkdtemp
from typing import Final

import msgspec

from appliance.enrol.accept import accept_answer
from appliance.errors import LandlinkError
from appliance.files import read_regular, replace_file
from appliance.formats.receipt import LogReceipt
from appliance.formats.status import STATUS_BYTES_MAX, UplinkStatus, parse_status
from appliance.formats.wire import Done, Switched
from appliance.line import RecorderLine
from appliance.model import Mode
from appliance.releases.take import take_release
from appliance.shelf import Shelf
from provisioning.audit.opened.logs import OpenedThrough
from provisioning.authority.enrolment import issue
from provisioning.authority.home import Home, Settings
from provisioning.authority.keys import load_ed25519
from provisioning.authority.list_keys import list_keys
from provisioning.authority.repository import Repository
from provisioning.authority.setup import make_headquarters
from tests.crash.forgetful import COUNT_FILE
from tests.scenarios.made_headquarters import DOMAIN, PICTURE_SHARE_SHIPPED, ask, box_toml, config
from tests.scenarios.recorder_bed import ORIGIN, Bed

WAIT_S: Final = 60.0
LOOK_S: Final = 0.02
REPOSITORY: Final = Path(__file__).parents[2]


def now_ms() -> int:
    return time.time_ns() // 1_000_000


@cache
def enrolled() -> tuple[Path, Home]:
    """A box's state after enrolment, with its first release in service, and its headquarters; made once."""
    folder = Path(mkdtemp(prefix="enrolled-"))
    atexit.register(shutil.rmtree, folder)
    settings = Settings(domain=DOMAIN, mode=Mode.LIVE, collector_host="localhost", collector_port=8443)
    home = make_headquarters(folder / "hq", settings, now_ms=now_ms())
    box = config(folder)
    issue(home, ask(box), folder / "answer", serial="LA-0001", now_ms=now_ms())
    accept_answer(box, folder / "answer")
    take_release(Shelf(box.state / "releases"), box.state / "mirror", lower_bound_ms=0, keys=())
    return box.state, home


@contextlib.contextmanager
def mounted(place: Path, trace: Path) -> Generator[Path]:
    """The forgetful file system, mounted at `place/disk`."""
    mount = place / "disk"
    mount.mkdir()
    serving = subprocess.Popen([sys.executable, "-m", "tests.crash.forgetful", str(mount), str(trace)], cwd=REPOSITORY)
    try:
        until((mount / COUNT_FILE).exists, "the file system", serving)
        yield mount
    finally:
        subprocess.run(["fusermount3", "-u", "-z", str(mount)], check=False, capture_output=True)
        serving.terminate()
        serving.wait(WAIT_S)


def until(happened: Callable[[], bool], what: str, process: subprocess.Popen[bytes] | None = None) -> None:
    """Wait for something outside this process that gives no event."""
    deadline = time.monotonic() + WAIT_S
    while not happened():
        assert process is None or process.poll() is None, f"{what}: its process ended with {process.returncode}"
        assert time.monotonic() < deadline, f"waited {WAIT_S:.0f} s for {what}"
        threading.Event().wait(LOOK_S)


@dataclass
class Post:
    """The processes of one workload.

    Attributes:
        bed: The box; its recorder runs.
        mount: The file system, which counts its operations.
    """

    bed: Bed
    mount: Path
    recorder: subprocess.Popen[bytes]
    uplink: subprocess.Popen[bytes]
    line: RecorderLine
    door: RecorderLine

    def operations(self) -> int:
        """How many there were until now."""
        return count(self.mount)

    def restart_recorder(self) -> None:
        """Kill it, as a power cut of the process alone, and start it: recovery, a new epoch."""
        self.recorder.kill()
        self.recorder.wait()
        self.recorder = self.bed.start()
        self.line, self.door = self.bed.line(), self.bed.line("uplink")

    def restart_uplink(self) -> None:
        """Kill it and start it: the queue's index is opened anew, and headquarters' releases are looked for."""
        self.uplink.kill()
        self.uplink.wait()
        self.uplink = start_uplink(self.bed)

    def delivered(self) -> None:
        """Wait until headquarters has everything."""
        self.bed.settle()
        until(self._all_sent, "delivery", self.uplink)

    def opened(self, last: LogReceipt) -> None:
        """Headquarters has opened everything up to this entry, and says so with its next receipts."""
        reached = OpenedThrough(origin=ORIGIN, opened_through=last.index, at_ms=now_ms())
        replace_file(self.bed.home.opened_file(ORIGIN), msgspec.json.encode(reached))

    @property
    def receipts_public(self) -> bytes:
        """The key that headquarters signs receipts with."""
        return load_ed25519(self.bed.home.key("receipts")).public_key().public_bytes_raw()

    def deleted(self, before: set[str]) -> None:
        """Wait until the recorder has deleted something of what was there before."""
        until(lambda: not before <= self.bodies(), "a deletion", self.recorder)

    def bodies(self) -> set[str]:
        return {path.name for path in (self.bed.state / "bodies").glob("*.age")}

    def switched(self) -> int:
        """Headquarters publishes, the uplink fetches, the shelf takes it, the recorder is told; the new version."""
        version = Repository(self.bed.home.folder).publish({}, at_ms=now_ms()).version
        shelf, mirror = Shelf(self.bed.state / "releases"), self.bed.state / "mirror"
        self.restart_uplink()
        published = (self.bed.home.tuf / "metadata" / "timestamp.json").read_bytes()
        until(lambda: (mirror / "metadata" / "timestamp.json").read_bytes() == published, "the mirror", self.uplink)
        take_release(shelf, mirror, lower_bound_ms=0, keys=list_keys(self.bed.home))
        releases = self.bed.line("releases")
        assert releases.ask(Switched(version=shelf.version())) == Done()
        releases.close()
        assert shelf.version() == version
        return version

    def _all_sent(self) -> bool:
        try:
            status = parse_status(read_regular(self.bed.folder / "run/uplink.status", STATUS_BYTES_MAX), UplinkStatus)
        except (OSError, LandlinkError):
            return False
        kept = {path.name for path in (self.bed.state / "receipts").iterdir()}
        return status.connected and not status.not_sent and {name.split(".")[0] for name in self.bodies()} <= kept


def count(mount: Path) -> int:
    fd = os.open(mount / COUNT_FILE, os.O_RDONLY)
    try:
        return int(os.read(fd, 64))
    finally:
        os.close(fd)


def start_uplink(bed: Bed) -> subprocess.Popen[bytes]:
    with (bed.folder / "uplink.out").open("ab") as out:
        command = [sys.executable, "-m", "appliance", "--config", str(bed.folder / "box.toml"), "uplink"]
        process = subprocess.Popen(command, cwd=REPOSITORY, stdout=out, stderr=out)
    bed.running.append(process)
    return process


@contextlib.contextmanager
def collecting(home: Home, folder: Path) -> Generator[int]:
    """The collector, on this disk and a free port."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port: int = free.getsockname()[1]
    journal = folder / "collector.out"
    with journal.open("wb") as out:
        program: list[str | Path] = [Path(sys.executable).parent / "landlink-hq", "--home", home.folder, "collect"]
        where = ["--data", folder / "collector", "--listen", f"127.0.0.1:{port}"]
        collector = subprocess.Popen([*program, *where], stdout=out, stderr=out)
    try:
        try:
            until(lambda: b"listening" in journal.read_bytes(), "the collector", collector)
        except AssertionError as error:
            error.add_note(journal.read_text())
            raise
        yield port
    finally:
        collector.kill()
        collector.wait()


@contextlib.contextmanager
def at_work(trace: Path) -> Generator[tuple[Post, int]]:
    """A post whose box lies on the forgetful file system, and how many operations there were before it began.

    Everything is killed in the end, wherever it is.
    """
    state, home = enrolled()
    place = Path(mkdtemp(prefix="c-"))
    try:
        shutil.copytree(home.folder, place / "hq")
        own = Home.open(place / "hq")
        with collecting(own, place) as port, mounted(place, trace) as mount:
            shutil.copytree(state, mount / "state", symlinks=True)
            (place / "state").symlink_to(mount / "state")
            (place / "run").mkdir()
            shipped = box_toml(place, picture_share=PICTURE_SHARE_SHIPPED)
            text = shipped.replace(b"releases_uid = 0", b"releases_uid = 0\nhold_after_ack_h = 0")
            (place / "box.toml").write_bytes(text + f"port = {port}\n".encode())
            bed = Bed(place, own)
            begins = count(mount)
            try:
                recorder = bed.start()
                yield Post(bed, mount, recorder, start_uplink(bed), bed.line(), bed.line("uplink")), begins
            finally:
                bed.close()
    finally:
        shutil.rmtree(place, ignore_errors=True)
