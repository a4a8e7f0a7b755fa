"""`landlink-hq policy` as a command: what it prints and exits with, over what a rehearsal left."""

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from appliance.formats.rules import DEFAULT_RULES
from provisioning.policy.rules_file import parse_rules_file
from tests.scenarios.rehearsed import Run

BIN = Path(sys.executable).parent


def policy(home: Path, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
    command: list[str | Path] = [BIN / "landlink-hq", "--home", home, "policy", *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


@pytest.fixture(scope="module")
def founded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("hq") / "hq"
    command: list[str | Path] = [BIN / "landlink-hq", "--home", folder, "init", "--domain", "landlink.example"]
    subprocess.run(command, capture_output=True, timeout=60, check=True)
    return folder


@pytest.fixture
def home(founded: Path, tmp_path: Path) -> Path:
    """A headquarters of the test's own, whose rules no other test has set."""
    return shutil.copytree(founded, tmp_path / "own")


def written(path: Path, **fields: object) -> Path:
    rules: dict[str, Any] = json.loads(policy(path.parent / "hq", "show").stdout)
    path.write_text(json.dumps(rules | fields, indent=2), encoding="utf-8")
    return path


def test_the_help_tells_the_way_of_a_change(home: Path) -> None:
    said = policy(home, "--help").stdout
    for step in ("policy show > rules.json", "policy test rules.json", "policy set rules.json", "always refer"):
        assert step in said


def test_rules_are_shown_edited_and_set_once(home: Path, tmp_path: Path) -> None:
    shown = policy(home, "show")
    assert (shown.returncode, shown.stderr) == (0, "")
    assert parse_rules_file(shown.stdout.encode(), name="shown") == DEFAULT_RULES
    file = tmp_path / "rules.json"
    file.write_text(shown.stdout, encoding="utf-8")
    refused = policy(home, "set", file)
    assert refused.returncode != 0
    assert "nothing to publish" in refused.stderr
    file.write_text(shown.stdout.replace("alert", "refer"), encoding="utf-8")
    done = policy(home, "set", file)
    assert (done.returncode, done.stdout.splitlines()[0]) == (
        0,
        "Rules 2 (Rules that every box is delivered with) are published with release 2.",
    )
    again = policy(home, "set", file)
    assert again.returncode != 0
    assert "an edit of rules 1, in force are rules 2" in again.stderr
    assert json.loads(policy(home, "show").stdout)["version"] == 2


def test_rules_that_do_not_hold_are_never_published(home: Path, tmp_path: Path) -> None:
    file = tmp_path / "rules.json"
    file.write_text(policy(home, "show").stdout.replace('"alert"', '"note"'), encoding="utf-8")
    before = sorted(path.name for path in (home / "tuf" / "metadata").iterdir())
    refused = policy(home, "set", file)
    assert refused.returncode == 65
    assert "rules.json line 6, hits[0]: a document whose number is listed always refers" in refused.stderr
    assert sorted(path.name for path in (home / "tuf" / "metadata").iterdir()) == before


def test_a_trial_over_a_rehearsal_says_what_changes_and_strict_makes_it_a_code(post: Run, tmp_path: Path) -> None:
    hq = tmp_path / "hq"
    shutil.copytree(post.out / "hq", hq)
    same = policy(hq, "test", written(tmp_path / "rules.json"), "--over", post.out, "--strict")
    assert (same.returncode, same.stdout.splitlines()[-1]) == (0, "Nothing would change.")
    hushed = written(tmp_path / "rules.json", hits=[{"action": "note", "list_name": "persons"}, {"action": "alert"}])
    for over in (("--over", post.out), ("--over", post.out / "opened.jsonl"), ()):
        trial = policy(hq, "test", hushed, *over)
        assert trial.returncode == 0, trial.stderr
        assert "-> note  no longer possible person" in trial.stdout
        assert policy(hq, "test", hushed, *over, "--strict").returncode == 1
    told = json.loads(policy(hq, "test", hushed, "--over", post.out, "--json").stdout)
    opened = post.lines("opened.jsonl")
    assert sum(told["was"].values()) == sum(told["now"].values()) == len(opened)
    assert {change["record_id"] for change in told["changes"]} <= {line["record_id"] for line in opened}
    names = {line["document"]["primary_identifier"] for line in opened if line["document"]} - {""}
    assert not [name for name in names if name in trial.stdout]


def test_a_file_or_folder_that_is_none_is_said(home: Path, tmp_path: Path) -> None:
    file = tmp_path / "rules.json"
    file.write_text(policy(home, "show").stdout, encoding="utf-8")
    for arguments, words in (
        (("test", tmp_path / "none.json"), "No such file"),
        (("test", file, "--over", tmp_path), "landlink-hq open --out"),
        (("test", file), "no box is enrolled yet"),
    ):
        refused = policy(home, *arguments)
        assert refused.returncode not in (0, 1)
        assert words in refused.stderr
