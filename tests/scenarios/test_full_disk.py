"""A disk fills while travellers cross: pictures go first, 500 records more, then no light without a record (I1)."""

import os
import subprocess
from collections.abc import Generator
from pathlib import Path

import pytest

from provisioning.bench.specimens import Traveller
from tests.scenarios.made_headquarters import PICTURE_SHARE_SHIPPED
from tests.scenarios.post_at_work import PostAtWork, post_at_work, quiet_day, traveller

pytestmark = [
    pytest.mark.post,
    pytest.mark.root,
    pytest.mark.skipif(os.geteuid() != 0, reason="needs root for a disk of its own"),
]

DISK_BYTES = 256 << 20
RESERVE_BYTES = 24 << 20
"""Kept of a disk of this size (appliance/record/README.md)."""
RECORDS = 500


@pytest.fixture
def work(tmp_path: Path) -> Generator[PostAtWork]:
    """A post whose box has a small disk of its own."""
    disk = tmp_path / "out" / "box"

    def mount(box: Path) -> None:
        assert box == disk
        subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={DISK_BYTES}", "tmpfs", str(box)], check=True)

    try:
        with post_at_work(tmp_path / "out", prepared=mount, picture_share=PICTURE_SHARE_SHIPPED) as at_work:
            yield at_work
    finally:
        subprocess.run(["umount", "-l", str(disk)], check=False)


def fill(path: Path, *, leave: int = 0) -> None:
    """Write until no more than `leave` bytes are free."""
    disk = os.statvfs(path.parent)
    with path.open("ab", buffering=0) as filler:
        filler.write(b"\0" * max(0, disk.f_bavail * disk.f_frsize - leave - (1 << 20)))
        for size in (1 << 12, 1) if not leave else ():
            try:
                while True:
                    filler.write(b"\0" * size)
            except OSError:
                continue


def pictures(work: PostAtWork) -> int:
    return len(list((work.box / "bodies").glob("*.3.age")))


def listed() -> list[Traveller]:
    """A traveller with a stolen passport, and one with a listed name."""
    return [traveller("Listed document"), traveller("Listed person")]


def in_a_row(lamps: list[str], lamp: str, wanted: str) -> bool:
    """Whether this is the third of its kind running: one alone may still find the room that an old tile gave back."""
    lamps.append(lamp)
    return lamps[-3:] == [wanted] * 3


def test_pictures_go_first_then_records_then_no_light_and_all_returns(work: PostAtWork) -> None:
    people = iter(quiet_day(5))

    assert [laid.lamp for laid in work.bring(next(people))] == ["green"]
    work.state(lambda _: pictures(work) == 1 and (work.box / "recorder" / "reserve").stat().st_size == RESERVE_BYTES)

    # Less than the share for pictures is left: they are refused, aloud, and nobody waits for that.
    fill(work.box / "filler", leave=int(DISK_BYTES * PICTURE_SHARE_SHIPPED * 0.9))
    assert {laid.lamp for laid in work.bring(*(next(people) for _ in range(5)))} == {"green"}
    work.state(lambda state: "no more pictures are kept" in state["notice"])
    assert pictures(work) == 1

    # Not one byte is left to anybody: records take the reserve.
    fill(work.box / "filler")
    before = work.recorder().entries
    lamps: list[str] = []
    seen = work.bring_until(people, lambda laid: in_a_row(lamps, laid.lamp, "red"))
    assert set(lamps) == {"green", "red"}
    assert work.recorder().entries - before >= RECORDS
    nothing_found = work.state(lambda state: state["shown"])["shown"]
    assert "Nothing found" not in str(nothing_found)
    assert nothing_found["headline"].startswith("The box could not record.")
    assert nothing_found["kept"] == "not recorded"

    # A possible match is still shown, and says that it has no record.
    for person in listed():
        fill(work.box / "filler")  # what was delivered meanwhile gave room back
        (laid,) = work.bring(person)
        assert laid.lamp == "red"
        case = next(case for case in work.state()["cases"] if case["of"] == laid.of)
        assert case["words"][0] == "NOT RECORDED"
        assert case["refers"]
        assert case["reasons"]

    # Room returns, and with it every record that was owed.
    (work.box / "filler").unlink()
    work.state(lambda state: not state["not_recorded"])
    assert [laid.lamp for laid in work.bring(next(people))] == ["green"]
    work.state(lambda _: pictures(work) > 1)
    opened = work.at_headquarters()
    decided = {line["record_id"]: line["decision"]["type"] for line in opened}
    assert all(decided[laid.of] == "clear" for laid in seen)
    assert [line["decision"]["type"] for line in opened].count("refer") == len(listed())
