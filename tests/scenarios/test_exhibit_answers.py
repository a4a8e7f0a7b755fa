"""What headquarters answered about a hit is in its exhibit, as headquarters signed it and as the box's log names it."""

from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from appliance.formats.downlink import CaseAnswer, ListKey, downlink_digest
from appliance.formats.voice import Verdict, case_code
from appliance.recorded import Stage, Transition
from provisioning.authority.downlink import SAID, Said
from provisioning.exhibit.answers import FOLDER
from provisioning.exhibit.checking import check_exhibit, read_said
from provisioning.exhibit.contents import AnswerFacts
from provisioning.exhibit.pieces import read_pieces
from tests.downlink_bed import down_of
from tests.exhibit_post import MORNING_S, OFFICER, SCREENED, Post, cosign, hq, run_hq, sum_again
from tests.page_steps import steps
from tests.scenarios.auditor import flip
from tests.scenarios.made_headquarters import headquarters, screened

WORDS, DESK = "Compared with the file of 2019.", "Duty desk 4"
SAID_MS = MORNING_S * 1000 - 60_000


@pytest.fixture
def post(tmp_path: Path) -> Post:
    """A hit that headquarters answered: first by telephone, then in writing; the written answer moved it."""
    box = Post(headquarters(tmp_path / "hq"), tmp_path / "box")
    box.canary()
    box.seal(box.record(screened(refers=True, name="KHAMPHENG"), SCREENED))
    down = down_of(box.home, "LA-0001")
    message = CaseAnswer(of=SCREENED, verdict=Verdict.CONFIRMED, words=WORDS, by=DESK)
    other = CaseAnswer(of="cc" * 16, verdict=Verdict.NOT_CONFIRMED, words="Of another case.", by=DESK)
    down.folder.mkdir(parents=True, exist_ok=True)
    with down.alone():
        down.say(ListKey(key=bytes(32)), at_ms=SAID_MS)
        down.say(other, at_ms=SAID_MS)
        down.note(
            Said(
                kind="voice_code", at_ms=SAID_MS, case=case_code(SCREENED), verdict=Verdict.CONFIRMED, by="Duty desk 2"
            )
        )
        down.say(message, at_ms=SAID_MS + 5_000, case=case_code(SCREENED))
    digest = bytes.fromhex(down.said()[-1].digest)
    asked, confirmed = "d1" * 16, "d2" * 16
    step = Transition(
        of=SCREENED, before=SCREENED, was=Stage.CANDIDATE, now=Stage.CONFIRMATION_REQUESTED, by=OFFICER, reason="look"
    )
    box.seal(box.record(step, asked))
    done = Transition(
        of=SCREENED, before=asked, was=Stage.CONFIRMATION_REQUESTED, now=Stage.CONFIRMED, reason="", answer=digest
    )
    box.seal(box.record(done, confirmed))
    cosign(box, MORNING_S)
    return box


@pytest.fixture
def out(post: Post, tmp_path: Path) -> Path:
    assert hq(post.home, "exhibit", SCREENED, "--out", tmp_path / "out") == 0
    return tmp_path / "out"


def answers(folder: Path) -> tuple[AnswerFacts, ...]:
    return read_said(read_pieces(folder)).answers


def test_both_answers_are_told_and_the_written_one_is_proven_by_signature_and_log(out: Path) -> None:
    assert check_exhibit(out)[1] == []
    told, written = answers(out)
    assert (told.verdict, told.words, told.by, told.file, told.named_by) == ("confirmed", "", "Duty desk 2", "", None)
    assert (written.words, written.by, written.at_ms) == (WORDS, DESK, SAID_MS + 5_000)
    assert (written.file, written.named_by) == (f"{FOLDER}/2.cose", 4)
    signed = (out / written.file).read_bytes()
    assert written.sha256 == downlink_digest(signed).hex()
    assert b"Of another case." not in b"".join(read_pieces(out).values())


def test_the_report_tells_them(post: Post, tmp_path: Path) -> None:
    assert run_hq(post.home, "exhibit", SCREENED, "--out", tmp_path / "told") == 0
    report = (tmp_path / "told/report.html").read_text()
    assert "What headquarters answered to the post" in report
    assert WORDS in report
    assert "named by entry 4" in report
    assert "headquarters&#39; word" in report or "headquarters' word" in report


def test_a_redacted_copy_has_the_verdict_and_neither_words_nor_names(post: Post, tmp_path: Path) -> None:
    assert hq(post.home, "exhibit", SCREENED, "--out", tmp_path / "out", "--redact") == 0
    assert check_exhibit(tmp_path / "out")[1] == []
    told, written = answers(tmp_path / "out")
    assert (written.verdict, written.words, written.by, written.file, written.named_by) == (
        "confirmed", None, None, "", 4
    )  # fmt: skip
    assert told.by is None
    everything = b"".join(read_pieces(tmp_path / "out").values())
    assert WORDS.encode() not in everything
    assert DESK.encode() not in everything


def changed(**changes: object) -> Callable[[list[dict[str, object]]], None]:
    return lambda facts: facts[1].update(changes)


def left_out(facts: list[dict[str, object]]) -> None:
    facts.pop(1)


@pytest.mark.parametrize(
    "change",
    [
        changed(words="Nobody of that name."),
        changed(verdict="not confirmed"),
        changed(by="Somebody else"),
        changed(at_ms=5),
        changed(sha256="00" * 32),
        changed(named_by=3),
        changed(file=""),
        left_out,
    ],
)
def test_an_answer_told_otherwise_than_it_was_signed_is_named(
    out: Path, change: Callable[[list[dict[str, object]]], None]
) -> None:
    facts = msgspec.json.decode((out / FOLDER / "said.json").read_bytes())
    change(facts)
    (out / FOLDER / "said.json").write_bytes(msgspec.json.encode(facts))
    sum_again(out)
    (problem,) = check_exhibit(out)[1]
    assert problem.startswith((f"{FOLDER}/said.json:", f"{FOLDER}/2.cose:"))


def test_an_altered_answer_is_named_though_the_sums_are_made_to_fit(out: Path) -> None:
    flip(out / FOLDER / "2.cose", 40)
    sum_again(out)
    assert check_exhibit(out)[1] == [f"{FOLDER}/2.cose: not the answer that {FOLDER}/said.json names"]


def test_a_memory_that_is_damaged_is_said_and_stops_no_exhibit(post: Post, tmp_path: Path) -> None:
    (down_of(post.home, "LA-0001").folder / SAID).write_bytes(b"{\n")
    assert hq(post.home, "exhibit", SCREENED, "--out", tmp_path / "out") == 0
    (problem,) = read_said(read_pieces(tmp_path / "out")).problems
    assert problem.startswith("headquarters' memory of its answers cannot be read")


@pytest.mark.interop
def test_the_page_proves_the_written_answer_and_leaves_the_spoken_one_open(out: Path, tmp_path: Path) -> None:
    taken = steps(out, tmp_path)
    assert taken["fails"] == set()
    assert {"answers", "answer"} <= taken["holds"]
    assert "answer" in taken["open"]
    assert "unread" not in taken["open"]
    flip(out / FOLDER / "2.cose", -3)
    assert steps(out, tmp_path)["fails"] == {"answer"}
