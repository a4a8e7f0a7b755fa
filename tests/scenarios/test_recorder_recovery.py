"""Recovery, in the test's own process: torn tails, damage, and what a box does that has lost what it published."""

import contextlib
import hashlib
import shutil
import subprocess
from collections.abc import Generator
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from appliance.clock import Grade, SystemClock
from appliance.errors import StorageFault
from appliance.formats.cbor import pack
from appliance.formats.checkpoint import Checkpoint, sign_checkpoint
from appliance.formats.identity import PreviousOrigin, Role, verify_certificate
from appliance.formats.merkle import root_hash
from appliance.formats.note import LogSigner
from appliance.formats.statement import parse_statement, verify_epoch_start
from appliance.formats.wire import Event, Hello
from appliance.model import Mode
from appliance.record.journal import Frame, Journal, parse_journal
from appliance.record.journals import ROTATE_FRAMES
from appliance.record.keys import read_log_key
from appliance.record.log import Attached
from appliance.record.origin import Succession
from appliance.record.places import Places
from appliance.record.recovery import Recovered, recover
from appliance.record.signing import Signing
from drivers.key_store import FileKeyStore
from tests.scenarios.recorder_bed import Bed, append, bed, nodes_of, record, recorded


@pytest.fixture
def box() -> Generator[Bed]:
    with bed() as made:
        yield made


def places(box: Bed) -> Places:
    return Places(box.state, box.folder / "run")


def signing(box: Bed) -> Signing:
    return Signing(
        serial="LA-0001",
        identity=FileKeyStore(places(box).identity_key),
        log_key=read_log_key(places(box).log_key),
        mode=Mode.LIVE,
        software="0.1.0",
        clock=SystemClock(grade=lambda: Grade.NONE, lower_bound_ms=lambda: 0),
    )


def recovered(box: Bed) -> Recovered:
    found = recover(places(box), signing(box), picture_share=0.01)
    found.log.publisher.publish()
    return found


def events(box: Bed, count: int) -> Recovered:
    """A log of an epoch's start and so many events; its journal is closed as by a kill."""
    found = recovered(box)
    found.log.begin_epoch()
    for _ in range(count):
        found.log.event("page_started", {}, Attached())
    found.log.publisher.publish()
    found.log.journal.close()
    return found


def test_a_journal_torn_at_every_byte_of_its_last_frame_gives_all_frames_before_it(box: Bed) -> None:
    last = events(box, 3).log
    (journal,) = box.journals
    data = journal.read_bytes()
    whole = parse_journal(data)
    one_less = parse_journal(data[: whole.end - 1])
    assert len(whole.frames) == len(one_less.frames) + 1 == last.size
    for cut in range(one_less.end, whole.end):
        torn = parse_journal(data[:cut])
        assert (torn.frames, torn.end) == (one_less.frames, one_less.end)


@pytest.mark.parametrize("lost", [1, 17, 400])
def test_a_torn_last_frame_that_nobody_saw_is_cut_off_and_the_log_goes_on(box: Bed, lost: int) -> None:
    events(box, 2)
    checkpoint = (box.state / "log" / "checkpoint").read_bytes()
    found = recovered(box)
    found.log.begin_epoch()
    found.log.journal.close()
    (journal,) = box.journals
    journal.write_bytes(journal.read_bytes()[:-lost])
    assert (box.state / "log" / "checkpoint").read_bytes() == checkpoint
    again = recovered(box)
    assert (again.log.size, again.log.scribe.origin[-2:]) == (3, ".1")
    assert again.torn_bytes > 0
    again.log.journal.close()


