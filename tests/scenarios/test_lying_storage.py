"""A card that says "synced" and is not: after headquarters has seen the log, a power cut takes days of it back (I3).

The box's durable folder lies on the forgetful file system, which ignores every sync from one moment on. The box starts
on what is left, records on for a while without a link, and then meets headquarters, which has seen more.
"""

import atexit
import hashlib
import os
import random
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from tempfile import mkdtemp

import pytest

from appliance.formats.age import Identity
from appliance.formats.checkpoint import Checkpoint, parse_checkpoint
from appliance.formats.identity import PreviousOrigin
from appliance.formats.receipt import LogReceipt
from appliance.formats.statement import Carried, parse_statement, verify_epoch_start
from appliance.formats.tiles import read_entries
from drivers.key_store import FileKeyStore
from provisioning.audit.opened.opening import open_entry
from tests.crash.cuts import Disk, Luck
from tests.crash.post import Post, at_work, start_uplink, until
from tests.crash.trace import read_trace
from tests.scenarios.auditor import run
from tests.scenarios.recorder_bed import ORIGIN, Bed, append, record, record_identity, recorded

pytestmark = [
    pytest.mark.fuse,
    pytest.mark.skipif(
        shutil.which("fusermount3") is None or not os.access("/dev/fuse", os.W_OK), reason="no FUSE on this machine"
    ),
]

NEXT = "landlink.example/la-0001.2"
STORAGE_FAULT, UNTRUSTED = 74, 76


@dataclass(frozen=True, kw_only=True)
class Story:
    """What happened.

    Attributes:
        seen: The last checkpoint that headquarters cosigned before the cut.
        own: The box's own tree when it met headquarters again.
        offline: Receipts that the box gave after the cut, before it knew of its loss.
        ended: How the recorder ended that heard of it.
        pulled, pulled_again: Exit codes of `landlink-hq pull`: from the collector before, from the box's card after.
        leaves: The new log, as the collector has it.
        bodies: What the collector has of it.
        identity: Headquarters' record key.
        bed: The box; nothing runs.
        proof: Names of the notes that the second pull left as proof.
    """

    seen: Checkpoint
    own: Checkpoint
    offline: list[LogReceipt]
    ended: int
    pulled: int
    pulled_again: int
    leaves: list[bytes]
    bodies: dict[int, bytes]
    identity: Identity
    bed: Bed
    proof: list[str]


@cache
def story() -> Story:
    place = Path(mkdtemp(prefix="l-"))
    atexit.register(shutil.rmtree, place)
    with at_work(place / "trace") as (post, _):
        record_three(post)
        post.delivered()
        last_true = post.operations()
        record_three(post)
        post.delivered()
        until(lambda: cosigned(post.bed).size == post.bed.checkpoint().size, "the cosignature", post.uplink)
        seen = cosigned(post.bed)
        pulled = run(post.bed.home, "pull", str(post.bed.folder / "collector"))
        post.bed.close()
        lose(place / "trace", last_true, place / "left")
        return after_the_cut(post.bed, place / "left", seen, pulled)


def record_three(post: Post) -> None:
    for _ in range(3):
        recorded(post.line, append(record()), post.bed.verifier)


def cosigned(bed: Bed) -> Checkpoint:
    try:
        return parse_checkpoint((bed.state / "cosigned").read_text().partition("\n\n")[0] + "\n")
    except FileNotFoundError:
        return Checkpoint(origin=ORIGIN, size=0, root=bytes(32))


def lose(trace: Path, last_true: int, left: Path) -> None:
    """Lay out what the card has: nothing that it was told to sync after `last_true`."""
    with trace.open("rb") as file:
        operations = list(read_trace(file))
    lies = {number for number in range(last_true, len(operations)) if operations[number].kind == "sync"}
    disk = Disk(operations, ignores=lies)
    disk.tell(last_true)
    disk.settle()
    disk.tell(len(operations))
    left.mkdir()
    disk.cut(left, Luck.NOTHING, random.Random(1))


