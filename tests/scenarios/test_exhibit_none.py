"""A negative exhibit: every leaf that can be of a stretch of time, and for what part of it less is proven."""

import json
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from appliance.clock import Grade
from appliance.errors import Misuse, Refused
from appliance.formats.statement import EventEntry
from provisioning.audit.opened.records import iso
from provisioning.custody.act import Did
from provisioning.custody.log import CustodyLog
from provisioning.exhibit.checking import check_exhibit
from provisioning.exhibit.contents import Nothing
from provisioning.exhibit.pieces import read_pieces
from tests.exhibit_post import (
    EVENING_S,
    MORNING_S,
    NOON_S,
    NUMBER,
    Post,
    cosign,
    hq,
    sum_again,
)
from tests.scenarios.auditor import flip, pull_from
from tests.scenarios.made_headquarters import headquarters, outcome, screened


def at(seconds: int) -> str:
    return iso(seconds * 1000)[:19]


def nothing(box: Post, out: Path, since_s: int, until_s: int, *more: str) -> Nothing:
    """Make one and check it."""
    asked = ("--none", "--box", "LA-0001", "--from", at(since_s), "--to", at(until_s), "--case", "17")
    assert hq(box.home, "exhibit", "--out", out, *asked, *more) == 0
    exhibit, problems = check_exhibit(out)
    assert problems == []
    assert exhibit is not None
    assert exhibit.nothing is not None
    return exhibit.nothing


def event(box: Post, name: str, **fields: str) -> int:
    return box.append(box.statement(EventEntry(event=name, fields=fields)))


def quiet(box: Post) -> None:
    """A morning with a crossing, a noon without, an evening."""
    box.canary()
    box.seal(box.record(screened(number=NUMBER), "bb" * 16))
    box.seal(box.record(outcome("bb" * 16)))
    cosign(box, MORNING_S)
    event(box, "storage_low", free_percent="4")
    box.canary()
    cosign(box, NOON_S)
    event(box, "storage_recovered", free_percent="9")
    cosign(box, EVENING_S)


@pytest.fixture
def box(tmp_path: Path) -> Post:
    made = Post(headquarters(tmp_path / "hq"), tmp_path / "box")
    quiet(made)
    return made


def test_leaves_between_two_cosigned_trees_are_all_that_can_be_of_the_time(box: Post, tmp_path: Path) -> None:
    told = nothing(box, tmp_path / "out", MORNING_S + 60, NOON_S - 60)
    assert (told.first, told.end, told.before) == (4, 6, 4)
    assert told.entries == {"epoch": 0, "event": 1, "sealed": 1}
    assert told.opened == {"canary": 1}
    assert (told.awaited, told.unproven, told.other_logs, told.found) == ((), (), (), 0)


def test_it_holds_over_many_tiles(tmp_path: Path) -> None:
    box = Post(headquarters(tmp_path / "hq"), tmp_path / "box")
    while len(box.leaves) < 300:
        event(box, "storage_low", free_percent="4")
    cosign(box, MORNING_S)
    while len(box.leaves) < 600:
        event(box, "storage_low", free_percent="4")
    cosign(box, NOON_S)
    event(box, "storage_recovered", free_percent="9")
    cosign(box, EVENING_S)
    told = nothing(box, tmp_path / "out", MORNING_S + 60, NOON_S - 60)
    assert (told.first, told.end, told.entries["event"], told.unproven) == (300, 600, 300, ())
    bundles = sorted(path.name for path in (tmp_path / "out/evidence/tile/entries").iterdir())
    assert bundles == ["001", "002.p"]


def test_it_is_refused_where_a_crossing_was_recorded(box: Post, tmp_path: Path) -> None:
    with pytest.raises(Refused, match=r"1 records .* answer this \(entries 2\)"):
        nothing(box, tmp_path / "out", MORNING_S - 500, NOON_S)
    assert not (tmp_path / "out").exists()
    acts = [act.did for act in CustodyLog(box.home).acts()]
    assert acts == [Did.SEARCHED], "records were opened for the question, and nothing was given out"


