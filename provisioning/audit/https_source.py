"""One log at the collector, or at a box that serves it itself: the same addresses, over mutual TLS.

The collector is known by its host name, a box by the URI in its certificate, since it has no address of its own. Both
certificates are of headquarters' own authority, which alone is trusted. One connection, kept; one that breaks is made
anew, and goes on where the answer broke off, as long as something arrives.
"""

import http.client
import re
import socket
import ssl
from collections.abc import Callable
from typing import Final
from urllib.parse import urlsplit

from appliance.errors import ConfigError, Misuse, Untrusted, UplinkFault
from appliance.formats.enrolment import audit_uri
from provisioning.audit.incoming import Incoming
from provisioning.authority.home import Home

TIMEOUT_S: Final = 30.0
ATTEMPTS: Final = 3
"""In a row without a byte."""
PIECE_BYTES: Final = 16_384
KEPT_BYTES: Final = 65_536
"""So much of a body costs one sync here, and is not fetched twice whatever happens."""
WORDS_BYTES_MAX: Final = 200
_AUDIT_URI: Final = re.compile(re.escape(audit_uri("")) + r"([A-Z0-9][A-Z0-9-]{1,30})")
_CONTENT_RANGE: Final = re.compile(r"bytes ([0-9]{1,15})-[0-9]{1,15}/[0-9]{1,15}")
TILE: Final = "tile/"
"""Files of a log that never change; checkpoint and testimony_pages.py's last ones do."""


def auditor_tls(home: Home) -> ssl.SSLContext:
    """The auditor's side of mutual TLS. Raises ConfigError when the home's certificates cannot be used."""
    try:
        context = ssl.create_default_context(cafile=str(home.ca / "ca.crt"))
        context.load_cert_chain(home.ca / "auditor.crt", home.ca / "auditor.key")
    except (OSError, ssl.SSLError) as error:
        raise ConfigError(f"{home.ca}: {error}") from None
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    return context


def box_tls(home: Home) -> ssl.SSLContext:
    """The same towards a box, whose name `box_at` and `HttpsSource` compare. Raises ConfigError."""
    context = auditor_tls(home)
    context.check_hostname = False
    return context


def box_at(address: str, home: Home, *, timeout_s: float = TIMEOUT_S) -> str | None:
    """Serial of the box that answers at this address; None for a collector, whose host name is then compared.

    Args:
        address: `https://HOST:PORT`.
        home: Whose certificates count.
        timeout_s: How long to wait for each step of the way.

    Raises:
        ConfigError: It is no address, or the home's certificates cannot be used.
        UplinkFault: Nobody answers, or nobody with a certificate of this headquarters.
    """
    host, port = _host_port(address)
    try:
        with (
            socket.create_connection((host, port), timeout=timeout_s) as plain,
            box_tls(home).wrap_socket(plain, server_hostname=host) as session,
        ):
            return _serial_of(session)
    except ssl.SSLError as error:
        raise UplinkFault(_refused(address, error)) from None
    except OSError as error:
        raise UplinkFault(_silent(address, error)) from None


