"""The page's surroundings: whatever lies where the other processes say how they are, nobody waits for it."""

import json
import os
import threading
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import pytest

from appliance.booth.board import Snapshot
from appliance.booth.lists_on_hand import ListsOnHand
from appliance.booth.serve import surroundings
from appliance.booth.state import State
from appliance.booth.view import view
from appliance.config import BoxConfig, Config, PostConfig, RecorderConfig, ScannerConfig, UplinkConfig
from appliance.files import read_regular
from appliance.formats.status import STATUS_BYTES_MAX, UplinkStatus, encode_status
from appliance.overview import in_words, look
from appliance.shelf import Shelf
from tests.small_post import PaperClock

WAIT_S = 30.0
T = TypeVar("T")
UPLINK = UplinkStatus(connected=True, not_sent=3)

NOW_MS = 1_795_303_600_000


@pytest.fixture
def config(tmp_path: Path) -> Config:
    return Config(
        box=BoxConfig(serial="LA-0001", domain="landlink.example", state=str(tmp_path), runtime=str(tmp_path)),
        post=PostConfig(name="Test post", duty_telephone="+856 20 0000 0000"),
        scanner=ScannerConfig(dialect="elyctis", port="/dev/null"),
        recorder=RecorderConfig(booth_uid=1, uplink_uid=2, releases_uid=3),
        uplink=UplinkConfig(host="localhost"),
    )


def pipe(path: Path) -> None:
    os.mkfifo(path)


def device(path: Path) -> None:
    path.symlink_to("/dev/zero")


def folder(path: Path) -> None:
    path.mkdir()


def too_long(path: Path) -> None:
    path.write_bytes(encode_status(UPLINK) + b" " * STATUS_BYTES_MAX)


def in_time(work: Callable[[], T]) -> T:
    """The work's result; a test that would wait for ever fails instead."""
    done: list[T] = []
    thread = threading.Thread(target=lambda: done.append(work()), daemon=True)
    thread.start()
    thread.join(WAIT_S)
    assert done, "it waits for what lies there"
    return done[0]


@pytest.mark.parametrize("lay", [pipe, device, folder, too_long])
def test_the_page_and_the_technician_wait_for_nothing_that_an_uplink_lays_there(
    config: Config, lay: Callable[[Path], None]
) -> None:
    lists = ListsOnHand(Shelf(config.state / "releases"), tuple)
    lay(config.runtime / "uplink.status")
    assert in_time(lambda: surroundings(config, PaperClock(), lists)).uplink is None
    assert in_time(lambda: look(config, now_ms=NOW_MS)).uplink is None


@pytest.mark.parametrize("number", [-1, 2**47 + 1, 10**30])
@pytest.mark.parametrize("name", ["not_sent", "last_contact_ms", "parked"])
def test_a_number_that_no_page_can_show_is_no_status(config: Config, name: str, number: int) -> None:
    """A time after the year 9999 ended every page, for as long as the file lay there."""
    said = {"connected": False, "not_sent": 0, name: number}
    (config.runtime / "uplink.status").write_text(json.dumps(said))
    assert look(config, now_ms=NOW_MS).uplink is None


def test_the_largest_numbers_that_are_a_status_can_be_shown(config: Config) -> None:
    uplink = UplinkStatus(connected=False, not_sent=2**47, last_contact_ms=2**47, parked=2**47)
    (config.runtime / "uplink.status").write_bytes(encode_status(uplink))
    around = surroundings(config, PaperClock(), ListsOnHand(Shelf(config.state / "releases"), tuple))
    assert around.uplink == uplink
    assert view(Snapshot(state=State(direction=config.post.direction, lane=config.post.lane)), around).quiet
    assert in_words(look(config, now_ms=NOW_MS))


def test_what_the_uplink_says_is_shown(config: Config) -> None:
    (config.runtime / "uplink.status").write_bytes(encode_status(UPLINK))
    lists = ListsOnHand(Shelf(config.state / "releases"), tuple)
    assert surroundings(config, PaperClock(), lists).uplink == UPLINK


def test_a_file_is_read_to_its_bound_and_not_beyond(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"12345")
    assert read_regular(tmp_path / "file", 5) == b"12345"
    with pytest.raises(OSError, match="more than 4 bytes"):
        read_regular(tmp_path / "file", 4)
