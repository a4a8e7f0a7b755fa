"""A power cut before any step of a switch: the old release is in service or the new one, whole, and it goes on."""

import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path

import pytest

from appliance.errors import Untrusted
from appliance.formats.lists import CANARY_DOCUMENT, DocumentKey, ListedDocument
from appliance.formats.pages import PageFile
from appliance.formats.release import DOCUMENTS_TARGET, Damaged, Release
from appliance.releases.take import take_release
from appliance.screen.lists import Lists
from appliance.shelf import Shelf
from provisioning.authority.list_files import documents_list
from tests.release_world import LIST_KEY, NOW_MS, World, make_world

ROOT = Path(__file__).parents[2]
STEPS_MIN = 30
"""Of any switch: a folder, eight files and their folders made and synced, two renames. Fewer were not all cut."""
LISTED = DocumentKey(issuer="LAO", document_type="P", number="PA0047113")


@pytest.fixture
def folder() -> Iterator[Path]:
    """In memory, where there is room for that: what a cut takes is known here without a disk that syncs."""
    memory = Path("/dev/shm")
    with tempfile.TemporaryDirectory(dir=memory if os.access(memory, os.W_OK) else None) as name:
        yield Path(name)


def cuts(world: World, out: Path) -> list[str]:
    """Cut everywhere; the steps before which it was."""
    out.mkdir()
    command = [sys.executable, "-m", "tests.power_cuts", world.shelf.folder, world.mirror, out, str(NOW_MS)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def publish(world: World) -> None:
    """A release with another documents list, so that most of a release is new."""
    listed = {LISTED: ListedDocument(entry="LAO-1", source="stolen and lost documents", fraud="stolen")}
    content = documents_list(listed, dated=date(2026, 11, 18), list_key=LIST_KEY)
    world.repository.publish({DOCUMENTS_TARGET: content}, at_ms=NOW_MS + 1)
    world.carry()


def check_whole(release: Release) -> None:
    """Every page of every list, and what is known beforehand."""
    assert not isinstance(release.documents, Damaged)
    for source in release.documents:
        assert sum(len(part) for part in PageFile(source).parts()) > 0
    Lists.from_release(release, (LIST_KEY,)).self_test()
    assert Lists.from_release(release, (LIST_KEY,)).documents.lookup(CANARY_DOCUMENT) is not None


def first(world: World) -> None:
    world.carry()


def next_one(world: World) -> None:
    world.carry_and_take()
    publish(world)


def rotten_list(world: World) -> None:
    next_one(world)
    world.take()
    list_ = world.shelf.folder / "2" / "targets" / DOCUMENTS_TARGET
    list_.write_bytes(list_.read_bytes()[:-1])


@pytest.mark.parametrize(("prepare", "before", "after"), [(first, 0, 1), (next_one, 1, 2), (rotten_list, 2, 2)])
def test_a_power_cut_before_any_step_leaves_a_whole_release(
    folder: Path, prepare: Callable[[World], None], before: int, after: int
) -> None:
    world = make_world(folder)
    prepare(world)
    steps = cuts(world, folder / "cut")
    assert len(steps) >= STEPS_MIN
    served: set[int] = set()
    for number, step in enumerate(steps, start=1):
        shelf = Shelf(folder / "cut" / str(number))
        served.add(shelf.version())
        if shelf.version() == 0:
            with pytest.raises(Untrusted, match="no release"):
                shelf.load()
        elif shelf.version() != before or prepare is next_one:
            check_whole(shelf.load())
        else:  # the one that rotted: no more is lost of it than was
            assert shelf.load().roster == world.shelf.load().roster, step
        take_release(shelf, world.mirror, lower_bound_ms=NOW_MS, keys=(LIST_KEY,))
        check_whole(shelf.load())
        assert shelf.version() == after
    assert served == {before, after}
    assert any(step.startswith("fsync") for step in steps)
