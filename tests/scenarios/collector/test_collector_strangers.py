"""Connections without end at the collector: of strangers before TLS knows them, and of a box that was taken over."""

import contextlib
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from appliance.model import Origin
from appliance.uplink.collector import Collector, Cosigned
from appliance.uplink.link import tls_context
from provisioning.collector.arrivals import FILES_BESIDE, FILES_EACH, PENDING_MAX
from provisioning.collector.protocol import BEGIN_S
from tests.collector_bed import HOST, SERIALS, Links, upload_of
from tests.delivery_post import BIN, Box, Process, wait_until
from tests.delivery_post import Headquarters as Unlimited

ROOM = 40
DESCRIPTORS = PENDING_MAX + FILES_BESIDE + FILES_EACH * ROOM
PRLIMIT = Path("/usr/bin/prlimit")
AT_ONCE_S = BEGIN_S - 5
"""Sooner than connections go that are merely idle."""


class Headquarters(Unlimited):
    """Its collector has descriptors for ROOM connections."""

    def start(self) -> Process:
        command = (BIN / "landlink-hq", "--home", self.home_folder, "collect", "--data", self.data)
        listen = ("--listen", f"127.0.0.1:{self.port}")
        journal = self.folder / "collector.out"
        self.collector = process = Process((PRLIMIT, f"--nofile={DESCRIPTORS}", *command, *listen), journal)
        wait_until(lambda: "listening" in process.said() or process.popen.poll() is not None, "the collector")
        return process

    def sockets(self) -> int:
        """How many the collector has."""
        assert self.collector is not None
        found = 0
        for link in Path(f"/proc/{self.collector.popen.pid}/fd").iterdir():
            with contextlib.suppress(FileNotFoundError):  # closed since
                found += str(link.readlink()).startswith("socket:")
        return found


@pytest.fixture(scope="module")
def headquarters(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Headquarters]:
    made = Headquarters(tmp_path_factory.mktemp("hq"))
    made.start()
    yield made
    made.stop()


def test_strangers_who_say_nothing_keep_no_box_out(box: Box, headquarters: Headquarters, links: Links) -> None:
    known = Collector(links(box), Origin(box.origin))
    assert known.have().size == 0
    with contextlib.ExitStack() as closing:
        for _ in range(DESCRIPTORS):
            closing.enter_context(socket.create_connection((HOST, headquarters.port)))
        box.seal(b"meanwhile")
        assert isinstance(known.send_log(upload_of(box)), Cosigned)
        assert Collector(links(box), Origin(box.origin)).have().size == box.log.edge.size
        assert headquarters.sockets() < PENDING_MAX + ROOM
    assert headquarters.collector is not None
    assert "ERROR" not in headquarters.collector.said()


def test_connections_of_one_box_take_the_room_of_no_other(
    tmp_path: Path, box: Box, headquarters: Headquarters, links: Links
) -> None:
    other = Box(tmp_path / "o", headquarters, next(SERIALS))
    served = Collector(links(other), Origin(other.origin))
    assert served.have().size == 0
    before = headquarters.sockets()
    context = tls_context(box.state / "uplink")
    with contextlib.ExitStack() as closing:
        for _ in range(2 * ROOM):
            plain = closing.enter_context(socket.create_connection((HOST, headquarters.port)))
            closing.enter_context(context.wrap_socket(plain, server_hostname=HOST))
        assert isinstance(served.send_log(upload_of(other)), Cosigned)
        assert Collector(links(other), Origin(other.origin)).have().size == other.log.edge.size
        deadline = time.monotonic() + AT_ONCE_S
        while headquarters.sockets() > before + ROOM:
            assert time.monotonic() < deadline, "more connections are open than there is room for"
            threading.Event().wait(0.02)
