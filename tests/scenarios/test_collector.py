"""The collector, asked by friend and foe: real process, real TLS 1.3 with both certificates."""

import base64
import contextlib
import hashlib
import itertools
import json
import os
import socket
import sqlite3
import ssl
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from appliance.errors import UplinkFault
from appliance.formats.checkpoint import open_checkpoint
from appliance.formats.note import COSIGNATURE_ED25519, COSIGNATURE_MLDSA44, Verifier, parse_vkey
from appliance.formats.receipt import receipt_digest
from appliance.formats.tiles import tiles_of
from appliance.formats.upload import BatchItem, LogUpload
from appliance.model import Origin, Priority
from appliance.uplink.collector import Collector, Cosigned, Elsewhere, ItemRefused, LogRefused, Partly, Receipt, Taken
from appliance.uplink.index import Item
from appliance.uplink.link import Link, tls_context
from appliance.uplink.published import PublishedLog
from provisioning.authority.keys import COSIGN_ED25519, COSIGN_MLDSA44, load_ed25519, load_mldsa44
from tests.delivery_post import BIN, DOMAIN, Box, Headquarters, LogWriter, run, wait_until

SERIALS = (f"LA-{number:04d}" for number in itertools.count(1))
HOST = "localhost"


@pytest.fixture(scope="module")
def headquarters(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Headquarters]:
    made = Headquarters(tmp_path_factory.mktemp("hq"))
    made.start()
    yield made
    made.stop()


@pytest.fixture
def box(tmp_path: Path, headquarters: Headquarters) -> Box:
    return Box(tmp_path / "b", headquarters, next(SERIALS))


@pytest.fixture
def links() -> Iterator[Callable[[Box], Link]]:
    """Links of a box to its headquarters; closed with the test."""
    made: list[Link] = []

    def link(box: Box) -> Link:
        context = tls_context(box.state / "uplink")
        made.append(Link(HOST, box.headquarters.port, context, rate_bytes_per_s=1e6))
        return made[-1]

    yield link
    for each in made:
        each.close()


Links = Callable[[Box], Link]


@pytest.fixture
def client(box: Box, links: Links) -> Collector:
    return Collector(links(box), Origin(box.origin))


def upload_of(box: Box, start: int = 0) -> LogUpload:
    """The log from `start` on, with its newest checkpoint."""
    return LogUpload(from_index=start, leaves=tuple(box.log.leaves[start:]), checkpoint=box.log.note())


def batch_item(box: Box, leaf: int, body: bytes | None = None, sha256: bytes | None = None) -> BatchItem:
    sent = box.bodies[leaf] if body is None else body
    return BatchItem(
        origin=box.origin,
        index=leaf,
        priority=Priority.RECORD,
        sha256=sha256 or hashlib.sha256(box.bodies[leaf]).digest(),
        body=sent,
    )


def large_item(box: Box, leaf: int) -> Item:
    body = box.bodies[leaf]
    return Item(leaf=leaf, priority=Priority.BULK, size=len(body), sha256=hashlib.sha256(body).digest())


def alarms(headquarters: Headquarters, table: str, origin: str) -> list[tuple[object, ...]]:
    """Rows of the ledger's alarms, read from a copy: the collector holds the ledger for itself."""
    copy = sqlite3.connect(":memory:")
    stopped = headquarters.collector
    assert stopped is not None
    headquarters.stop()
    try:
        with sqlite3.connect(headquarters.data / "ledger.db") as ledger:
            ledger.backup(copy)
        ledger.close()
    finally:
        headquarters.start()
    rows = copy.execute(f"select * from {table} where origin = ?", (origin,)).fetchall()
    copy.close()
    return rows


# --- the log ----------------------------------------------------------------------------------------------------------


