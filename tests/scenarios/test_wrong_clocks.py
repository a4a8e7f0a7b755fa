"""A post whose kernel's clock says 1970, leaps to 2099 and comes back: nothing stops, lies, or is locked out (I9).

Every process of the box reads another wall clock (clocks/sitecustomize.py); its boot-time clock, headquarters, the desk
and the officer go on as ever. The clock is set while the box works, as a wrong battery or a bad server would set it.
"""

import json
import time
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from provisioning.bench.desk_line import DeskLine
from provisioning.bench.headless import Lane
from provisioning.bench.officer import Officer
from provisioning.bench.post import SAMPLES, Post, prepare
from provisioning.bench.specimens import Traveller
from tests.scenarios.post_at_work import PostAtWork, quiet_day, until
from tests.scenarios.rehearsed import free_port
from tests.small_post import passport

CLOCKS = Path(__file__).parent / "clocks"
YEAR_S = 31_556_952


class PostWithItsOwnTime(Post):
    """A post whose box has a wall clock that `set_clock` sets."""

    def set_clock(self, offset_s: int) -> None:
        """So many seconds beside the right time, from now on."""
        path = self.folders.out / "clock"
        path.with_name("clock.new").write_text(f"{offset_s:+d}")
        path.with_name("clock.new").rename(path)

    def _box_command(self, *arguments: str) -> list[str]:
        clock = self.folders.out / "clock"
        if not clock.exists():
            self.set_clock(0)
        return ["env", f"PYTHONPATH={CLOCKS}", f"LANDLINK_CLOCK={clock}", *super()._box_command(*arguments)]


@contextmanager
def at_work(out: Path, *, offset_s: int) -> Generator[tuple[PostAtWork, PostWithItsOwnTime]]:
    """Enrol at the right time, start with the clock set to another."""
    post = PostWithItsOwnTime(prepare(out), page_port=free_port())
    try:
        post.enrol(SAMPLES / "documents.csv", SAMPLES / "persons.xml")
        post.set_clock(offset_s)
        post.start()
        desk = DeskLine(post.folders.desk / "desk.sock")
        lane = Lane(post)
        try:
            yield PostAtWork(post=post, lane=lane, officer=Officer(post.page_port), desk=desk), post
        finally:
            lane.close()
            desk.close()
    finally:
        post.stop()


def holders(seed: int) -> Iterator[Traveller]:
    return iter(quiet_day(seed))


def steps_said(work: PostAtWork) -> int:
    """How many steps of the clock are in the published log of a day."""
    bundles = (work.box / "log" / "tile" / "entries").rglob("*")
    return max((path.read_bytes().count(b"clock_stepped") for path in bundles if path.is_file()), default=0)


def claims(work: PostAtWork) -> list[dict[str, Any]]:
    """The entries of the log as headquarters prints them."""
    return [json.loads(line) for line in work.post.audit("log", "--json").splitlines()]


def test_a_box_that_wakes_in_1970_leaps_to_2099_and_back_works_and_proves_its_times(tmp_path: Path) -> None:
    in_1970 = -int(time.time()) + 3_600
    with at_work(tmp_path / "p", offset_s=in_1970) as (work, post):
        people = holders(3)
        expired = replace(next(people), lines=passport("PA2019001", expiry="190630"), outcome="turned back")
        work.bring(next(people), expired)
        assert len(work.at_headquarters()) == 2, "a clock of 1970 keeps nobody from delivering"
        for steps, offset_s in ((1, 73 * YEAR_S), (2, 0)):
            post.set_clock(offset_s)
            until(lambda: steps_said(work), steps.__eq__)
            work.bring(next(people))
        lines = work.at_headquarters()
        entries = claims(work)
        version = work.state()["lists"][0]["dated"]
    decided = [line["decision"]["type"] for line in lines]
    assert decided == ["clear", "refer", "clear", "clear"], "an untrusted clock alone refers nobody"
    assert "expired" in json.dumps(lines[1]["decision"])
    years = [line["at"][:4] for line in lines]
    assert years[:3] == ["1970", "1970", "2099"]
    assert version is not None, "the lists stay in service"
    steps = [int(entry["fields"]["by_ms"]) for entry in entries if entry["event"] == "clock_stepped"]
    assert [by_ms > 0 for by_ms in steps] == [True, False], "forward to 2099, then back"
    assert all(str(entry["before"]) < "2099" for entry in entries if entry["before"] is not None)
