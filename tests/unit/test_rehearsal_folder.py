"""The folder of a rehearsal is made anew, but never one that somebody needs."""

from pathlib import Path

import pytest

from appliance.errors import ConfigError, Refused
from provisioning.bench.post import Folders, prepare


def end(folders: Folders) -> None:
    folders.claim.close()


def test_a_folder_of_an_ended_rehearsal_is_cleared_and_used_again(tmp_path: Path) -> None:
    first = prepare(tmp_path / "out")
    (first.box / "log").mkdir()
    (first.out / "report.json").write_text("old", encoding="utf-8")
    end(first)
    again = prepare(tmp_path / "out")
    assert not (again.out / "report.json").exists()
    assert not list(again.box.iterdir())
    end(again)


def test_a_folder_in_which_a_rehearsal_runs_is_refused_and_left_as_it_is(tmp_path: Path) -> None:
    running = prepare(tmp_path / "out")
    (running.box / "record").write_text("needed", encoding="utf-8")
    with pytest.raises(Refused, match="a rehearsal is running in"):
        prepare(tmp_path / "out")
    assert (running.box / "record").read_text(encoding="utf-8") == "needed"
    end(running)


def test_a_folder_with_somebodys_files_is_refused_and_left_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "mine").write_text("mine", encoding="utf-8")
    with pytest.raises(Refused, match="not empty and not of a rehearsal"):
        prepare(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["mine"]


def test_a_link_in_the_folder_is_removed_and_what_it_leads_to_is_not(tmp_path: Path) -> None:
    end(prepare(tmp_path / "out"))
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "kept").touch()
    (tmp_path / "out" / "link").symlink_to(elsewhere)
    end(prepare(tmp_path / "out"))
    assert (elsewhere / "kept").exists()
    assert not (tmp_path / "out" / "link").is_symlink()


@pytest.mark.parametrize("name", ["file", "file/below", "n" * 300])
def test_a_place_that_can_be_no_folder_is_named(tmp_path: Path, name: str) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(ConfigError, match="name another folder with --out"):
        prepare(tmp_path / name)