def test_a_whole_log_is_cosigned_by_both_keys_and_rebuilt_tile_by_tile(
    headquarters: Headquarters, box: Box, client: Collector
) -> None:
    for _ in range(600):
        box.seal(os.urandom(100))
    box.publish()
    answer = client.send_log(upload_of(box))
    assert isinstance(answer, Cosigned)
    name = f"{DOMAIN}/headquarters"
    ed25519 = load_ed25519(headquarters.home.key(COSIGN_ED25519)).public_key().public_bytes_raw()
    mldsa44 = load_mldsa44(headquarters.home.key(COSIGN_MLDSA44)).public_key().public_bytes_raw()
    cosigners = [Verifier(name, COSIGNATURE_ED25519, ed25519), Verifier(name, COSIGNATURE_MLDSA44, mldsa44)]
    log_key = parse_vkey((box.state / "log.vkey").read_text().strip())
    checkpoint, opened = open_checkpoint(answer.note, log_key, *cosigners)
    assert checkpoint.size == 601
    for cosigner in cosigners:
        opened.require(cosigner)
    copy = headquarters.data / "log" / box.origin
    assert (copy / "checkpoint").read_bytes() == answer.note
    for tile in tiles_of(601):
        assert (copy / tile.path).read_bytes() == (box.state / "log" / tile.path).read_bytes()


def test_a_long_log_goes_up_in_parts_that_each_hold_by_themselves(
    headquarters: Headquarters, box: Box, client: Collector
) -> None:
    for _ in range(700):
        box.seal(os.urandom(100))
    box.publish()
    published = PublishedLog(box.state / "log", box.state / "log.vkey")
    head = published.head()
    assert head is not None
    sizes: list[int] = []
    start = 0
    while True:
        answer = client.send_log(published.part(head, start, bytes_max=60_000))
        if isinstance(answer, Cosigned):
            break
        assert isinstance(answer, Taken)
        assert not (headquarters.data / "log" / box.origin / "checkpoint").exists()
        start = answer.size
        sizes.append(start)
    assert len(sizes) >= 3
    assert client.have().size == 701


def test_a_part_whose_proof_does_not_hold_is_refused_and_nothing_of_it_stays(box: Box, client: Collector) -> None:
    for _ in range(20):
        box.seal(os.urandom(100))
    whole = upload_of(box)
    part = LogUpload(from_index=0, leaves=whole.leaves[:7], checkpoint=whole.checkpoint, proof=(b"\x01" * 32,) * 4)
    assert isinstance(client.send_log(part), LogRefused)
    assert client.have().size == 0
    assert isinstance(client.send_log(whole), Cosigned)


def test_a_part_that_begins_elsewhere_is_answered_with_where_to_go_on(
    box: Box, client: Collector, links: Links
) -> None:
    box.seal(b"one")
    client.send_log(upload_of(box))
    box.seal(b"two")
    assert isinstance(client.send_log(upload_of(box, start=0)), Elsewhere)
    answer = links(box).request("POST", f"/v1/log/{box.origin}", body=b"")
    assert answer.status == 400  # and what is no upload at all is refused as that
    assert client.have().size == 2


def test_a_log_that_went_back_is_refused_by_name_and_what_it_signed_is_kept(
    headquarters: Headquarters, box: Box, client: Collector
) -> None:
    for body in (b"one", b"two", b"three"):
        box.seal(body)
    client.send_log(upload_of(box))
    lost = LogWriter.like(box, box.log.leaves[:2])
    answer = client.send_log(LogUpload(from_index=2, leaves=(), checkpoint=lost.note()))
    assert answer == LogRefused(why="rolled back: it has 2 entries, headquarters' copy has 4")
    ((origin, kind, evidence, _, _),) = alarms(headquarters, "alarm", box.origin)
    assert (origin, kind, evidence) == (box.origin, "rollback", lost.note())


