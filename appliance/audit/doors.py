"""Who comes in: TLS 1.3 with a certificate of headquarters' authority for the auditor, not ended, and nobody else.

Whether it has ended is judged by what headquarters has proven to be past, never by the box's clock (I9): a clock that
is years off lets the auditor in, and a certificate that certainly ended lets nobody in.

Before a caller has shown one, he gets a connection, a few seconds and nothing more: PENDING_MAX callers at once, and
PENDING_PER_ADDRESS of one address. A newcomer from another address is let in when there are PENDING_MAX: the oldest of
the address that has most goes.
"""

import asyncio
import contextlib
import http
import logging
import socket
import ssl
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from cryptography import x509

from appliance.at_rest import SECRET_BYTES_MAX, AtRest, in_memory
from appliance.crowd import who_goes
from appliance.errors import ConfigError, Refused, Untrusted
from appliance.formats.enrolment import AUDITOR_URI

HANDSHAKE_S: Final = 10.0
PENDING_MAX: Final = 32
PENDING_PER_ADDRESS: Final = 4
BACKLOG: Final = 16
BUFFERED_BYTES: Final = 65_536
"""Of an answer that was not taken yet."""
CLOSE_S: Final = 2.0
NO_CHECK_TIME: Final = ssl.VerifyFlags(0x200000)
"""X509_V_FLAG_NO_CHECK_TIME, which Python has no name for: the box's clock is not asked; `check_auditor` is instead."""
_journal = logging.getLogger("landlink.audit")

Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


