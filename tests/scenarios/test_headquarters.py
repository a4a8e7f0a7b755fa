"""Headquarters pulls, verifies and opens a real log, by its functions and by its commands."""

import base64
import json
import shutil
import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from appliance.errors import LandlinkError, Malformed, NoInput, Refused, Untrusted
from appliance.formats.note import Ed25519Cosigner, MlDsa44Cosigner, add_signatures
from appliance.model import Mode
from appliance.recorded import OutcomeKind
from provisioning.audit.log import logs_of, trust_of
from provisioning.audit.opened.logs import read_log
from provisioning.audit.opened.opening import record_identity
from provisioning.audit.pull import pull
from provisioning.audit.source import folder_sources
from provisioning.audit.store import PulledLog
from provisioning.authority.home import Home
from provisioning.authority.keys import cosigner_name, load_ed25519, load_mldsa44
from provisioning.authority.roster import read_roster
from tests.scenarios.auditor import flip, open_of, pull_from, run, silent, verify_of, words
from tests.scenarios.made_headquarters import (
    Box,
    day_at_the_post,
    headquarters,
    instant,
    outcome,
    screened,
)
from tests.scenarios.rehearsed import Run

ENTRIES_OF_THE_DAY = 9
SEALED_OF_THE_DAY = 7


# --- what should be --------------------------------------------------------------------------------------------------


def test_a_pulled_day_verifies_and_opens_with_outcomes_and_pictures_folded_in(box: Box) -> None:
    pulled = pull_from(box)
    assert (pulled.entries, pulled.bodies, pulled.awaited, pulled.problems) == (
        ENTRIES_OF_THE_DAY,
        SEALED_OF_THE_DAY,
        0,
        [],
    )
    assert (verify_of(box).problems, verify_of(box).bodies) == ([], SEALED_OF_THE_DAY)
    first, referred, last = open_of(box).lines
    assert first.outcome is not None
    assert (first.outcome.outcome, first.outcome.implied, first.outcome.index) == (OutcomeKind.PASSED, True, 5)
    assert [(p.index, p.bytes) for p in first.pictures] == [(3, 16)]
    assert first.pictures_awaited == 0
    assert referred.outcome is not None
    assert referred.outcome.outcome is OutcomeKind.SENT_TO_SECONDARY
    assert last.outcome is None


def test_pull_is_incremental_over_partial_tiles_and_into_the_next_tile(home: Home, tmp_path: Path) -> None:
    box = Box(home, tmp_path / "box")
    taken = 0
    for size in (1, 2, 255, 256, 257, 600):
        while len(box.leaves) < size:
            box.event()
        box.publish()
        pulled = pull_from(box)
        assert (pulled.entries, pulled.size, pulled.problems) == (size - taken, size, [])
        taken = size
        assert verify_of(box).problems == []
    assert pull_from(box).entries == 0


def test_a_body_that_arrives_later_is_fetched_then(box: Box, tmp_path: Path) -> None:
    box.body(6).rename(tmp_path / "late")
    assert pull_from(box).awaited == 1
    assert "entry 6: its body is not here" in words(verify_of(box).problems)
    (tmp_path / "late").rename(box.body(6))
    assert (pull_from(box).bodies, verify_of(box).problems) == (1, [])


def test_a_pulled_copy_is_itself_a_source(box: Box, tmp_path: Path) -> None:
    pull_from(box)
    shutil.move(box.home.pulled, tmp_path / "stick")
    box.home.pulled.mkdir()
    assert pull_from(box, tmp_path / "stick").bodies == SEALED_OF_THE_DAY


def test_opened_through_covers_only_what_lies_under_an_opened_canary(home: Home, tmp_path: Path) -> None:
    box = Box(home, tmp_path / "box")
    box.canary()
    box.seal(box.record(screened()))
    box.start_epoch()
    under_the_second_key = box.seal(box.record(screened()))
    box.publish()
    pull_from(box)
    assert open_of(box).opened_through == under_the_second_key - 1
    box.canary()
    box.publish()
    pull_from(box)
    assert open_of(box).opened_through == len(box.leaves) - 1


def test_a_body_that_has_not_arrived_does_not_hold_up_opened_through(box: Box) -> None:
    box.body(6).unlink()
    pull_from(box)
    assert open_of(box).opened_through == ENTRIES_OF_THE_DAY - 1


