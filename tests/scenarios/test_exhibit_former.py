"""A record that a box carried over from a log that it lost: its exhibit proves the old place too, where it can."""

import shutil
from pathlib import Path

import pytest

from appliance.formats.checkpoint import open_checkpoint
from appliance.formats.note import Verifier
from appliance.recorded import Picture
from provisioning.exhibit.checking import check_exhibit, read_said
from provisioning.exhibit.contents import EntryFacts
from provisioning.exhibit.pieces import read_pieces
from tests.exhibit_post import MORNING_S, NOON_S, SCREENED, Post, cosign, hq, run_hq, sum_again
from tests.lost_post_log import NEW, OLD, carried, lose
from tests.page_steps import steps
from tests.scenarios.auditor import flip, kept
from tests.scenarios.made_headquarters import headquarters, picture, screened

SCREENED_INDEX, PICTURE_INDEX = 3, 4


@pytest.fixture
def post(tmp_path: Path) -> Post:
    """A box that lost its log after headquarters had it, but before the bodies of a record and a picture went."""
    box = Post(headquarters(tmp_path / "hq"), tmp_path / "box")
    box.canary()
    box.event()
    assert box.seal(box.record(screened(), SCREENED)) == SCREENED_INDEX
    assert box.seal(box.record(picture(SCREENED, b"\xff\xd8\xff page"))) == PICTURE_INDEX
    bodies = [carried(box, index) for index in (SCREENED_INDEX, PICTURE_INDEX)]
    for index in (SCREENED_INDEX, PICTURE_INDEX):
        box.body(index).unlink()
    cosign(box, MORNING_S)
    lose(box)
    for kind, blob in bodies:
        box.body(box.append(box.statement(kind))).write_bytes(blob)
    cosign(box, NOON_S)
    return box


@pytest.fixture
def out(post: Post, tmp_path: Path) -> Path:
    assert hq(post.home, "exhibit", SCREENED, "--out", tmp_path / "out") == 0
    return tmp_path / "out"


def entries(folder: Path) -> list[EntryFacts]:
    exhibit = read_said(read_pieces(folder))
    assert exhibit.entry is not None
    return [exhibit.entry, *exhibit.related]


def test_the_old_place_is_proven_by_the_lost_logs_own_signature(out: Path) -> None:
    assert check_exhibit(out)[1] == []
    record, page = entries(out)
    assert (record.index, page.index) == (1, 2)
    for entry, index in ((record, SCREENED_INDEX), (page, PICTURE_INDEX)):
        assert entry.former is not None
        assert (entry.former.origin, entry.former.index, entry.former.size) == (OLD, index, 5)
        assert entry.former.cosigned_ms == MORNING_S * 1000 + 999
    assert isinstance(page.record, dict)
    assert page.record["body"]["type"] == Picture.__struct_config__.tag


def test_the_report_tells_of_it(post: Post, tmp_path: Path) -> None:
    assert run_hq(post.home, "exhibit", SCREENED, "--out", tmp_path / "told") == 0
    report = (tmp_path / "told/report.html").read_text()
    assert f"Entry 1 stood before as entry {SCREENED_INDEX} of the log {OLD}, which the box lost" in report


@pytest.mark.parametrize("name", ["statement.cose", "proof.tlog-proof", "epoch.cose", "epoch.tlog-proof", "checkpoint"])
def test_each_of_its_files_altered_or_taken_away_is_noticed_though_the_sums_are_made_to_fit(
    out: Path, name: str
) -> None:
    path = out / "evidence/former" / name
    content = path.read_bytes()
    for at in (0, len(content) // 2, len(content) - 2):
        flip(path, at)
        sum_again(out)
        (problem,) = check_exhibit(out)[1]
        assert problem.startswith("evidence/former/"), (at, problem)
        flip(path, at)
    path.unlink()
    sum_again(out)
    assert check_exhibit(out)[1] == [f"evidence/former/{name}: missing"]


def test_the_old_place_of_another_record_is_refused(out: Path) -> None:
    for path in (out / "evidence/entries/2/former").iterdir():
        shutil.copy(path, out / "evidence/former" / path.name)
    sum_again(out)
    assert check_exhibit(out)[1] == ["evidence/former/statement.cose: not the statement that the entry names"]


def test_the_old_place_beside_an_entry_that_was_never_carried_is_refused(post: Post, out: Path, tmp_path: Path) -> None:
    box = Post(headquarters(tmp_path / "hq2"), tmp_path / "box2")
    box.seal(box.record(screened(), SCREENED))
    cosign(box, MORNING_S)
    assert hq(box.home, "exhibit", SCREENED, "--out", tmp_path / "other") == 0
    shutil.copytree(out / "evidence/former", tmp_path / "other/evidence/former")
    sum_again(tmp_path / "other")
    (problem,) = check_exhibit(tmp_path / "other")[1]
    assert problem == "evidence/former/checkpoint: beside an entry that was not carried over"
    assert post.origin == NEW


def test_a_lost_log_that_headquarters_never_had_is_not_proven_and_stops_no_exhibit(post: Post, tmp_path: Path) -> None:
    shutil.rmtree(post.home.pulled_log(OLD))
    assert hq(post.home, "exhibit", SCREENED, "--out", tmp_path / "out") == 0
    assert check_exhibit(tmp_path / "out")[1] == []
    assert [entry.former for entry in entries(tmp_path / "out")] == [None, None]


def test_the_lost_logs_checkpoint_is_signed_by_the_boxs_one_log_key(out: Path, post: Post) -> None:
    key = kept(post).log.verifier
    note = (out / "evidence/former/checkpoint").read_bytes()
    assert open_checkpoint(note, Verifier(OLD, key.type, key.public))[0].size == 5


@pytest.mark.interop
def test_the_page_proves_the_old_place_and_names_what_was_altered(out: Path, tmp_path: Path) -> None:
    taken = steps(out, tmp_path)
    assert taken["fails"] == set()
    assert {"former", "roster", "place"} <= taken["holds"]
    assert "unread" not in taken["open"]
    flip(out / "evidence/former/statement.cose", -3)
    assert steps(out, tmp_path)["fails"] == {"former"}
