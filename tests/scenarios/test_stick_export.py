"""`landlink-box export`: a post without a link gives its log and bodies to headquarters on a stick, and hears back."""

import os
import subprocess
from collections.abc import Generator
from pathlib import Path

import pytest

from appliance.formats.statement import EventEntry, Sealed
from provisioning.audit.source import folder_sources
from tests.scenarios.audit_bed import Audited, audited
from tests.scenarios.recorder_bed import ORIGIN


@pytest.fixture
def post() -> Generator[Audited]:
    with audited() as made:
        yield made


def files(stick: Path) -> dict[str, tuple[int, int]]:
    """Every file with what tells whether it was written again."""
    return {
        path.relative_to(stick).as_posix(): (path.stat().st_ino, path.stat().st_mtime_ns)
        for path in stick.rglob("*")
        if path.is_file()
    }


def sealed_entries(post: Audited) -> list[int]:
    return [index for index, each in enumerate(post.box.statements()) if isinstance(each.kind, Sealed)]


# --- the stick to headquarters ----------------------------------------------------------------------------------------


def test_the_whole_log_and_its_bodies_are_on_the_stick_and_the_log_says_so(post: Audited) -> None:
    post.record(3)
    before, sealed = post.box.checkpoint().size, sealed_entries(post)
    done = post.export()
    assert (done.stderr, done.returncode) == ("", 0)
    exported = post.box.statements()[before].kind
    assert exported == EventEntry(event="exported", fields={"entries": str(before), "bodies": str(len(sealed))})
    checkpoint = (post.stick / "log" / ORIGIN / "checkpoint").read_bytes()
    assert checkpoint == (post.box.state / "log" / "checkpoint").read_bytes()
    source = folder_sources(post.stick)[ORIGIN]
    assert [source.body(index, bytes_max=1 << 20) for index in sealed] == [post.box.body(index) for index in sealed]
    assert f"{before + 1} entries and {len(sealed)} sealed bodies" in done.stdout


def test_a_second_export_writes_only_what_is_new(post: Audited) -> None:
    post.record(2)
    post.export()
    first = files(post.stick)
    post.record(1)
    assert post.export().returncode == 0
    second = files(post.stick)
    bodies = {name for name in first if name.startswith("bodies/")}
    assert {name: second[name] for name in bodies} == {name: first[name] for name in bodies}
    assert len([name for name in second if name.startswith("bodies/")]) == len(bodies) + 1


def test_a_stick_that_was_pulled_out_in_the_middle_goes_on_and_heals(post: Audited) -> None:
    post.record(3)
    post.export()
    (post.stick / "log" / ORIGIN / "checkpoint").unlink()
    torn, lost, *_ = sorted(path for path in (post.stick / "bodies").rglob("*.age"))
    torn.write_bytes(torn.read_bytes()[:100])
    lost.rename(lost.with_name(f".{lost.name}.tmp"))
    assert post.export().returncode == 0
    pulled = post.hq("pull", post.stick)
    assert pulled.returncode == 0, pulled.stderr
    assert "0 awaited" in pulled.stdout


def test_bodies_that_headquarters_has_stay_at_home_unless_all_are_asked_for(post: Audited) -> None:
    post.record(2)
    first, *others = sealed_entries(post)
    (post.box.state / "receipts" / str(first)).write_bytes(b"")
    post.export()
    assert first not in {int(path.stem) for path in (post.stick / "bodies").rglob("*.age")}
    post.export("--all")
    assert {first, *others} <= {int(path.stem) for path in (post.stick / "bodies").rglob("*.age")}


def test_bodies_before_an_entry_can_be_left_out_but_never_the_log(post: Audited) -> None:
    post.record(3)
    last = sealed_entries(post)[-1]
    assert post.export("--since", str(last)).returncode == 0
    assert {int(path.stem) for path in (post.stick / "bodies").rglob("*.age")} == {last}
    assert post.hq("pull", post.stick).returncode == 0


