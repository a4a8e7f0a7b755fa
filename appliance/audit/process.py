"""The process that serves the log. It may end anywhere: it keeps nothing, and whoever fetches goes on where he was."""

import asyncio
import logging
import socket
import ssl
from typing import Final

from appliance.at_rest import AtRest
from appliance.audit.allowance import Allowance
from appliance.audit.doors import Doors, listening_socket, server_context
from appliance.audit.exchange import Exchange
from appliance.audit.proven import ProvenTime
from appliance.audit.published import Published
from appliance.config import Config
from appliance.formats.wire import Cosigned
from appliance.line import RecorderLine
from appliance.notify import ALIVE, READY, notify

ANSWER_TIMEOUT_S: Final = 5.0
ALIVE_S: Final = 10.0
_journal = logging.getLogger("landlink.audit")


def run(config: Config, at_rest: AtRest) -> None:
    """Serve until SIGTERM, which ends the process at once.

    Args:
        config: Where to listen.
        at_rest: How the TLS key lies in its file.

    Raises:
        ConfigError: The box has not been enrolled for it, or cannot listen where box.toml says.
    """
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    context = server_context(config.state / "audit", at_rest)
    with listening_socket(config.audit.host, config.audit.port) as listening:
        _journal.info("audit: serving the log at %s port %d", *listening.getsockname()[:2])
        asyncio.run(_serve(config, listening, context))


async def _serve(config: Config, listening: socket.socket, context: ssl.SSLContext) -> None:
    published, allowance = Published(config.state), Allowance(config.audit.rate_bytes_per_s)

    def hand(note: bytes) -> None:
        line = RecorderLine(config.runtime / "audit.sock", timeout_s=ANSWER_TIMEOUT_S)
        try:
            line.ask(Cosigned(note=note))
        finally:
            line.close()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await Exchange(reader, writer, published=published, allowance=allowance, hand=hand).serve()

    doors = Doors(
        listening,
        context,
        connections=config.audit.connections,
        later_than_ms=ProvenTime(published).later_than_ms,
        serve=serve,
    )
    async with asyncio.TaskGroup() as group:
        group.create_task(doors.run())
        group.create_task(_tell_alive())


async def _tell_alive() -> None:
    notify(READY)
    while True:
        notify(ALIVE)
        await asyncio.sleep(ALIVE_S)
