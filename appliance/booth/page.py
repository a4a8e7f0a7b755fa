"""Stage 7 of 8: show - the officer's page over HTTP; the gate first, then forms that become events of the lane.

| request | meaning |
|---|---|
| GET / | the page; gives the session |
| GET /events | server-sent events: the parts of the page that change, as HTML, and the session's token |
| GET /state | the same as JSON |
| POST /typed, /lookup, /outcome, /person, /document, /next, /crossing, /details | an officer's word; answers JSON |
"""

import asyncio
import hashlib
import os
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import msgspec
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response, StreamingResponse
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from appliance.booth import forms
from appliance.booth.board import Board, Snapshot
from appliance.booth.events import BadgeSaid, SignInFailed, Word
from appliance.booth.gate import COOKIE, HEADERS, Gate, Misdirected, OfAnotherRun
from appliance.booth.lane import Lane
from appliance.booth.status_line import Surroundings
from appliance.booth.typed_rate import TypedRate
from appliance.booth.view import View, view
from appliance.booth.words import OUTCOME_WORDS
from appliance.clock import Instant
from appliance.errors import LandlinkError, Malformed, Refused
from appliance.inquiry.life import Missing
from appliance.model import Id

ROOM: Final = Path(__file__).parent
LANE_PATIENCE_S: Final = 15.0
"""How long a form waits for the lane; what it said is taken even when the answer comes too late."""
REFRESH_S: Final = 3.0
"""How often ages, the clock and the link are looked at again."""
PARTS: Final = ("stage", "cases", "status", "belongs", "badge", "shift", "news")
"""Of the page, each sent again when it has changed."""
STREAMS_MAX: Final = 16
"""Pages open at once; one more, and the oldest has to ask again."""

