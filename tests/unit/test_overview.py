"""What `landlink-box status` says: from status files alone, whatever lies there."""

import os
from datetime import date
from pathlib import Path

import pytest
from msgspec import structs

from appliance.config import BoxConfig, Config, PostConfig, RecorderConfig, ScannerConfig, UplinkConfig
from appliance.errors import ConfigError
from appliance.formats.lists import ListedSource
from appliance.formats.rules import DEFAULT_RULES, LinkClass, ListAge
from appliance.formats.status import RecorderStatus, ReleasesStatus, UplinkStatus, encode_status
from appliance.overview import SILENT, in_words, look, well

RECORDER = RecorderStatus(
    origin="landlink.example/la-0001.1",
    entries=89,
    acknowledged=61,
    bodies=61,
    free_share=0.824,
    fingerprint="1a2b3c4d",
)
RELEASES = ReleasesStatus(version=3, dated=date(2026, 11, 3))
NOW_MS = 1_795_303_600_000
"""2026-11-21, eighteen days after the release."""
UPLINK = UplinkStatus(connected=True, not_sent=0, last_contact_ms=1_795_303_582_314)


@pytest.fixture
def config(tmp_path: Path) -> Config:
    (tmp_path / "bodies").mkdir()
    return Config(
        box=BoxConfig(serial="LA-0001", domain="landlink.example", state=str(tmp_path), runtime=str(tmp_path)),
        post=PostConfig(name="Test post", duty_telephone="+856 20 0000 0000"),
        scanner=ScannerConfig(dialect="elyctis", port="/dev/null"),
        recorder=RecorderConfig(booth_uid=1, uplink_uid=2, releases_uid=3),
        uplink=UplinkConfig(host="localhost"),
    )


def said(config: Config, name: str, status: RecorderStatus | ReleasesStatus | UplinkStatus) -> None:
    (config.runtime / f"{name}.status").write_bytes(encode_status(status))


def test_a_box_of_which_nothing_runs_says_so_of_each(config: Config) -> None:
    lines = in_words(look(config, now_ms=NOW_MS)).splitlines()
    assert [line.split()[0] for line in lines[1:]] == ["recorder", "releases", "uplink"]
    assert all(line.endswith(SILENT) for line in lines[1:])


def test_a_box_that_is_well_takes_four_lines(config: Config) -> None:
    said(config, "recorder", RECORDER)
    said(config, "releases", RELEASES)
    said(config, "uplink", UPLINK)
    (config.state / "bodies" / "7.2.age").write_bytes(b"sealed")
    assert in_words(look(config, now_ms=NOW_MS)).splitlines() == [
        "Box LA-0001, live; sealed records on this box: 1",
        (
            "recorder  landlink.example/la-0001.1: 89 entries, fingerprint 1a2b3c4d; "
            "headquarters has 61 records, 61 are kept here; 82% of the disk is free"
        ),
        "releases  release 3 of 2026-11-03 is in service",
        "uplink    connected; last contact 2026-11-21 23:26:22 UTC; not sent yet: 0",
    ]


def test_what_somebody_has_to_act_on_has_a_line_of_its_own(config: Config) -> None:
    refused = UplinkStatus(
        connected=False, not_sent=5, parked=2, why="captive portal", alarm="rolled back: it has 2 entries"
    )
    said(config, "uplink", refused)
    said(config, "releases", ReleasesStatus(version=0, why="its root is not signed"))
    words = in_words(look(config, now_ms=NOW_MS))
    assert "releases  no release yet" in words
    assert "LOOK INTO  the newest release was refused: its root is not signed" in words
    assert "NOT connected: captive portal; last contact never; not sent yet: 5" in words
    assert "LOOK INTO  headquarters refuses 2 records" in words
    assert "LOOK INTO  the log does not reach headquarters: rolled back" in words


