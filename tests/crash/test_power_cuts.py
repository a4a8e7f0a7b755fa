"""Power cuts under the real recorder and the real queue, on storage that forgets, reorders and tears (I3).

`make crash` is the long run; here are some of the same cuts. And the same cuts with syncs ignored must find losses:
that shows that these tests can fail.
"""

import os
import random
import shutil
from functools import cache
from pathlib import Path
from tempfile import mkdtemp

import pytest

from tests.crash.campaign import Cut, Worked
from tests.crash.cuts import Disk, Luck
from tests.crash.trace import Operation
from tests.crash.unneeded import UNNEEDED

pytestmark = [
    pytest.mark.fuse,
    pytest.mark.skipif(
        shutil.which("fusermount3") is None or not os.access("/dev/fuse", os.W_OK), reason="no FUSE on this machine"
    ),
]

SEED = 20_261_122
CUTS = 300


@cache
def worked() -> Worked:
    return Worked.done(Path(mkdtemp(prefix="trace-")) / f"{SEED}", seed=SEED, steps=0)


def test_whatever_a_power_cut_leaves_nothing_that_was_promised_is_lost() -> None:
    done = worked()
    disk = done.disk()
    for cut in done.some(random.Random(SEED), CUTS):
        done.hold(disk, cut)


def test_the_workload_does_all_that_a_box_does() -> None:
    done = worked()
    assert {told.release for told in done.promises.told} > {0}, "no release was switched"
    assert {"log/checkpoint", "bodies/I.P.age", "receipts/I", "uplink/index.db-wal"} <= {*done.syncs.values()}, (
        "no journal was turned, or nothing was delivered"
    )


def test_a_deleted_body_is_never_seen_again_not_even_for_a_moment_of_a_start() -> None:
    """The journal still has it when the recorder starts: it publishes nothing that a later entry deletes."""
    seen = worked().witness
    assert len(seen.gone) > 1, "nothing was deleted"
    assert not seen.back


def test_each_kind_of_sync_is_missed_by_these_very_checks_when_a_disk_ignores_it() -> None:
    done = worked()
    unmissed = {word for word in {*done.syncs.values()} if done.loss_without(word) is None}
    assert unmissed <= UNNEEDED.keys()


def test_a_disk_that_ignores_all_syncs_is_caught_by_these_very_checks() -> None:
    done = worked()
    assert done.first_loss({*done.syncs.values()}, [Cut(len(done.operations), Luck.NOTHING)]) is not None


# --- the disk itself --------------------------------------------------------------------------------------------------

WRITTEN = (
    Operation(kind="create", inode=2, folder=1, name=".new", offset=0o600),
    Operation(kind="write", inode=2, offset=0, data=b"a" * 1_000),
    Operation(kind="sync", inode=2),
    Operation(kind="rename", inode=2, folder=1, name=".new", new_folder=1, new_name="file"),
    Operation(kind="sync", inode=1),
)


@pytest.mark.parametrize(
    ("told", "luck", "left"),
    [
        (1, Luck.NOTHING, {}),
        (1, Luck.EVERYTHING, {".new": 0}),
        (2, Luck.EVERYTHING, {".new": 1_000}),
        (3, Luck.NOTHING, {}),
        (4, Luck.EVERYTHING, {"file": 1_000}),
        (5, Luck.NOTHING, {"file": 1_000}),
    ],
)
def test_a_file_is_there_when_its_bytes_and_its_folder_were_synced(
    tmp_path: Path, told: int, luck: Luck, left: dict[str, int]
) -> None:
    disk = Disk(WRITTEN)
    disk.tell(told)
    disk.cut(tmp_path, luck, random.Random(1))
    assert {path.name: path.stat().st_size for path in tmp_path.iterdir()} == left


def test_what_was_not_synced_may_be_there_in_every_way(tmp_path: Path) -> None:
    seen = set[tuple[tuple[str, bytes], ...]]()
    for seed in range(400):
        disk, place = Disk(WRITTEN), tmp_path / str(seed)
        place.mkdir()
        disk.tell(2)
        disk.cut(place, Luck.ANYTHING, random.Random(seed))
        seen.add(tuple((path.name, path.read_bytes()) for path in place.iterdir()))
    sizes = {len(content) for files in seen for _, content in files}
    assert () in seen
    assert {0, 512, 1_000} <= sizes
    assert ((".new", bytes(512) + b"a" * 488),) in seen


def test_a_rename_is_whole_or_not_at_all(tmp_path: Path) -> None:
    old = Operation(kind="create", inode=3, folder=1, name="file", offset=0o600)
    for seed in range(100):
        disk, place = Disk((old, Operation(kind="sync", inode=1), *WRITTEN)), tmp_path / str(seed)
        place.mkdir()
        disk.tell(6)
        disk.cut(place, Luck.ANYTHING, random.Random(seed))
        assert {path.name: path.stat().st_size for path in place.iterdir()} in (
            {"file": 0},
            {".new": 1_000, "file": 0},
            {"file": 1_000},
        )