@pytest.mark.parametrize("longer", [0, 1, 5])
def test_a_forked_log_is_refused_by_name_and_what_it_signed_is_kept(
    headquarters: Headquarters, box: Box, client: Collector, longer: int
) -> None:
    for body in (b"one", b"two", b"three"):
        box.seal(body)
    client.send_log(upload_of(box))
    fork = LogWriter.like(box, box.log.leaves[:2])
    fork.append_leaf(box.log.leaves[3])  # the same statements in another order, each still verifying
    fork.append_leaf(box.log.leaves[2])
    for _ in range(longer):
        fork.append_leaf(box.log.leaves[2])
    answer = client.send_log(LogUpload(from_index=4, leaves=tuple(fork.leaves[4:]), checkpoint=fork.note()))
    assert isinstance(answer, LogRefused)
    assert "fork" in answer.why
    ((_, _, evidence, words, _),) = alarms(headquarters, "alarm", box.origin)
    assert evidence == fork.note()
    assert "fork" in str(words)
    assert client.have().size == 4


def test_a_statement_by_a_key_that_nobody_certified_is_refused_by_its_place(box: Box, client: Collector) -> None:
    box.seal(b"one")
    box.log.key = Ed25519PrivateKey.generate()
    box.seal(b"two")
    answer = client.send_log(upload_of(box))
    assert isinstance(answer, LogRefused)
    assert answer.why.startswith("entry 2:")


def test_a_leaf_that_is_no_statement_is_refused(box: Box, client: Collector) -> None:
    box.log.append_leaf(b"hello")
    answer = client.send_log(upload_of(box))
    assert isinstance(answer, LogRefused)
    assert answer.why.startswith("entry 1:")
    assert client.have().size == 0


def test_a_new_epoch_is_taken_after_the_collector_started_again(
    headquarters: Headquarters, box: Box, client: Collector
) -> None:
    for _ in range(300):
        box.seal(os.urandom(50))
    client.send_log(upload_of(box))
    headquarters.stop()
    headquarters.start()
    size = box.log.edge.size
    box.seal(b"same epoch")
    box.log.start_epoch()
    box.seal(b"next epoch")
    assert isinstance(client.send_log(upload_of(box, start=size)), Cosigned)


# --- bodies -----------------------------------------------------------------------------------------------------------


def test_receipts_are_signed_chained_and_the_same_when_asked_again(
    headquarters: Headquarters, box: Box, client: Collector
) -> None:
    leaves = [box.seal(os.urandom(2_000)) for _ in range(10)]
    client.send_log(upload_of(box))
    results = client.send_batch([batch_item(box, leaf) for leaf in leaves])
    receipts = [headquarters.receipt(result.receipt) for result in results]
    assert [receipt.index for receipt in receipts] == leaves
    for earlier, later, receipt in zip(results, results[1:], receipts[1:], strict=False):
        assert receipt.previous == receipt_digest(earlier.receipt)
        assert later.status == 200
    again = client.send_batch([batch_item(box, leaf) for leaf in leaves])
    asked = client.send_batch([batch_item(box, leaf, body=b"") for leaf in leaves])
    assert [r.receipt for r in results] == [r.receipt for r in again] == [r.receipt for r in asked]


def test_one_bad_item_is_refused_by_name_and_blocks_nothing(
    headquarters: Headquarters, box: Box, client: Collector
) -> None:
    good, flipped, conflicting, silent = (box.seal(os.urandom(2_000)) for _ in range(4))
    client.send_log(upload_of(box))
    damaged = bytearray(box.bodies[flipped])
    damaged[777] ^= 0x10
    other = os.urandom(2_000)
    early = box.seal(b"its statement is not up yet")
    results = client.send_batch(
        [
            batch_item(box, flipped, body=bytes(damaged)),
            batch_item(box, conflicting, body=other, sha256=hashlib.sha256(other).digest()),
            batch_item(box, silent, body=b""),
            batch_item(box, early),
            BatchItem(origin=f"{DOMAIN}/zz-9999.1", index=1, priority=Priority.RECORD, sha256=bytes(32), body=b"x"),
            BatchItem(origin=box.origin, index=0, priority=Priority.RECORD, sha256=bytes(32), body=b"x"),
            batch_item(box, good),
        ]
    )
    assert [result.status for result in results] == [422, 409, 404, 425, 403, 400, 200]
    assert "damaged" in results[0].why
    assert "conflict" in results[1].why
    assert not headquarters.body(box, flipped).exists()
    ((_, leaf, sha256, _),) = alarms(headquarters, "conflict", box.origin)
    assert (leaf, sha256) == (conflicting, hashlib.sha256(other).digest())
    (mended,) = client.send_batch([batch_item(box, flipped)])
    assert mended.status == 200
    assert headquarters.body(box, flipped).read_bytes() == box.bodies[flipped]


