"""Large bodies at the collector: in parts, cut anywhere, damaged, superseded, killed."""

import base64
import contextlib
import os
import socket
from collections.abc import Callable
from functools import partial

import pytest

from appliance.errors import UplinkFault
from appliance.model import Priority
from appliance.uplink.collector import Collector, ItemRefused, Partly, Receipt, UploadAnswer
from appliance.uplink.link import tls_context
from tests.collector_bed import HOST, Links, cut_patch, large_item, patch_head, upload_of
from tests.delivery_post import Box, Headquarters, wait_until


def test_a_large_body_goes_up_in_parts_and_ends_with_its_receipt(
    headquarters: Headquarters, box: Box, client: Collector
) -> None:
    leaf = box.seal(os.urandom(300_000), Priority.BULK)
    client.send_log(upload_of(box))
    item = large_item(box, leaf)
    assert client.offset(item) == Partly(offset=0)
    offset = 0
    while True:
        answer = client.send_part(item, offset=offset, part=box.bodies[leaf][offset : offset + 70_000])
        if isinstance(answer, Receipt):
            break
        assert isinstance(answer, Partly)
        assert client.offset(item) == answer
        offset = answer.offset
    receipt = headquarters.receipt(answer.receipt)
    assert (receipt.index, receipt.size) == (leaf, 300_000)
    assert headquarters.body(box, leaf).read_bytes() == box.bodies[leaf]
    assert client.offset(item) == Partly(offset=300_000)
    assert client.send_part(item, offset=300_000, part=b"") == answer  # the answer was lost: the same receipt
    assert not list((headquarters.data / "partial" / box.origin.rpartition("/")[2]).iterdir())


def settled(ask: Callable[[], UploadAnswer]) -> UploadAnswer:
    """Ask again as the uplink does while what the torn connection still carried arrives behind the question."""
    for _ in range(100):
        with contextlib.suppress(UplinkFault):
            return ask()
    raise AssertionError("the torn connection never ended")


@pytest.mark.parametrize("cut", [0, 1, 511, 16_384, 65_536, 65_537, 150_000, 199_999])
def test_an_upload_cut_anywhere_goes_on_where_the_collector_says(
    headquarters: Headquarters, box: Box, client: Collector, cut: int
) -> None:
    leaf = box.seal(os.urandom(200_000), Priority.BULK)
    client.send_log(upload_of(box))
    item = large_item(box, leaf)
    cut_patch(box, item, box.bodies[leaf], cut)
    answer = first = settled(partial(client.offset, item))
    assert isinstance(first, Partly)
    assert first.offset <= cut
    while isinstance(answer, Partly):
        rest = box.bodies[leaf][answer.offset :]
        answer = settled(partial(client.send_part, item, offset=answer.offset, part=rest))
    assert isinstance(answer, Receipt)
    assert headquarters.receipt(answer.receipt).sha256 == item.sha256
    assert headquarters.body(box, leaf).read_bytes() == box.bodies[leaf]


def test_a_part_at_the_wrong_offset_is_told_the_right_one(box: Box, client: Collector) -> None:
    leaf = box.seal(os.urandom(200_000), Priority.BULK)
    client.send_log(upload_of(box))
    item = large_item(box, leaf)
    client.send_part(item, offset=0, part=box.bodies[leaf][:50_000])
    assert client.send_part(item, offset=70_000, part=box.bodies[leaf][70_000:]) == Partly(offset=50_000)


def test_the_newest_request_ends_the_older_on_the_same_body(box: Box, client: Collector) -> None:
    leaf = box.seal(os.urandom(200_000), Priority.BULK)
    client.send_log(upload_of(box))
    item = large_item(box, leaf)
    context = tls_context(box.state / "uplink")
    with (
        socket.create_connection((HOST, box.headquarters.port), timeout=30) as plain,
        context.wrap_socket(plain, server_hostname=HOST) as stalled,
    ):
        stalled.sendall(patch_head(box, item, 0, 200_000) + box.bodies[leaf][:30_000])
        part = box.headquarters.data / "partial" / box.origin.rpartition("/")[2] / f"{leaf}.{item.sha256.hex()}"
        wait_until(lambda: part.exists() and part.stat().st_size == 30_000, "the first part on disk")
        assert client.offset(item) == Partly(offset=30_000)  # answered at once: the stalled one is ended
        assert b" 503 " in stalled.recv(1_000).splitlines()[0]
    ended = client.send_part(item, offset=30_000, part=box.bodies[leaf][30_000:])
    assert isinstance(ended, Receipt)


def test_a_large_body_with_a_flipped_bit_is_refused_and_can_be_sent_again(
    headquarters: Headquarters, box: Box, client: Collector
) -> None:
    leaf = box.seal(os.urandom(200_000), Priority.BULK)
    client.send_log(upload_of(box))
    item = large_item(box, leaf)
    damaged = bytearray(box.bodies[leaf])
    damaged[123_456] ^= 1
    refused = client.send_part(item, offset=0, part=bytes(damaged))
    assert isinstance(refused, ItemRefused)
    assert (refused.status, refused.why.partition(":")[0]) == (422, "damaged")
    assert client.offset(item) == Partly(offset=0)
    assert isinstance(client.send_part(item, offset=0, part=box.bodies[leaf]), Receipt)
    assert headquarters.body(box, leaf).read_bytes() == box.bodies[leaf]


def test_a_part_that_survived_a_killed_collector_counts(
    headquarters: Headquarters, box: Box, client: Collector
) -> None:
    leaf = box.seal(os.urandom(200_000), Priority.BULK)
    client.send_log(upload_of(box))
    item = large_item(box, leaf)
    client.send_part(item, offset=0, part=box.bodies[leaf][:90_000])
    assert headquarters.collector is not None
    headquarters.collector.kill()
    headquarters.start()
    assert client.offset(item) == Partly(offset=90_000)
    assert isinstance(client.send_part(item, offset=90_000, part=box.bodies[leaf][90_000:]), Receipt)


@pytest.mark.parametrize(
    "changed",
    [
        {"Upload-Length": "199999"},
        {"Upload-Offset": "-1"},
        {"Upload-Offset": "200001"},
        {"Upload-Offset": "0x0"},
        {"Repr-Digest": "sha-256=:AAAA:"},
        {"Content-Type": "text/plain"},
    ],
)
def test_an_upload_with_other_headers_than_its_statement_wants_is_refused(
    box: Box, client: Collector, links: Links, changed: dict[str, str]
) -> None:
    leaf = box.seal(os.urandom(200_000), Priority.BULK)
    client.send_log(upload_of(box))
    item = large_item(box, leaf)
    headers = {
        "Content-Type": "application/partial-upload",
        "Upload-Offset": "0",
        "Upload-Length": "200000",
        "Repr-Digest": f"sha-256=:{base64.b64encode(item.sha256).decode()}:",
        **changed,
    }
    address = f"/v1/up/{box.origin}/{leaf}/{item.sha256.hex()}"
    assert links(box).request("PATCH", address, headers=headers, body=b"x").status == 400
