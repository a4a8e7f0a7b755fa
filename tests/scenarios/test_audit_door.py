"""The box's audit service as somebody on the network meets it, with and without a certificate, and with a bad will."""

import contextlib
import os
import signal
import socket
import ssl
import struct
import threading
import time
from collections.abc import Generator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding

from appliance.audit.doors import HANDSHAKE_S, PENDING_MAX, PENDING_PER_ADDRESS
from appliance.audit.exchange import part_of
from appliance.config import read_config
from appliance.formats.enrolment import AUDITOR_URI
from appliance.formats.statement import Sealed
from appliance.formats.tiles import encode_entries
from provisioning.authority.certificates import BACKDATED, Authority
from provisioning.authority.keys import write_private_key
from tests.scenarios.audit_bed import RATE, Audited, audited, free_port
from tests.scenarios.made_headquarters import headquarters
from tests.scenarios.recorder_bed import ORIGIN

LOG = f"/log/{ORIGIN}"
WAIT_S = 60.0


@pytest.fixture(scope="module")
def post() -> Generator[Audited]:
    with audited() as made:
        made.record(3)
        made.serve()
        yield made


def context(post: Audited, certificate: Path | None = None, key: Path | None = None) -> ssl.SSLContext:
    """The auditor's, or another one's; the box's own name is not compared here."""
    made = ssl.create_default_context(cafile=str(post.home.ca / "ca.crt"))
    made.check_hostname = False
    made.load_cert_chain(certificate or post.home.ca / "auditor.crt", key or post.home.ca / "auditor.key")
    return made


@contextlib.contextmanager
def connected(post: Audited, made: ssl.SSLContext | None = None) -> Generator[ssl.SSLSocket]:
    with (
        socket.create_connection(("127.0.0.1", post.port), timeout=WAIT_S) as plain,
        (made or context(post)).wrap_socket(plain) as session,
    ):
        yield session


def read_all(session: ssl.SSLSocket) -> bytes:
    """Everything until the far end closes."""
    answer = b""
    with contextlib.suppress(ConnectionError, ssl.SSLError):
        while piece := session.recv(65_536):
            answer += piece
    return answer


def ask(post: Audited, request: bytes, made: ssl.SSLContext | None = None) -> tuple[int, bytes]:
    """Status and body of the answer to these bytes; 0 when there is none."""
    with connected(post, made) as session:
        with contextlib.suppress(ConnectionError, ssl.SSLError):
            session.sendall(request)
        head, _, body = read_all(session).partition(b"\r\n\r\n")
    return (int(head.split(b" ")[1]) if head else 0), body


def get(post: Audited, target: str, *headers: str, method: str = "GET") -> tuple[int, bytes]:
    lines = [f"{method} {target} HTTP/1.1", "Host: box", "Connection: close", *headers, "", ""]
    return ask(post, "\r\n".join(lines).encode())


def a_body(post: Audited) -> int:
    return next(index for index, each in enumerate(post.box.statements()) if isinstance(each.kind, Sealed))


# --- what it gives ----------------------------------------------------------------------------------------------------


def test_it_gives_what_the_recorder_published_and_nothing_more(post: Audited) -> None:
    size, index = post.box.checkpoint().size, a_body(post)
    assert get(post, f"{LOG}/checkpoint") == (200, (post.box.state / "log" / "checkpoint").read_bytes())
    assert get(post, f"{LOG}/tile/entries/000.p/{size}") == (200, encode_entries(post.box.leaves()))
    assert get(post, f"/bodies/{ORIGIN}/{index}.age") == (200, post.box.body(index))
    assert get(post, f"/cosigned/{ORIGIN}")[0] == 404  # headquarters has not said anything yet
    for method in ("HEAD", "GET"):
        assert get(post, f"/bodies/{ORIGIN}/{size + 5}.age", method=method)[0] == 404