def test_what_headquarters_has_is_told_with_its_gaps(box: Box, client: Collector) -> None:
    leaves = [box.seal(os.urandom(100)) for _ in range(8)]  # 1 to 8; 0 starts the epoch
    client.send_log(upload_of(box))
    client.send_batch([batch_item(box, leaf) for leaf in (2, 3, 7)])
    have = client.have()
    assert (have.size, have.high_water, have.gaps) == (len(leaves) + 1, 7, ((0, 1), (4, 6)))


def test_opened_through_is_what_headquarters_says_when_it_signs(
    headquarters: Headquarters, box: Box, client: Collector
) -> None:
    first, second = box.seal(b"one"), box.seal(b"two")
    client.send_log(upload_of(box))
    (before,) = client.send_batch([batch_item(box, first)])
    opened = headquarters.home.opened_file(box.origin)
    opened.parent.mkdir(exist_ok=True)
    opened.write_text(json.dumps({"origin": box.origin, "opened_through": 1, "at_ms": 1}))
    (after,) = client.send_batch([batch_item(box, second)])
    assert headquarters.receipt(before.receipt).opened_through == -1
    assert headquarters.receipt(after.receipt).opened_through == 1


# --- large bodies -----------------------------------------------------------------------------------------------------


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


def cut_patch(box: Box, item: Item, body: bytes, bytes_sent: int) -> None:
    """Begin a PATCH that promises the whole body, send so many bytes of it, and tear the connection."""
    context = tls_context(box.state / "uplink")
    with socket.create_connection((HOST, box.headquarters.port)) as plain:
        connection = context.wrap_socket(plain, server_hostname=HOST)
        connection.sendall(patch_head(box, item, 0, len(body)) + body[:bytes_sent])
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\0\0\0\0\0\0\0")
        connection.close()


def patch_head(box: Box, item: Item, offset: int, length: int) -> bytes:
    digest = base64.b64encode(item.sha256).decode()
    return (
        f"PATCH /v1/up/{box.origin}/{item.leaf}/{item.sha256.hex()} HTTP/1.1\r\nHost: {HOST}\r\n"
        f"Content-Type: application/partial-upload\r\nUpload-Offset: {offset}\r\nUpload-Length: {item.size}\r\n"
        f"Upload-Complete: ?1\r\nRepr-Digest: sha-256=:{digest}:\r\nContent-Length: {length}\r\n\r\n"
    ).encode()


@pytest.mark.parametrize("cut", [0, 1, 511, 16_384, 65_536, 65_537, 150_000, 199_999])
def test_an_upload_cut_anywhere_goes_on_where_the_collector_says(
    headquarters: Headquarters, box: Box, client: Collector, cut: int
) -> None:
    leaf = box.seal(os.urandom(200_000), Priority.BULK)
    client.send_log(upload_of(box))
    item = large_item(box, leaf)
    cut_patch(box, item, box.bodies[leaf], cut)
    answer = client.offset(item)
    assert isinstance(answer, Partly)
    assert answer.offset <= cut
    ended = client.send_part(item, offset=answer.offset, part=box.bodies[leaf][answer.offset :])
    assert isinstance(ended, Receipt)
    assert headquarters.receipt(ended.receipt).sha256 == item.sha256
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
        assert b" 409 " in stalled.recv(1_000).splitlines()[0]
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


