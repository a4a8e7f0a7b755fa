"""What uvicorn leaves out: the client's certificate for the application, and a limit on how long a request may begin.

The certificate stands in `scope["extensions"][CERTIFICATE]` as DER; TLS has verified its chain.
"""

import asyncio
import ssl
from typing import Any, Final

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

CERTIFICATE: Final = "landlink.certificate"
BEGIN_S: Final = 20.0
"""From the connection, or a request's first byte, to the end of its headers."""


class CertifiedProtocol(HttpToolsProtocol):
    """HTTP/1.1 over mutual TLS."""

    def __init__(self, *arguments: Any, **options: Any) -> None:  # noqa: ANN401 - uvicorn's own signature
        super().__init__(*arguments, **options)
        self._certificate = b""
        self._beginning: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn has it
        """Take the certificate; the first request has to begin soon."""
        super().connection_made(transport)
        session: object = transport.get_extra_info("ssl_object")
        if isinstance(session, ssl.SSLObject | ssl.SSLSocket):
            self._certificate = session.getpeercert(binary_form=True) or b""
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

    def _expect_headers(self) -> None:
        self._headers_came()
        self._beginning = self.loop.call_later(BEGIN_S, self.transport.close)

    def _headers_came(self) -> None:
        if self._beginning is not None:
            self._beginning.cancel()
            self._beginning = None
