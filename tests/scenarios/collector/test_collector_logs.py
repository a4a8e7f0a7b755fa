"""Logs at the collector: cosigned whole, taken in parts, refused by name when they went back or forked."""

import os
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from appliance.formats.checkpoint import open_checkpoint
from appliance.formats.note import COSIGNATURE_ED25519, COSIGNATURE_MLDSA44, Verifier, parse_vkey
from appliance.formats.release import COSIGN_ED25519, COSIGN_MLDSA44
from appliance.formats.tiles import tiles_of
from appliance.formats.upload import LogUpload
from appliance.model import Origin
from appliance.uplink.collector import Collector, Cosigned, Elsewhere, LogRefused, Taken
from appliance.uplink.published import PublishedLog
from provisioning.authority.keys import load_ed25519, load_mldsa44
from tests.collector_bed import SERIALS, Links, alarms, upload_of
from tests.delivery_post import DOMAIN, Box, Headquarters, LogWriter


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
