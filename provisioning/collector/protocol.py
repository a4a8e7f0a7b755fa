"""What uvicorn leaves out: the client's certificate for the application, and bounds before a request has begun.

The certificate stands in `scope["extensions"][CERTIFICATE]` as DER; TLS has verified its chain.

When as many connections are open as there is room for, a newcomer is let in and another goes: one of the certificate
that has most, one that waits for a request before one that is being answered, the oldest first.
"""

import asyncio
import ssl
from typing import Any, Final, cast

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from appliance.crowd import who_goes

CERTIFICATE: Final = "landlink.certificate"
BEGIN_S: Final = 20.0
"""From the connection, or a request's first byte, to the end of its headers."""


class CertifiedProtocol(HttpToolsProtocol):
    """HTTP/1.1 over mutual TLS.

    Args:
        connections_max: How many may be open at once.
        options: uvicorn's own.
    """

    def __init__(self, *, connections_max: int, **options: Any) -> None:  # noqa: ANN401 - uvicorn's own signature
        super().__init__(**options)
        self._connections_max = connections_max
        self._certificate = b""
        self._since = 0.0
        self._beginning: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn has it
        """Take the certificate; the first request has to begin soon."""
        super().connection_made(transport)
        session: object = transport.get_extra_info("ssl_object")
        if isinstance(session, ssl.SSLObject | ssl.SSLSocket):
            self._certificate = session.getpeercert(binary_form=True) or b""
        self._since = self.loop.time()
        if len(self.connections) > self._connections_max:
            self._make_room()
        self._expect_headers()

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop the clock."""
        self._headers_came()
        super().connection_lost(exc)

    def on_message_begin(self) -> None:
        """Hand the certificate to the application; the headers have to end soon."""
        super().on_message_begin()
        self.scope["extensions"] = {CERTIFICATE: {"der": self._certificate}}
        self._expect_headers()

    def on_headers_complete(self) -> None:
        """Stop the clock."""
        self._headers_came()
        super().on_headers_complete()

    @property
    def _waits(self) -> bool:
        """For a request: nothing is being answered."""
        cycle: Any = self.cycle  # None before the first request, whatever uvicorn's annotation says
        return cycle is None or bool(cycle.response_complete)

    def _make_room(self) -> None:
        others = [one for one in cast("set[CertifiedProtocol]", self.connections) if one is not self]
        others.sort(key=lambda one: (not one._waits, one._since))  # noqa: SLF001 - of the same class
        goes = who_goes(others, lambda one: one._certificate, newcomer=self)  # noqa: SLF001 - as above
        assert goes is not None, "one place at least is others'"
        self.connections.discard(goes)
        goes.transport.abort()

    def _expect_headers(self) -> None:
        self._headers_came()
        self._beginning = self.loop.call_later(BEGIN_S, self.transport.close)

    def _headers_came(self) -> None:
        if self._beginning is not None:
            self._beginning.cancel()
            self._beginning = None