def test_another_document_than_those_recorded_was_not_recorded(box: Post, tmp_path: Path) -> None:
    told = nothing(box, tmp_path / "out", MORNING_S - 500, NOON_S - 60, "--number", "PX-9")
    assert (told.number, told.opened) == ("PX-9", {"canary": 2, "outcome": 1, "screened": 1})
    with pytest.raises(Refused, match="1 records"):
        nothing(box, tmp_path / "other", MORNING_S - 500, NOON_S, "--number", NUMBER.lower())


def test_a_redacted_one_does_not_name_the_document(box: Post, tmp_path: Path) -> None:
    told = nothing(box, tmp_path / "out", MORNING_S + 60, NOON_S - 60, "--number", "PX7654329", "--redact")
    assert told.number is None
    assert b"PX7654329" not in b"".join(read_pieces(tmp_path / "out").values())


# --- what is not proven, and is said ---------------------------------------------------------------------------------


def said(box: Post, out: Path, *more: str) -> str:
    told = nothing(box, out, MORNING_S + 1, NOON_S - 60, *more)
    return "\n".join(f"{part.first}-{part.last} {part.why}" for part in told.unproven)


def not_recorded(box: Post) -> None:
    event(box, "not_recorded", count="3")


def cut_off(box: Post) -> None:
    event(box, "storage_low", free_percent="4")
    box.start_epoch()
    event(box, "recorder_started", boot="new", before="cut")


def stopped(box: Post) -> None:
    event(box, "recorder_stopped")
    box.start_epoch()
    event(box, "recorder_started", boot="same", before="stopped")


def page_down(box: Post) -> None:
    box.event()


def no_scanner(box: Post) -> None:
    event(box, "device_changed", device="scanner", state="faulted")
    event(box, "device_changed", device="scanner", state="ready")


def awaited(box: Post) -> None:
    box.body(box.seal(box.record(screened(), "dd" * 16))).unlink()


def of_the_protection_unit(box: Post) -> None:
    box.seal(box.record(screened(), "dd" * 16), recipients=("protection", "escrow"))
    (box.home.folder / "protection.identity").unlink()


def no_clock(box: Post) -> None:
    clock = box.clock()
    late = msgspec.structs.replace(clock, wall_ms=0, grade=Grade.NONE)
    box.append(box.statement(EventEntry(event="storage_low", fields={"free_percent": "4"}), at=late))


def not_read(box: Post) -> None:
    box.seal(box.record(msgspec.structs.replace(screened(refers=True), document=None)))


@pytest.mark.parametrize(
    ("happened", "words"),
    [
        (not_recorded, "4-4 3 results were shown as NOT RECORDED"),
        (cut_off, "4-6 the recorder was not running: it was cut off"),
        (stopped, "4-6 the recorder was not running: it was told to stop"),
        (page_down, "3-4 the page's process was not running"),
        (no_scanner, "4-5 the scanner was faulted: documents could be typed in only"),
        (awaited, "4-4 1 sealed entries whose bodies have not arrived"),
        (of_the_protection_unit, "4-4 1 sealed entries that headquarters' keys at hand do not open"),
        (no_clock, "4-4 nobody vouched for the box's clock"),
        (not_read, "4-4 1 documents of which nothing could be read"),
    ],
)
def test_what_nobody_can_know_is_named_with_its_place(
    tmp_path: Path, happened: Callable[[Post], None], words: str
) -> None:
    box = Post(headquarters(tmp_path / "hq"), tmp_path / "box")
    box.canary()
    event(box, "storage_low", free_percent="4")
    event(box, "storage_low", free_percent="4")
    cosign(box, MORNING_S)
    happened(box)
    cosign(box, NOON_S)
    event(box, "storage_recovered", free_percent="9")
    cosign(box, EVENING_S)
    assert words in said(box, tmp_path / "out", "--number", "PX9")


def test_what_was_before_the_log_and_what_may_still_be_on_the_box_is_named(box: Post, tmp_path: Path) -> None:
    told = nothing(box, tmp_path / "out", MORNING_S - 86_400, EVENING_S + 60, "--number", "PX9")
    assert (told.first, told.end) == (0, 7)
    begins, ends = (part.why for part in told.unproven)
    assert "this log begins here" in begins
    assert "may still be on the box" in ends


