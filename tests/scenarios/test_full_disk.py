"""A disk fills while travellers cross: pictures go first, 500 records more, then no light without a record (I1)."""

import subprocess
from collections.abc import Callable, Generator, Iterator
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path

import pytest

from provisioning.bench.headless import Laid, Lane
from provisioning.bench.officer import Officer
from provisioning.bench.post import SAMPLES, Post, prepare
from provisioning.bench.specimens import Traveller, travellers
from tests.scenarios.rehearsed import free_port

pytestmark = [pytest.mark.post, pytest.mark.root]

DISK_MIB = 96
LISTED = "Listed document"


@pytest.fixture
def small_disk_post(tmp_path: Path) -> Generator[Post]:
    """A post whose box has a small disk of its own."""
    folders = prepare(tmp_path / "out")
    mount = ["mount", "-t", "tmpfs", "-o", f"size={DISK_MIB}m", "tmpfs", str(folders.box)]
    if subprocess.run(mount, check=False, capture_output=True).returncode != 0:
        pytest.skip("mounting a tmpfs needs root")
    post = Post(folders, page_port=free_port())
    try:
        post.enrol(SAMPLES / "documents.csv", SAMPLES / "persons.xml")
        post.start()
        yield post
    finally:
        post.stop()
        subprocess.run(["umount", "-l", str(folders.box)], check=True)


def fill(path: Path) -> None:
    """Write until not one byte more fits."""
    with path.open("wb", buffering=0) as filler:
        for size in (1 << 20, 1 << 12, 1):
            try:
                while True:
                    filler.write(b"\0" * size)
            except OSError:
                continue


def quiet() -> Iterator[Traveller]:
    return islice((one for one in travellers(datetime.now(UTC).date(), 5) if one.label.startswith("Passport")), 100_000)


def listed() -> Traveller:
    return next(one for one in travellers(datetime.now(UTC).date(), 5) if one.label == LISTED)


def until(lane: Lane, people: Iterator[Traveller], out: Path, done: Callable[[Laid], bool]) -> list[Laid]:
    seen: list[Laid] = []
    with out.open("a", encoding="utf-8") as file:
        for laid in lane.work(people, file):
            seen.append(laid)
            if done(laid):
                break
    return seen


def test_pictures_go_first_then_records_then_no_light_and_all_returns(small_disk_post: Post) -> None:
    post, box = small_disk_post, small_disk_post.folders.box
    lane, people = Lane(post), quiet()
    notes = post.folders.out / "laid.jsonl"
    officer = Officer(post.page_port)

    before = until(lane, people, notes, lambda _: True)
    assert before[0].lamp == "green"

    fill(box / "filler")
    full = until(lane, people, notes, lambda laid: laid.lamp == "red")
    assert len(full) > 500, "500 records succeed after the disk is full"
    assert {laid.lamp for laid in full[:-1]} == {"green"}
    shown = officer.state()["shown"]
    assert shown["decision"] != "clear", "nothing found is never shown without a record"

    possible = until(lane, iter([listed()]), notes, lambda _: True)
    assert possible[0].lamp == "red"
    assert "NOT RECORDED" in str(officer.state()["shown"])
    assert "possible match" in str(officer.state()["shown"]).lower()

    (box / "filler").unlink()
    after = until(lane, people, notes, lambda laid: laid.lamp == "green")
    assert after[-1].lamp == "green", "it recovers when space returns"
    lane.close()
