"""A report that says more than its evidence: the page's steps are not passed by taking the evidence away."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.exhibit_post import SCREENED, a_day, hq, sum_again
from tests.page_steps import steps
from tests.scenarios.made_headquarters import headquarters

pytestmark = pytest.mark.interop
Said = dict[str, Any]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("made")
    home = headquarters(folder / "hq")
    a_day(home, folder / "box")
    assert hq(home, "exhibit", SCREENED, "--out", folder / "out") == 0
    return folder / "out"


@pytest.fixture
def out(made: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(made, tmp_path / "out"))


def say(out: Path, how: Callable[[Said], object]) -> None:
    """Alter what the report shows, and the sums with it."""
    path = out / "evidence/exhibit.json"
    said = json.loads(path.read_bytes())
    how(said)
    path.write_text(json.dumps(said))
    sum_again(out)


def failing(out: Path, scratch: Path) -> set[str]:
    return steps(out, scratch)["fails"]


def test_the_exhibit_itself_fails_nowhere(out: Path, tmp_path: Path) -> None:
    assert failing(out, tmp_path) == set()


def test_an_answer_that_no_file_has_is_no_answer(out: Path, tmp_path: Path) -> None:
    answer = {"at_ms": 1, "verdict": "not_confirmed", "words": "Let him go.", "by": "Duty desk 4", "sha256": "00" * 32}
    say(out, lambda said: said.update(answers=[answer | {"file": "", "named_by": None}]))
    assert "answers" in failing(out, tmp_path)


def test_a_former_place_that_no_file_has_is_none(out: Path, tmp_path: Path) -> None:
    former = {"origin": "landlink.example/la-0001.0", "index": 3, "size": 9, "claimed": None, "cosigned_ms": 1}
    say(out, lambda said: said["entry"].update(former=former))
    assert failing(out, tmp_path) == {"former"}


def in_force(said: Said) -> Said:
    shown: Said = said["in_force"]
    assert len(shown["files"]) > 3, "the day has a release with files"
    return shown


@pytest.mark.parametrize("name", ["release", "dated", "recipients", "rules", "software"])
def test_of_the_release_in_force_every_word_is_the_logs(out: Path, tmp_path: Path, name: str) -> None:
    def another(said: Said) -> None:
        shown = in_force(said)
        shown[name] = shown[name] + 1 if isinstance(shown[name], int) else f"{shown[name]}9"

    say(out, another)
    assert "release" in failing(out, tmp_path)


def test_a_release_without_its_entry_or_metadata_is_not_believed(out: Path, tmp_path: Path) -> None:
    (out / "evidence/release/snapshot.json").unlink()
    sum_again(out)
    assert failing(out, tmp_path) == {"release_files"}
    shutil.rmtree(out / "evidence/release")
    sum_again(out)
    assert failing(out, tmp_path) == {"release", "release_files"}


def test_a_file_of_the_release_that_the_report_leaves_out_is_missed(out: Path, tmp_path: Path) -> None:
    say(out, lambda said: in_force(said)["files"].pop())
    assert failing(out, tmp_path) == {"release_files"}


def test_a_time_without_its_file_is_not_believed(out: Path, tmp_path: Path) -> None:
    (out / "evidence/time.json").unlink()
    sum_again(out)
    assert failing(out, tmp_path) == {"time"}


@pytest.mark.parametrize("name", ["evidence/record.json", "evidence/exhibit.json"])
def test_what_every_object_inherits_stands_in_for_nothing(out: Path, tmp_path: Path, name: str) -> None:
    """A field of the record is left out, and one that seems to be there in each object is put in its place."""

    def hide(record: Said) -> None:
        body = record["body"]
        del body[min(body)]
        body["__proto__"] = {}

    path = out / name
    said = json.loads(path.read_bytes())
    hide(said["entry"]["record"] if name.endswith("exhibit.json") else said)
    path.write_text(json.dumps(said))
    if name.endswith("record.json"):
        say(out, lambda report: report["entry"].update(record=said))
    sum_again(out)
    assert "readable" in failing(out, tmp_path)
