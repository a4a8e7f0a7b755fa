"""The witness over HTTP (C2SP tlog-witness): POST /add-checkpoint, bounded. TLS is whose who stands in front of it."""

import re
import socket
from typing import Final

import uvicorn
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from appliance.errors import ConfigError, Misuse, StorageFault, StorageFull
from provisioning.witness.add_checkpoint import REQUEST_BYTES_MAX
from provisioning.witness.witness import Witness

LISTEN: Final = re.compile(r"(?:\[([0-9a-fA-F:]+)\]|([^\s:\[\]]+)):([0-9]{1,5})")
CONNECTIONS_MAX: Final = 64
KEEP_ALIVE_S: Final = 5


def serve(witness: Witness, listen: str) -> None:
    """Answer until SIGTERM or SIGINT. Raises Misuse for what is no address, ConfigError for one that is not ours."""
    match = LISTEN.fullmatch(listen)
    if match is None or int(match[3]) > 65_535:
        raise Misuse(f"--listen {listen}: HOST:PORT with a port from 0 to 65535")

    host, port = match[1] or match[2], int(match[3])
    try:
        listening = socket.create_server((host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET)
    except OSError as error:
        raise ConfigError(f"--listen {listen}: {error.strerror or type(error).__name__}") from None
    with listening:
        config = uvicorn.Config(
            build(witness), log_level="warning", limit_concurrency=CONNECTIONS_MAX, timeout_keep_alive=KEEP_ALIVE_S
        )
        address, bound = listening.getsockname()[:2]
        print(f"witness: listening on {address}:{bound}", flush=True)
        uvicorn.Server(config).run(sockets=[listening])


def build(witness: Witness) -> Starlette:
    """The application."""

    async def add_checkpoint(request: Request) -> Response:
        body = b""
        async for chunk in request.stream():
            body += chunk
            if len(body) > REQUEST_BYTES_MAX:
                raise HTTPException(413, f"more than {REQUEST_BYTES_MAX} bytes", {"Connection": "close"})
        answer = await run_in_threadpool(witness.add_checkpoint, body)
        return Response(answer.body, answer.status, {"Content-Type": answer.kind})

    def failed(_: Request, error: Exception) -> Response:
        return PlainTextResponse(f"nothing was cosigned: {type(error).__name__}", 503)

    return Starlette(
        routes=[Route("/add-checkpoint", add_checkpoint, methods=["POST"])],
        exception_handlers={StorageFault: failed, StorageFull: failed},
    )
