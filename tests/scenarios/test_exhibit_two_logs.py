"""A crossing that began before the box lost a log and ended after it: the exhibit has the records of both logs."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from provisioning.audit.testimony_pages import RECEIPTS, encode_page
from provisioning.exhibit.checking import check_exhibit
from provisioning.exhibit.contents import EntryFacts
from provisioning.exhibit.report import report_page
from provisioning.exhibit.words_of import LANGUAGES
from tests.exhibit_post import EVENING_S, MORNING_S, NOON_S, SCREENED, Post, cosign, hq, receipt, sum_again
from tests.lost_post_log import NEW, OLD, carried, lose
from tests.page_steps import steps
from tests.scenarios.auditor import flip, kept
from tests.scenarios.made_headquarters import headquarters, outcome, picture, screened

OTHERS = "ad" * 16


@pytest.fixture
def box(tmp_path: Path) -> Post:
    """Its record and a picture were pulled; a picture that was not is carried over; the outcome came later."""
    box = Post(headquarters(tmp_path / "hq"), tmp_path / "box")
    box.canary()
    box.seal(box.record(screened(), SCREENED))
    box.seal(box.record(picture(SCREENED, b"\xff\xd8\xff first page")))
    late = box.seal(box.record(picture(SCREENED, b"\xff\xd8\xff late page")))
    again, body = carried(box, late)
    both, copy = carried(box, late - 1)
    box.body(late).unlink()
    cosign(box, MORNING_S)
    lose(box)
    box.canary()
    box.body(box.append(box.statement(again))).write_bytes(body)
    box.body(box.append(box.statement(both))).write_bytes(copy)  # here and there: headquarters' receipt was lost
    cosign(box, NOON_S)
    place = box.seal(box.record(outcome(SCREENED)))
    box.seal(box.record(screened(), OTHERS))
    box.seal(box.record(outcome(OTHERS)))
    cosign(box, EVENING_S)
    kept(box).keep_page(RECEIPTS, 0, encode_page([receipt(box, place, NOON_S * 1000 + 1)]))
    return box


@pytest.fixture
def out(box: Post, tmp_path: Path) -> Path:
    assert hq(box.home, "exhibit", SCREENED, "--out", tmp_path / "out") == 0
    return tmp_path / "out"


def told(out: Path) -> tuple[EntryFacts, ...]:
    exhibit, problems = check_exhibit(out)
    assert problems == []
    assert exhibit is not None
    return exhibit.related


def test_what_belongs_to_a_record_is_gathered_from_both_logs_each_once(out: Path) -> None:
    related = [(each.folder, each.origin, each.kind) for each in told(out)]
    assert related == [
        ("evidence/entries/3", "", "picture"),
        ("evidence/logs/2/entries/2", NEW, "picture"),
        ("evidence/logs/2/entries/4", NEW, "outcome"),
    ]


def test_an_entry_of_the_other_log_is_proven_there_with_its_own_time(out: Path) -> None:
    _, late, ended = told(out)
    assert late.former is not None
    assert (late.former.origin, late.former.index) == (OLD, 4)
    assert ended.time.before is not None
    assert ended.time.after is not None
    assert (ended.time.after.at_ms, ended.time.before.at_ms) == (NOON_S * 1000, NOON_S * 1000 + 1)
    named = late.time.before
    assert named is not None
    assert named.file in ("evidence/logs/2/checkpoint", "evidence/logs/2/entries/2/before.tlog-proof")


def test_the_record_of_the_later_log_has_what_the_former_one_had(box: Post, tmp_path: Path) -> None:
    assert hq(box.home, "exhibit", OTHERS, "--out", tmp_path / "others") == 0
    assert [(each.folder, each.origin) for each in told(tmp_path / "others")] == [("evidence/entries/6", "")]
    assert not (tmp_path / "others/evidence/logs").exists()


def test_the_page_checks_the_other_logs_entries(out: Path, tmp_path: Path) -> None:
    found = steps(out, tmp_path)
    assert found["fails"] == set()
    assert "unread" not in found["open"]


def test_the_report_says_in_which_log_an_entry_stands(out: Path) -> None:
    exhibit, _ = check_exhibit(out)
    assert exhibit is not None
    for language in LANGUAGES:
        report = report_page(exhibit, language, {each.picture: b"" for each in exhibit.related})
        assert f">4 ({NEW})<" in report
        assert ">3<" in report


def test_a_redacted_copy_has_them_redacted(box: Post, tmp_path: Path) -> None:
    assert hq(box.home, "exhibit", SCREENED, "--out", tmp_path / "cut", "--redact") == 0
    assert all(each.redacted for each in told(tmp_path / "cut"))
    assert not list((tmp_path / "cut/evidence/logs").rglob("body.age"))


def flipped(out: Path) -> str:
    flip(out / "evidence/logs/2/checkpoint", 30)
    return "evidence/logs/2"


def of_the_exhibits_own_log(out: Path) -> str:
    shutil.copyfile(out / "evidence/checkpoint", out / "evidence/logs/2/checkpoint")
    return "evidence/logs/2"


def without_its_checkpoint(out: Path) -> str:
    (out / "evidence/logs/2/checkpoint").unlink()
    return "evidence/logs/2/checkpoint: missing"


def from_a_third_log(out: Path) -> str:
    (out / "evidence/logs/2").rename(out / "evidence/logs/3")
    return "evidence/logs/3"


def left_out(out: Path) -> str:
    shutil.rmtree(out / "evidence/logs/2/entries/4")
    return "what it says of related"


def told_of_another_log(out: Path) -> str:
    path = out / "evidence/exhibit.json"
    said = json.loads(path.read_text())
    said["related"][2]["origin"] = ""
    path.write_text(json.dumps(said))
    return "what it says of related"


def another_body(out: Path) -> str:
    flip(out / "evidence/logs/2/entries/4/body.age")
    return "evidence/logs/2/entries/4/body.age"


@pytest.mark.parametrize(
    "attack",
    [
        flipped,
        of_the_exhibits_own_log,
        without_its_checkpoint,
        from_a_third_log,
        left_out,
        told_of_another_log,
        another_body,
    ],
)
def test_what_was_altered_in_the_other_log_is_named_by_both_checks(
    attack: Callable[[Path], str], out: Path, tmp_path: Path
) -> None:
    words = attack(out)
    sum_again(out)
    exhibit, problems = check_exhibit(out)
    assert exhibit is None
    assert words in "\n".join(problems)
    found = steps(out, tmp_path)
    assert found["fails"] or (attack is left_out and "shown" in found["open"])  # a part of a folder may do for the page


def test_what_has_not_arrived_of_the_other_log_is_said(box: Post, tmp_path: Path) -> None:
    body = next(box.home.pulled_log(NEW).glob("bodies/4*"))
    body.unlink()
    assert hq(box.home, "exhibit", SCREENED, "--out", tmp_path / "out") == 0
    exhibit, _ = check_exhibit(tmp_path / "out")
    assert exhibit is not None
    assert f"{NEW}: 1 bodies of this log have not arrived" in " ".join(exhibit.problems)