def test_an_export_that_cannot_be_logged_is_none(post: Audited) -> None:
    post.record(1)
    post.box.stop(post.box.running[0])
    done = post.export()
    assert done.returncode == 69
    assert "the recorder does not answer, and an export that is not logged is none" in done.stderr
    assert "next: systemctl status recorder.service" in done.stderr
    assert not files(post.stick)


def test_a_link_on_the_stick_is_refused_before_anything_is_written(post: Audited, tmp_path: Path) -> None:
    (post.stick / "bodies").symlink_to(tmp_path)
    done = post.export()
    assert done.returncode == 77
    assert "is a link" in done.stderr
    assert not list(tmp_path.iterdir())


def test_a_stick_that_is_not_mounted_is_not_made(post: Audited) -> None:
    post.stick.rmdir()
    done = post.export()
    assert done.returncode == 66
    assert "is the stick mounted?" in done.stderr
    assert not post.stick.exists()


@pytest.mark.root
def test_a_full_stick_says_so_and_the_checkpoint_there_stands_for_what_is_there(post: Audited) -> None:
    post.record(1)
    mount = ["mount", "-t", "tmpfs", "-o", "size=96k", "tmpfs", post.stick]
    if os.getuid() != 0 or subprocess.run(mount, check=False, capture_output=True).returncode:
        pytest.skip("mounting a tmpfs needs root")
    try:
        assert post.export().returncode == 0
        first = (post.stick / "log" / ORIGIN / "checkpoint").read_bytes()
        post.record(12)
        done = post.export()
        assert done.returncode == 73
        assert "No space left on device" in done.stderr
        assert (post.stick / "log" / ORIGIN / "checkpoint").read_bytes() == first
        assert post.hq("pull", post.stick).returncode == 0
    finally:
        subprocess.run(["umount", post.stick], check=True)


# --- and headquarters' word back --------------------------------------------------------------------------------------


def test_the_cosignature_comes_back_by_stick_and_the_recorder_keeps_it(post: Audited) -> None:
    post.record(2)
    post.export()
    assert "cosigned by headquarters now" in post.hq("pull", post.stick).stdout
    assert "of 1 logs" in post.hq("stick", post.stick).stdout
    assert not (post.box.state / "cosigned").exists()
    post.uplink_says("its cosigned checkpoint is kept")
    kept = (post.box.state / "cosigned").read_bytes()
    assert kept == (post.home.pulled_log(ORIGIN) / "checkpoint").read_bytes()


def test_an_older_stick_takes_nothing_back(post: Audited) -> None:
    post.record(1)
    post.export()
    post.hq("pull", post.stick)
    post.hq("stick", post.stick)
    older = (post.stick / "cosigned" / ORIGIN).read_bytes()
    post.record(1)
    post.export()
    post.hq("pull", post.stick)
    post.hq("stick", post.stick)
    post.uplink_says("its cosigned checkpoint is kept")
    newest = (post.box.state / "cosigned").read_bytes()
    (post.stick / "cosigned" / ORIGIN).write_bytes(older)
    post.uplink_says("its cosigned checkpoint is kept")
    assert (post.box.state / "cosigned").read_bytes() == newest != older


@pytest.mark.parametrize("wrong", ["not cosigned", "cut off", "of another log"])
def test_what_headquarters_did_not_cosign_for_this_log_is_refused(post: Audited, wrong: str) -> None:
    post.record(1)
    post.export()
    post.hq("pull", post.stick)
    note = (post.home.pulled_log(ORIGIN) / "checkpoint").read_bytes()
    (post.stick / "cosigned" / ORIGIN).parent.mkdir(parents=True)
    forged = {
        "not cosigned": (post.box.state / "log" / "checkpoint").read_bytes(),
        "cut off": note[:-20],
        "of another log": note.replace(b"la-0001.1", b"la-0002.1"),
    }[wrong]
    (post.stick / "cosigned" / ORIGIN).write_bytes(forged)
    post.uplink_says("its checkpoint is refused")
    assert not (post.box.state / "cosigned").exists()
