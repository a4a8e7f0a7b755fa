"""The duty desk: what boxes ask, answers in writing and by telephone, and what headquarters remembers of them."""

import argparse
import contextlib
import io
import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from appliance.errors import LandlinkError, Malformed, Refused
from appliance.formats.downlink import CaseAnswer, ListKey
from appliance.formats.voice import Verdict, case_code, heard_verdict
from appliance.judged import Band
from appliance.recorded import ConfirmationRequest, Outcome, OutcomeKind, RequestedEntry, Stage, Transition
from provisioning.audit.verbs import add_verbs as add_audit_verbs
from provisioning.authority.box_keys import voice_key
from provisioning.authority.downlink import Down
from provisioning.authority.home import Home
from provisioning.authority.verbs import add_verbs as add_authority_verbs
from provisioning.duty.verbs import add_verbs as add_duty_verbs
from tests.delivery_post import BIN
from tests.downlink_bed import down_of, opened, say
from tests.scenarios.made_headquarters import Box, headquarters, screened

OF = "5c" * 16
CASE = case_code(OF)
VERIFIED, SECOND, ASKED = "d1" * 16, "d2" * 16, "d3" * 16


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return headquarters(tmp_path / "hq")


@pytest.fixture
def box(home: Home, tmp_path: Path) -> Box:
    """A box that asks about one possible match, pulled."""
    made = Box(home, tmp_path / "b")
    made.canary()
    made.seal(made.record(screened(refers=True, number="PB1234567", name="KHAMPHENG"), OF))
    steps = ((VERIFIED, Stage.FIRST_LINE_VERIFIED), (SECOND, Stage.SECONDARY), (ASKED, Stage.CONFIRMATION_REQUESTED))
    before, was = OF, Stage.CANDIDATE
    for record_id, now in steps:
        request = asks() if now is Stage.CONFIRMATION_REQUESTED else None
        body = Transition(of=OF, before=before, was=was, now=now, by="K-17", reason="compared", request=request)
        made.seal(made.record(body, record_id))
        before, was = record_id, now
    pull(made)
    return made


def asks(not_to: str = "LAO") -> ConfirmationRequest:
    entry = RequestedEntry(
        list_name="persons", list_version=3, entry="UN-7", source="UN Security Council", band=Band.STRONG
    )
    return ConfirmationRequest(case_code=CASE, entries=(entry,), not_to=not_to)


def pull(box: Box) -> None:
    box.publish()
    hq(box.home, "pull", str(box.state))


def call(home: Home, *arguments: str) -> subprocess.CompletedProcess[str]:
    """The command within this process, which is a hundred times as fast; one test races real ones."""
    parser = argparse.ArgumentParser()
    rooms = parser.add_subparsers(dest="verb")
    for add_verbs in (add_authority_verbs, add_audit_verbs, add_duty_verbs):
        add_verbs(rooms)
    out, err = io.StringIO(), io.StringIO()
    parsed = parser.parse_args(arguments, argparse.Namespace(home=home.folder))
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            code = int(parsed.run(parsed))
        except LandlinkError as error:
            err.write(f"{error}\n")
            code = error.exit_code
    return subprocess.CompletedProcess(arguments, code, out.getvalue(), err.getvalue())


def hq(home: Home, *arguments: str) -> str:
    done = call(home, *arguments)
    assert done.returncode == 0, done.stderr
    return done.stdout


def asked(home: Home, *arguments: str) -> list[dict[str, Any]]:
    return list(json.loads(hq(home, "requests", "--json", *arguments)))


def answer(home: Home, case: str = CASE, verdict: str = "--confirmed", *more: str) -> subprocess.CompletedProcess[str]:
    return call(home, "answer", case, verdict, "--words", "Compared with the file.", "--by", "Duty desk 1", *more)


def last_answer(box: Box) -> CaseAnswer:
    path = down_of(box.home, "LA-0001").messages()[0]
    said = max(
        (opened(box.home, box.state, "LA-0001", one.read_bytes()) for one in path.parent.glob("answers-*.age")),
        key=lambda one: one.counter,
    )
    assert isinstance(said.message, CaseAnswer)
    return said.message


# --- requests and written answers -------------------------------------------------------------------------------------


def test_the_desk_sees_who_asks_about_whom_since_when_and_whom_not_to_ask(box: Box) -> None:
    (request,) = asked(box.home)
    assert (request["serial"], request["case"], request["of"]) == ("LA-0001", CASE, OF)
    assert (request["stage"], request["not_to"], request["written"]) == ("confirmation requested", "LAO", [])
    assert [entry["entry"] for entry in request["entries"]] == ["UN-7"]
    shown = hq(box.home, "requests")
    assert f"{CASE}  box LA-0001" in shown
    assert "LAO PB1234567  KHAMPHENG HOLDER" in shown
    assert "persons list 3: UN Security Council UN-7 (strong)" in shown
    assert "DO NOT ask LAO" in shown
    assert "not answered; at the box: confirmation requested" in shown