class HttpsSource:
    """A source over mutual TLS.

    Args:
        address: `https://HOST:PORT`.
        origin: The log that is fetched.
        tls: `auditor_tls` for a collector, `box_tls` for a box.
        incoming: What arrived before.
        box: Serial of the box that has to answer; None for a collector.

    Attributes:
        box: The same.
    """

    def __init__(
        self, address: str, origin: str, tls: ssl.SSLContext, incoming: Incoming, *, box: str | None = None
    ) -> None:
        host, port = _host_port(address)
        self._address = f"https://{urlsplit(address).netloc}"
        self._origin = origin
        self._incoming = incoming
        self.box = box
        self._connection = http.client.HTTPSConnection(host, port, timeout=TIMEOUT_S, context=tls)

    @property
    def name(self) -> str:
        """How to name this source to a person."""
        return f"{self._address}/log/{self._origin}"

    def read(self, path: str, *, bytes_max: int) -> bytes | None:
        """The file at `path` of the tree; None when there is none. Raises as `Source.read`."""
        arrived = self._incoming.bundle(path)
        if arrived is not None:
            return arrived
        content = _Arriving(bytes_max, changes=not path.startswith(TILE))
        if not self._fetch(f"/log/{self._origin}/{path}", content, content.restart):
            return None
        self._incoming.keep_bundle(path, bytes(content.bytes))
        return bytes(content.bytes)

    def body(self, index: int, *, bytes_max: int) -> bytes | None:
        """The sealed body of entry `index`; None when it is not there. Raises as `Source.read`."""
        incoming = self._incoming
        content = _Arriving(bytes_max, incoming.begun(index), keep=lambda piece: incoming.grow(index, piece))

        def restart() -> None:
            incoming.restart(index)
            content.restart()

        if not self._fetch(f"/bodies/{self._origin}/{index}.age", content, restart):
            return None
        return bytes(content.bytes)

    def bodies(self) -> None:
        """Not to be known: there is no list of them."""

    def give_back(self, note: bytes) -> bool:
        """Bring a box the checkpoint that headquarters cosigned; False when it appends to another log by now.

        Raises:
            UplinkFault: It did not come through, or the box does not keep it; in its words.
        """
        address = f"/cosigned/{self._origin}"
        try:
            self._connect()
            self._connection.request("PUT", address, body=note)
            response = self._connection.getresponse()
            words = response.read(WORDS_BYTES_MAX).decode("utf-8", "replace").strip()
            self._connection.close()
        except (OSError, http.client.HTTPException) as error:
            self._connection.close()
            raise UplinkFault(f"{self._address}: {type(error).__name__} when the cosignature was given back") from None
        if response.status not in (http.HTTPStatus.OK, http.HTTPStatus.NOT_FOUND):
            raise UplinkFault(f"{self._address}{address}: answered {response.status}: {words}")
        return response.status == http.HTTPStatus.OK

    def close(self) -> None:
        """End the connection."""
        self._connection.close()

    def _fetch(self, path: str, content: "_Arriving", restart: Callable[[], None]) -> bool:
        """Fetch until it is whole; whether it is there."""
        silent = 0
        while True:
            before = len(content.bytes)
            try:
                return self._ask(path, content, restart)
            except ssl.SSLCertVerificationError as error:
                raise UplinkFault(_refused(self._address, error)) from None
            except (OSError, http.client.HTTPException) as error:
                self._connection.close()  # a kept connection may have been ended by the far end
                content.broke_off()
                silent = 1 if len(content.bytes) > before else silent + 1
                if silent == ATTEMPTS or isinstance(error, ConnectionRefusedError):
                    if isinstance(error, ssl.SSLError) and not content.bytes:
                        raise UplinkFault(_refused(self._address, error)) from None
                    raise UplinkFault(_silent(self._address, error)) from None

    def _ask(self, path: str, content: "_Arriving", restart: Callable[[], None]) -> bool:
        """One question. Raises OSError, HTTPException: the answer broke off; what came of it is in `content`."""
        begin = len(content.bytes)
        self._connect()
        self._connection.request("GET", path, headers={"Range": f"bytes={begin}-"} if begin else {})
        response = self._connection.getresponse()
        match response.status:
            case http.HTTPStatus.NOT_FOUND:
                response.read(PIECE_BYTES)
                return False
            case http.HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE if begin:
                response.read(PIECE_BYTES)
                if response.getheader("Content-Range", "") == f"bytes */{begin}":
                    return True  # it had come to its end
                restart()
                return self._ask(path, content, restart)
            case http.HTTPStatus.PARTIAL_CONTENT if begin:
                part = _CONTENT_RANGE.fullmatch(response.getheader("Content-Range", ""))
                if part is None or int(part[1]) != begin:
                    raise http.client.HTTPException
            case http.HTTPStatus.OK:
                if begin:
                    restart()
            case status:
                words = response.read(WORDS_BYTES_MAX).decode("utf-8", "replace").strip() or response.reason
                self._connection.close()
                raise UplinkFault(f"{self._address}{path}: answered {status}: {words[:WORDS_BYTES_MAX]}")
        self._receive(response, path, content)
        return True

    def _receive(self, response: http.client.HTTPResponse, path: str, content: "_Arriving") -> None:
        left = response.length
        if left is None or len(content.bytes) + left > content.bytes_max:
            self._connection.close()
            raise Untrusted(f"{self._address}{path}: longer than {content.bytes_max} bytes, or of no stated length")
        while left:
            piece = response.read(min(PIECE_BYTES, left))
            if not piece:  # a link that was cut ends an answer without a word
                raise http.client.IncompleteRead(b"", left)
            left -= len(piece)
            content.take(piece)
        response.read()

    def _connect(self) -> None:
        """Make the connection if there is none, and ask a box who it is before it is asked for anything.

        Raises:
            OSError: There is none to be had.
            UplinkFault: Another box answers.
        """
        if self._connection.sock is not None:
            return
        self._connection.connect()
        session = self._connection.sock
        assert isinstance(session, ssl.SSLSocket)
        if self.box is not None and _serial_of(session) != self.box:
            self._connection.close()
            raise UplinkFault(f"{self._address}: what answers is not box {self.box}")


