"""Folders of strangers, a stick, a medium or an exhibit: pipes, holes, folders without end, files that change."""

import contextlib
import hashlib
import itertools
import os
import shutil
import threading
from collections.abc import Generator
from pathlib import Path

import pytest

from appliance.errors import NoInput, Refused, StorageFault
from appliance.files import DEPTH_MAX
from provisioning.audit.source import folder_sources
from provisioning.authority.distribute import distribute
from provisioning.authority.home import Home
from provisioning.custody.act import Did
from provisioning.custody.log import CustodyLog
from provisioning.exhibit.checking import check_exhibit
from provisioning.exhibit.folder import SUMS
from provisioning.exhibit.pieces import BYTES_MAX, FILE_BYTES_MAX
from tests.exhibit_post import SCREENED, a_day, hq
from tests.scenarios.audit_bed import audited
from tests.scenarios.made_headquarters import headquarters
from tests.scenarios.recorder_bed import ORIGIN

TOO_DEEP = f"more than {DEPTH_MAX} folders within each other"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A home of headquarters, and an exhibit that it made."""
    folder = tmp_path_factory.mktemp("court")
    box = a_day(headquarters(folder / "hq"), folder / "box")
    assert hq(box.home, "exhibit", SCREENED, "--out", folder / "exhibit") == 0
    return box.home.folder, folder / "exhibit"


@pytest.fixture
def home(made: tuple[Path, Path], tmp_path: Path) -> Home:
    return Home.open(Path(shutil.copytree(made[0], tmp_path / "hq")))


@pytest.fixture
def exhibit(made: tuple[Path, Path], tmp_path: Path) -> Path:
    return Path(shutil.copytree(made[1], tmp_path / "exhibit"))


def dig(folder: Path) -> None:
    """Folders within each other, more than anybody's walk should follow."""
    (folder / "/".join(["a"] * DEPTH_MAX)).mkdir(parents=True)


def sparse(path: Path, size: int) -> None:
    """A file that is long and takes no room on the medium."""
    path.touch()
    os.truncate(path, size)


# --- sticks ----------------------------------------------------------------------------------------------------------


def test_a_pipe_on_the_stick_where_the_box_would_write_keeps_no_export_waiting() -> None:
    with audited() as post:
        post.record(1)
        assert post.export().returncode == 0
        checkpoint = post.stick / "log" / ORIGIN / "checkpoint"
        checkpoint.unlink()
        os.mkfifo(checkpoint)
        done = post.export()
        assert (done.returncode, "no regular file" in done.stderr) == (StorageFault.exit_code, True), done.stderr
        checkpoint.unlink()
        assert post.export().returncode == 0


def test_folders_without_end_on_a_stick_are_refused_in_words_by_export_pull_and_stick() -> None:
    with audited() as post:
        post.record(1)
        assert post.export().returncode == 0
        dig(post.stick / "bodies" / ORIGIN)
        for done in (post.export(), post.hq("pull", post.stick)):
            assert (done.returncode, TOO_DEEP in done.stderr) == (StorageFault.exit_code, True), done.stderr
        dig(post.stick / "down")
        done = post.hq("stick", post.stick)
        assert (done.returncode, TOO_DEEP in done.stderr) == (StorageFault.exit_code, True), done.stderr


def test_a_link_among_the_bodies_of_a_stick_leads_a_pull_nowhere(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "7.age").write_bytes(b"not of the stick")
    stick = tmp_path / "stick"
    (stick / "log" / ORIGIN).mkdir(parents=True)
    (stick / "log" / ORIGIN / "checkpoint").write_bytes(f"{ORIGIN}\n".encode())
    (stick / "bodies" / ORIGIN).mkdir(parents=True)
    (stick / "bodies" / ORIGIN / "5.age").write_bytes(b"of the stick")
    (stick / "bodies" / ORIGIN / "on").symlink_to(tmp_path / "elsewhere")
    assert list(folder_sources(stick)[ORIGIN].bodies()) == [5]


# --- media -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["link to the key here", "link to nowhere", "pipe"])
def test_a_medium_of_a_holder_that_lies_about_having_the_key_destroys_none(
    home: Home, tmp_path: Path, kind: str
) -> None:
    media = [tmp_path / f"medium-{number}" for number in (1, 2, 3)]
    for medium in media:
        medium.mkdir()
    here, there = home.key("root-1"), media[0] / "root-1.pem"
    before = here.read_bytes()
    match kind:
        case "pipe":
            os.mkfifo(there)
        case _:
            there.symlink_to(here.resolve() if kind == "link to the key here" else tmp_path / "nowhere")
    with pytest.raises(Refused, match="no key on this medium"):
        distribute(home, media)
    assert (here.is_symlink(), here.read_bytes()) == (False, before)
    there.unlink()
    distribute(home, media)
    assert there.read_bytes() == before


# --- exhibits --------------------------------------------------------------------------------------------------------


def test_an_exhibit_with_folders_without_end_is_told_as_broken(exhibit: Path) -> None:
    dig(exhibit / "evidence" / "entries")
    assert check_exhibit(exhibit) == (None, [f"exhibit: {TOO_DEEP}"])


def test_an_exhibit_of_holes_takes_no_memory(exhibit: Path) -> None:
    for number in range(BYTES_MAX // FILE_BYTES_MAX):
        sparse(exhibit / "evidence" / f"{number}.hole", FILE_BYTES_MAX)
    found, problems = check_exhibit(exhibit)
    assert (found, problems) == (None, [f"exhibit: all files together have more than {BYTES_MAX} bytes"])


def test_a_link_to_a_folder_in_an_exhibit_is_named(exhibit: Path, tmp_path: Path) -> None:
    (exhibit / "evidence" / "more").symlink_to(tmp_path)
    assert check_exhibit(exhibit) == (None, ["evidence/more: a link, not a file"])


@pytest.mark.parametrize("kind", ["pipe", "endless", "hole"])
def test_custody_held_against_what_is_no_checkpoint_neither_waits_nor_reads_for_ever(
    home: Home, exhibit: Path, kind: str
) -> None:
    shown = exhibit / "evidence" / "custody" / "checkpoint"
    shown.unlink()
    match kind:
        case "pipe":
            os.mkfifo(shown)
        case "endless":
            shown.symlink_to("/dev/zero")
        case _:
            sparse(shown, 1 << 40)
    for against in (exhibit, shown):
        with pytest.raises(NoInput, match=r"no regular file|more than 65536 bytes"):
            hq(home, "custody", "verify", "--against", against)


@contextlib.contextmanager
def swapping(path: Path, other: bytes) -> Generator[None]:
    """The file holds its own content and another in turn, as a medium that answers what it likes."""
    over = threading.Event()
    contents = itertools.cycle([other, path.read_bytes()])

    def swap() -> None:
        while not over.wait(0.002):
            (path.parent.parent / "next").write_bytes(next(contents))
            (path.parent.parent / "next").replace(path)

    thread = threading.Thread(target=swap)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def test_what_is_written_down_of_a_hand_over_is_the_hash_of_what_was_checked(home: Home, exhibit: Path) -> None:
    good = hashlib.sha256((exhibit / SUMS).read_bytes()).digest()
    accepted = 0
    with swapping(exhibit / SUMS, f"{'0' * 64}  README.txt\n".encode()):
        while accepted < 6:
            with contextlib.suppress(Refused):
                hq(home, "custody", "handover", exhibit, "--to", "Registry")
                accepted += 1
    acts = [act for act in CustodyLog(home).acts() if act.did is Did.HANDED_OVER]
    assert [act.exhibit for act in acts] == [good] * accepted
