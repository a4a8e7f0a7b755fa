"""The application: who is it, may it, then the addresses of boxes, of the auditor, and what boxes mirror.

| addresses | for |
|---|---|
| /v1/... | boxes, each its own logs |
| /tuf/... | boxes and the auditor |
| /log/..., /bodies/... | the auditor |
"""

from collections.abc import Callable
from pathlib import Path
from typing import Final

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Mount
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from appliance.errors import LandlinkError, Malformed, Refused, StorageFault, StorageFull, Untrusted
from provisioning.collector.bodies import PREFIX
from provisioning.collector.ledger import Ledger
from provisioning.collector.logs import FOLDER
from provisioning.collector.peers import Auditor, Peer, Peers
from provisioning.collector.protocol import CERTIFICATE
from provisioning.collector.requests import Requests
from provisioning.collector.testimony import testimony_routes

SPREAD_HEADER: Final = b"landlink-spread"
BOXES_PER_S: Final = 50
"""How many boxes a second should come back after an outage; the spread handed out follows from how many are here."""


class Admission:
    """Asks who is there, before anything else, and hands out the spread.

    Args:
        inner: The application.
        peers: The roster.
        connected: How many connections are open.
    """

    def __init__(self, inner: ASGIApp, peers: Peers, connected: Callable[[], int]) -> None:
        self._inner = inner
        self._peers = peers
        self._connected = connected

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI."""
        if scope["type"] != "http":
            await self._inner(scope, receive, send)
            return

        async def send_with_spread(message: Message) -> None:
            if message["type"] == "http.response.start":
                spread = str(self._connected() // BOXES_PER_S).encode("ascii")
                message["headers"] = [*message["headers"], (SPREAD_HEADER, spread)]
            await send(message)

        try:
            peer = self._admit(scope)
        except (Refused, Malformed) as error:
            await PlainTextResponse(str(error), 403)(scope, receive, send_with_spread)
            return
        scope["state"] = {"peer": peer}
        await self._inner(scope, receive, send_with_spread)

    def _admit(self, scope: Scope) -> Peer:
        """Who it is, when that one may ask for this path. Raises Refused, Malformed."""
        peer = self._peers.identify(scope["extensions"][CERTIFICATE]["der"])
        path: str = scope["path"]
        if path.startswith((f"/{FOLDER}/", f"/{PREFIX}/")) and not isinstance(peer, Auditor):
            raise Refused("for the auditor only")
        return peer


def build(
    requests: Requests,
    peers: Peers,
    *,
    ledger: Ledger,
    data: Path,
    tuf: Path,
    connected: Callable[[], int],
    failed: Callable[[LandlinkError], None],
) -> ASGIApp:
    """The whole application.

    Args:
        requests: The addresses of boxes.
        peers: Who may come in.
        ledger: What headquarters signed.
        data: The collector's folder.
        tuf: Headquarters' repository.
        connected: How many connections are open.
        failed: Told when storage failed: the process should end, and recovery decides what holds.
    """

    def refused(_: Request, error: Exception) -> Response:
        return PlainTextResponse(str(error), 400)

    def full(_: Request, error: Exception) -> Response:
        return PlainTextResponse(str(error), 507)

    def faulty(_: Request, error: Exception) -> Response:
        assert isinstance(error, LandlinkError)
        failed(error)
        return PlainTextResponse("headquarters' storage failed", 503)

    inner = Starlette(
        routes=[
            *requests.routes(),
            *testimony_routes(ledger),
            Mount("/tuf", StaticFiles(directory=tuf, check_dir=False)),
            Mount(f"/{FOLDER}", StaticFiles(directory=data / FOLDER, check_dir=False)),
            Mount(f"/{PREFIX}", StaticFiles(directory=data / PREFIX, check_dir=False)),
        ],
        exception_handlers={Malformed: refused, Untrusted: refused, StorageFull: full, StorageFault: faulty},
    )
    return Admission(inner, peers, connected)
