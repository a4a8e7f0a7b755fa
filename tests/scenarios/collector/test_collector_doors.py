"""Who may ask the collector for what, and what is out of bounds."""

import contextlib
import os
import socket
import ssl
from pathlib import Path

import pytest

from appliance.errors import UplinkFault
from appliance.model import Origin, Priority
from appliance.uplink.collector import Collector, Partly
from appliance.uplink.link import Link, tls_context
from tests.collector_bed import HOST, SERIALS, Links, batch_item, large_item, patch_head, upload_of
from tests.delivery_post import Box, Headquarters, run


def test_a_box_can_neither_write_nor_read_anothers_log(tmp_path: Path, headquarters: Headquarters, box: Box) -> None:
    box.seal(b"one")
    stranger = Box(tmp_path / "s", headquarters, next(SERIALS))
    link = Link(HOST, headquarters.port, tls_context(stranger.state / "uplink"), rate_bytes_per_s=1e6)
    as_other = Collector(link, Origin(box.origin))
    with pytest.raises(UplinkFault, match=r"403.*not this box's"):
        as_other.send_log(upload_of(box))
    with pytest.raises(UplinkFault, match="403"):
        as_other.have()
    for path in (f"/log/{box.origin}/checkpoint", f"/bodies/{box.origin}/1.age"):
        assert link.request("GET", path).status == 403
    link.close()


def test_nobody_comes_in_without_a_certificate_of_headquarters(headquarters: Headquarters) -> None:
    context = ssl.create_default_context(cafile=str(headquarters.home.ca / "ca.crt"))
    with socket.create_connection((HOST, headquarters.port)) as plain:
        connection = context.wrap_socket(plain, server_hostname=HOST)
        answer = b""
        with contextlib.suppress(OSError):  # an alert, or the end: both are a refusal
            connection.sendall(b"GET /tuf/metadata/timestamp.json HTTP/1.1\r\nHost: x\r\n\r\n")
            answer = connection.recv(1)
        connection.close()
    assert answer == b""


def test_a_revoked_box_is_refused_on_the_connection_that_it_already_has(
    headquarters: Headquarters, box: Box, client: Collector
) -> None:
    assert client.have().size == 0
    run("landlink-hq", "--home", headquarters.home_folder, "revoke", box.serial)
    with pytest.raises(UplinkFault, match=f"box {box.serial} is revoked"):
        client.have()


def test_the_auditor_reads_logs_and_bodies_and_can_bring_nothing(
    headquarters: Headquarters, box: Box, client: Collector
) -> None:
    leaf = box.seal(b"sealed body")
    client.send_log(upload_of(box))
    client.send_batch([batch_item(box, leaf)])
    context = ssl.create_default_context(cafile=str(headquarters.home.ca / "ca.crt"))
    context.load_cert_chain(headquarters.home.ca / "auditor.crt", headquarters.home.ca / "auditor.key")
    auditor = Link(HOST, headquarters.port, context, rate_bytes_per_s=1e6)
    assert auditor.request("GET", f"/log/{box.origin}/checkpoint").body.startswith(box.origin.encode())
    assert auditor.request("GET", f"/bodies/{box.origin}/{leaf}.age").body == b"sealed body"
    assert auditor.request("GET", f"/log/{box.origin}/../../../ledger.db").status == 404
    assert auditor.request("GET", "/bodies/%2e%2e/ledger.db").status == 404
    assert auditor.request("POST", "/v1/batch", body=b"").status == 403
    auditor.close()


@pytest.mark.parametrize(
    ("target", "body", "status"),
    [
        ("/v1/batch", b"\x00\x00\x00\x05hello", 400),
        ("/v1/batch", b"\xff" * 300, 400),
        ("/v1/batch", bytes(400_000), 413),
        ("/v1/nothing", b"", 404),
    ],
)
def test_what_is_out_of_bounds_is_refused_and_harms_nobody(
    box: Box, client: Collector, links: Links, target: str, body: bytes, status: int
) -> None:
    assert links(box).request("POST", target, body=body).status == status
    assert client.have().size == 0


def test_connections_that_idle_trickle_or_stall_are_cut_and_what_came_is_kept(box: Box, client: Collector) -> None:
    leaf = box.seal(os.urandom(200_000), Priority.BULK)
    client.send_log(upload_of(box))
    item = large_item(box, leaf)
    context = tls_context(box.state / "uplink")
    with contextlib.ExitStack() as closing:

        def begin(begun: bytes) -> ssl.SSLSocket:
            plain = closing.enter_context(socket.create_connection((HOST, box.headquarters.port), timeout=40))
            connection = closing.enter_context(context.wrap_socket(plain, server_hostname=HOST))
            connection.sendall(begun)
            return connection

        silent = begin(b"")
        endless = begin(b"GET /tuf/ HTTP/1.1\r\nHost: x\r\nX-Slow: ")
        stalled = begin(patch_head(box, item, 0, 200_000) + box.bodies[leaf][:1_000])
        # Each is cut after 20 s; the sockets' own limit is 40 s.
        assert silent.recv(1) == b""
        assert endless.recv(1) == b""
        assert b" 408 " in stalled.recv(1_000).splitlines()[0]
    assert client.offset(item) == Partly(offset=1_000)