@pytest.mark.parametrize("named", [OF, CASE, CASE.lower().replace("-", " ")])
def test_an_answer_goes_to_the_box_that_asked_signed_and_sealed(box: Box, named: str) -> None:
    done = answer(box.home, named)
    assert done.returncode == 0, done.stderr
    assert last_answer(box) == CaseAnswer(
        of=OF, verdict=Verdict.CONFIRMED, words="Compared with the file.", by="Duty desk 1"
    )
    assert asked(box.home) == []
    (request,) = asked(box.home, "--all")
    (said,) = request["written"]
    assert (said["verdict"], said["by"], said["counter"]) == ("confirmed", "Duty desk 1", 1)


def test_what_nobody_asked_is_not_answered(box: Box) -> None:
    for named, why in (("7f" * 16, "no box asks about"), (case_code("7f" * 16), "no box asks about")):
        done = answer(box.home, named)
        assert done.returncode != 0
        assert why in done.stderr
    misheard = ("A" if CASE[0] != "A" else "B") + CASE[1:]
    assert "a character of it is wrong" in answer(box.home, misheard).stderr
    assert not list((box.home.down / "LA-0001").glob("answers-*"))


def test_the_opposite_of_an_earlier_answer_needs_again(box: Box) -> None:
    assert answer(box.home).returncode == 0
    refused = answer(box.home, CASE, "--not-confirmed")
    assert refused.returncode != 0
    assert "was answered in writing before: confirmed" in refused.stderr
    assert last_answer(box).verdict is Verdict.CONFIRMED
    assert answer(box.home, CASE, "--confirmed").returncode == 0, "the same once more contradicts nothing"
    assert answer(box.home, CASE, "--not-confirmed", "--again").returncode == 0
    assert last_answer(box).verdict is Verdict.NOT_CONFIRMED


def test_words_that_do_not_fit_and_a_revoked_box_are_refused(box: Box) -> None:
    long = call(box.home, "answer", CASE, "--confirmed", "--words", "x" * 2_001, "--by", "D")
    assert (long.returncode != 0, "words" in long.stderr) == (True, True)
    wide = call(box.home, "answer", CASE, "--confirmed", "--words", "\N{GRINNING FACE}" * 2_000, "--by", "D")
    assert (wide.returncode, "use fewer words" in wide.stderr) != (0, False)
    hq(box.home, "revoke", "LA-0001")
    assert "is revoked" in answer(box.home).stderr


def test_a_case_that_is_over_at_the_box_is_no_longer_asked_for(box: Box) -> None:
    done = Outcome(
        of=OF, outcome=OutcomeKind.PASSED, implied=False, note="let go", legal_basis="law", by="K-17", before=ASKED
    )
    box.seal(box.record(done, "d4" * 16))
    pull(box)
    assert asked(box.home) == []
    assert hq(box.home, "requests") == "No box waits for an answer.\n"
    late = answer(box.home)
    assert late.returncode == 0
    assert "The box has said meanwhile what was done" in late.stdout


def test_a_line_that_a_box_fed_gives_the_terminal_no_orders(home: Home, tmp_path: Path) -> None:
    box = Box(home, tmp_path / "b")
    box.seal(box.record(screened(refers=True, name="X\x1b[2J\nFORGED"), OF))
    box.seal(
        box.record(
            Transition(
                of=OF, before=OF, was=Stage.SECONDARY, now=Stage.CONFIRMATION_REQUESTED, reason="r", request=asks("")
            ),
            ASKED,
        )
    )
    pull(box)
    shown = hq(home, "requests")
    assert "\x1b" not in shown
    assert not any(line.startswith("FORGED") for line in shown.splitlines())


# --- codes by telephone -----------------------------------------------------------------------------------------------


def read_out(home: Home, verdict: str = "--confirmed", *more: str) -> subprocess.CompletedProcess[str]:
    return call(home, "voice", "--box", "LA-0001", "--case", CASE, verdict, "--by", "Duty desk 2", *more)


def test_the_code_that_is_printed_is_the_one_that_the_box_believes(box: Box) -> None:
    shown = read_out(box.home).stdout
    code = next(word for word in shown.split() if len(word) == 11)
    name = "landlink.example/la-0001"
    key = voice_key(box.home, name)
    assert heard_verdict(key, box=name, of=OF, code=code) is Verdict.CONFIRMED
    assert "The written answer must follow" in shown