def test_a_range_is_given_as_the_standard_says(post: Audited) -> None:
    index = a_body(post)
    body = post.box.body(index)
    target = f"/bodies/{ORIGIN}/{index}.age"
    assert get(post, target, "Range: bytes=100-") == (206, body[100:])
    assert get(post, target, "Range: bytes=5-9") == (206, body[5:10])
    assert get(post, target, "Range: bytes=-7") == (206, body[-7:])
    assert get(post, target, f"Range: bytes={len(body)}-") == (416, b"")
    assert get(post, target, "Range: bytes=0-1,5-9") == (200, body)  # of several parts, the whole is allowed
    assert get(post, target, "Range: pages=1-2") == (200, body)


@pytest.mark.parametrize(
    ("asked", "part"),
    [("bytes=9-5", (0, 10)), ("bytes=0-99", (0, 10)), ("bytes=-0", None), ("bytes=-99", (0, 10)), ("bytes=-", (0, 10))],
)
def test_odd_ranges(asked: str, part: tuple[int, int] | None) -> None:
    assert part_of(asked, 10) == part


def test_nothing_past_the_checkpoint_has_an_address(post: Audited) -> None:
    size, index = post.box.checkpoint().size, a_body(post)
    entries = post.box.state / "log" / "tile" / "entries" / "000.p"
    ahead, body = entries / str(size + 1), post.box.state / "bodies" / f"{size}.2.age"
    ahead.write_bytes(b"not published yet")
    body.write_bytes(post.box.body(index))
    try:
        assert get(post, f"{LOG}/tile/entries/000.p/{size + 1}")[0] == 404
        assert get(post, f"/bodies/{ORIGIN}/{size}.age")[0] == 404
    finally:
        ahead.unlink()
        body.unlink()


# --- other places -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "target",
    [
        "/",
        "/recorder/log.key",
        "/log/../recorder/log.key",
        f"{LOG}/../../recorder/log.key",
        f"{LOG}/../log.vkey",
        f"{LOG}/tile/../../recorder/log.key",
        f"{LOG}/%2e%2e/%2e%2e/recorder/log.key",
        f"{LOG}/tile/entries/..%2f..%2f..%2frecorder%2flog.key",
        f"{LOG}//checkpoint",
        f"{LOG}/./checkpoint",
        f"{LOG}/checkpoint/",
        f"{LOG}/checkpoint?x",
        f"{LOG}/tile/0/000.p/0",
        "/log/landlink.example/../checkpoint",
        "/log/../../etc/passwd",
        "/log/landlink.example/la-0002.1/checkpoint",
        "/log/another.example/la-0001.1/checkpoint",
        f"/bodies/{ORIGIN}/1.2.age",
        f"/bodies/{ORIGIN}/01.age",
        f"/bodies/{ORIGIN}/../recorder/log.key",
        f"/bodies/{ORIGIN}/-1.age",
        f"/receipts/{ORIGIN}/../log.vkey",
        f"/cosigned/{ORIGIN}/../log.vkey",
        "http://elsewhere/log/x",
        "*",
    ],
)
def test_a_path_that_leads_elsewhere_leads_nowhere(post: Audited, target: str) -> None:
    status, body = get(post, target)
    assert status == 404
    assert b"PRIVATE KEY" not in body


def test_a_link_in_the_place_of_a_file_is_not_followed(post: Audited) -> None:
    body = post.box.state / "bodies" / "0.3.age"  # entry 0 has no body of its own
    body.symlink_to("../recorder/log.key")
    receipts = post.box.state / "receipts"
    (receipts / "0").symlink_to(post.box.state / "recorder" / "identity.key")
    try:
        assert get(post, f"/bodies/{ORIGIN}/0.age")[0] == 503
        status, content = get(post, f"/receipts/{ORIGIN}/0")
        assert (status, b"PRIVATE" in content) == (503, False)
    finally:
        body.unlink()
        (receipts / "0").unlink()


def test_a_pipe_in_the_place_of_a_file_makes_nobody_wait(post: Audited) -> None:
    pipe = post.box.state / "receipts" / "1"
    os.mkfifo(pipe)
    try:
        assert get(post, f"/receipts/{ORIGIN}/1")[0] == 503
    finally:
        pipe.unlink()


