"""The link against far ends of every kind: real sockets, real TLS, certificates made here."""

import contextlib
import os
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from appliance.errors import ConfigError, UplinkFault
from appliance.formats.enrolment import box_uri
from appliance.uplink.link import Link, tls_context
from appliance.uplink.mirror import Mirror
from provisioning.authority.certificates import Authority, make_authority

NOW = datetime(2026, 11, 21, tzinfo=UTC)
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
WAIT_S = 10.0

Script = Callable[[socket.socket, int], None]


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("ca")
    make_authority(folder, domain="landlink.example", collector_host="localhost", now=NOW)
    return folder


@pytest.fixture(scope="module")
def strangers(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("strangers")
    make_authority(folder, domain="portal.example", collector_host="localhost", now=NOW)
    return folder


@pytest.fixture(scope="module")
def enrolled(tmp_path_factory: pytest.TempPathFactory, authority: Path) -> Path:
    """A box's tls.key, tls.crt and ca.crt."""
    folder = tmp_path_factory.mktemp("box")
    key = ec.generate_private_key(ec.SECP256R1())
    pem = serialization.Encoding.PEM
    (folder / "tls.key").write_bytes(
        key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    certificate = Authority.open(authority).issue_client(key.public_key(), box_uri("LA-0001"), NOW, 3)
    (folder / "tls.crt").write_bytes(certificate.public_bytes(pem))
    (folder / "ca.crt").write_bytes((authority / "ca.crt").read_bytes())
    return folder


def server_context(certificates: Path, clients: Path) -> ssl.SSLContext:
    """A server with these certificates that wants clients of that authority."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificates / "collector.crt", certificates / "collector.key")
    context.load_verify_locations(clients)
    context.verify_mode = ssl.CERT_REQUIRED
    return context


class FarEnd:
    """Listens on loopback and plays `script` with each connection, which it numbers from 1.

    Args:
        script: What it does with a connection.
        certificates: Of the server; None for one that speaks no TLS.
    """

    def __init__(self, script: Script, certificates: Path | None, host: str) -> None:
        self._script = script
        self.context = None if certificates is None else server_context(certificates, certificates / "ca.crt")
        self._listening = socket.create_server((host, 0))
        self.port: int = self._listening.getsockname()[1]
        self.connections = 0
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()
        self._thread.join(WAIT_S)

    def _serve(self) -> None:
        while True:
            try:
                plain, _ = self._listening.accept()
            except OSError:
                return
            self.connections += 1
            plain.settimeout(WAIT_S)
            with plain, contextlib.suppress(OSError):  # the link may hang up, which is its good right
                self._talk(plain)

    def _talk(self, plain: socket.socket) -> None:
        if self.context is None:
            self._script(plain, self.connections)
            return
        with self.context.wrap_socket(plain, server_side=True, do_handshake_on_connect=False) as wrapped:
            try:
                wrapped.do_handshake()
            except ssl.SSLError:
                while os.read(wrapped.fileno(), 65_536):  # so that the alert is read before the connection is reset
                    pass
                raise
            self._script(wrapped, self.connections)


def read_request(connection: socket.socket) -> bytes:
    """Read one request with its body."""
    received = b""
    while b"\r\n\r\n" not in received:
        received += connection.recv(65_536)
    head, _, body = received.partition(b"\r\n\r\n")
    length = int(next(line for line in head.split(b"\r\n") if line.startswith(b"Content-Length")).split(b":")[1])
    while len(body) < length:
        body += connection.recv(65_536)
    return head + b"\r\n\r\n" + body


def answering(*answers: bytes) -> Script:
    """Give these answers on every connection, one a request, then hang up."""

    def script(connection: socket.socket, _: int) -> None:
        for answer in answers:
            read_request(connection)
            connection.sendall(answer)

    return script


class Make(Protocol):
    """Starts a far end."""

    def __call__(self, script: Script, certificates: Path | None, host: str = "127.0.0.1") -> FarEnd: ...


@pytest.fixture
def far_end() -> Iterator[Make]:
    """Starts far ends; they end with the test."""
    with contextlib.ExitStack() as ended:

        def make(script: Script, certificates: Path | None, host: str = "127.0.0.1") -> FarEnd:
            far = FarEnd(script, certificates, host)
            ended.callback(far.close)
            return far

        yield make


LinkTo = Callable[..., Link]


@pytest.fixture
def link_to(enrolled: Path) -> Iterator[LinkTo]:
    """Makes links of the enrolled box to a far end; they end with the test."""
    with contextlib.ExitStack() as ended:

        def make(far: FarEnd, host: str = "localhost") -> Link:
            link = Link(host, far.port, tls_context(enrolled), rate_bytes_per_s=32_000)
            ended.callback(link.close)
            return link

        yield make


def test_an_answer_comes_back_with_status_headers_and_body(far_end: Make, authority: Path, link_to: LinkTo) -> None:
    far = far_end(answering(b"HTTP/1.1 409 Conflict\r\nUpload-Offset: 7\r\nContent-Length: 3\r\n\r\nyes"), authority)
    answer = link_to(far).request("GET", "/v1/have")
    assert (answer.status, answer.headers["upload-offset"], answer.body) == (409, "7", b"yes")


def test_one_connection_carries_many_requests(far_end: Make, authority: Path, link_to: LinkTo) -> None:
    far = far_end(answering(OK, OK, OK), authority)
    link = link_to(far)
    assert [link.request("GET", "/").body for _ in range(3)] == [b"ok"] * 3
    assert far.connections == 1


def test_a_kept_connection_that_died_is_replaced_without_a_fault(
    far_end: Make, authority: Path, link_to: LinkTo
) -> None:
    far = far_end(answering(OK), authority)  # hangs up after each answer without saying so
    link = link_to(far)
    assert link.request("POST", "/", body=b"one").body == b"ok"
    assert link.request("POST", "/", body=b"two").body == b"ok"
    assert far.connections == 2


def test_a_fresh_connection_that_dies_is_a_fault_and_is_not_repeated_by_itself(
    far_end: Make, authority: Path, link_to: LinkTo
) -> None:
    def hang_up(connection: socket.socket, _: int) -> None:
        read_request(connection)

    far = far_end(hang_up, authority)
    with pytest.raises(UplinkFault, match="the link broke"):
        link_to(far).request("GET", "/")
    assert far.connections == 1


def test_the_second_connection_resumes_the_tls_session(far_end: Make, authority: Path, link_to: LinkTo) -> None:
    far = far_end(answering(OK), authority)
    link = link_to(far)
    link.request("GET", "/")
    assert not link.resumed
    link.close()
    link.request("GET", "/")
    assert link.resumed


def test_an_interim_answer_is_not_the_answer(far_end: Make, authority: Path, link_to: LinkTo) -> None:
    interim = b"HTTP/1.1 104 Upload Resumption Supported\r\nUpload-Offset: 1\r\n\r\n"
    far = far_end(answering(interim + OK), authority)
    assert link_to(far).request("GET", "/").status == 200


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_a_captive_portal_and_never_followed(
    far_end: Make, authority: Path, link_to: LinkTo, status: int
) -> None:
    reply = f"HTTP/1.1 {status} Moved\r\nLocation: https://localhost/login\r\nContent-Length: 0\r\n\r\n".encode()
    far = far_end(answering(reply), authority)
    with pytest.raises(UplinkFault, match="captive portal"):
        link_to(far).request("GET", "/")
    assert far.connections == 1


def test_a_far_end_with_anothers_certificate_is_a_captive_portal_and_gets_no_request(
    far_end: Make, strangers: Path, link_to: LinkTo
) -> None:
    heard: list[bytes] = []
    far = far_end(lambda connection, _: heard.append(connection.recv(1)), strangers)
    with pytest.raises(UplinkFault, match="captive portal: not headquarters' certificate"):
        link_to(far).request("POST", "/v1/batch", body=b"sealed")
    assert heard == []


def test_headquarters_certificate_for_another_name_is_a_captive_portal(
    far_end: Make, authority: Path, link_to: LinkTo
) -> None:
    far = far_end(answering(OK), authority, host="127.0.0.2")
    with pytest.raises(UplinkFault, match="captive portal"):
        link_to(far, host="127.0.0.2").request("GET", "/")


def test_a_far_end_that_speaks_plain_http_is_a_captive_portal(far_end: Make, link_to: LinkTo) -> None:
    def portal(connection: socket.socket, _: int) -> None:
        connection.recv(65_536)
        connection.sendall(b"HTTP/1.1 302 Found\r\nLocation: http://login.example/\r\n\r\n")

    far = far_end(portal, None)
    with pytest.raises(UplinkFault, match="captive portal"):
        link_to(far).request("GET", "/")


def test_a_far_end_below_tls_1_3_is_refused(far_end: Make, authority: Path, link_to: LinkTo) -> None:
    far = far_end(answering(OK), authority)
    assert far.context is not None
    far.context.maximum_version = ssl.TLSVersion.TLSv1_2
    with pytest.raises(UplinkFault):
        link_to(far).request("GET", "/")


def test_a_far_end_that_refuses_the_boxs_certificate_is_named_so(
    far_end: Make, authority: Path, strangers: Path, link_to: LinkTo
) -> None:
    far = far_end(answering(OK), authority)
    far.context = server_context(authority, strangers / "ca.crt")
    with pytest.raises(UplinkFault, match="headquarters refuses this box's certificate"):
        link_to(far).request("GET", "/")


def test_bytes_that_are_no_http_are_a_captive_portal(far_end: Make, authority: Path, link_to: LinkTo) -> None:
    far = far_end(answering(b"220 mail.example ESMTP\r\n\r\n"), authority)
    with pytest.raises(UplinkFault, match="does not speak HTTP"):
        link_to(far).request("GET", "/")


def test_an_answer_longer_than_its_bound_is_refused_before_it_is_kept(
    far_end: Make, authority: Path, link_to: LinkTo
) -> None:
    endless = b"HTTP/1.1 200 OK\r\nContent-Length: 100000000\r\n\r\n" + bytes(300_000)
    far = far_end(answering(endless), authority)
    with pytest.raises(UplinkFault, match="longer than 1000 bytes"):
        link_to(far).request("GET", "/", answer_bytes_max=1_000)


@pytest.mark.parametrize("answered", [b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf", b"HTTP/1.1 200"])
def test_an_answer_that_breaks_off_is_a_fault_and_no_portal(
    far_end: Make, authority: Path, link_to: LinkTo, answered: bytes
) -> None:
    far = far_end(answering(answered), authority)
    with pytest.raises(UplinkFault, match="the link broke"):
        link_to(far).request("GET", "/")


def test_a_download_that_breaks_off_is_not_begun_again_behind_the_callers_back(
    far_end: Make, authority: Path, link_to: LinkTo
) -> None:
    far = far_end(answering(OK, b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf"), authority)
    link = link_to(far)
    link.request("GET", "/")
    taken: list[bytes] = []
    with pytest.raises(UplinkFault, match="within the answer"):
        link.request("GET", "/", take=taken.append)
    assert b"".join(taken) == b"half"


def test_headers_without_end_are_refused(far_end: Make, authority: Path, link_to: LinkTo) -> None:
    far = far_end(answering(b"HTTP/1.1 200 OK\r\n" + b"X-Pad: 0123456789\r\n" * 5_000), authority)
    with pytest.raises(UplinkFault):
        link_to(far).request("GET", "/")


def test_an_early_no_is_read_although_the_far_end_stopped_listening(
    far_end: Make, authority: Path, link_to: LinkTo
) -> None:
    def no_thanks(connection: socket.socket, _: int) -> None:
        connection.recv(1)
        connection.sendall(b"HTTP/1.1 413 Too Large\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        while connection.recv(65_536):  # goes on draining, as a polite server does
            pass

    far = far_end(no_thanks, authority)
    assert link_to(far).request("POST", "/", body=bytes(500_000)).status == 413


def test_a_download_is_handed_over_piece_by_piece_and_only_for_success(
    far_end: Make, authority: Path, link_to: LinkTo
) -> None:
    missing = b"HTTP/1.1 404 Not Found\r\nContent-Length: 4\r\n\r\nnone"
    far = far_end(answering(OK, missing), authority)
    link = link_to(far)
    taken: list[bytes] = []
    assert link.request("GET", "/a", take=taken.append).body == b""
    assert link.request("GET", "/b", take=taken.append).body == b"none"
    assert b"".join(taken) == b"ok"


@pytest.mark.parametrize(
    ("said", "kept"),
    [
        (b'"v1"', '"v1"'),
        (b'W/"v1"', 'W/"v1"'),
        (b"v1", ""),
        (b'"caf\xe9"', ""),
        (b'"' + b"a" * 251 + b'"', ""),
        (b'"' + b"a" * 254 + b' b"', ""),
    ],
)
def test_an_entity_tag_is_said_back_only_if_it_may_stand_in_a_header(
    far_end: Make, authority: Path, link_to: LinkTo, said: bytes, kept: str
) -> None:
    tagged = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nETag: " + said + b"\r\n\r\nok"
    link = link_to(far_end(answering(tagged, OK), authority))
    tag = link.request("GET", "/").entity_tag
    assert tag == kept
    assert link.request("GET", "/", headers={"If-None-Match": tag} if tag else {}).status == 200


def test_a_mirror_outlives_an_entity_tag_that_no_header_may_have(
    far_end: Make, authority: Path, link_to: LinkTo, tmp_path: Path
) -> None:
    (tmp_path / "metadata").mkdir()
    (tmp_path / "metadata" / "timestamp.json").write_bytes(b"ok")
    odd = b'HTTP/1.1 200 OK\r\nContent-Length: 2\r\nETag: "caf\xe9"\r\n\r\nok'
    mirror = Mirror(link_to(far_end(answering(odd, odd), authority)), tmp_path)
    assert (mirror.refresh(), mirror.refresh()) == (False, False)


def test_nobody_listening_is_a_fault_in_plain_words(enrolled: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
    link = Link("localhost", port, tls_context(enrolled), rate_bytes_per_s=32_000)
    with pytest.raises(UplinkFault, match="no connection: Connection refused"):
        link.request("GET", "/")


def test_a_box_that_is_not_enrolled_is_told_so(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="enrol the box"):
        tls_context(tmp_path)


def test_the_rate_follows_what_large_bodies_took(far_end: Make, authority: Path, link_to: LinkTo) -> None:
    far = far_end(answering(OK, OK), authority)
    link = link_to(far)
    link.request("POST", "/", body=bytes(100))
    assert link.rate_bytes_per_s == 32_000  # says more about the round trip
    link.request("POST", "/", body=bytes(500_000))
    assert link.rate_bytes_per_s > 32_000