def test_a_later_outcome_is_the_last_word_and_keeps_the_earlier_one(box: Box) -> None:
    box.seal(box.record(outcome("bb" * 16, OutcomeKind.TURNED_BACK)))
    box.publish()
    pull_from(box)
    line = open_of(box).lines[1]
    assert line.outcome is not None
    assert line.outcome.outcome is OutcomeKind.TURNED_BACK
    assert [earlier.outcome for earlier in line.earlier_outcomes] == [OutcomeKind.SENT_TO_SECONDARY]


def test_headquarters_cosignature_is_kept_when_it_comes_later(box: Box) -> None:
    assert (pull_from(box).cosigned, verify_of(box).cosigned) == (0, 0)
    checkpoint = box.state / "log" / "checkpoint"
    name = cosigner_name("landlink.example")
    signers = [
        Ed25519Cosigner(name, load_ed25519(box.home.key("cosign-ed25519")), at_s=1_795_000_000),
        MlDsa44Cosigner(name, load_mldsa44(box.home.key("cosign-mldsa44")), at_s=1_795_000_000),
    ]
    checkpoint.write_bytes(add_signatures(checkpoint.read_bytes(), signers))
    assert (pull_from(box).cosigned, verify_of(box).cosigned) == (2, 2)


def test_a_cosignature_that_does_not_hold_rejects_the_checkpoint(box: Box) -> None:
    checkpoint = box.state / "log" / "checkpoint"
    name = cosigner_name("landlink.example")
    signer = Ed25519Cosigner(name, load_ed25519(box.home.key("cosign-ed25519")), at_s=1_795_000_000)
    note = add_signatures(checkpoint.read_bytes(), [signer])
    head, line = note[:-1].rsplit(b" ", 1)
    signature = bytearray(base64.b64decode(line))
    signature[-1] ^= 1
    checkpoint.write_bytes(head + b" " + base64.b64encode(signature) + b"\n")
    with pytest.raises(Untrusted, match="does not hold"):
        pull_from(box)


# --- the command's doors ----------------------------------------------------------------------------------------------