@pytest.mark.parametrize("rubbish", [b"", b"{", b"\xff\xff", b'{"connected": 1}', b"[" * 20_000])
def test_a_status_file_that_cannot_be_read_is_silence(config: Config, rubbish: bytes) -> None:
    (config.runtime / "uplink.status").write_bytes(rubbish)
    assert look(config, now_ms=NOW_MS).uplink is None


@pytest.mark.root
def test_who_may_not_look_is_told_so_and_not_that_nobody_spoke(config: Config) -> None:
    said(config, "recorder", RECORDER)
    config.runtime.chmod(0o700)
    asking = os.fork()
    if not asking:  # as somebody else, in a process of its own
        os.setuid(65_534)
        try:
            look(config, now_ms=NOW_MS)
        except ConfigError:
            os._exit(0)
        finally:
            os._exit(1)
    assert os.waitstatus_to_exitcode(os.waitpid(asking, 0)[1]) == 0


AGES = (
    ListAge(link="mobile", remark_h=72, alarm_h=240),
    ListAge(link="narrowband", remark_h=72, alarm_h=504),
    ListAge(link="courier", remark_h=504, alarm_h=1_080),
)


@pytest.mark.parametrize(
    ("link", "age"), [("mobile", "alarm"), ("narrowband", "remark"), ("courier", ""), ("broadband", "")]
)
def test_lists_are_too_old_by_the_class_of_the_post(config: Config, link: LinkClass, age: str) -> None:
    config = structs.replace(config, post=structs.replace(config.post, link=link))
    said(config, "recorder", RECORDER)
    said(config, "uplink", UPLINK)
    said(config, "releases", structs.replace(RELEASES, rules=2, list_ages=AGES))
    found = look(config, now_ms=NOW_MS)
    assert found.list_age == age
    assert well(found) == (f"TOO OLD for a post with a {link} link" not in in_words(found)) == (age != "alarm")


def test_it_is_the_oldest_source_that_is_too_old(config: Config) -> None:
    old = ListedSource(title="UN Security Council", taken_in=date(2026, 9, 1), entries=700, left_out=0)
    new = ListedSource(title="SLTD-like", taken_in=date(2026, 11, 21), entries=9, left_out=0)
    fresh = structs.replace(RELEASES, dated=date(2026, 11, 21), list_ages=DEFAULT_RULES.list_ages)
    said(config, "releases", structs.replace(fresh, sources=(new,)))
    assert look(config, now_ms=NOW_MS).list_age == ""
    said(config, "releases", structs.replace(fresh, sources=(new, old)))
    assert look(config, now_ms=NOW_MS).list_age == "alarm"


def test_a_box_with_a_silent_process_is_not_well(config: Config) -> None:
    assert not well(look(config, now_ms=NOW_MS))


def test_each_source_has_a_line_and_a_mirror_that_stands_still_is_said(config: Config) -> None:
    sources = (ListedSource(title="UN Security Council", taken_in=date(2026, 11, 2), entries=731, left_out=3),)
    status = ReleasesStatus(version=3, dated=date(2026, 11, 3), still_since=date(2026, 11, 3), sources=sources)
    said(config, "releases", status)
    printed = in_words(look(config, now_ms=NOW_MS)).splitlines()
    assert "list      UN Security Council: 731 listed, 3 left out at its last import on 2026-11-02" in printed
    assert any("headquarters' mirror STANDS STILL since 2026-11-03" in line for line in printed)


def test_what_others_said_gives_the_technicians_terminal_no_orders(config: Config) -> None:
    orders = "no\x1b[2J\x9b31m\nuplink    connected\u202e"
    uplink = structs.replace(
        UPLINK, connected=False, why=orders, refused=1, refused_why=orders, stick=orders, alarm=orders
    )
    (config.runtime / "uplink.status").write_bytes(encode_status(uplink))
    lines = in_words(look(config, now_ms=NOW_MS)).split("\n")
    assert all(line.isprintable() for line in lines)
    assert sum(line.startswith("uplink ") for line in lines) == 1
