"""Headquarters' own log: every opening, search, export and hand-over is in it before anything is given out."""

import fcntl
import os
import shutil
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from appliance.errors import LandlinkError, Misuse, NoInput, Refused, StorageFault, Untrusted
from appliance.formats.checkpoint import sign_checkpoint
from appliance.formats.note import LogSigner
from provisioning.audit.opened.opening import record_identity
from provisioning.authority.home import Home
from provisioning.authority.keys import load_ed25519
from provisioning.custody.act import RECORDS_MAX, Did, parse_act
from provisioning.custody.log import OPERATOR_MAX, WORDS_MAX, CustodyLog, Words
from tests.exhibit_post import NAME, NUMBER, SCREENED, Post, a_day, hq
from tests.scenarios.auditor import flip
from tests.scenarios.auditor import run as audit
from tests.scenarios.made_headquarters import headquarters


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Post:
    folder = tmp_path_factory.mktemp("custody")
    return a_day(headquarters(folder / "hq"), folder / "box")


@pytest.fixture
def home(made: Post, tmp_path: Path) -> Home:
    return Home.open(Path(shutil.copytree(made.home.folder, tmp_path / "hq")))


def did(home: Home) -> list[tuple[str, tuple[str, ...], int]]:
    """Of each act what it was, the records that it gave out, and how many entries it opened."""
    acts = CustodyLog(home).acts()
    return [(act.did.value, act.records, sum(reach.end - reach.first for reach in act.reaches)) for act in acts]


# --- what is written -------------------------------------------------------------------------------------------------


def test_each_verb_that_opens_bodies_writes_what_it_opens_before(home: Home, tmp_path: Path) -> None:
    assert audit(home, "open", "--out", str(tmp_path / "opened.jsonl")) == 0
    assert audit(home, "report") == 0
    assert audit(home, "replay", "--all") == 0
    assert audit(home, "find", "--number", NUMBER) == 0
    assert hq(home, "exhibit", SCREENED, "--out", tmp_path / "out") == 0
    assert did(home) == [
        ("opened", (), 11),
        ("reported", (), 11),
        ("replayed", (), 11),
        ("searched", (), 11),
        ("searched", (SCREENED,), 0),
        ("searched", (), 11),
        ("exported", (SCREENED,), 0),
    ]