def test_pull_verify_open_report_find_as_an_auditor_runs_them(
    box: Box, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "opened.jsonl"
    assert run(box.home, "pull", str(box.state)) == 0
    assert "9 entries, 9 of them new, all signed and in place" in capsys.readouterr().out
    assert run(box.home, "verify") == 0
    assert run(box.home, "open", "--out", str(out)) == 0
    assert stat.S_IMODE(out.stat().st_mode) == 0o600
    lines = [json.loads(line) for line in out.read_text(encoding="utf-8").splitlines()]
    assert [line["index"] for line in lines] == [4, 6, 7]
    assert lines[0]["mrz"].splitlines() == list(box.record(screened()).body.document.mrz)
    through = json.loads((box.home.folder / "opened" / "la-0001.1.json").read_bytes())
    assert (through["origin"], through["opened_through"]) == (box.origin, 8)
    capsys.readouterr()
    assert run(box.home, "find", "--name", "khamph", "--json") == 0
    assert [json.loads(line)["index"] for line in capsys.readouterr().out.splitlines()] == [6]
    assert run(box.home, "find", "--number", "pb 123-4567") == 0
    assert "LAO PB1234567" in capsys.readouterr().out
    assert run(box.home, "report", "--json") == 0
    (report,) = json.loads(capsys.readouterr().out)
    assert report["days"][0] | {"outcomes": None} == {
        "day": instant(0).today.isoformat(),
        "documents": 3,
        "looked_up": 0,
        "typed": 0,
        "persons": 3,
        "referred": 1,
        "unread": 0,
        "hits": 0,
        "not_searched": 0,
        "outcomes": None,
        "open": 1,
    }
    assert run(box.home, "report") == 0
    assert "3 persons, 3 documents" in capsys.readouterr().out


def test_a_report_holds_nothing_personal(box: Box, capsys: pytest.CaptureFixture[str]) -> None:
    run(box.home, "pull", str(box.state))
    capsys.readouterr()
    run(box.home, "report", "--json")
    assert not any(word in capsys.readouterr().out for word in ("SYNTHETIC", "KHAMPHENG", "PB1234567", "PA0000000"))


def test_problems_end_with_exit_code_1_and_one_refused_log_does_not_stop_the_others(
    home: Home, box: Box, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    other = Box(home, tmp_path / "other", serial="LA-0002")
    day_at_the_post(other)
    data = tmp_path / "collector"
    for each in (box, other):
        shutil.copytree(each.state / "log", data / "log" / each.origin)
        shutil.copytree(each.state / "bodies", data / "bodies" / each.origin)
    (data / "log" / box.origin / "checkpoint").write_bytes(b"cut o")
    flip(data / "bodies" / other.origin / "4.2.age")
    with pytest.raises(Untrusted):
        run(home, "pull", "--box", "LA-0001", str(data))
    assert run(home, "pull", str(data)) == 1
    said = capsys.readouterr()
    assert "landlink.example/la-0002.1 entry 4: its body was altered" in said.out


@pytest.mark.parametrize(
    ("make", "error", "says"),
    [
        (lambda _folder: None, NoInput, "no such folder; is the stick"),
        (lambda folder: folder.mkdir(), NoInput, "no log lies there"),
        (lambda folder: (folder.mkdir(), (folder / "checkpoint").write_bytes(b"")), Untrusted, "none of the enrolled"),
        (
            lambda folder: (folder.mkdir(), (folder / "checkpoint").write_bytes(b"example.com/x\n3\n")),
            Untrusted,
            "holds the log 'example.com/x'",
        ),
    ],
    ids=["no folder", "empty folder", "empty checkpoint", "foreign checkpoint"],
)
def test_a_source_that_is_none_is_refused_in_plain_words(
    box: Box, tmp_path: Path, make: Callable[[Path], object], error: type[LandlinkError], says: str
) -> None:
    make(tmp_path / "source")
    with pytest.raises(error, match=says):
        run(box.home, "pull", str(tmp_path / "source"))


def test_a_truncated_checkpoint_is_refused_and_named(box: Box, capsys: pytest.CaptureFixture[str]) -> None:
    checkpoint = box.state / "log" / "checkpoint"
    checkpoint.write_bytes(checkpoint.read_bytes()[:60])
    assert run(box.home, "pull", str(box.state)) in (Malformed.exit_code, Untrusted.exit_code)
    assert "landlink.example/la-0001.1: refused: " in capsys.readouterr().err


def test_verify_before_any_pull_says_what_to_do_next(box: Box) -> None:
    with pytest.raises(Refused, match=r"nothing has been pulled yet; next: landlink-hq pull"):
        run(box.home, "verify")


def test_a_box_that_is_not_enrolled_is_named(box: Box) -> None:
    with pytest.raises(Refused, match="no box LA-0099 is enrolled"):
        run(box.home, "pull", "--box", "LA-0099", str(box.state))


def test_a_live_log_is_refused_at_the_training_door_and_opens_nowhere_else(
    home: Home, box: Box, tmp_path: Path
) -> None:
    training = headquarters(tmp_path / "training", mode=Mode.TRAINING)
    shutil.copy(home.roster_file, training.roster_file)
    log = logs_of(training, read_roster(training), None)[0]
    there = PulledLog(log, tmp_path / "pulled")
    with pytest.raises(Refused, match="this log is of mode live, this home is for training"):
        pull(there, folder_sources(box.state)[box.origin], trust_of(read_roster(home)), silent)
    assert not there.folder.exists()
    shutil.copytree(box.state / "log", there.folder)
    shutil.copytree(box.state / "bodies", there.folder / "bodies")
    opened = read_log(there, record_identity(home), silent)
    assert (opened.lines, opened.opened) == ([], 0)
    assert "mode live" in words(opened.problems)


# --- what the real recorder wrote -------------------------------------------------------------------------------------


@pytest.mark.post
def test_the_log_of_a_real_post_is_pulled_from_the_boxs_own_folder_too(
    post: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copytree(post.out / "hq", tmp_path / "hq")
    shutil.copytree(post.out / "box", tmp_path / "box", ignore=shutil.ignore_patterns("*.sock"))
    home = Home.open(tmp_path / "hq")
    assert run(home, "pull", str(tmp_path / "box")) == 0  # what the collector gave, and what the card holds, agree
    shutil.rmtree(home.pulled)
    assert run(home, "pull", str(tmp_path / "box")) == 0
    assert run(home, "verify") == 0
    assert "all of it holds" in capsys.readouterr().out
    flip(max((tmp_path / "box" / "log" / "tile" / "entries" / "000.p").iterdir(), key=lambda path: int(path.name)))
    shutil.rmtree(home.pulled)
    assert run(home, "pull", str(tmp_path / "box")) == Untrusted.exit_code


@pytest.mark.post
def test_the_other_homes_auditor_opens_nothing_of_a_real_post(post: Run, tmp_path: Path) -> None:
    shutil.copytree(post.out / "hq", tmp_path / "hq")
    other = headquarters(tmp_path / "other")
    shutil.copy(other.record_identity, tmp_path / "hq" / "record.identity")
    assert run(Home.open(tmp_path / "hq"), "open", "--out", str(tmp_path / "opened.jsonl")) == 1
    assert (tmp_path / "opened.jsonl").read_bytes() == b""