def test_what_was_read_out_is_owed_in_writing_until_it_is_written(box: Box) -> None:
    assert read_out(box.home).returncode == 0
    shown = hq(box.home, "requests")
    assert "told by telephone on" in shown
    assert "by Duty desk 2: confirmed" in shown
    assert "the written answer must follow" in shown
    assert answer(box.home).returncode == 0
    assert asked(box.home) == []


def test_a_case_whose_request_has_not_arrived_is_told_and_shown_all_the_same(home: Home, tmp_path: Path) -> None:
    box = Box(home, tmp_path / "b")
    box.canary()
    pull(box)
    assert read_out(home, "--not-confirmed").returncode == 0
    assert f"{CASE}  box LA-0001: told by telephone on" in hq(home, "requests")
    (told,) = asked(home)
    assert (told["of"], told["case"], told["said"]["verdict"]) == ("", CASE, "not confirmed")


def test_pen_and_telephone_do_not_contradict_each_other(box: Box) -> None:
    assert read_out(box.home).returncode == 0
    assert "was answered by telephone before: confirmed" in answer(box.home, CASE, "--not-confirmed").stderr
    assert "was answered by telephone before: confirmed" in read_out(box.home, "--not-confirmed").stderr
    assert read_out(box.home, "--not-confirmed", "--again").returncode == 0


def test_a_misheard_case_and_an_unknown_box_get_no_code(box: Box) -> None:
    misheard = ("A" if CASE[0] != "A" else "B") + CASE[1:]
    done = call(box.home, "voice", "--box", "LA-0001", "--case", misheard, "--confirmed")
    assert (done.returncode != 0, done.stdout) == (True, "")
    done = call(box.home, "voice", "--box", "LA-0009", "--case", CASE, "--confirmed")
    assert (done.returncode != 0, done.stdout) == (True, "")
    assert not any(said.kind == "voice_code" for said in down_of(box.home, "LA-0001").said())


# --- what headquarters remembers --------------------------------------------------------------------------------------


def test_two_processes_never_give_one_counter_twice(box: Box) -> None:
    command = [str(BIN / "landlink-hq"), "--home", str(box.home.folder), "answer", OF, "--confirmed"]
    racing = [
        subprocess.Popen([*command, "--words", f"{number}", "--by", "D"], stdout=subprocess.DEVNULL)
        for number in range(4)
    ]
    assert [process.wait(60) for process in racing] == [0] * 4
    sealed = sorted((box.home.down / "LA-0001").glob("answers-*.age"))
    said = [opened(box.home, box.state, "LA-0001", path.read_bytes()) for path in sealed]
    assert [one.counter for one in said] == [1, 2, 3, 4]
    assert sorted(one.message.words for one in said if isinstance(one.message, CaseAnswer)) == ["0", "1", "2", "3"]
    lines = [one for one in down_of(box.home, "LA-0001").said() if one.kind == "case_answer"]
    assert [one.counter for one in lines] == [1, 2, 3, 4]


def test_a_message_whose_line_a_power_cut_took_keeps_its_counter(box: Box) -> None:
    say(box.home, "LA-0001", ListKey(key=bytes(32)))
    memory = box.home.down / "LA-0001" / "said.jsonl"
    lines = memory.read_bytes().splitlines(keepends=True)
    memory.write_bytes(b"".join(lines[:-1]) + lines[-1][:20])  # torn within the last line
    path = say(box.home, "LA-0001", ListKey(key=bytes(32)))
    assert path.name == "directives-0000000004.age"
    assert [said.counter for said in down_of(box.home, "LA-0001").said()] == [1, 2, 4]


def test_a_message_that_was_tidied_away_keeps_its_counter(box: Box) -> None:
    say(box.home, "LA-0001", ListKey(key=bytes(32))).unlink()
    assert say(box.home, "LA-0001", ListKey(key=bytes(32))).name == "directives-0000000004.age"


def test_a_memory_that_is_damaged_is_said_and_nothing_is_sent(box: Box) -> None:
    memory = box.home.down / "LA-0001" / "said.jsonl"
    memory.write_bytes(b"{]\n" + memory.read_bytes())
    with pytest.raises(Malformed, match=r"said\.jsonl"):
        say(box.home, "LA-0001", ListKey(key=bytes(32)))
    assert len(list(memory.parent.glob("*.age"))) == 2


def test_what_was_said_is_headquarters_own_to_read(box: Box) -> None:
    assert answer(box.home).returncode == 0
    folder = box.home.down / "LA-0001"
    assert {path.stat().st_mode & 0o077 for path in (folder, *folder.iterdir())} == {0}


def test_nothing_is_said_to_a_revoked_box(box: Box) -> None:
    hq(box.home, "revoke", "LA-0001")
    down: Down = down_of(box.home, "LA-0001")
    with pytest.raises(Refused, match="is revoked"), down.alone():
        pass