@pytest.mark.parametrize("verb", [["open"], ["report"], ["replay", "--all"], ["find", "--number", NUMBER]])
def test_nothing_is_given_out_when_it_cannot_be_written_down(
    home: Home, verb: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    (home.folder / "custody").write_text("no folder")
    with pytest.raises(StorageFault):
        audit(home, *verb)
    assert capsys.readouterr().out == ""


def test_an_exhibit_is_not_made_when_it_cannot_be_written_down(home: Home, tmp_path: Path) -> None:
    (home.folder / "custody").write_text("no folder")
    with pytest.raises(StorageFault):
        hq(home, "exhibit", SCREENED, "--out", tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_leaves_name_no_traveller_and_words_are_sealed(home: Home, capsys: pytest.CaptureFixture[str]) -> None:
    assert audit(home, "find", "--name", NAME, "--why", "asked for Khampheng's lawyer", "--as", "K. Sisouk") == 0
    written = [path for path in (home.folder / "custody").rglob("*") if path.is_file()]
    for path in written:
        assert path.stat().st_mode & 0o077 == 0, path
        for word in (NAME, "Khampheng", "lawyer"):
            assert word.encode() not in path.read_bytes(), path
    capsys.readouterr()
    assert hq(home, "custody", "show") == 0
    out = capsys.readouterr().out
    assert "searched, by K. Sisouk" in out
    assert f"asked: name {NAME}" in out
    assert "for: asked for Khampheng's lawyer" in out


@pytest.mark.parametrize(("option", "room"), [("--why", WORDS_MAX), ("--as", OPERATOR_MAX)])
def test_words_that_could_not_be_read_again_are_refused_and_those_that_fit_are_read(
    home: Home, capsys: pytest.CaptureFixture[str], option: str, room: int
) -> None:
    with pytest.raises(Misuse, match=f"{room + 1} characters"):
        audit(home, "find", option, "x" * (room + 1))
    assert CustodyLog(home).acts() == []
    assert audit(home, "find", option, "x" * room) == 0
    capsys.readouterr()
    assert hq(home, "custody", "show") == 0
    assert "x" * room in capsys.readouterr().out


def test_who_acts_is_the_user_of_the_machine_unless_they_say(home: Home) -> None:
    assert audit(home, "report") == 0
    assert audit(home, "report", "--as", "K. Sisouk") == 0
    assert [act.by for act in CustodyLog(home).acts()] == [Path.home().owner() if os.getuid() else "root", "K. Sisouk"]


def test_more_records_than_a_leaf_holds_are_several_leaves(home: Home) -> None:
    records = [f"{number:032x}" for number in range(RECORDS_MAX + 1)]
    custody = CustodyLog(home)
    assert custody.write(Did.SEARCHED, "somebody", records=records, words=Words(asked="all")) == 1
    assert [record for act in custody.acts() for record in act.records] == records
    assert custody.problems() == []


def test_it_grows_over_tiles_and_keeps_no_superseded_ones(home: Home) -> None:
    custody = CustodyLog(home)
    for number in range(260):
        custody.write(Did.SEARCHED, f"operator {number}")
    assert custody.problems() == []
    assert [act.by for act in custody.acts()][255:257] == ["operator 255", "operator 256"]
    tiles = sorted(path.relative_to(custody.folder).as_posix() for path in custody.folder.glob("tile/**/*[0-9]"))
    files = [tile for tile in tiles if (custody.folder / tile).is_file()]
    assert files == ["tile/0/000", "tile/0/001.p/4", "tile/1/000.p/1", "tile/entries/000", "tile/entries/001.p/4"]


def test_two_writers_at_a_time_lose_nothing(home: Home) -> None:
    code = (
        "import sys; from pathlib import Path; from provisioning.authority.home import Home\n"
        "from provisioning.custody.act import Did; from provisioning.custody.log import CustodyLog\n"
        "log = CustodyLog(Home.open(Path(sys.argv[1])))\n"
        "for n in range(20): log.write(Did.SEARCHED, f'{sys.argv[2]} {n}')"
    )
    CustodyLog(home)  # makes the key
    writers = [subprocess.Popen([sys.executable, "-c", code, home.folder, name]) for name in ("one", "two")]
    assert [writer.wait(60) for writer in writers] == [0, 0]
    assert CustodyLog(home).problems() == []
    assert {act.by for act in CustodyLog(home).acts()} == {f"{name} {n}" for name in ("one", "two") for n in range(20)}


# --- the key ---------------------------------------------------------------------------------------------------------


def test_a_home_without_the_key_makes_it_and_says_so(home: Home, capsys: pytest.CaptureFixture[str]) -> None:
    home.key("custody").unlink()
    CustodyLog(home).write(Did.REPORTED, "somebody")
    said = capsys.readouterr().err
    assert "begins here" in said
    assert CustodyLog(home).verifier.vkey() in said
    assert stat.S_IMODE(home.key("custody").stat().st_mode) == 0o600


def test_a_log_whose_key_is_gone_is_not_begun_again(home: Home) -> None:
    CustodyLog(home).write(Did.REPORTED, "somebody")
    home.key("custody").unlink()
    with pytest.raises(StorageFault, match="bring the key back"):
        CustodyLog(home)


def test_the_roster_vouches_for_the_key_that_init_made_and_for_no_other(
    home: Home, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, vouched in (("by-init", True), ("by-itself", False)):
        assert hq(home, "exhibit", SCREENED, "--out", tmp_path / name) == 0
        capsys.readouterr()
        assert hq(home, "exhibit", "--check", tmp_path / name) == 0
        assert ("a key that the roster does not name" in capsys.readouterr().out) is not vouched
        shutil.rmtree(home.folder / "custody")
        home.key("custody").unlink()


def test_to_verify_and_to_show_it_write_nothing_and_wait_for_no_reader(home: Home) -> None:
    CustodyLog(home).write(Did.REPORTED, "auditor 2")
    lock = home.folder / "custody" / ".lock"
    with lock.open("rb") as read:
        fcntl.flock(read, fcntl.LOCK_SH)
        assert hq(home, "custody", "verify") == 0
    lock.unlink()
    before = sorted(home.folder.rglob("*"))
    assert hq(home, "custody", "verify") == 0
    assert hq(home, "custody", "show") == 0
    assert sorted(home.folder.rglob("*")) == before


# --- hand-over -------------------------------------------------------------------------------------------------------


def test_a_hand_over_names_the_very_files(home: Home, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert hq(home, "exhibit", SCREENED, "--out", tmp_path / "out", "--case", "case 17") == 0
    assert hq(home, "custody", "handover", tmp_path / "out", "--to", "Registry", "--by", "K. Sisouk") == 0
    act = CustodyLog(home).acts()[-1]
    sums = subprocess.run(["sha256sum", tmp_path / "out/SHA256SUMS"], capture_output=True, check=True).stdout.split()[0]
    assert act.exhibit is not None
    assert (act.did, act.by, act.records, act.exhibit.hex()) == (
        Did.HANDED_OVER,
        "K. Sisouk",
        (SCREENED,),
        sums.decode(),
    )
    detail = CustodyLog(home).detail(len(CustodyLog(home).acts()) - 1, act, record_identity(home))
    assert detail is not None
    assert (detail.to, detail.why) == ("Registry", "case 17")
    assert sums.decode() in capsys.readouterr().out
    assert hq(home, "exhibit", SCREENED, "--out", tmp_path / "second") == 0  # the next exhibit tells of it
    told = (tmp_path / "second/evidence/exhibit.json").read_text()
    assert '"act": "handed over"' in told
    assert '"to": "Registry"' in told


def test_what_nobody_can_have_meant_is_said_and_nothing_is_written_down(home: Home, tmp_path: Path) -> None:
    assert hq(home, "exhibit", SCREENED, "--out", tmp_path / "out") == 0
    before = did(home)
    with pytest.raises(Misuse, match="--to WHO"):
        hq(home, "custody", "handover", tmp_path / "out", "--to", " ")
    with pytest.raises(Misuse, match="identifier of a record"):
        hq(home, "custody", "show", "--record", "17")
    with pytest.raises(NoInput, match="gone"):
        hq(home, "custody", "verify", "--against", tmp_path / "gone")
    assert did(home) == before


def test_an_exhibit_that_was_altered_is_not_handed_over(home: Home, tmp_path: Path) -> None:
    assert hq(home, "exhibit", SCREENED, "--out", tmp_path / "out") == 0
    before = did(home)
    flip(tmp_path / "out/evidence/body.age")
    with pytest.raises(Refused, match=r"body\.age: altered"):
        hq(home, "custody", "handover", tmp_path / "out", "--to", "Registry")
    assert did(home) == before


# --- attacks ---------------------------------------------------------------------------------------------------------


def rewritten(home: Home) -> None:
    """What a headquarters does that would rather have opened nothing: the same key signs another log."""
    shutil.rmtree(home.folder / "custody")
    for _ in range(3):
        CustodyLog(home).write(Did.REPORTED, "nobody")


def taken_away(home: Home) -> None:
    shutil.rmtree(home.folder / "custody")
    CustodyLog(home).write(Did.REPORTED, "nobody")


@pytest.mark.parametrize(
    ("attack", "words"), [(rewritten, "the log was written anew"), (taken_away, "entries were taken away")]
)
def test_a_log_written_again_contradicts_every_exhibit_that_is_out(
    home: Home, tmp_path: Path, capsys: pytest.CaptureFixture[str], attack: Callable[[Home], None], words: str
) -> None:
    assert audit(home, "report") == 0
    assert hq(home, "exhibit", SCREENED, "--out", tmp_path / "out") == 0
    assert hq(home, "custody", "verify", "--against", tmp_path / "out") == 0
    attack(home)
    assert hq(home, "custody", "verify") == 0  # by itself it holds
    capsys.readouterr()
    assert hq(home, "custody", "verify", "--against", tmp_path / "out") == 1
    assert words in capsys.readouterr().out


def test_every_file_of_the_log_altered_by_one_byte_is_noticed(home: Home) -> None:
    custody = CustodyLog(home)
    for number in range(3):
        custody.write(Did.SEARCHED, f"operator {number}")
    for path in custody.folder.rglob("*"):
        if path.is_file() and path.name != ".lock":
            flip(path)
            assert custody.problems() or path.parent.name == "details", path
            flip(path)
    assert custody.problems() == []


def test_nothing_is_added_to_a_log_that_does_not_hold(home: Home) -> None:
    custody = CustodyLog(home)
    custody.write(Did.SEARCHED, "somebody")
    tile = next(custody.folder.glob("tile/0/000.p/1"))
    flip(tile)
    with pytest.raises(Untrusted, match="was altered"):
        custody.write(Did.SEARCHED, "somebody")


def test_a_detail_that_was_exchanged_is_not_shown(home: Home, capsys: pytest.CaptureFixture[str]) -> None:
    custody = CustodyLog(home)
    custody.write(Did.SEARCHED, "somebody", words=Words(why="the true reason"))
    custody.write(Did.SEARCHED, "somebody", words=Words(why="another reason"))
    details = custody.folder / "details"
    (details / "1.age").replace(details / "0.age")
    with pytest.raises(Untrusted, match="not what the entry commits to"):
        custody.detail(0, custody.acts()[0], record_identity(home))
    assert hq(home, "custody", "show") == 0
    assert "another reason" not in capsys.readouterr().out


def test_a_checkpoint_of_another_size_or_by_another_key_is_refused(home: Home) -> None:
    custody = CustodyLog(home)
    custody.write(Did.SEARCHED, "somebody")
    checkpoint = custody.checkpoint()
    assert checkpoint is not None
    other = LogSigner(custody.origin, load_ed25519(home.key("receipts")))
    (custody.folder / "checkpoint").write_bytes(sign_checkpoint(checkpoint, [other]))
    with pytest.raises(LandlinkError):
        custody.write(Did.SEARCHED, "somebody")
    assert custody.problems() != []


def test_an_entry_with_too_much_or_too_little_is_malformed(home: Home) -> None:
    custody = CustodyLog(home)
    custody.write(Did.SEARCHED, "somebody")
    _, (leaf,) = custody.leaves()
    for damaged in (leaf[:-1], leaf + b"\0", b"", leaf.replace(b"searched", b"fetched!")):
        with pytest.raises(LandlinkError):
            parse_act(damaged)
