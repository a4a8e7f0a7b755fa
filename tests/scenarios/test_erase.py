"""`landlink-hq erase`: bodies go on an order, the log stays whole, and nobody fetches or misses them afterwards."""

from pathlib import Path

import pytest

from appliance.errors import LandlinkError, Misuse, Refused
from provisioning.audit.cosigning import Desk
from provisioning.audit.erased import read_erased
from provisioning.custody.act import Did
from provisioning.custody.log import CustodyLog
from tests.scenarios.auditor import kept, pull_from, run
from tests.scenarios.made_headquarters import NOW_MS, Box, day_at_the_post, headquarters

REFERRED = {6, 8}
"""The document of KHAMPHENG and its outcome."""
ROUTINE = {3, 4, 5, 7}
"""Two documents with nothing found, a picture, an outcome."""
CANARY = 1


@pytest.fixture
def box(tmp_path: Path) -> Box:
    made = Box(headquarters(tmp_path / "hq"), tmp_path)
    day_at_the_post(made)
    pull_from(made)
    desk = Desk.of(made.home)
    assert desk is not None
    desk.cosign(kept(made), at_ms=NOW_MS)
    return made


def bodies_of(box: Box) -> set[int]:
    return set(kept(box).body_indices())


def erased_by(box: Box, *arguments: str) -> set[int]:
    """Entries whose body went."""
    before = bodies_of(box)
    assert run(box.home, "erase", *arguments, "--why", "Order 17 of the court", "--as", "K. Sisouk") == 0
    return before - bodies_of(box)


def test_a_record_goes_with_all_that_belongs_to_it_and_verify_says_on_whose_order(
    box: Box, capsys: pytest.CaptureFixture[str]
) -> None:
    assert erased_by(box, "bbbb") == REFERRED
    capsys.readouterr()
    assert run(box.home, "verify") == 0
    shown = capsys.readouterr().out
    assert "all of it holds" in shown
    assert "2 bodies are not here: erased on" in shown
    assert "on order of K. Sisouk (entry" in shown


def test_the_order_stands_in_headquarters_own_log_before_anything_goes(box: Box) -> None:
    erased_by(box, "bbbb")
    (act,) = [act for act in CustodyLog(box.home).acts() if act.did is Did.ERASED]
    assert act.records == ("bb" * 16,)
    assert {reach.first for reach in act.reaches} == REFERRED
    assert act.by == "K. Sisouk"


def test_no_pull_fetches_an_erased_body_again(box: Box) -> None:
    erased_by(box, "bbbb")
    assert pull_from(box).bodies == 0
    assert bodies_of(box).isdisjoint(REFERRED)


def test_the_routine_goes_before_what_referred_somebody(tmp_path: Path) -> None:
    made = Box(headquarters(tmp_path / "hq"), tmp_path)
    day_at_the_post(made)
    pull_from(made)
    desk = Desk.of(made.home)
    assert desk is not None
    desk.cosign(kept(made), at_ms=1_600_000_000_000)
    assert erased_by(made, "--older-than", "30", "--routine") == ROUTINE
    assert erased_by(made, "--older-than", "30") == REFERRED
    assert bodies_of(made) == {CANARY}
    assert run(made.home, "open", "--out", str(tmp_path / "opened.jsonl")) == 0


def test_what_was_never_cosigned_is_proven_to_be_no_age_and_stays(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    made = Box(headquarters(tmp_path / "hq"), tmp_path)
    day_at_the_post(made)
    pull_from(made)
    assert erased_by(made, "--older-than", "1") == set()
    assert "nothing here is proven to be so old" in capsys.readouterr().out


def test_a_dry_run_counts_and_destroys_nothing(box: Box, capsys: pytest.CaptureFixture[str]) -> None:
    assert erased_by(box, "bbbb", "--dry-run") == set()
    assert "1 record with 2 bodies would be erased" in capsys.readouterr().out
    assert read_erased(kept(box)) == {}


def test_an_order_that_a_power_cut_interrupted_is_named_and_finished(
    box: Box, capsys: pytest.CaptureFixture[str]
) -> None:
    spared = kept(box).body_path(6).read_bytes()
    erased_by(box, "bbbb")
    kept(box).body_path(6).write_bytes(spared)
    assert run(box.home, "verify") == 1
    assert "ordered to erase its body, which is still here" in capsys.readouterr().out
    assert run(box.home, "erase", "--finish") == 0
    assert run(box.home, "verify") == 0


def test_a_body_that_somebody_only_says_was_erased_is_named(box: Box, capsys: pytest.CaptureFixture[str]) -> None:
    kept(box).body_path(6).unlink()
    (kept(box).folder / "erased.json").write_text('{"6":{"act":0,"at_ms":0,"by":"nobody"}}')
    assert run(box.home, "verify") == 1
    assert "headquarters' own log has no such order" in capsys.readouterr().out


def test_the_collectors_copy_goes_too(box: Box, tmp_path: Path) -> None:
    copies = tmp_path / "collector" / "bodies" / box.origin
    copies.mkdir(parents=True)
    for index in (6, 7, 8):
        (copies / f"{index}.age").write_bytes(b"sealed")
    erased_by(box, "bbbb", "--data", str(tmp_path / "collector"))
    assert [path.name for path in copies.iterdir()] == ["7.age"]


@pytest.mark.parametrize(
    ("arguments", "error", "why"),
    [
        (("bbbb",), Misuse, "on whose order"),
        (("--why", "x"), Misuse, "say which"),
        (("bbbb", "--older-than", "3", "--why", "x"), Misuse, "say which"),
        (("bbbb", "--routine", "--why", "x"), Misuse, "--older-than"),
        (("bb", "--why", "x"), Misuse, "the first 4 do"),
        (("ffff", "--why", "x"), Refused, "no record here begins with ffff; .*find"),
    ],
)
def test_an_order_that_says_too_little_destroys_nothing(
    box: Box, arguments: tuple[str, ...], error: type[LandlinkError], why: str
) -> None:
    before = bodies_of(box)
    with pytest.raises(error, match=why):
        run(box.home, "erase", *arguments)
    assert bodies_of(box) == before


def test_counting_needs_no_reason(box: Box, capsys: pytest.CaptureFixture[str]) -> None:
    before = bodies_of(box)
    assert run(box.home, "erase", "bbbb", "--dry-run") == 0
    assert "1 record with 2 bodies would be erased" in capsys.readouterr().out
    assert bodies_of(box) == before


def test_a_record_that_was_erased_is_not_erased_again_but_its_order_is_named(box: Box) -> None:
    erased_by(box, "bbbb")
    with pytest.raises(Refused, match=r"it was erased on .* on order of K\. Sisouk; next: landlink-hq custody show"):
        run(box.home, "erase", "bbbb", "--why", "again")


def test_a_search_that_finds_nothing_does_not_send_for_what_was_erased(
    box: Box, capsys: pytest.CaptureFixture[str]
) -> None:
    erased_by(box, "bbbb")
    capsys.readouterr()
    assert run(box.home, "find", "--number", "NOBODY1") == 0
    shown = capsys.readouterr().out
    assert "2 bodies were erased on order" in shown
    assert "have not arrived" not in shown