class _Arriving:
    """Content that arrives in pieces, and goes on where it broke off.

    Args:
        bytes_max: Longer is refused.
        begun: What arrived before.
        keep: Is given what came, KEPT_BYTES at a time and whatever is left when it breaks off.
        changes: It may be another the next time, and begins anew.
    """

    def __init__(
        self,
        bytes_max: int,
        begun: bytes = b"",
        *,
        keep: Callable[[bytes], None] | None = None,
        changes: bool = False,
    ) -> None:
        self.bytes_max = bytes_max
        self.bytes = bytearray(begun)
        self._changes = changes
        self._keep = keep
        self._kept = len(begun)

    def take(self, piece: bytes) -> None:
        """Add what arrived."""
        self.bytes += piece
        if self._keep is not None and len(self.bytes) - self._kept >= KEPT_BYTES:
            self.broke_off()

    def broke_off(self) -> None:
        """Keep what came until now."""
        if self._changes:
            self.restart()
        if self._keep is not None and len(self.bytes) > self._kept:
            self._keep(bytes(self.bytes[self._kept :]))
            self._kept = len(self.bytes)

    def restart(self) -> None:
        """Forget it."""
        self.bytes.clear()
        self._kept = 0


def _host_port(address: str) -> tuple[str, int]:
    try:
        parts = urlsplit(address)
        host, port = parts.hostname, parts.port
    except ValueError:
        host, port = None, None
    if not address.startswith("https://") or not host:
        raise Misuse(f"{address}: not an address of the form https://HOST:PORT")
    return host, port or 443


def _serial_of(session: ssl.SSLSocket) -> str | None:
    """The box that shows this certificate, whose chain TLS has verified; None for what is no box."""
    certificate = session.getpeercert() or {}
    names = certificate.get("subjectAltName", ())
    assert isinstance(names, tuple)
    serials = [match[1] for kind, name in names if kind == "URI" and (match := _AUDIT_URI.fullmatch(str(name)))]
    return serials[0] if len(serials) == len(names) == 1 else None


def _refused(address: str, error: ssl.SSLError) -> str:
    return (
        f"{address}: TLS refused ({error.reason}); is this the collector or a box of this home, "
        "and the auditor's certificate the one that it knows (hq/ca)?"
    )


def _silent(address: str, error: OSError | http.client.HTTPException) -> str:
    return (
        f"{address} does not answer ({type(error).__name__}); is the collector running (landlink-hq collect), "
        "or the box's audit service (systemctl start audit)?"
    )