def server_context(folder: Path, at_rest: AtRest) -> ssl.SSLContext:
    """TLS 1.3 with the box's certificate for this; whoever comes shows one of headquarters' authority for clients.

    Args:
        folder: Holds tls.key, tls.crt and ca.crt, all PEM.
        at_rest: How the key lies there.

    Raises:
        ConfigError: One of them is missing or unusable.
        Untrusted: The key is sealed and does not open.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    context.verify_mode = ssl.CERT_REQUIRED
    context.verify_flags |= NO_CHECK_TIME
    context.num_tickets = 0  # every connection shows its certificate
    try:
        context.load_verify_locations(folder / "ca.crt")
        with in_memory(at_rest.read(folder / "tls.key", SECRET_BYTES_MAX)) as key:
            context.load_cert_chain(folder / "tls.crt", key)
    except (OSError, ssl.SSLError) as error:
        raise ConfigError(
            f"{folder}: no usable tls.key, tls.crt and ca.crt ({error.strerror}); "
            "a box that was enrolled without them asks once more: landlink-box request, and accept"
        ) from None
    return context


def listening_socket(host: str, port: int) -> socket.socket:
    """Where callers arrive. Raises ConfigError."""
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
        listening = socket.create_server((host, port), family=family, backlog=BACKLOG)
    except OSError as error:
        raise ConfigError(f"[audit] {host} port {port}: {error.strerror or type(error).__name__}") from None
    listening.settimeout(0)
    return listening


class Doors:
    """Lets auditors in.

    Args:
        listening: From `listening_socket`.
        context: From `server_context`.
        connections: How many auditors' connections there may be at once.
        later_than_ms: What headquarters has proven to be past, milliseconds since 1970; asked at each call.
        serve: Serves an admitted connection to its end.
    """

    def __init__(
        self,
        listening: socket.socket,
        context: ssl.SSLContext,
        *,
        connections: int,
        later_than_ms: Callable[[], int],
        serve: Serve,
    ) -> None:
        self._listening = listening
        self._context = context
        self._connections = connections
        self._later_than_ms = later_than_ms
        self._serve = serve
        self._pending: dict[asyncio.Task[None], str] = {}  # in the order of arrival, each with its address
        self._admitted = 0
        self._callers: set[asyncio.Task[None]] = set()

    async def run(self) -> None:
        """Accept until cancelled."""
        loop = asyncio.get_running_loop()
        while True:
            try:
                plain, address = await loop.sock_accept(self._listening)
            except OSError:  # out of descriptors, or a caller who has gone: neither ends the service
                await asyncio.sleep(0.1)
                continue
            caller = str(address[0])
            if list(self._pending.values()).count(caller) >= PENDING_PER_ADDRESS:
                plain.close()
                continue
            if len(self._pending) >= PENDING_MAX:
                self._make_room()
            task = asyncio.create_task(self._call(plain, caller))
            self._pending[task] = caller
            self._callers.add(task)
            task.add_done_callback(self._end)

    def _make_room(self) -> None:
        goes = who_goes(list(self._pending), self._pending.__getitem__)
        assert goes is not None, "PENDING_MAX are here"
        del self._pending[goes]
        goes.cancel()

    def _end(self, task: asyncio.Task[None]) -> None:
        self._callers.discard(task)
        self._pending.pop(task, None)

    async def _call(self, plain: socket.socket, caller: str) -> None:
        loop = asyncio.get_running_loop()
        reader = asyncio.StreamReader(limit=BUFFERED_BYTES)
        protocol = asyncio.StreamReaderProtocol(reader)
        try:
            transport, _ = await loop.connect_accepted_socket(
                lambda: protocol,
                plain,
                ssl=self._context,
                ssl_handshake_timeout=HANDSHAKE_S,
                ssl_shutdown_timeout=CLOSE_S,
            )
        except (OSError, TimeoutError):  # ssl.SSLError is one: no certificate, or not one of headquarters
            plain.close()
            return
        except asyncio.CancelledError:  # to make room, or at the end of the service
            plain.close()
            raise
        task = asyncio.current_task()
        assert task is not None, "a call is a task"
        self._pending.pop(task, None)
        transport.set_write_buffer_limits(high=BUFFERED_BYTES)
        writer = asyncio.StreamWriter(transport, protocol, reader, loop)
        try:
            await self._admit(reader, writer, caller)
        except (OSError, TimeoutError):
            transport.abort()
        finally:
            writer.close()
            with contextlib.suppress(OSError, TimeoutError):
                async with asyncio.timeout(2 * CLOSE_S):
                    await writer.wait_closed()

    async def _admit(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, caller: str) -> None:
        try:
            check_auditor(writer.get_extra_info("ssl_object"), self._later_than_ms())
        except Untrusted as error:
            _journal.warning("audit: %s: %s, and is sent away", caller, error)
            writer.write(_refusal(http.HTTPStatus.FORBIDDEN))
        except Refused as refusal:
            _journal.warning("audit: an auditor at %s is sent away: %s", caller, refusal)
            writer.write(_refusal(http.HTTPStatus.FORBIDDEN, f"{refusal}\n"))
        else:
            await self._let_in(reader, writer, caller)

    async def _let_in(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, caller: str) -> None:
        if self._admitted >= self._connections:
            writer.write(_refusal(http.HTTPStatus.SERVICE_UNAVAILABLE))
            return
        self._admitted += 1
        _journal.info("audit: an auditor at %s", caller)
        try:
            await self._serve(reader, writer)
        finally:
            self._admitted -= 1


def check_auditor(session: ssl.SSLObject, later_than_ms: int) -> None:
    """Let in whoever shows the auditor's certificate, whose chain TLS has verified, as long as it may not have ended.

    Args:
        session: The connection.
        later_than_ms: What headquarters has proven to be past, milliseconds since 1970.

    Raises:
        Untrusted: It is not the auditor's and nothing else's.
        Refused: It has ended; the words are for who shows it.
    """
    stranger = Untrusted("none of headquarters' auditors")
    try:
        certificate = x509.load_der_x509_certificate(session.getpeercert(binary_form=True) or b"")
        names = list(certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value)
    except (ValueError, x509.ExtensionNotFound, x509.DuplicateExtension):
        raise stranger from None
    if names != [x509.UniformResourceIdentifier(AUDITOR_URI)]:
        raise stranger
    ended = certificate.not_valid_after_utc
    if ended.timestamp() * 1_000 < later_than_ms:
        past = datetime.fromtimestamp(later_than_ms / 1_000, UTC)
        raise Refused(
            f"this auditor's certificate ended on {ended:%Y-%m-%d}, and headquarters has signed since, on "
            f"{past:%Y-%m-%d}; next, where the authority's key is: landlink-hq rotate auditor"
        )


def _refusal(status: http.HTTPStatus, words: str = "") -> bytes:
    head = f"HTTP/1.1 {status.value} {status.phrase}\r\nContent-Length: {len(words.encode())}\r\nConnection: close"
    return f"{head}\r\n\r\n{words}".encode()