def test_a_checkpoint_that_the_logs_key_did_not_sign_publishes_nothing(post: Audited) -> None:
    path = post.box.state / "log" / "checkpoint"
    recorder = post.box.running[0]
    recorder.send_signal(signal.SIGSTOP)  # it would publish the next one over it
    try:
        signed = path.read_bytes()
        path.write_bytes(signed.replace(b"la-0001.1\n", b"la-0001.1\n9", 1))
        assert get(post, f"{LOG}/checkpoint")[0] == 503
        assert get(post, f"/bodies/{ORIGIN}/1.age")[0] == 503
        path.write_bytes(signed)
    finally:
        recorder.send_signal(signal.SIGCONT)


# --- other people -----------------------------------------------------------------------------------------------------


def answer_or_nothing(post: Audited, made: ssl.SSLContext) -> tuple[int, bytes]:
    """The answer to an honest request; (0, b"") where TLS ends it."""
    try:
        return ask(post, f"GET {LOG}/checkpoint HTTP/1.1\r\nHost: box\r\n\r\n".encode(), made)
    except (ssl.SSLError, ConnectionError):
        return 0, b""


def issued(post: Audited, tmp_path: Path, uri: str, began: datetime | None = None) -> ssl.SSLContext:
    """A client certificate of headquarters' own authority for another name, or another time."""
    key = ec.generate_private_key(ec.SECP256R1())
    certificate = Authority.open(post.home.ca).issue_client(key.public_key(), uri, began or datetime.now(UTC), 1)
    write_private_key(tmp_path / "key", key)
    (tmp_path / "crt").write_bytes(certificate.public_bytes(Encoding.PEM))
    return context(post, tmp_path / "crt", tmp_path / "key")


@pytest.mark.parametrize(
    "uri", ["landlink:box:LA-0002", "landlink:auditors", "LANDLINK:AUDITOR", "landlink:audit:LA-0001"]
)
def test_who_is_not_the_auditor_gets_nothing_though_headquarters_knows_him(
    post: Audited, tmp_path: Path, uri: str
) -> None:
    assert answer_or_nothing(post, issued(post, tmp_path, uri)) in ((403, b""), (0, b""))


def test_the_boxs_own_uplink_key_opens_nothing_here(post: Audited) -> None:
    uplink = post.box.state / "uplink"
    made = context(post, uplink / "tls.crt", uplink / "tls.key")
    assert answer_or_nothing(post, made) in ((403, b""), (0, b""))


def test_a_servers_certificate_is_no_clients(post: Audited) -> None:
    ca = post.home.ca
    made = context(post, ca / "collector.crt", ca / "collector.key")
    assert answer_or_nothing(post, made) == (0, b"")


def test_an_auditor_of_another_headquarters_is_nobody(post: Audited, tmp_path: Path) -> None:
    stranger = headquarters(tmp_path / "stranger")
    made = context(post, stranger.ca / "auditor.crt", stranger.ca / "auditor.key")
    assert answer_or_nothing(post, made) == (0, b"")


def test_older_tls_is_not_spoken(post: Audited) -> None:
    made = context(post)
    made.maximum_version = ssl.TLSVersion.TLSv1_2
    with pytest.raises((ssl.SSLError, ConnectionError)), connected(post, made):
        pass


# --- a certificate's end ----------------------------------------------------------------------------------------------


