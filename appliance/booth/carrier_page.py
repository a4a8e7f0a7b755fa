"""Stage 7 of 8: show, the carrier profile - "Continue", or whom to call; nothing else, and nothing to fill in.

| request | meaning |
|---|---|
| GET / | the page |
| GET /events | server-sent events: the parts that change, as HTML |
| GET /state | what the page shows, as JSON |

Nobody says anything here, so the gate's first rule (the names that the page is served under) and its headers suffice.
"""

import asyncio
from collections.abc import AsyncGenerator, Callable
from typing import Final

import msgspec
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response, StreamingResponse
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp

from appliance.booth.board import Device
from appliance.booth.carrier import Showing
from appliance.booth.gate import Gate
from appliance.booth.page import ROOM, Headers, Place, assets_version, templates
from appliance.booth.status_line import Quiet, Surroundings, quiet
from drivers.api import Lamp

LOOK_S: Final = 0.1
"""How often an open page is compared with what it shows."""
ALIVE_S: Final = 3.0
"""How often an open page hears from the box when nothing changes, and ages are looked at again."""
STREAMS_MAX: Final = 16
"""Pages open at once; one more, and the oldest has to ask again."""
PARTS: Final = ("carrier_answer", "carrier_status")
LAMP_WORDS: Final = {None: "", Lamp.GREEN: "green", Lamp.AMBER: "amber", Lamp.RED: "red"}


class CarrierView(msgspec.Struct, frozen=True, kw_only=True):
    """The whole page.

    Attributes:
        answer: "Continue" or "Call ...", "" before the first document.
        recorded: Whether the answer has its record (I1).
        document: Type, country and number that it is about.
    """

    busy: bool
    answer: str
    recorded: bool
    lamp: str
    document: str
    quiet: tuple[Quiet, ...]
    notice: str


def carrier_view(showing: Showing, around: Surroundings) -> CarrierView:
    """Work out the page."""
    devices = {name: Device(state=state, why="") for name, state in showing.devices.items()}
    waiting = Quiet(name="recorded", words=f"Not recorded yet: {showing.waiting}", well=False)
    return CarrierView(
        busy=showing.busy,
        answer=showing.answer,
        recorded=showing.lamp is not Lamp.RED,
        lamp=LAMP_WORDS[showing.lamp],
        document=showing.document,
        quiet=(*quiet(devices, around), *((waiting,) if showing.waiting else ())),
        notice=showing.notice,
    )


class CarrierPage:
    """The application's parts.

    Args:
        showing: Reads what the desk shows.
        around: Reads what the page shows beside it; may read files, so it is called in a thread.
    """

    def __init__(
        self, *, showing: Callable[[], Showing], around: Callable[[], Surroundings], gate: Gate, place: Place
    ) -> None:
        self._showing = showing
        self._around = around
        self._gate = gate
        self._streams: dict[object, None] = {}  # oldest first
        self._templates = templates()
        self._always = {"place": place, "assets": assets_version()}

    def application(self) -> ASGIApp:
        """The ASGI application."""
        routes = [
            Route("/", self._home, methods=["GET"]),
            Route("/events", self._events, methods=["GET"]),
            Route("/state", self._state, methods=["GET"]),
            Mount("/static", StaticFiles(directory=ROOM / "static")),
        ]
        return Headers(Starlette(routes=routes), self._gate)

    async def _home(self, _: Request) -> Response:
        return HTMLResponse(self._render("carrier.html", parts=self._parts(await self._view())))

    async def _state(self, _: Request) -> Response:
        return Response(msgspec.json.encode(await self._view()), media_type="application/json")

    async def _events(self, _: Request) -> Response:
        return StreamingResponse(self._stream(), media_type="text/event-stream")

    async def _stream(self) -> AsyncGenerator[bytes]:
        """The parts of the page whenever they change, and a sign of life in between."""
        mine = object()
        self._streams[mine] = None
        if len(self._streams) > STREAMS_MAX:
            del self._streams[next(iter(self._streams))]
        last: dict[str, str] = {}
        try:
            while mine in self._streams:
                showing = self._showing()
                parts = self._parts(await self._view())
                changed = {name: part for name, part in parts.items() if last.get(name) != part}
                last = parts
                yield b"event: page\ndata: " + msgspec.json.encode(changed) + b"\n\n" if changed else b": alive\n\n"
                for _ in range(int(ALIVE_S / LOOK_S)):
                    if self._showing() is not showing:
                        break
                    await asyncio.sleep(LOOK_S)
        finally:
            self._streams.pop(mine, None)

    async def _view(self) -> CarrierView:
        return await run_in_threadpool(lambda: carrier_view(self._showing(), self._around()))

    def _parts(self, view: CarrierView) -> dict[str, str]:
        return {name: self._render(f"{name}.html", view=view) for name in PARTS}

    def _render(self, template: str, **values: object) -> str:
        return self._templates.get_template(template).render(**self._always, **values)