def after_the_cut(former: Bed, left: Path, seen: Checkpoint, pulled: int) -> Story:
    data = former.folder / "collector"
    (left / "run").mkdir()
    text = (former.folder / "box.toml").read_text()
    (left / "box.toml").write_text(text.replace(f'"{former.folder}/', f'"{left}/'))
    bed = Bed(left, former.home)
    try:
        recorder = bed.start()
        line = bed.line()
        offline = [recorded(line, append(record()), bed.verifier) for _ in range(2)]
        bed.settle()
        own = bed.checkpoint()
        pulled_again = run(bed.home, "pull", str(bed.state))
        proof = sorted(path.name for path in bed.home.pulled.rglob("*.note"))
        uplink = start_uplink(bed)
        ended = recorder.wait(60)
        recorder = bed.start()
        until(lambda: delivered(data), "the carried entries", uplink)
        return Story(
            seen=seen,
            own=own,
            offline=offline,
            ended=ended,
            pulled=pulled,
            pulled_again=pulled_again,
            leaves=log_of(data, NEXT),
            bodies={int(path.stem): path.read_bytes() for path in (data / "bodies" / NEXT).glob("*.age")},
            identity=record_identity(bed.home),
            bed=bed,
            proof=proof,
        )
    finally:
        bed.close()


def delivered(data: Path) -> bool:
    carried = [number for number, _ in carried_of(log_of(data, NEXT))]
    return len(carried) == 2 and all((data / "bodies" / NEXT / f"{number}.age").exists() for number in carried)


def log_of(data: Path, origin: str) -> list[bytes]:
    folder = data / "log" / origin
    if not (folder / "checkpoint").exists():
        return []
    checkpoint = parse_checkpoint((folder / "checkpoint").read_text().partition("\n\n")[0] + "\n")
    return list(read_entries(checkpoint.size, lambda path: (folder / path).read_bytes()))


def carried_of(leaves: list[bytes]) -> Iterator[tuple[int, Carried]]:
    for number, leaf in enumerate(leaves):
        kind = parse_statement(leaf).unverified.kind
        if isinstance(kind, Carried):
            yield number, kind


def test_headquarters_refuses_what_the_card_shows_now_and_keeps_both_signed_checkpoints() -> None:
    told = story()
    assert (told.pulled, told.pulled_again) == (0, UNTRUSTED)
    assert told.proof == ["seen.note", "shown.note"]


def test_the_box_signs_nothing_more_over_what_headquarters_has_seen_and_names_both_trees_in_a_new_log() -> None:
    told = story()
    assert told.ended == STORAGE_FAULT
    identity = FileKeyStore(told.bed.state / "recorder" / "identity.key").public_key_der()
    certificate = verify_epoch_start(parse_statement(told.leaves[0]), identity)
    assert certificate.origin == NEXT
    assert certificate.previous == PreviousOrigin(
        origin=ORIGIN,
        size=told.own.size,
        root=told.own.root,
        cosigned_size=told.seen.size,
        cosigned_root=told.seen.root,
    )


def test_what_was_recorded_after_the_loss_is_carried_over_and_opens_at_headquarters() -> None:
    told = story()
    carried = dict(carried_of(told.leaves))
    assert [(one.origin, one.index, one.statement) for one in carried.values()] == [
        (ORIGIN, receipt.index, hashlib.sha256(receipt.leaf).digest()) for receipt in told.offline
    ]
    for number, one in carried.items():
        statement = parse_statement(told.leaves[number]).unverified
        opened = open_entry(0, told.bodies[number], statement, one, told.identity)
        assert (statement.origin, opened.record.origin) == (NEXT, ORIGIN)


def test_nothing_that_headquarters_had_is_carried_over_and_nothing_twice() -> None:
    """A recorder that is killed between the carried entry and the removal of the former body finds both."""
    told = story()
    former = told.bed.state / "former" / "la-0001.1" / "bodies"
    before = {path.name for path in former.iterdir()}
    for number, one in carried_of(told.leaves):
        (former / f"{one.index}.2.age").write_bytes(told.bodies[number])
    told.bed.stop(told.bed.start())
    process = told.bed.start()
    until(lambda: {path.name for path in former.iterdir()} == before, "the second removal", process)
    told.bed.stop(process)
    assert len(list(carried_of(told.bed.leaves()))) == len(told.offline)