def ends_at(post: Audited, tmp_path: Path, end_ms: int) -> ssl.SSLContext:
    """The auditor's certificate as it is made for a year, so long ago that it ends at this time."""
    began = datetime.fromtimestamp(end_ms // 1_000, UTC) - timedelta(days=365) + BACKDATED
    return issued(post, tmp_path, AUDITOR_URI, began)


def lower_bound_ms(post: Audited) -> int:
    return post.box.statements()[-1].at.lower_bound_ms


def test_a_certificate_that_ended_before_headquarters_last_signed_is_refused_with_words(
    post: Audited, tmp_path: Path
) -> None:
    status, words = answer_or_nothing(post, ends_at(post, tmp_path, lower_bound_ms(post) - 2_000))
    assert status == 403
    assert b"certificate ended on 2026-" in words
    assert b"landlink-hq rotate auditor" in words


def test_the_boxs_clock_ends_no_certificate(post: Audited, tmp_path: Path) -> None:
    """It is days past the end by this machine's clock; nothing that headquarters signed is."""
    end_ms = lower_bound_ms(post) + 2_000
    assert end_ms < time.time() * 1_000
    assert answer_or_nothing(post, ends_at(post, tmp_path, end_ms))[0] == 200
    assert answer_or_nothing(post, issued(post, tmp_path, AUDITOR_URI, datetime(2099, 1, 1, tzinfo=UTC)))[0] == 200


def test_what_headquarters_signs_later_ends_a_certificate_that_was_good(tmp_path: Path) -> None:
    with audited() as made:
        made.record(1)
        made.serve()
        certificate = ends_at(made, tmp_path, lower_bound_ms(made) + 2_000)
        assert answer_or_nothing(made, certificate)[0] == 200
        pulled = made.hq("pull", made.address)
        assert pulled.returncode == 0, pulled.stderr
        made.record(1)  # whatever is recorded next says how late it is proven to be
        assert answer_or_nothing(made, certificate)[0] == 403
        for name in ("auditor.crt", "auditor.key"):
            (made.home.ca / name).write_bytes((tmp_path / name.removeprefix("auditor.")).read_bytes())
        refused = made.hq("pull", made.address)
        assert refused.returncode != 0
        assert "landlink-hq rotate auditor" in refused.stderr
        rotated = made.hq("rotate", "auditor")
        assert rotated.returncode == 0, rotated.stderr
        pulled = made.hq("pull", made.address)
        assert pulled.returncode == 0, pulled.stderr


# --- bad manners ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("method", ["POST", "DELETE", "PATCH", "OPTIONS", "CONNECT", "PUT", "TRACE", "X" * 100])
def test_other_methods_are_refused(post: Audited, method: str) -> None:
    assert get(post, f"{LOG}/checkpoint", "Content-Length: 0", method=method)[0] in (400, 405)


@pytest.mark.parametrize(
    "request_bytes",
    [
        b"GET / HTTP/1.1\r\nHost: box\r\nX: " + b"a" * 100_000,
        b"GET /" + b"a" * 100_000 + b" HTTP/1.1\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: box\r\n" + b"X: y\r\n" * 20_000,
        b"\x16\x03\x01" + b"\x00" * 400 + b"\r\n\r\n",
        b"GET / HTTP/1.1\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: box\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: box\r\nContent-Length: 99999999\r\n\r\n" + b"x" * 200_000,
        b"GET / HTTP/1.1\r\nHost: box\r\nTransfer-Encoding: chunked\r\n\r\n" + b"fffff\r\n" + b"x" * 200_000,
    ],
)
def test_a_head_or_body_without_end_is_refused_within_its_bound(post: Audited, request_bytes: bytes) -> None:
    status, _ = ask(post, request_bytes)
    assert status in (0, 400, 413, 431, 501)
    assert get(post, f"{LOG}/checkpoint")[0] == 200


def test_callers_without_a_certificate_get_their_seconds_and_no_more(post: Audited) -> None:
    """Of one address only so many are kept at all; each that drips is cut, and then the auditor comes in again."""
    with contextlib.ExitStack() as stack:
        slow = [
            stack.enter_context(socket.create_connection(("127.0.0.1", post.port), timeout=WAIT_S))
            for _ in range(PENDING_PER_ADDRESS + 4)
        ]
        for caller in slow:
            with contextlib.suppress(ConnectionError):
                caller.sendall(b"\x16\x03\x01\x02\x00\x01")  # the beginning of a handshake
        began = time.monotonic()
        ended = sorted(hung_up(caller, began) for caller in reversed(slow))
        assert ended[3] < 0.9 * HANDSHAKE_S  # those that were too many, before the others' time is over
    assert eventually(post)


def test_silent_callers_of_many_addresses_keep_no_auditor_out(post: Audited) -> None:
    with contextlib.ExitStack() as stack:
        for number in range(PENDING_MAX):
            source = (f"127.0.1.{1 + number // PENDING_PER_ADDRESS}", 0)
            where = ("127.0.0.1", post.port)
            stack.enter_context(socket.create_connection(where, timeout=WAIT_S, source_address=source))
        assert get(post, f"{LOG}/checkpoint")[0] == 200
    assert eventually(post)


def hung_up(caller: socket.socket, began: float) -> float:
    """When the far end ended this connection, seconds after `began`."""
    with contextlib.suppress(ConnectionError):
        while caller.recv(1_024):  # a TLS alert, at most
            pass
    return time.monotonic() - began


def eventually(post: Audited) -> bool:
    """Whether the auditor is answered within the time that a slow handshake is given."""
    deadline = time.monotonic() + WAIT_S
    while time.monotonic() < deadline:
        with contextlib.suppress(OSError):
            if get(post, f"{LOG}/checkpoint")[0] == 200:
                return True
        threading.Event().wait(0.2)
    return False


def test_more_connections_than_allowed_are_sent_away_and_the_others_served(post: Audited) -> None:
    allowed = read_config(post.box.folder / "box.toml").audit.connections
    with contextlib.ExitStack() as stack:
        held = [stack.enter_context(connected(post)) for _ in range(allowed)]
        for session in held:  # each is served, and kept
            session.sendall(f"HEAD {LOG}/checkpoint HTTP/1.1\r\nHost: box\r\n\r\n".encode())
            assert session.recv(1) == b"H"
        assert get(post, f"{LOG}/checkpoint")[0] in (503, 0)
        session = held[0]
        session.sendall(f"GET {LOG}/checkpoint HTTP/1.1\r\nHost: box\r\nConnection: close\r\n\r\n".encode())
        assert b"la-0001.1" in read_all(session)
    assert eventually(post)


def test_who_takes_nothing_of_his_answer_costs_no_memory_and_holds_nobody_up(post: Audited) -> None:
    with connected(post) as deaf:
        deaf.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        request = f"GET /bodies/{ORIGIN}/{a_body(post)}.age HTTP/1.1\r\nHost: box\r\n\r\n".encode()
        with contextlib.suppress(TimeoutError, ConnectionError, ssl.SSLError):
            deaf.settimeout(1.0)
            for _ in range(2_000):
                deaf.sendall(request)
        assert get(post, f"{LOG}/checkpoint")[0] == 200
    assert eventually(post)


# --- the rate ---------------------------------------------------------------------------------------------------------


def test_all_connections_together_get_no_more_than_the_rate(post: Audited) -> None:
    """40,000 bytes a second, one second's worth at once: some 120 KB take two seconds and not much less."""
    config = post.box.folder / "slow.toml"
    text = (post.box.folder / "box.toml").read_text()
    slow = Audited(post.box, post.home, post.stick, free_port())
    config.write_text(text.replace(str(RATE), "40000").replace(f"port = {post.port}", f"port = {slow.port}"))
    slow.serve(config)
    body = f"/bodies/{ORIGIN}/{a_body(post)}.age"
    fetched: list[int] = []

    def fetch() -> None:
        fetched.extend(len(get(slow, body)[1]) for _ in range(4))

    began = time.monotonic()
    threads = [threading.Thread(target=fetch) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    elapsed = time.monotonic() - began
    assert sum(fetched) > 100_000
    assert elapsed >= (sum(fetched) - 40_000) / 40_000 * 0.9


# --- what comes back --------------------------------------------------------------------------------------------------


def put(post: Audited, note: bytes, origin: str = ORIGIN) -> tuple[int, bytes]:
    head = f"PUT /cosigned/{origin} HTTP/1.1\r\nHost: box\r\nConnection: close\r\nContent-Length: {len(note)}\r\n\r\n"
    return ask(post, head.encode() + note)


@pytest.mark.parametrize("note", [b"", b"x", b"x" * 20_000, b"x" * 200_000])
def test_what_is_no_cosigned_checkpoint_is_refused(post: Audited, note: bytes) -> None:
    assert put(post, note)[0] in (0, 409, 413)
    assert not (post.box.state / "cosigned").exists()


def test_a_checkpoint_that_headquarters_did_not_cosign_is_refused_in_words(post: Audited) -> None:
    status, words = put(post, (post.box.state / "log" / "checkpoint").read_bytes())
    assert (status, b"not signed by" in words) == (409, True)
    assert put(post, b"x", "landlink.example/la-0001.2")[0] == 404
    assert not (post.box.state / "cosigned").exists()
