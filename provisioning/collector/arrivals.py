"""Who arrives, before TLS has said who it is: few at once, none for long, and nobody keeps another out.

A stranger without a certificate costs a descriptor until its handshake is given up. Without a bound a thousand of them
would take all that the process has, and boxes would be refused.

1. A handshake is over after HANDSHAKE_S.
2. When PENDING_MAX are under way, a newcomer is let in and another goes: the oldest of the address that has most.
"""

import asyncio
import resource
import socket
import ssl
from collections.abc import Callable
from functools import partial
from typing import Final

import uvicorn

from appliance.crowd import who_goes
from provisioning.collector.protocol import CertifiedProtocol

HANDSHAKE_S: Final = 20.0
"""Three turns of a link that takes seconds for each."""
PENDING_MAX: Final = 256
CONNECTIONS_MAX: Final = 4_096
FILES_EACH: Final = 2
"""A connection, and the part of a body that comes on it."""
FILES_BESIDE: Final = 256
"""The ledger, the program's own files, and what some forty threads have open."""
FULL_S: Final = 0.1


def connections_max() -> int:
    """How many connections this process has descriptors for, after it has asked the system for as many as it needs."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    needed = FILES_EACH * CONNECTIONS_MAX + PENDING_MAX + FILES_BESIDE
    granted = needed if hard == resource.RLIM_INFINITY else min(needed, hard)
    if soft != resource.RLIM_INFINITY and soft < granted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (granted, hard))
    return max(1, (granted - PENDING_MAX - FILES_BESIDE) // FILES_EACH)


class Server(uvicorn.Server):
    """uvicorn's server, but for who is let in to it.

    Args:
        config: Of everything after the handshake.
        context: Of the handshake.
        connections_max: As `connections_max` says.
    """

    def __init__(self, config: uvicorn.Config, context: ssl.SSLContext, connections_max: int) -> None:
        super().__init__(config)
        self._context = context
        self._connections_max = connections_max
        self._accepting: list[asyncio.Task[None]] = []

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Accept at `sockets`."""
        await super().startup(sockets=[])
        protocol = partial(
            CertifiedProtocol,
            config=self.config,
            server_state=self.server_state,
            app_state=self.lifespan.state,
            connections_max=self._connections_max,
        )
        self._accepting = [asyncio.create_task(Arrivals(each, self._context, protocol).run()) for each in sockets or ()]
        for task in self._accepting:
            task.add_done_callback(self._ended)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Accept nobody any more, and end as uvicorn does. What ended the accepting by itself is raised after that."""
        for task in self._accepting:
            task.cancel()
        await asyncio.wait(self._accepting)
        await super().shutdown(sockets=sockets)
        for task in self._accepting:
            if not task.cancelled():
                task.result()

    def _ended(self, _task: asyncio.Task[None]) -> None:
        self.should_exit = True


class Arrivals:
    """Accepts at one socket and makes handshakes.

    Args:
        listening: Bound, and listening.
        context: Asks for both certificates.
        protocol: Makes what speaks on a connection whose handshake held.
    """

    def __init__(
        self, listening: socket.socket, context: ssl.SSLContext, protocol: Callable[[], asyncio.Protocol]
    ) -> None:
        self._listening = listening
        self._context = context
        self._protocol = protocol
        self._pending: dict[asyncio.Task[None], str] = {}  # in the order of arrival, each with its address

    async def run(self) -> None:
        """Accept until cancelled; handshakes that are under way then end by themselves."""
        loop = asyncio.get_running_loop()
        self._listening.setblocking(False)  # noqa: FBT003 - socket's own
        while True:
            try:
                plain, address = await loop.sock_accept(self._listening)
            except OSError:  # out of descriptors, or a caller who has gone: neither ends the service
                self._make_room()
                await asyncio.sleep(FULL_S)
                continue
            if len(self._pending) >= PENDING_MAX:
                self._make_room()
            task = asyncio.create_task(self._shake_hands(plain))
            self._pending[task] = str(address[0])
            task.add_done_callback(self._pending.pop)
            await asyncio.sleep(0)  # where many wait, the next is accepted at once: nothing else would have its turn

    def _make_room(self) -> None:
        goes = who_goes(list(self._pending), self._pending.__getitem__)
        if goes is not None:
            goes.cancel()

    async def _shake_hands(self, plain: socket.socket) -> None:
        loop = asyncio.get_running_loop()
        try:
            await loop.connect_accepted_socket(
                self._protocol, plain, ssl=self._context, ssl_handshake_timeout=HANDSHAKE_S
            )
        except (OSError, TimeoutError):  # ssl.SSLError is one: no certificate, or not one of headquarters
            plain.close()
        except asyncio.CancelledError:
            plain.close()
            raise
