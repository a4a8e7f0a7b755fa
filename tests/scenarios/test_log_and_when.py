"""`landlink-hq log` and `when` on a box that headquarters has pulled and cosigned: in words, and nothing opened."""

import json
from pathlib import Path

import pytest

from appliance.clock import Grade, Instant
from appliance.errors import Misuse, Refused, Untrusted
from appliance.formats.event import EVENTS
from appliance.formats.statement import EventEntry
from provisioning.audit.cosigning import Desk
from provisioning.audit.opened.find import parse_time
from tests.scenarios.auditor import flip, kept, pull_from, run
from tests.scenarios.made_headquarters import BOOT, NOW_MS, Box, day_at_the_post, headquarters

DAY_MS = 86_400_000
FIRST_MS, SECOND_MS = NOW_MS + DAY_MS, NOW_MS + 2 * DAY_MS


@pytest.fixture
def box(tmp_path: Path) -> Box:
    """Nine entries that headquarters cosigned a day later, then three with clocks that lie, cosigned after another."""
    made = Box(headquarters(tmp_path / "hq"), tmp_path)
    day_at_the_post(made)
    cosigned(made, FIRST_MS)
    digest = kept(made).checkpoint().digest()
    for wall_ms, event, fields in (
        (0, "recorder_started", {"boot": "same", "before": "cut"}),
        (4_070_908_800_000, "clock_stepped", {"by_ms": "4070908800000", "grade": "none"}),
        (5, "lid_changed", {"state": "open"}),
    ):
        at = Instant(
            wall_ms=wall_ms,
            grade=Grade.NONE,
            lower_bound_ms=FIRST_MS,
            boot_id=BOOT,
            boot_ms=200_000 + len(made.leaves),
        )
        made.append(made.statement(EventEntry(event=event, fields=fields), at=at, cosigned=digest))
    made.publish()
    cosigned(made, SECOND_MS)
    return made


def cosigned(box: Box, at_ms: int) -> None:
    """Pull, and cosign at this time."""
    pull_from(box)
    desk = Desk.of(box.home)
    assert desk is not None
    desk.cosign(kept(box), at_ms=at_ms)


def printed(box: Box, capsys: pytest.CaptureFixture[str], *arguments: str) -> list[str]:
    capsys.readouterr()
    assert run(box.home, *arguments) == 0
    return capsys.readouterr().out.splitlines()


def test_every_entry_is_printed_in_order_and_what_is_sealed_says_no_more(
    box: Box, capsys: pytest.CaptureFixture[str]
) -> None:
    lines = printed(box, capsys, "log")
    assert [int(line.split()[1]) for line in lines] == list(range(12))
    assert lines[0].endswith("a new signing key begins epoch 0: software 0.1.0, boot " + BOOT[:8])
    assert [line.rpartition("  ")[2] for line in lines[1:3]] == ["sealed", "the booth started"]
    assert lines[9].endswith("the recorder started, boot: same, before: cut")
    assert lines[11].endswith("the case of the box is open")
    assert "PB1234567" not in "".join(lines)
    assert "KHAMPHENG" not in "".join(lines)


def test_the_lines_for_scripts_have_the_same_and_what_is_proven(box: Box, capsys: pytest.CaptureFixture[str]) -> None:
    entries = [json.loads(line) for line in printed(box, capsys, "log", "--json")]
    assert [entry["index"] for entry in entries] == list(range(12))
    assert entries[8]["before"] == "2026-11-19T11:06:40.999Z"
    assert (entries[9]["after"], entries[9]["before"]) == ("2026-11-19T11:06:40.000Z", "2026-11-20T11:06:40.999Z")
    assert entries[11]["fields"] == {"state": "open"}
    assert {entry["event"] for entry in entries} <= set(EVENTS) | {"sealed", "epoch"}


def test_a_time_is_asked_for_by_the_claim_moved_into_what_is_proven(
    box: Box, capsys: pytest.CaptureFixture[str]
) -> None:
    """The last three claim 1970 and 2099; they are found in the day in which they are proven to lie."""
    found = printed(box, capsys, "log", "--from", "2026-11-19T00:00", "--to", "2026-11-20")
    assert [int(line.split()[1]) for line in found] == [9, 10, 11]
    assert printed(box, capsys, "log", "--from", "2099-01-01") == []
    assert printed(box, capsys, "log", "--to", "2026-11-01") == []


def test_events_are_filtered_by_their_names_and_an_unknown_one_is_refused_with_those_that_there_are(
    box: Box, capsys: pytest.CaptureFixture[str]
) -> None:
    assert len(printed(box, capsys, "log", "--event", "sealed")) == 7
    found = printed(box, capsys, "log", "--event", "lid_changed", "--event", "epoch")
    assert [int(line.split()[1]) for line in found] == [0, 11]
    with pytest.raises(Misuse, match="no event 'lid'; `landlink-hq log --events`"):
        run(box.home, "log", "--event", "lid")


def test_an_altered_entry_is_named_and_nothing_of_a_tree_that_does_not_hold_is_printed(
    box: Box, capsys: pytest.CaptureFixture[str]
) -> None:
    flip(kept(box).folder / "tile" / "entries" / "000.p" / "12", 5)
    capsys.readouterr()
    assert run(box.home, "log") == 1
    shown = capsys.readouterr()
    assert shown.out == ""
    assert "do not give the root" in shown.err


def test_when_says_what_is_proven_by_whom_and_what_is_claimed(box: Box, capsys: pytest.CaptureFixture[str]) -> None:
    text = "\n".join(printed(box, capsys, "when", "la-0001.1:10"))
    assert "after   2026-11-19 11:06:40 UTC: the box names the checkpoint of 9 entries" in text
    assert "before  2026-11-20 11:06:41 UTC: headquarters cosigned a checkpoint of 12 entries" in text
    assert "claimed 2099-01-01T00:00:00.000Z, nobody vouches for it" in text
    assert "1 ms after entry 9" in text
    assert "1 ms before entry 11" in text


def test_when_finds_a_record_by_how_its_identifier_begins_and_says_that_bodies_were_opened(
    box: Box, capsys: pytest.CaptureFixture[str]
) -> None:
    text = "\n".join(printed(box, capsys, "when", "bbbb"))
    assert text.startswith("landlink.example/la-0001.1 entry 6")
    assert "after   not proven" in text
    assert "before  2026-11-19 11:06:41 UTC" in text
    assert (box.home.folder / "custody" / "checkpoint").exists()


@pytest.mark.parametrize(
    ("asked", "why"),
    [
        ("la-0001.1:99", "no entry 99"),
        ("la-0002.1:1", "0 pulled logs"),
        ("nobody", "hexadecimal"),
        ("ffff", "no record"),
    ],
)
def test_when_says_why_it_cannot_answer(box: Box, asked: str, why: str) -> None:
    with pytest.raises((Misuse, Refused, Untrusted), match=why):
        run(box.home, "when", asked)


def test_the_days_of_the_scenario_are_what_the_lines_say() -> None:
    assert parse_time("2026-11-19T11:06:40", end=False) == FIRST_MS
