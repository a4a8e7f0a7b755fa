"""A lane with its page on a real port, and one browser: real clerk, lane and server, a recorder on paper."""

import contextlib
import http.client
import json
import socket
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

from appliance.booth.gate import Gate as PageGate
from appliance.booth.gate import allowed_hosts
from appliance.booth.lane import Lane
from appliance.booth.page import Page, Place
from appliance.booth.serve import page_server
from appliance.booth.status_line import Surroundings
from appliance.booth.words import clock_time
from appliance.formats.status import UplinkStatus
from drivers.api import Frame, ScannerEvent
from tests.small_post import TELEPHONE, SmallPost

WAIT_S = 10.0


class HandScanner:
    """A scanner whose documents a test lays by hand."""

    def __init__(self) -> None:
        self.deliver: Callable[[ScannerEvent], None] = lambda _: None

    def start(self, deliver: Callable[[ScannerEvent], None]) -> None:
        self.deliver = deliver

    def stop(self) -> None:
        self.deliver = lambda _: None

    def lay(self, *lines: str) -> None:
        self.deliver(Frame(dialect="elyctis", lines=lines, raw="\r".join(lines).encode()))


@dataclass
class Booth:
    """A lane with its page on a real port, and one browser's cookie."""

    post: SmallPost
    scanner: HandScanner
    port: int
    cookie: str = ""
    csrf: str = ""
    changed: threading.Event = field(default_factory=threading.Event)

    def ask(self, method: str, path: str, body: str | None = None, **headers: str) -> tuple[int, Any, dict[str, str]]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=WAIT_S)
        try:
            every = {"Cookie": self.cookie} | {name.replace("_", "-"): value for name, value in headers.items()}
            connection.request(method, path, body, every)
            answer = connection.getresponse()
            content = answer.read()
            kind = answer.headers.get_content_type()
            read = json.loads(content) if kind == "application/json" else content.decode()
            return answer.status, read, {name.lower(): value for name, value in answer.headers.items()}
        finally:
            connection.close()

    def open(self) -> str:
        _, html, headers = self.ask("GET", "/")
        self.cookie = headers["set-cookie"].partition(";")[0]
        self.csrf = html.partition('name="csrf" content="')[2].partition('"')[0]
        return str(html)

    def say(self, path: str, **fields: str) -> tuple[int, dict[str, Any]]:
        form = urlencode(fields | {"csrf": self.csrf})
        status, answer, _ = self.ask("POST", path, form, Content_Type="application/x-www-form-urlencoded")
        return status, dict(answer)

    def state(self) -> dict[str, Any]:
        return dict(self.ask("GET", "/state")[1])

    def lay(self, *lines: str) -> dict[str, Any]:
        """Lay a document and wait for its result."""
        before = self.post.state.shown
        self.scanner.lay(*lines)
        self.until(lambda: self.post.state.shown not in (None, before))
        return self.state()

    def until(self, true: Callable[[], bool]) -> None:
        """Wait for publications on the board, not for time."""
        while not true():
            assert self.changed.wait(WAIT_S), "nothing happened"
            self.changed.clear()


@contextlib.contextmanager
def open_booth() -> Iterator[Booth]:
    """The lane begun, the page served, one browser on it."""
    post, scanner = SmallPost(), HandScanner()
    lane = Lane(scanner, post.panel)
    listening = socket.create_server(("127.0.0.1", 0))
    port = int(listening.getsockname()[1])
    page = Page(
        lane=lane,
        board=post.board,
        gate=PageGate(hosts=allowed_hosts("127.0.0.1", port), key=bytes(32)),
        around=lambda: Surroundings(
            now=post.clock.now(),
            on_hand=post.lists,
            uplink=UplinkStatus(connected=True, not_sent=3),
            duty_telephone=TELEPHONE,
            local_time=clock_time,
        ),
        place=Place(post="Test", lane="1", direction="entry", training=False),
    )
    server = page_server(page.application())
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
    thread.start()
    lane.start(post.clerk)
    opened = Booth(post=post, scanner=scanner, port=port)
    end = post.board.subscribe(opened.changed.set)
    opened.until(lambda: post.board.latest.met)
    opened.open()
    yield opened
    end()
    lane.stop()
    server.should_exit = True
    thread.join()
