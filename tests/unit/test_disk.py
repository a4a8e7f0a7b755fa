"""What takes how much of a disk: blocks that are really used, the rate of the last days, days that are left."""

import os
from pathlib import Path

import pytest

from appliance.config import BoxConfig, Config, PostConfig, RecorderConfig, ScannerConfig, UplinkConfig
from appliance.disk import DAY_S, Usage, amount, days_left, in_words, usage
from appliance.overview import disk_in_words
from tests.scenarios.auditor import pull_from, run
from tests.scenarios.made_headquarters import Box, day_at_the_post, headquarters

NOW_S = 2_000_000_000.0
BLOCK = 4_096


def written(path: Path, blocks: int, *, days_ago: float) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(os.urandom(blocks * BLOCK))
    at_s = NOW_S - days_ago * DAY_S
    os.utime(path, (at_s, at_s))


def test_old_files_take_room_and_no_rate_and_the_rate_is_over_the_days_that_there_are(tmp_path: Path) -> None:
    written(tmp_path / "a" / "old", 10, days_ago=30)
    written(tmp_path / "a" / "b" / "one", 4, days_ago=4)
    written(tmp_path / "a" / "b" / "two", 4, days_ago=1)
    written(tmp_path / "a" / "reserve", 100, days_ago=1)
    found = usage(tmp_path / "a", now_s=NOW_S, without=frozenset({"reserve"}))
    assert found == Usage(bytes=18 * BLOCK, a_day=2 * BLOCK)


def test_a_file_with_a_hole_takes_what_the_disk_gives_up(tmp_path: Path) -> None:
    with (tmp_path / "hole").open("wb") as file:
        file.truncate(10_000_000)
    assert usage(tmp_path, now_s=NOW_S).bytes < BLOCK


def test_folders_within_each_other_as_deep_as_a_path_goes_are_counted(tmp_path: Path) -> None:
    """Whoever may write below a box's folder, such as a taken-over uplink, ends no technician's command by that."""
    written(tmp_path / "mirror" / "file", 2, days_ago=1)
    deep = f"{tmp_path}/mirror"
    for _ in range(1_500):
        deep += "/d"
        os.mkdir(deep)  # noqa: PTH102 - pathlib takes a call a level
    written(Path(deep) / "file", 3, days_ago=1)
    try:
        assert usage(tmp_path / "mirror", now_s=NOW_S).bytes == 5 * BLOCK
    finally:
        (Path(deep) / "file").unlink()
        os.removedirs(deep)


def test_files_of_the_future_are_no_rate_and_nothing_there_is_nothing(tmp_path: Path) -> None:
    written(tmp_path / "later", 4, days_ago=-1)
    assert usage(tmp_path, now_s=NOW_S) == Usage(bytes=4 * BLOCK, a_day=0)
    assert usage(tmp_path / "nowhere", now_s=NOW_S) == Usage(bytes=0, a_day=0)


@pytest.mark.parametrize(
    ("count", "words"), [(0, "0 bytes"), (999, "999 bytes"), (340_000_000, "340 MB"), (1_530_000_000, "1.53 GB")]
)
def test_amounts_are_said_for_people(count: int, words: str) -> None:
    assert amount(count) == words


def test_days_that_are_left() -> None:
    assert (days_left(100, 30), days_left(-5, 30), days_left(100, 0)) == (3, 0, None)
    uses = {"log": Usage(bytes=1, a_day=0), "lists": Usage(bytes=5_000, a_day=0)}
    assert in_words(uses, free=2_000) == "lists 5 kB, log 1 bytes; 2 kB free"


def test_a_box_says_what_takes_room_and_when_pictures_and_records_are_refused(tmp_path: Path) -> None:
    written(tmp_path / "bodies" / "1.2.age", 8, days_ago=2)
    written(tmp_path / "releases" / "1" / "persons", 2, days_ago=2)
    written(tmp_path / "recorder" / "reserve", 50, days_ago=2)
    config = Config(
        box=BoxConfig(serial="LA-0001", domain="landlink.example", state=str(tmp_path), runtime=str(tmp_path)),
        post=PostConfig(name="Test post", duty_telephone="+856 20 0000 0000"),
        scanner=ScannerConfig(dialect="elyctis", port="/dev/null"),
        recorder=RecorderConfig(booth_uid=1, uplink_uid=2, releases_uid=3),
        uplink=UplinkConfig(host="localhost"),
    )
    first, second = disk_in_words(config, now_s=NOW_S).splitlines()
    assert "sealed records 32.8 kB, lists 8.19 kB, recorder 0 bytes" in first
    assert "16.4 kB a day" in second
    assert "pictures are refused in" in second
    (quiet,) = disk_in_words(config, now_s=NOW_S + 30 * DAY_S).splitlines()[1:]
    assert "nothing was recorded in the last 7 days" in quiet


def test_headquarters_says_what_each_log_takes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    box = Box(headquarters(tmp_path / "hq"), tmp_path)
    day_at_the_post(box)
    pull_from(box)
    assert run(box.home, "disk") == 0
    shown = capsys.readouterr().out
    assert "landlink.example/la-0001.1: 9 entries in" in shown
    assert "7 bodies in" in shown
    assert "there is room for" in shown
