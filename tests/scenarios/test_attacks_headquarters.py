"""A box in another's hands, and a stick from it, against headquarters' own desk."""

import os
import threading
from pathlib import Path

import pytest
from msgspec import structs

from appliance.errors import StorageFault
from appliance.judged import Reason, Refer
from provisioning.authority.home import Home
from tests.scenarios.auditor import open_of, pull_from, run, words
from tests.scenarios.made_headquarters import Box, headquarters, instant, outcome, screened


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return headquarters(tmp_path / "hq")


@pytest.fixture
def box(home: Home, tmp_path: Path) -> Box:
    made = Box(home, tmp_path / "box")
    made.canary()
    return made


def test_what_a_box_recorded_gives_the_auditors_terminal_no_orders_and_no_line(
    box: Box, home: Home, capsys: pytest.CaptureFixture[str]
) -> None:
    forged = "A\x1b[2J\x1b[31m\u202e\nla-0009.1 entry 7  2026-11-18 11:06  LAO PB0000000  INNOCENT"
    box.seal(box.record(screened(name=forged, number="P\x1b]0;x\x07\x9b"), "ab" * 16))
    reason = Reason(code="x\x1b[2J\r", words="words", next_step="step")
    box.seal(box.record(structs.replace(screened(), decision=Refer(first=reason)), "ac" * 16))
    box.publish()
    pull_from(box)
    capsys.readouterr()
    run(home, "find")
    run(home, "report")
    shown = capsys.readouterr().out
    assert {character for character in shown if not character.isprintable()} == {"\n"}
    assert not any(line.startswith("la-0009") for line in shown.splitlines())


def test_records_are_never_written_into_a_file_that_somebody_laid_ready(box: Box, home: Home, tmp_path: Path) -> None:
    box.seal(box.record(screened(), "ab" * 16))
    box.publish()
    pull_from(box)
    laid_ready = tmp_path / f".records.jsonl.{os.getpid()}.tmp"
    laid_ready.touch(mode=0o666)
    with pytest.raises(StorageFault):
        run(home, "open", "--out", str(tmp_path / "records.jsonl"))
    assert laid_ready.read_bytes() == b""


@pytest.mark.parametrize("claimed_ms", [0, 253_402_300_799_999, instant(0).wall_ms - 86_400_000])
def test_a_booth_that_dates_its_records_to_another_day_is_named(box: Box, claimed_ms: int) -> None:
    honest = box.record(screened(), "ab" * 16)
    box.seal(honest)
    lie = box.record(outcome("ab" * 16))
    box.seal(structs.replace(lie, at=structs.replace(lie.at, wall_ms=claimed_ms)))
    box.publish()
    pull_from(box)
    opened = open_of(box)
    assert [problem.index for problem in opened.problems] == [3]
    assert "its clock stepped in between, or the booth lies" in words(opened.problems)
    assert opened.opened_through == 3  # and by lying it does not keep bodies from being deleted


@pytest.mark.parametrize(
    "claim", [{"boot_id": "f" * 32}, {"boot_ms": instant(0).boot_ms + 3_600_000}], ids=["boot", "later"]
)
def test_a_booth_that_claims_another_boot_or_a_later_moment_is_named(box: Box, claim: dict[str, object]) -> None:
    lie = box.record(screened(), "ab" * 16)
    box.seal(structs.replace(lie, at=structs.replace(lie.at, **claim)))
    box.publish()
    pull_from(box)
    assert "the booth lies" in words(open_of(box).problems)


def test_a_record_that_waited_in_the_booth_for_hours_is_honest(box: Box) -> None:
    late = box.record(screened(), "ab" * 16)
    hour_ms = 3_600_000
    box.seal(structs.replace(late, at=structs.replace(late.at, wall_ms=late.at.wall_ms - hour_ms, boot_ms=0)))
    box.publish()
    pull_from(box)
    assert "the booth lies" in words(open_of(box).problems)  # an hour by one clock and a second by the other
    early = box.record(screened(), "ac" * 16)
    box.seal(structs.replace(early, at=structs.replace(early.at, wall_ms=early.at.wall_ms - 1_000, boot_ms=2)))
    box.publish()
    pull_from(box)
    assert [problem.index for problem in open_of(box).problems] == [2]


@pytest.mark.parametrize("path", ["checkpoint", "tile/entries/000.p/3"])
def test_a_pipe_on_a_stick_keeps_no_auditor_waiting(box: Box, path: str) -> None:
    box.event()
    box.publish()
    target = box.state / "log" / path
    target.unlink()
    os.mkfifo(target)
    ended: list[BaseException] = []

    def attempt() -> None:
        with pytest.raises(StorageFault, match="no regular file") as refusal:
            pull_from(box)
        ended.append(refusal.value)

    auditor = threading.Thread(target=attempt, daemon=True)
    auditor.start()
    auditor.join(10)
    assert len(ended) == 1