Act = Callable[[dict[str, str]], Word]


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where this page stands, in the words of its header."""

    post: str
    lane: str
    direction: str
    training: bool


class Page:
    """The application's parts.

    Args:
        around: Reads what the page shows beside the lane; may read files, so it is called in a thread.
    """

    def __init__(
        self, *, lane: Lane, board: Board, gate: Gate, around: Callable[[], Surroundings], place: Place
    ) -> None:
        self._lane = lane
        self._board = board
        self._gate = gate
        self._around = around
        self._streams: dict[asyncio.Event, None] = {}  # oldest first
        self._templates = templates()
        self._typed_rate = TypedRate()
        self._always = {
            "outcomes": tuple((kind.value, said) for kind, said in OUTCOME_WORDS.items()),
            "kinds": forms.KINDS,
            "place": place,
            "assets": assets_version(),
        }

    def application(self) -> ASGIApp:
        """The ASGI application."""
        acts: dict[str, Act] = {
            "/outcome": forms.outcome,
            "/person": forms.person,
            "/document": forms.document,
            "/next": forms.next_traveller,
            "/move": forms.move,
            "/voice": forms.voice,
            "/asylum": forms.asylum,
            "/badge": self._badge,
            "/hand_over": forms.hand_over,
            "/crossing": lambda fields: forms.crossing(fields, os.urandom(16).hex()),
            "/details": lambda fields: forms.details(fields, self._newest_referral(self._board.latest)),
        }
        routes = [
            Route("/", self._home, methods=["GET"]),
            Route("/events", self._events, methods=["GET"]),
            Route("/state", self._state, methods=["GET"]),
            Route("/typed", self._typed, methods=["POST"]),
            Route("/lookup", self._lookup, methods=["POST"]),
            *(Route(path, self._said(act), methods=["POST"]) for path, act in acts.items()),
            Mount("/static", StaticFiles(directory=ROOM / "static")),
        ]
        return Headers(Starlette(routes=routes, exception_handlers={LandlinkError: _refused}), self._gate)

    # --- GET ----------------------------------------------------------------------------------------------------------

    async def _home(self, request: Request) -> Response:
        try:
            session, fresh = self._session(request)
        except Refused:
            session, fresh = self._gate.new_session(), True
        parts = self._parts(await self._view())
        html = self._render("page.html", csrf=self._gate.token(session), parts=parts)
        return _given(HTMLResponse(html), session, fresh=fresh)

    async def _state(self, request: Request) -> Response:
        session, fresh = self._session(request)
        content = msgspec.json.encode(await self._view())
        tail = msgspec.json.encode({"csrf": self._gate.token(session)})
        response = Response(content[:-1] + b"," + tail[1:], media_type="application/json")
        return _given(response, session, fresh=fresh)

    async def _events(self, request: Request) -> Response:
        session, fresh = self._session(request)
        stream = StreamingResponse(self._stream(self._gate.token(session)), media_type="text/event-stream")
        return _given(stream, session, fresh=fresh)

    def _session(self, request: Request) -> tuple[str, bool]:
        """The session that a page reads with, and whether it is new to it. Raises Refused when it has none."""
        try:
            return self._gate.session(request), False
        except OfAnotherRun:
            return self._gate.new_session(), True

    async def _stream(self, token: str) -> AsyncGenerator[bytes]:
        """The parts of the page whenever they change, and a sign of life in between."""
        news = asyncio.Event()
        self._streams[news] = None
        if len(self._streams) > STREAMS_MAX:
            oldest = next(iter(self._streams))
            del self._streams[oldest]
            oldest.set()
        loop = asyncio.get_running_loop()
        end = self._board.subscribe(lambda: _wake(loop, news))
        last: dict[str, str] = {}
        try:
            while news in self._streams:
                news.clear()
                now = await self._view()
                parts = self._parts(now) | {"phase": now.phase, "csrf": token}
                changed = {name: part for name, part in parts.items() if last.get(name) != part}
                last = parts
                yield b"event: page\ndata: " + msgspec.json.encode(changed) + b"\n\n" if changed else b": alive\n\n"
                await _within(news.wait(), REFRESH_S)
        finally:
            end()
            self._streams.pop(news, None)

    # --- POST ---------------------------------------------------------------------------------------------------------

    def _said(self, act: Act) -> Callable[[Request], Awaitable[Response]]:
        async def endpoint(request: Request) -> Response:
            event = act(await self._gate.form(request))
            return await self._taken(lambda: self._lane.say(event, within_s=LANE_PATIENCE_S))

        return endpoint

    def _badge(self, fields: Mapping[str, str]) -> BadgeSaid:
        try:
            return forms.badge(fields)
        except Malformed:
            self._lane.tell(SignInFailed())
            raise

    async def _typed(self, request: Request) -> Response:
        now = self._now()
        page = forms.typed(await self._gate.form(request), now)
        self._typed_rate.admit(now)
        return await self._taken(lambda: self._lane.typed(page.reading, page.following, within_s=LANE_PATIENCE_S))

    async def _lookup(self, request: Request) -> Response:
        now = self._now()
        page = forms.typed(await self._gate.form(request), now)
        self._typed_rate.admit(now)
        found: list[str] = []
        taken = await self._taken(lambda: found.append(self._lane.look_up(page.reading, within_s=LANE_PATIENCE_S)))
        return _json({"ok": True, "found": found[0]}, 200) if found else taken

    async def _taken(self, work: Callable[[], None]) -> Response:
        try:
            await run_in_threadpool(work)
        except TimeoutError:
            return _json({"ok": True, "why": "The box is busy. It has taken this and will do it next."}, 202)
        return _json({"ok": True}, 200)

    # --- parts --------------------------------------------------------------------------------------------------------

    def _now(self) -> Instant:
        return self._around().now

    async def _view(self) -> View:
        snapshot = self._board.latest
        return await run_in_threadpool(lambda: view(snapshot, self._around()))

    def _parts(self, now: View) -> dict[str, str]:
        return {name: self._render(f"{name}.html", view=now) for name in PARTS}

    def _render(self, template: str, **values: object) -> str:
        return self._templates.get_template(template).render(**self._always, **values)

    @staticmethod
    def _newest_referral(snapshot: Snapshot) -> Id | None:
        """Whose details a bare "open" means: the result on the screen, else the newest that waits."""
        shown = snapshot.state.shown_case
        if shown is not None:
            return shown.case.of
        return next((open_case.case.of for open_case in snapshot.state.cases if open_case.case.refers), None)


class Headers:
    """The gate's first rule and its headers around every answer (pure ASGI, so that streams are not buffered)."""

    def __init__(self, application: ASGIApp, gate: Gate) -> None:
        self._application = application
        self._gate = gate

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers[name] = value
            await send(message)

        if scope["type"] != "http":
            await self._application(scope, receive, send)
            return
        try:
            self._gate.check_host(Request(scope))
        except Misdirected as error:
            await _json({"ok": False, "why": str(error)}, 421)(scope, receive, send_with_headers)
            return
        await self._application(scope, receive, send_with_headers)


async def _refused(_: Request, error: Exception) -> Response:
    """An officer's word that could not be taken: why, and which box of the form, so that nothing typed is lost."""
    match error:
        case forms.FieldMalformed(field=field) | Missing(field=field):
            return _json({"ok": False, "why": str(error), "field": field}, 422)
        case Malformed():
            return _json({"ok": False, "why": str(error)}, 400)
        case Refused():
            return _json({"ok": False, "why": str(error)}, 409)
        case _:
            raise error


def _given(response: Response, session: str, *, fresh: bool) -> Response:
    """The answer, with the cookie of a session that the browser does not have yet."""
    if fresh:
        response.set_cookie(COOKIE, session, httponly=True, samesite="strict", path="/")
    return response


def _json(content: dict[str, str | bool], status: int) -> Response:
    return Response(msgspec.json.encode(content), status, media_type="application/json")


def templates() -> Environment:
    """The templates of both profiles' pages; what is said on them is text, whatever a document or a list says."""
    return Environment(
        loader=FileSystemLoader(ROOM / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def assets_version() -> str:
    """A short hash of the static files, so that a new version of the box is never shown with an old style."""
    digest = hashlib.sha256()
    for path in sorted((ROOM / "static").iterdir()):
        digest.update(path.read_bytes())
    return digest.hexdigest()[:12]


def _wake(loop: asyncio.AbstractEventLoop, news: asyncio.Event) -> None:
    if not loop.is_closed():
        loop.call_soon_threadsafe(news.set)


async def _within(waiting: Awaitable[object], seconds: float) -> None:
    try:
        await asyncio.wait_for(waiting, seconds)
    except TimeoutError:
        return
