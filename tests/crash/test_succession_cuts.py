"""Power cuts while one log follows another that was lost: in every way, nothing is lost twice (I3)."""

import atexit
import contextlib
import hashlib
import os
import random
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory, mkdtemp

import pytest

from appliance.formats.receipt import LogReceipt
from appliance.formats.statement import Carried, parse_statement, verify_epoch_start
from appliance.formats.tiles import read_entries
from appliance.record.carrying import Carrying
from appliance.record.headquarters import Headquarters, ProvenTime
from appliance.record.places import Places
from appliance.record.recovery import recover
from appliance.shelf import Shelf
from drivers.key_store import FileKeyStore
from tests.crash.campaign import MEMORY
from tests.crash.checks import signing_of
from tests.crash.cuts import Disk, Luck
from tests.crash.post import count, enrolled, mounted, until
from tests.crash.trace import Operation, read_trace
from tests.scenarios.lost_log import kept, lose
from tests.scenarios.made_headquarters import PICTURE_SHARE_SHIPPED, box_toml
from tests.scenarios.recorder_bed import ORIGIN, Bed

pytestmark = [
    pytest.mark.fuse,
    pytest.mark.skipif(
        shutil.which("fusermount3") is None or not os.access("/dev/fuse", os.W_OK), reason="no FUSE on this machine"
    ),
]

NEXT = "landlink.example/la-0001.2"
EVERY = 3
"""One of so many boundaries is cut here, in all four ways."""


@dataclass(frozen=True)
class Loss:
    """A trace of a recorder that finds out that it lost what it signed, and goes on.

    Attributes:
        begins: Operations before it was started.
        receipts: What it had acknowledged before, and nobody had received.
    """

    operations: Sequence[Operation]
    begins: int
    receipts: Sequence[LogReceipt]


@cache
def loss() -> Loss:
    place = Path(mkdtemp(prefix="s-"))
    atexit.register(shutil.rmtree, place, ignore_errors=True)
    state, home = enrolled()
    with mounted(place, place / "trace") as mount:
        shutil.copytree(state, mount / "state", symlinks=True)
        (place / "state").symlink_to(mount / "state")
        (place / "run").mkdir()
        (place / "box.toml").write_bytes(box_toml(place, picture_share=PICTURE_SHARE_SHIPPED))
        box = Bed(place, home)
        try:
            receipts = kept(box)
            lose(box)
            begins = count(mount)
            box.start()
            box.settle()
            until(lambda: len(carried(box.leaves())) == len(receipts), "what is carried over")
            box.settle()
        finally:
            box.close()
    with (place / "trace").open("rb") as file:
        return Loss(list(read_trace(file)), begins, receipts)


def carried(leaves: Sequence[bytes]) -> dict[int, Carried]:
    kinds = enumerate(parse_statement(leaf).unverified.kind for leaf in leaves)
    return {number: kind for number, kind in kinds if isinstance(kind, Carried)}


@pytest.mark.parametrize("luck", [*Luck])
def test_wherever_a_succession_is_cut_all_that_was_lost_is_carried_over_once(luck: Luck) -> None:
    lost = loss()
    disk = Disk(lost.operations)
    disk.tell(lost.begins)
    disk.settle()
    for at in range(lost.begins, len(disk) + 1, EVERY):
        disk.tell(at)
        with TemporaryDirectory(prefix="cut-", dir=MEMORY) as folder:
            disk.cut(Path(folder), luck, random.Random(f"{at} {luck.value}"))
            check(Path(folder), lost.receipts)


def check(place: Path, receipts: Sequence[LogReceipt]) -> None:
    places = Places(place / "state", place / "run")
    places.runtime.mkdir()
    started(places)
    leaves = started(places)  # which carries nothing a second time
    identity = FileKeyStore(places.identity_key).public_key_der()
    certificate = verify_epoch_start(parse_statement(leaves[0]), identity)
    assert certificate.origin == NEXT
    assert certificate.previous is not None
    assert (certificate.previous.origin, certificate.previous.cosigned_size) == (ORIGIN, 900)
    found = carried(leaves)
    assert sorted((one.origin, one.index, one.statement) for one in found.values()) == [
        (ORIGIN, receipt.index, hashlib.sha256(receipt.leaf).digest()) for receipt in receipts
    ]
    for number, one in found.items():
        (body,) = places.bodies.glob(f"{number}.*.age")
        assert hashlib.sha256(body.read_bytes()).digest() == one.blob_sha256


def started(places: Places) -> list[bytes]:
    """Recover, begin an epoch, carry over all that is left, publish, and read the published log."""
    log = recover(places, signing_of(places), picture_share=0.01).log
    with contextlib.closing(log.journal):
        log.begin_epoch()
        headquarters = Headquarters(Shelf(places.releases), ProvenTime())
        headquarters.look(recipients_at_least=0)
        carrying = Carrying(log, headquarters, places)
        while carrying.step():
            pass
        log.publisher.publish()
    return list(read_entries(log.size, lambda path: (places.log / path).read_bytes()))
