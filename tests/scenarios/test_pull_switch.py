"""A pull that ends at any step: killed, or with the disk full. The copy is the old one or the new one, and goes on."""

import errno
import os
import shutil
import signal
import sys
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import pytest

from appliance.errors import StorageFull, Untrusted
from appliance.formats.statement import Sealed
from provisioning.audit.log import Problem, trust_of
from provisioning.audit.pull import pull
from provisioning.audit.source import folder_sources
from provisioning.audit.staged import NEW
from provisioning.audit.verify import verify
from provisioning.authority.roster import read_roster
from tests.scenarios.auditor import flip, kept, pull_from, silent
from tests.scenarios.made_headquarters import Box, headquarters

FIRST, THEN = 255, 258
KILLED = -signal.SIGKILL
FULL = 73
WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT
Strike = Callable[[int], None]


def grown(folder: Path, *sizes: int) -> Box:
    """A box whose log was pulled at each of these sizes but the last, which is published; a body in each part."""
    box = Box(headquarters(folder / "hq"), folder / "box")
    for place, size in enumerate(sizes):
        if place:
            box.start_epoch()
        box.canary()
        while len(box.leaves) < size:
            box.event()
        box.publish()
        if place + 1 < len(sizes):
            assert not pull_from(box).problems
    return box


class Desk:
    """Pulls and verifies the log of a box; reads the roster once."""

    def __init__(self, box: Box) -> None:
        self.kept = kept(box)
        self._trust = trust_of(read_roster(box.home))
        self._source = folder_sources(box.state)[box.origin]

    def pull(self) -> list[Problem]:
        return pull(self.kept, self._source, self._trust, silent).problems

    def verify(self) -> list[Problem]:
        return verify(self.kept, self._trust, silent).problems


def pull_struck(desk: Desk, strike: Strike, *, removals: bool) -> int:
    """Pull in a process of its own, which calls `strike` with its number before each step on the disk; how it ended."""
    pid = os.fork()
    if pid:
        return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    steps = {"os.rename", "os.mkdir", *(("os.remove", "os.rmdir") if removals else ())}
    count = 0

    def hook(event: str, arguments: tuple[object, ...]) -> None:
        nonlocal count
        opens = event == "open" and isinstance(arguments[2], int) and bool(arguments[2] & WRITES)
        if opens or event in steps:
            count += 1
            strike(count)

    code = 70
    try:
        sys.addaudithook(hook)
        desk.pull()
        code = 0
    except StorageFull:
        code = FULL
    finally:
        os._exit(code)


def kill_at(step: int) -> Strike:
    def strike(count: int) -> None:
        if count == step:
            os.kill(os.getpid(), signal.SIGKILL)

    return strike


def full_from(step: int) -> Strike:
    def strike(count: int) -> None:
        if count >= step:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    return strike


def content(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.fixture(scope="module")
def box(tmp_path_factory: pytest.TempPathFactory) -> Box:
    return grown(tmp_path_factory.mktemp("switch"), FIRST, THEN)


@pytest.mark.parametrize("disk", [kill_at, full_from])
def test_a_pull_that_ends_at_any_step_leaves_one_tree_and_the_next_one_ends_as_if_it_had_not(
    box: Box, tmp_path: Path, disk: Callable[[int], Strike]
) -> None:
    desk, before = Desk(box), tmp_path / "before"
    folder = desk.kept.folder
    shutil.copytree(folder, before)
    assert desk.pull() == []
    whole, sizes, step = content(folder), set[int](), 0
    try:
        while True:
            step += 1
            shutil.rmtree(folder)
            shutil.copytree(before, folder)
            ended = pull_struck(desk, disk(step), removals=disk is kill_at)
            if ended == 0:
                break
            assert ended == (KILLED if disk is kill_at else FULL), f"step {step}"
            sizes.add(desk.kept.checkpoint().size)
            missing = [problem.words for problem in desk.verify()]
            assert all("its body is not here" in words for words in missing), f"step {step}: {missing}"
            assert disk is kill_at or not (folder / NEW).exists(), f"step {step}: what waits is not left on a full disk"
            assert desk.pull() == []
            assert content(folder) == whole, f"step {step}"
    finally:
        shutil.rmtree(folder)
        shutil.copytree(before, folder)
    assert step > 20, "tiles, their folders, the switch, the checkpoint, the note and a body"
    assert sizes == {FIRST, THEN}


def test_a_first_pull_that_is_refused_leaves_nothing(tmp_path: Path) -> None:
    box = grown(tmp_path, 300)
    flip(box.state / "log/tile/entries/001.p/44")  # the full tile before it has been staged by then
    with pytest.raises(Untrusted, match="entry 299 was altered"):
        pull_from(box)
    assert not kept(box).folder.exists()


def test_what_a_pull_holds_in_memory_does_not_grow_with_the_log(tmp_path: Path) -> None:
    peaks: list[int] = []
    for size in (512, 2_560):
        box = Box(headquarters(tmp_path / f"hq {size}"), tmp_path / f"box {size}")
        while len(box.leaves) < size:
            digest = len(box.leaves).to_bytes(32, "big")
            box.append(box.statement(Sealed(commitment=digest, blob_sha256=digest, blob_bytes=1)))
        box.publish()
        tracemalloc.start()
        assert pull_from(box).awaited == size - 1
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] - peaks[0] < 100_000, "2,048 entries more have 560,000 bytes"