def test_damage_before_the_last_frame_stops_everything(box: Bed) -> None:
    events(box, 3)
    (journal,) = box.journals
    data = bytearray(journal.read_bytes())
    data[len(data) // 2] ^= 1
    journal.write_bytes(data)
    with pytest.raises(StorageFault, match="damaged"):
        recovered(box)
    assert journal.read_bytes() == data


def test_a_frame_that_was_signed_over_another_tree_stops_everything(box: Bed) -> None:
    events(box, 1)
    (journal,) = box.journals
    contents = parse_journal(journal.read_bytes())
    journal.unlink()
    first, second = contents.frames
    swapped = [first, Frame(index=1, leaf=b"other", checkpoint=second.checkpoint)]
    Journal.create(journal, contents.header, swapped).close()
    with pytest.raises(StorageFault, match="another tree"):
        recovered(box)


@pytest.mark.parametrize("gone", ["journal", "tiles", "last entries"])
def test_a_box_that_lost_what_it_published_opens_a_new_origin_that_names_the_old(box: Bed, gone: str) -> None:
    events(box, 5)
    old, nodes = box.checkpoint(), nodes_of(box.leaves())
    vkey = box.verifier
    (journal,) = box.journals
    if gone == "journal":
        journal.unlink()
        known = old
    elif gone == "tiles":
        journal.unlink()
        shutil.rmtree(box.state / "log")
        cosign(box, old)
        known = Checkpoint(origin=old.origin, size=0, root=hashlib.sha256(b"").digest())
    else:
        contents = parse_journal(journal.read_bytes())
        journal.write_bytes(journal.read_bytes()[: contents.end - 200])
        known = Checkpoint(origin=old.origin, size=5, root=root_hash(5, nodes))
    found = recovered(box)
    found.log.begin_epoch()
    found.log.publisher.publish()
    found.log.journal.close()
    identity = signing(box).identity.public_key_der()
    certificate = verify_epoch_start(parse_statement(box.leaves()[0]), identity)
    assert certificate.origin == "landlink.example/la-0001.2" == box.verifier.name
    assert certificate.previous == PreviousOrigin(
        origin=old.origin,
        size=known.size,
        root=known.root,
        cosigned_size=old.size if gone == "tiles" else 0,
        cosigned_root=old.root if gone == "tiles" else None,
    )
    named = verify_certificate((box.state / "identity" / "log.cert").read_bytes(), role=Role.LOG, identity_der=identity)
    assert (named.name, named.public) == (certificate.origin, vkey.public)
    if gone != "tiles":
        assert (box.state / "former" / "la-0001.1" / "log" / "checkpoint").exists()
    again = recovered(box)
    again.log.begin_epoch()
    again.log.publisher.publish()
    again.log.journal.close()
    second = verify_epoch_start(parse_statement(box.leaves()[1]), identity)
    assert (second.epoch, second.previous) == (1, None), "a log follows another at its first entry alone"


def cosign(box: Bed, checkpoint: Checkpoint, key: Ed25519PrivateKey | None = None) -> None:
    """What this box keeps of a cosigned checkpoint, as far as recovery looks at it: the log's own signature."""
    signer = LogSigner(checkpoint.origin, key or signing(box).log_key)
    (box.state / "cosigned").write_bytes(sign_checkpoint(checkpoint, [signer]))


def test_a_box_restored_from_an_old_copy_does_not_sign_over_what_headquarters_cosigned(box: Bed) -> None:
    events(box, 3)
    backup = box.folder / "backup"
    shutil.copytree(box.state, backup, symlinks=True)
    events(box, 4)
    later = box.checkpoint()
    shutil.rmtree(box.state)
    shutil.copytree(backup, box.state, symlinks=True)
    cosign(box, later)
    found = recovered(box)
    assert found.log.scribe.origin == "landlink.example/la-0001.2"
    found.log.journal.close()


def test_a_succession_cut_off_at_any_step_is_finished_at_the_next_start(box: Bed) -> None:
    events(box, 2)
    old = box.checkpoint()
    previous = PreviousOrigin(origin=old.origin, size=old.size, root=old.root, cosigned_size=0, cosigned_root=None)
    intention = pack(Succession(origin="landlink.example/la-0001.2", previous=previous))
    steps: list[Path] = [box.state / "log", box.state / "bodies", box.state / "receipts"]
    former = box.state / "former" / "la-0001.1"
    former.mkdir(parents=True)
    for done in steps:
        places(box).succession.write_bytes(intention)
        done.rename(former / done.name)
    found = recovered(box)
    assert (found.log.scribe.origin, found.log.size) == ("landlink.example/la-0001.2", 0)
    assert not places(box).succession.exists()
    assert len(list((box.state / "recorder" / "former" / "la-0001.1").iterdir())) == 1
    found.log.journal.close()


def test_a_published_tree_that_was_torn_by_a_power_cut_is_published_again(box: Bed) -> None:
    """Nothing that is published is synced at once: after a power cut its files may be empty or old."""
    process = box.start()
    line = box.line()
    receipts = [recorded(line, append(record()), box.verifier) for _ in range(5)]
    process.kill()
    process.wait()
    shutil.rmtree(box.state / "log" / "tile")
    (box.state / "log" / "checkpoint").write_bytes(b"")
    for body in (box.state / "bodies").iterdir():
        body.write_bytes(b"\x00" * 10)
    process = box.start()
    box.stop(process)
    leaves = box.leaves()
    assert [leaves[receipt.index] for receipt in receipts] == [receipt.leaf for receipt in receipts]
    for receipt in receipts:
        assert box.opened(receipt.index).origin == box.verifier.name


def test_a_long_journal_is_followed_by_a_new_one_and_nothing_of_the_old_is_missing(box: Bed) -> None:
    """The turn of journals, its syncs a few at a time, and a kill behind it."""
    process = box.start()
    line = box.line()
    receipts = [recorded(line, append(record()), box.verifier) for _ in range(3)]
    (first,) = box.journals
    for _ in range(ROTATE_FRAMES):
        line.ask(Event(event="page_started", fields={}))
    while first in box.journals or len(box.journals) != 1:
        line.ask(Hello())
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(0.12)  # upkeep takes its turns in quiet moments
    # While the disk has no room for the whole reserve, a journal is turned a little earlier, by its bytes.
    assert parse_journal(box.journals[0].read_bytes()).header.size > ROTATE_FRAMES // 2
    receipts.append(recorded(line, append(record()), box.verifier))
    process.kill()
    process.wait()
    process = box.start()
    again = recorded(line, append(record()), box.verifier)
    box.stop(process)
    leaves = box.leaves()
    assert [leaves[receipt.index] for receipt in (*receipts, again)] == [receipt.leaf for receipt in (*receipts, again)]
