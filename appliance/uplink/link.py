"""The link: one TLS connection to headquarters' collector, one request at a time, over a socket that it owns.

Rules:
- TLS 1.3 and both certificates, or nothing. Whoever cannot show headquarters' certificate, or answers with a redirect,
  is a captive portal; a redirect is never followed.
- A dead link is noticed by the kernel (TCP_USER_TIMEOUT, keepalive) and by a time limit on every wait. Each failure is
  an UplinkFault in plain words, and closes the connection.
- A kept connection that died unnoticed is replaced once, at once: every request of this protocol may be repeated.
- The session is resumed when there was one: it saves the certificates, 3 KB each way on a slow link.

TCP figures: four round trips, and no less than a slow link takes. HTTP/1.1 without I/O is h11's.
"""

import contextlib
import re
import socket
import ssl
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import h11

from appliance.at_rest import OPEN, SECRET_BYTES_MAX, AtRest, in_memory
from appliance.errors import ConfigError, UplinkFault

CONNECT_TIMEOUT_S: Final = 4.0
ANSWER_TIMEOUT_S: Final = 30.0
"""Longest silence while a whole request waits for its answer."""
SEND_TIMEOUT_S: Final = 30.0
"""Longest wait for room for SEND_BYTES; far above TCP_USER_TIMEOUT, which ends a dead link earlier."""
USER_TIMEOUT_S_MIN: Final = 6.0
KEEPALIVE_IDLE_S: Final = 10
KEEPALIVE_INTERVAL_S: Final = 5
KEEPALIVE_PROBES: Final = 2
NOTSENT_LOWAT_BYTES: Final = 32_768
IN_FLIGHT_S: Final = 4.0
"""At most so much of the rate lies in the kernel's send buffer."""
SEND_BYTES: Final = 16_384
HEAD_BYTES_MAX: Final = 16_384
ANSWER_BYTES_MAX: Final = 1_048_576
ENTITY_TAG: Final = re.compile(r'(W/)?"[\x21\x23-\x7e]{0,250}"')
"""As RFC 9110 §8.8.3 has it, in ASCII: it is said back in a header of ours."""
RATE_SAMPLE_BYTES_MIN: Final = 8_192
"""A smaller request says more about the round trip than about the rate."""
RATE_MIN_BYTES_PER_S: Final = 500.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What came back.

    Attributes:
        headers: Names in lower case; of a repeated one the last.
        body: b"" when it was handed to `take`.
    """

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def entity_tag(self) -> str:
        """What If-None-Match says the next time; "" where there is none, or none that may stand in a header."""
        tag = self.headers.get("etag", "")
        return tag if ENTITY_TAG.fullmatch(tag) else ""

    @property
    def words(self) -> str:
        """The refusal in the collector's words, cut to a line; the status when it said nothing readable.

        They come to a journal and a terminal, which take no orders from them.
        """
        text = self.body[:200].decode("utf-8", "replace").strip()
        said = "".join(character if character.isprintable() else "\N{REPLACEMENT CHARACTER}" for character in text)
        return said or f"status {self.status}"


NO_CHECK_TIME: Final = ssl.VerifyFlags(0x200000)
"""X509_V_FLAG_NO_CHECK_TIME of OpenSSL, which Python has no name for."""


def tls_context(folder: Path, at_rest: AtRest = OPEN) -> ssl.SSLContext:
    """TLS 1.3 with the box's certificate, trusting headquarters' own authority and nobody else.

    Validity dates are not looked at: a box whose clock says 1970 or 2099 must reach headquarters all the same (I9). All
    that an expired certificate could do is what the link may do anyway: nothing that it says is believed,
    and what it is given is sealed.

    Args:
        folder: Holds tls.key, tls.crt and ca.crt, all PEM.
        at_rest: How the key lies there.

    Raises:
        ConfigError: One of them is missing or unusable: the box has not been enrolled.
        Untrusted: The key is sealed and does not open.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # checks certificate and host name by default
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    context.verify_flags |= NO_CHECK_TIME
    try:
        context.load_verify_locations(folder / "ca.crt")
        with in_memory(at_rest.read(folder / "tls.key", SECRET_BYTES_MAX)) as key:
            context.load_cert_chain(folder / "tls.crt", key)
    except (OSError, ssl.SSLError) as error:
        raise ConfigError(
            f"{folder}: no usable tls.key, tls.crt and ca.crt ({error.strerror}); enrol the box"
        ) from None
    return context


