"""The page's door, below HTTP: whoever holds connections open without asking for anything keeps nobody out.

1. A request has begun and ended its headers BEGIN_S after the connection was made, or after the answer before it.
2. Its body is here BODY_S after its headers.
3. When CONNECTIONS_MAX are open, a newcomer is let in and another goes: one of the peer that has most, one that waits
   for a request before one that is being answered, the oldest first.
"""

import asyncio
from typing import Any, Final, cast

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from appliance.crowd import who_goes

CONNECTIONS_MAX: Final = 64
BEGIN_S: Final = 5.0
BODY_S: Final = 5.0
"""A form has at most 16 KiB and comes over a cable."""


class PageProtocol(HttpToolsProtocol):
    """HTTP/1.1 for few, with bounded patience."""

    def __init__(self, *arguments: Any, **options: Any) -> None:  # noqa: ANN401 - uvicorn's own signature
        super().__init__(*arguments, **options)
        self._since = 0.0
        self._deadline: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn has it
        """Make room (rule 3); the first request has to begin soon (rule 1)."""
        super().connection_made(transport)
        self._since = self.loop.time()
        if len(self.connections) > CONNECTIONS_MAX:
            self._make_room()
        self._within(BEGIN_S)

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop the clock."""
        self._in_time()
        super().connection_lost(exc)

    def on_headers_complete(self) -> None:
        """Now the body (rule 2)."""
        super().on_headers_complete()
        self._within(BODY_S)

    def on_message_complete(self) -> None:
        """Stop the clock; an answer, and a stream of events, may take its time."""
        super().on_message_complete()
        self._in_time()
        if self._waits:  # it was answered before its body had come
            self._within(BEGIN_S)

    def on_response_complete(self) -> None:
        """The next request has to begin soon (rule 1), also for who sends empty lines instead."""
        super().on_response_complete()
        if self._waits:
            self._within(BEGIN_S)

    @property
    def _peer(self) -> str:
        return self.client[0] if self.client else ""

    @property
    def _waits(self) -> bool:
        """For a request: nothing is being answered."""
        cycle: Any = self.cycle  # None before the first request, whatever uvicorn's annotation says
        return cycle is None or bool(cycle.response_complete)

    def _make_room(self) -> None:
        others = [one for one in cast("set[PageProtocol]", self.connections) if one is not self]
        others.sort(key=lambda one: (not one._waits, one._since))  # noqa: SLF001 - of the same class
        goes = who_goes(others, lambda one: one._peer, newcomer=self)  # noqa: SLF001 - as above
        assert goes is not None, "CONNECTIONS_MAX others are open"
        self.connections.discard(goes)
        goes.transport.abort()

    def _within(self, seconds: float) -> None:
        self._in_time()
        self._deadline = self.loop.call_later(seconds, self.transport.close)

    def _in_time(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None