def test_the_first_start_of_a_recorder_is_no_gap(tmp_path: Path) -> None:
    box = Post(headquarters(tmp_path / "hq"), tmp_path / "box")
    event(box, "recorder_started", boot="new", before="first")
    box.canary()
    cosign(box, MORNING_S)
    told = nothing(box, tmp_path / "out", MORNING_S - 86_400, MORNING_S - 60, "--number", "PX9")
    assert not [part.why for part in told.unproven if "not running" in part.why]


def test_a_time_of_which_nothing_was_pulled_has_no_exhibit(
    box: Post, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(Refused, match=r"had cosigned all 7 entries .* before that time"):
        nothing(box, tmp_path / "out", EVENING_S + 60, EVENING_S + 120)
    with pytest.raises(Misuse, match="lies in the future"):
        nothing(box, tmp_path / "out", 4_000_000_000, 4_000_086_400)
    assert not (tmp_path / "out").exists()
    nothing(box, tmp_path / "out", EVENING_S - 60, EVENING_S + 60, "--number", "PX9")
    assert f"unproven: {iso(EVENING_S * 1000)[:10]}" in capsys.readouterr().out


# --- attacks ---------------------------------------------------------------------------------------------------------


def test_each_piece_altered_or_taken_away_is_noticed_though_the_sums_are_made_to_fit(box: Post, tmp_path: Path) -> None:
    out = tmp_path / "out"
    nothing(box, out, MORNING_S + 60, NOON_S - 60)
    for path in sorted(read_pieces(out)):
        if not path.startswith("evidence/") or path == "evidence/exhibit.json":
            continue
        content = (out / path).read_bytes()
        flip(out / path, len(content) // 2)
        sum_again(out)
        assert check_exhibit(out)[1], path
        (out / path).unlink()
        sum_again(out)
        assert check_exhibit(out)[1], path
        (out / path).write_bytes(content)
    sum_again(out)
    assert check_exhibit(out)[1] == []


@pytest.mark.parametrize(
    ("field", "value"), [("first", 5), ("end", 5), ("before", 3), ("from_ms", 0), ("to_ms", 2**42), ("opened", {})]
)
def test_an_interval_that_hides_a_leaf_is_refused(box: Post, tmp_path: Path, field: str, value: object) -> None:
    out = tmp_path / "out"
    nothing(box, out, MORNING_S + 60, NOON_S - 60)
    path = out / "evidence/exhibit.json"
    told = json.loads(path.read_text())
    told["nothing"][field] = value
    path.write_text(json.dumps(told))
    sum_again(out)
    assert check_exhibit(out)[1], field


def test_a_log_with_an_entry_that_does_not_hold_gives_no_negative_exhibit(box: Post, tmp_path: Path) -> None:
    event(box, "storage_low", free_percent="1")
    box.leaves[-1] = box.leaves[-1][:-1] + bytes([box.leaves[-1][-1] ^ 1])
    box.publish()
    assert pull_from(box).problems
    with pytest.raises(Refused, match="no negative exhibit"):
        nothing(box, tmp_path / "out", MORNING_S + 60, NOON_S - 60)


@pytest.mark.parametrize(
    "asked",
    [
        ("--box", "LA-0001", "--from", "2026-11-18"),
        ("--from", "2026-11-18", "--to", "2026-11-19"),
        ("--box", "LA-0001", "--from", "2026-11-19", "--to", "2026-11-18"),
        ("dddd", "--box", "LA-0001", "--from", "2026-11-18", "--to", "2026-11-19"),
    ],
)
def test_a_question_without_box_or_time_is_refused(box: Post, tmp_path: Path, asked: tuple[str, ...]) -> None:
    with pytest.raises(Misuse, match=r"--box SERIAL|not before|takes no RECORD"):
        hq(box.home, "exhibit", "--none", "--out", tmp_path / "out", *asked)