# --- who may ----------------------------------------------------------------------------------------------------------


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


# --- bounds -----------------------------------------------------------------------------------------------------------


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


@pytest.mark.parametrize("harm", ["gone", "flipped"])
def test_a_damaged_copy_of_one_log_is_named_and_stops_nobody_else(
    tmp_path: Path, headquarters: Headquarters, box: Box, client: Collector, links: Links, harm: str
) -> None:
    for _ in range(3):
        box.seal(os.urandom(100))
    client.send_log(upload_of(box))
    tile = headquarters.data / "log" / box.origin / "tile" / "0" / "000.p" / "4"
    headquarters.stop()
    if harm == "gone":
        tile.unlink()
    else:
        tile.write_bytes(bytes([tile.read_bytes()[0] ^ 1]) + tile.read_bytes()[1:])
    headquarters.start()
    answer = links(box).request("GET", f"/v1/have/{box.origin}")
    assert answer.status == 400
    assert answer.words.startswith("headquarters' own copy of this log")
    other = Box(tmp_path / "o", headquarters, next(SERIALS))
    assert isinstance(Collector(links(other), Origin(other.origin)).send_log(upload_of(other)), Cosigned)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A folder that holds 2 MiB."""
    folder = tmp_path / "small"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", str(folder)]
    if subprocess.run(mount, check=False, capture_output=True).returncode != 0:
        pytest.skip("mounting a tmpfs needs root")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


@pytest.mark.root
def test_a_full_disk_gives_no_receipt_and_takes_bodies_again_when_there_is_room(
    tmp_path: Path, small_disk: Path, links: Links
) -> None:
    headquarters = Headquarters(tmp_path)
    headquarters.data = small_disk
    headquarters.start()
    box = Box(tmp_path / "b", headquarters)
    client = Collector(links(box), Origin(box.origin))
    leaves = [box.seal(os.urandom(50_000)) for _ in range(4)]
    client.send_log(upload_of(box))
    filler = small_disk / "filler"
    with filler.open("wb", buffering=0) as filling, contextlib.suppress(OSError):
        while filling.write(bytes(4_096)):
            pass
    with pytest.raises(UplinkFault):
        client.send_batch([batch_item(box, leaf) for leaf in leaves])
    filler.unlink()
    collector = headquarters.collector
    assert collector is not None
    if collector.popen.poll() is not None:  # storage that failed ends it; its supervisor starts it anew
        assert collector.popen.returncode in (73, 74)
        headquarters.start()
    results = client.send_batch([batch_item(box, leaf) for leaf in leaves])
    assert [result.status for result in results] == [200] * 4
    assert [headquarters.body(box, leaf).read_bytes() for leaf in leaves] == [box.bodies[leaf] for leaf in leaves]
    headquarters.stop()


def test_the_collector_ends_within_seconds_although_a_connection_hangs(
    tmp_path: Path,
) -> None:
    headquarters = Headquarters(tmp_path)
    process = headquarters.start()
    box = Box(tmp_path / "b", headquarters)
    context = tls_context(box.state / "uplink")
    with socket.create_connection((HOST, headquarters.port)) as plain:
        connection = context.wrap_socket(plain, server_hostname=HOST)
        connection.sendall(b"POST /v1/batch HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\nabc")
        process.popen.terminate()
        process.popen.wait(10)
        connection.close()
    lines = process.said().splitlines()
    assert len([line for line in lines if "listening" in line]) == 1


def test_a_port_in_use_is_named_and_the_exit_code_is_the_configurations(headquarters: Headquarters) -> None:
    done = subprocess.run(
        [
            str(BIN / "landlink-hq"),
            "--home",
            str(headquarters.home_folder),
            "collect",
            "--data",
            str(headquarters.folder / "second"),
            "--listen",
            f"127.0.0.1:{headquarters.port}",
        ],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 78
    assert f"--listen 127.0.0.1:{headquarters.port}" in done.stderr