class Link:
    """One connection, opened when it is needed.

    Args:
        host, port: The collector; its certificate must name `host`.
        context: From `tls_context`.
        rate_bytes_per_s: What to expect before anything was measured.
    """

    def __init__(self, host: str, port: int, context: ssl.SSLContext, *, rate_bytes_per_s: float) -> None:
        self._host = host
        self._port = port
        self._context = context
        self._session: ssl.SSLSession | None = None
        self._socket: ssl.SSLSocket | None = None
        self._http = h11.Connection(h11.CLIENT)
        self.rate_bytes_per_s = rate_bytes_per_s
        self.round_trip_s = 0.0
        self.resumed = False
        self._answering = False

    def close(self) -> None:
        """Drop the connection, if any; the next request opens another."""
        if self._socket is not None:
            with contextlib.suppress(OSError):
                self._socket.close()
            self._socket = None

    def request(
        self,
        method: str,
        target: str,
        *,
        headers: Mapping[str, str] | None = None,
        body: bytes = b"",
        take: Callable[[bytes], None] | None = None,
        answer_bytes_max: int = ANSWER_BYTES_MAX,
    ) -> Answer:
        """Ask once and wait for the whole answer.

        Args:
            method: In capitals.
            target: Path on the collector.
            headers: Beside Host and Content-Length.
            body: Sent in one piece.
            take: Receives the body of a 200 or 206 piece by piece, instead of `Answer.body`.
            answer_bytes_max: Bound of the answer's body, bytes.

        Raises:
            UplinkFault: No connection, no answer within the limits, no HTTP, a redirect, more than the bound.
        """
        head = [("Host", self._host), *(headers or {}).items(), ("Content-Length", str(len(body)))]
        request = h11.Request(method=method, target=target, headers=head)
        kept = self._socket is not None
        try:
            return self._exchange(request, body, take, answer_bytes_max)
        except _Unanswered:
            self.close()
            if not kept:
                raise
        except BaseException:
            self.close()
            raise
        try:
            return self._exchange(request, body, take, answer_bytes_max)
        except BaseException:
            self.close()
            raise

    def _exchange(
        self, request: h11.Request, body: bytes, take: Callable[[bytes], None] | None, answer_bytes_max: int
    ) -> Answer:
        connected = self._socket or self._connect()
        self._answering = False
        began = time.monotonic()
        try:
            unsent = self._send(connected, request, body)
            answer = self._receive(connected, take, answer_bytes_max)
        except TimeoutError:
            raise UplinkFault("headquarters does not answer") from None
        except (OSError, h11.RemoteProtocolError) as error:
            raise self._broken(error) from None
        if not unsent:
            self._measure(len(body), time.monotonic() - began)
        if 300 <= answer.status < 400 and answer.status != 304:
            raise UplinkFault("captive portal: it answers with a redirect, which is never followed")
        if unsent or self._http.our_state is not h11.DONE or self._http.their_state is not h11.DONE:
            self.close()
        else:
            self._session = connected.session
            self._http.start_next_cycle()
        return answer

    def _connect(self) -> ssl.SSLSocket:
        began = time.monotonic()
        try:
            plain = socket.create_connection((self._host, self._port), timeout=CONNECT_TIMEOUT_S)
        except TimeoutError:
            raise UplinkFault(f"no connection within {CONNECT_TIMEOUT_S:.0f} s") from None
        except OSError as error:
            raise UplinkFault(f"no connection: {error.strerror or type(error).__name__}") from None
        self.round_trip_s = time.monotonic() - began
        try:
            self._tune(plain)
            plain.settimeout(max(CONNECT_TIMEOUT_S, 4 * self.round_trip_s))
            connected = self._context.wrap_socket(plain, server_hostname=self._host, session=self._session)
        except TimeoutError:
            plain.close()
            raise UplinkFault("headquarters does not finish the TLS handshake") from None
        except OSError as error:  # ssl.SSLError is one
            plain.close()
            words = _tls_words(error) if isinstance(error, ssl.SSLError) else "the link broke in the TLS handshake"
            raise UplinkFault(words) from None
        self.resumed = bool(connected.session_reused)
        self._http = h11.Connection(h11.CLIENT, max_incomplete_event_size=HEAD_BYTES_MAX)
        self._socket = connected
        return connected

    def _tune(self, plain: socket.socket) -> None:
        tcp = socket.IPPROTO_TCP
        user_timeout_s = max(USER_TIMEOUT_S_MIN, 4 * self.round_trip_s)
        in_flight = int(min(max(IN_FLIGHT_S * self.rate_bytes_per_s, 65_536), 4_194_304))
        plain.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, in_flight)
        plain.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        plain.setsockopt(tcp, socket.TCP_KEEPIDLE, KEEPALIVE_IDLE_S)
        plain.setsockopt(tcp, socket.TCP_KEEPINTVL, KEEPALIVE_INTERVAL_S)
        plain.setsockopt(tcp, socket.TCP_KEEPCNT, KEEPALIVE_PROBES)
        plain.setsockopt(tcp, socket.TCP_USER_TIMEOUT, int(user_timeout_s * 1000))
        plain.setsockopt(tcp, socket.TCP_NOTSENT_LOWAT, NOTSENT_LOWAT_BYTES)
        plain.setsockopt(tcp, socket.TCP_NODELAY, 1)

    def _send(self, connected: ssl.SSLSocket, request: h11.Request, body: bytes) -> bool:
        """Send the request; True when the far end stopped listening before all of it, and may have said why."""
        connected.settimeout(SEND_TIMEOUT_S)
        try:
            head = self._http.send(request)
            assert head is not None
            first = body[: SEND_BYTES - len(head)]
            wire = head + self._body_bytes(first)
            for start in range(len(first), len(body), SEND_BYTES):
                connected.sendall(wire)
                wire = self._body_bytes(body[start : start + SEND_BYTES])
            end = self._http.send(h11.EndOfMessage())
            connected.sendall(wire + (end or b""))
        except (BrokenPipeError, ConnectionResetError):
            return True
        return False

    def _body_bytes(self, piece: bytes) -> bytes:
        return (self._http.send(h11.Data(data=piece)) or b"") if piece else b""

    def _receive(self, connected: ssl.SSLSocket, take: Callable[[bytes], None] | None, answer_bytes_max: int) -> Answer:
        connected.settimeout(ANSWER_TIMEOUT_S)
        response: h11.Response | None = None
        body = bytearray()
        size = 0
        while True:
            event = self._http.next_event()
            match event:
                case h11.Response():
                    response = event
                    self._answering = True
                case h11.Data():
                    size += len(event.data)
                    if size > answer_bytes_max:
                        raise UplinkFault(f"the answer is longer than {answer_bytes_max} bytes")
                    assert response is not None
                    if take is not None and response.status_code in (200, 206):
                        take(bytes(event.data))
                    else:
                        body += event.data
                case h11.EndOfMessage():
                    assert response is not None
                    headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in response.headers}
                    return Answer(status=response.status_code, headers=headers, body=bytes(body))
                case h11.ConnectionClosed() | h11.PAUSED:
                    raise _Unanswered("the link broke before the answer")
                case h11.InformationalResponse():
                    pass  # a 104 of the resumable-upload draft is no answer yet
                case _:  # h11.NEED_DATA
                    received = connected.recv(65_536)
                    if not received and response is None:
                        raise _Unanswered("the link broke before the answer")
                    self._http.receive_data(received)

    def _broken(self, error: OSError | h11.RemoteProtocolError) -> UplinkFault:
        """What became of the connection, in words."""
        if self._answering:
            return UplinkFault("the link broke within the answer")
        if isinstance(error, h11.RemoteProtocolError):
            return UplinkFault("captive portal: what answers does not speak HTTP/1.1")
        if isinstance(error, ssl.SSLError):
            return _Unanswered(_tls_words(error))
        return _Unanswered(f"the link broke: {error.strerror or type(error).__name__}")

    def _measure(self, body_bytes: int, elapsed_s: float) -> None:
        if body_bytes >= RATE_SAMPLE_BYTES_MIN:
            sample = body_bytes / max(elapsed_s - self.round_trip_s, 0.001)
            self.rate_bytes_per_s = max(0.7 * self.rate_bytes_per_s + 0.3 * sample, RATE_MIN_BYTES_PER_S)


class _Unanswered(UplinkFault):
    """The connection ended before any answer: on a kept connection worth one more try at once."""


def _tls_words(error: ssl.SSLError) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"captive portal: not headquarters' certificate ({error.verify_message})"
    reason = error.reason or "no TLS"
    if "ALERT" in reason:
        return f"headquarters refuses this box's certificate ({reason.lower().replace('_', ' ')})"
    if isinstance(error, ssl.SSLEOFError | ssl.SSLZeroReturnError):
        return "the link broke"
    return f"captive portal: what answers does not speak TLS 1.3 ({reason.lower().replace('_', ' ')})"
