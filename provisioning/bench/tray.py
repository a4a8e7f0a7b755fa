"""The tray: a page of its own, clearly not the booth's, to lay specimens on the simulated scanner or camera."""

import contextlib
import socket
import threading
from collections.abc import Generator, Sequence
from pathlib import Path
from typing import Final

import uvicorn
from jinja2 import Environment, PackageLoader, select_autoescape
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import Request
from starlette.responses import FileResponse, HTMLResponse, JSONResponse, Response
from starlette.routing import Route

from appliance.errors import DeviceFault
from provisioning.bench.desk_line import DeskLine, Edge
from provisioning.bench.post import Post
from provisioning.bench.specimens import Traveller

ASSETS: Final = Path(__file__).parent / "assets"
HEADERS: Final = {
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; "
    "img-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
    "Cache-Control": "no-store",
}


class Tray:
    """Specimens on one side, the simulated desk on the other; lamps as its observer sees them.

    Args:
        desk: The simulated one.
        travellers: Whose documents can be laid.
        page_port: Of the booth's page.
        scanner: Whether there is one; else documents lie under the camera, which reads alone.
    """

    def __init__(self, desk: DeskLine, travellers: Sequence[Traveller], *, page_port: int, scanner: bool) -> None:
        self._desk = desk
        self._specimens = [traveller for traveller in travellers if traveller.lines]
        self._typed = [traveller for traveller in travellers if traveller.typed]
        self._page_port = page_port
        self._scanner = scanner
        self._lamps: dict[str, bool] = {}
        self._lies: int | None = None
        self._pages = Environment(loader=PackageLoader("provisioning.bench", "assets"), autoescape=select_autoescape())
        threading.Thread(target=self._observe, name="lamps", daemon=True).start()

    def app(self) -> Starlette:
        """The page and what its buttons ask for."""
        routes = [
            Route("/", self._page),
            Route("/state", self._state),
            Route("/{asset}", self._asset),
            Route("/do/{what}", self._do, methods=["POST"]),
        ]
        hosts = Middleware(TrustedHostMiddleware, allowed_hosts=["127.0.0.1", "localhost"])
        return Starlette(routes=routes, middleware=[hosts])

    def _observe(self) -> None:
        while True:
            match self._desk.events.get():
                case Edge(lamp=lamp, on=on):
                    self._lamps[lamp] = on
                case _:
                    continue

    def _page(self, _request: Request) -> Response:
        page = self._pages.get_template("tray.html").render(
            specimens=list(enumerate(self._specimens)),
            typed=self._typed,
            page_port=self._page_port,
            scanner=self._scanner,
        )
        return HTMLResponse(page, headers=HEADERS)

    def _asset(self, request: Request) -> Response:
        name = request.path_params["asset"]
        if name not in ("tray.css", "tray.js"):
            raise HTTPException(404)
        return FileResponse(ASSETS / name, headers=HEADERS)

    def _state(self, _request: Request) -> Response:
        lamps = {name: self._lamps.get(name, False) for name in ("green", "amber", "red", "buzzer")}
        return JSONResponse({"lamps": lamps, "lies": self._lies}, headers=HEADERS)

    def _do(self, request: Request) -> Response:
        # a foreign page cannot add a header without the browser asking us first, and we never allow it
        if request.headers.get("x-tray") != "1":
            raise HTTPException(403, "this page's own script asks here")
        try:
            self._act(request.path_params["what"], request.query_params.get("number", ""))
        except DeviceFault as error:
            raise HTTPException(503, str(error)) from None
        return self._state(request)

    def _act(self, what: str, number: str) -> None:
        match what:
            case "lay" if number.isdecimal() and int(number) < len(self._specimens):
                if self._lies is not None:
                    self._desk.ask(do="remove")
                self._desk.ask(do="lay", mrz=list(self._specimens[int(number)].lines))
                self._lies = int(number)
            case "remove":
                self._desk.ask(do="remove")
                self._lies = None
            case "start" | "supervisor":
                self._desk.ask(do="press", button=what)
            case "unplug" | "plug":
                self._desk.ask(do=what)
            case _:
                raise HTTPException(404, "the tray has no such thing")


@contextlib.contextmanager
def serve(post: Post, travellers: Sequence[Traveller], *, port: int) -> Generator[None]:
    """Serve the tray on loopback while the block runs."""
    desk = DeskLine(post.folders.desk / "desk.sock")
    app = Tray(desk, travellers, page_port=post.page_port, scanner=post.dialect != "none").app()
    listening = socket.create_server(("127.0.0.1", port))  # whoever asks early is answered when the page is up
    server = uvicorn.Server(uvicorn.Config(app, log_level="warning", lifespan="off"))
    thread = threading.Thread(target=server.run, args=([listening],), name="tray", daemon=True)
    thread.start()
    try:
        yield
    finally:
        server.should_exit = True
        thread.join(5)
        desk.close()
