"""A hit's life at a real recorder: each step is one record, and kills, restarts and shifts lose nothing of it."""

import shutil
from collections.abc import Generator
from itertools import pairwise

import pytest
from msgspec import structs

from appliance.formats.statement import EventEntry
from appliance.formats.voice import Verdict
from appliance.formats.wire import Done, Spared, SparedEntries
from appliance.inquiry.memory import subject_of
from appliance.inquiry.moves import Who
from appliance.judged import Hit
from appliance.line import RecorderLine
from appliance.record.cases import SPARE_KEYS
from appliance.recorded import HandOver, Outcome, OutcomeKind, Record, Screened, Stage, Transition
from tests.scenarios.case_life import Life, hit, inbox, matched
from tests.scenarios.recorder_bed import Bed, bed, record, recorded, welcome
from tests.tracing import SYNC_CALLS, syncs


@pytest.fixture
def box() -> Generator[Bed]:
    with bed() as made:
        yield made


def spared(line: RecorderLine, screened: Record, *hits: Hit) -> tuple[str, ...]:
    assert isinstance(screened.body, Screened)
    assert screened.body.document is not None
    subject = subject_of(screened.body.document)
    assert subject is not None
    answer = line.ask(Spared(subject=subject, entries=tuple((one.entry, one.revision) for one in hits)))
    assert isinstance(answer, SparedEntries)
    return answer.entries


def test_a_case_stands_where_its_newest_record_says_also_after_a_kill_at_any_step(box: Bed) -> None:
    process = box.start()
    life = Life(box, box.line())
    life.open()
    for now in (Stage.FIRST_LINE_VERIFIED, Stage.SECONDARY, Stage.CONFIRMATION_REQUESTED):
        life.take(now)
        process.kill()
        process.wait()
        process = box.start()
        assert life.kept() == life.case
    box.stop(process)
    process = box.start()
    assert life.kept() == life.case
    box.stop(process)


def test_the_written_answer_confirms_and_the_chain_is_whole_at_headquarters(box: Bed) -> None:
    process = box.start()
    life, uplink = Life(box, box.line()), box.line("uplink")
    places = [life.open().index]
    life.ask_headquarters()
    digest, brought = life.answer(Verdict.CONFIRMED, 1)
    assert uplink.ask(brought) == Done()
    (answer,) = inbox(life.line)
    assert (answer.of, answer.verdict, answer.digest) == (life.of, Verdict.CONFIRMED, digest)
    process.kill()
    process.wait()
    process = box.start()
    assert inbox(life.line) == (answer,)
    life.take(Stage.CONFIRMED, Who.HEADQUARTERS, answer=digest)
    assert inbox(life.line) == ()
    recorded(life.line, life.outcome(), box.verifier)
    assert life.kept() is None
    box.stop(process)
    sealed = [index for index, one in enumerate(box.statements()) if one.kind.__class__.__name__ == "Sealed"]
    chain = [box.opened(index) for index in sealed[sealed.index(places[0]) :]]
    chain = [one for one in chain if isinstance(one.body, Screened | Transition | Outcome)]
    assert [one.body.now for one in chain if isinstance(one.body, Transition)] == [
        Stage.FIRST_LINE_VERIFIED,
        Stage.SECONDARY,
        Stage.CONFIRMATION_REQUESTED,
        Stage.CONFIRMED,
    ]
    for before, after in pairwise(chain):
        assert isinstance(after.body, Transition | Outcome)
        assert after.body.before == before.record_id


def test_an_answer_to_a_case_that_is_closed_is_logged_as_taken_and_not_kept(box: Bed) -> None:
    process = box.start()
    life, uplink = Life(box, box.line()), box.line("uplink")
    life.open()
    recorded(life.line, life.outcome(OutcomeKind.TRAVELLER_LEFT), box.verifier)
    _, brought = life.answer(Verdict.NOT_CONFIRMED, 1)
    assert uplink.ask(brought) == Done()
    assert inbox(life.line) == ()
    box.stop(process)
    events = [one.kind for one in box.statements() if isinstance(one.kind, EventEntry)]
    assert dict(events[-2].fields) == {"role": "answers", "counter": "1", "kept": "no"}
    assert events[-1].event == "recorder_stopped"


def test_an_answer_goes_with_its_case(box: Bed) -> None:
    process = box.start()
    life, uplink = Life(box, box.line()), box.line("uplink")
    life.open()
    life.ask_headquarters()
    uplink.ask(life.answer(Verdict.CONFIRMED, 1)[1])
    recorded(life.line, life.outcome(), box.verifier)
    assert inbox(life.line) == ()
    box.stop(process)
    process = box.start()
    assert inbox(life.line) == ()
    box.stop(process)


def test_answers_come_oldest_first_and_a_case_keeps_the_newest_four(box: Bed) -> None:
    process = box.start()
    uplink = box.line("uplink")
    lives = [Life(box, box.line()), Life(box, box.line(), record(matched((hit("QDi.1"),))))]
    for life in lives:
        life.open()
        life.ask_headquarters()
    for counter in (6, 2, 5, 3, 4, 1):
        uplink.ask(lives[0].answer(Verdict.CONFIRMED, counter)[1])
    uplink.ask(lives[1].answer(Verdict.NOT_CONFIRMED, 7)[1])
    told = inbox(lives[0].line)
    assert [one.of for one in told] == [lives[0].of] * 4 + [lives[1].of]
    assert [one.at_ms for one in told] == sorted(one.at_ms for one in told)
    box.stop(process)


def test_a_shift_hands_over_and_the_case_passes_with_it(box: Bed) -> None:
    process = box.start()
    life = Life(box, box.line())
    life.open()
    life.take(Stage.FIRST_LINE_VERIFIED)
    passed = structs.replace(life.case, officer="8")
    receipt = recorded(life.line, structs.replace(life.hand_over(), updates=passed), box.verifier)
    assert life.kept() == passed
    box.stop(process)
    assert box.opened(receipt.index).body == HandOver(gave="7", took="8", cases=(life.of,))


def test_a_second_document_may_join_the_case_of_the_first(box: Bed) -> None:
    process = box.start()
    life = Life(box, box.line())
    life.open()
    joined = structs.replace(life.case, reasons=("The document is listed.", "The visa has expired."))
    visa = record(matched((), laid=2))
    recorded(life.line, life.request(visa, updates=joined), box.verifier)
    assert life.kept() == joined
    life.case = joined
    life.take(Stage.FIRST_LINE_VERIFIED)
    box.stop(process)


def test_who_was_told_apart_is_spared_that_entry_until_it_changes_and_again_after_kills(box: Bed) -> None:
    process = box.start()
    life = Life(box, box.line())
    life.open()
    assert spared(life.line, life.first, hit()) == ()
    life.take(Stage.NOT_SAME)
    assert spared(life.line, life.first, hit(), hit("QDi.1"), hit(revision="f" * 16)) == (hit().entry,)
    process.kill()
    process.wait()
    process = box.start()
    assert spared(life.line, life.first, hit()) == (hit().entry,)
    recorded(life.line, life.outcome(OutcomeKind.PASSED), box.verifier)
    box.stop(process)
    process = box.start()
    assert spared(life.line, life.first, hit()) == (hit().entry,)
    assert isinstance(life.first.body, Screened)
    assert life.first.body.document is not None
    brother = structs.replace(life.first.body.document, secondary_identifier="BROTHER")
    stranger = structs.replace(life.first, body=structs.replace(life.first.body, document=brother))
    assert spared(life.line, stranger, hit()) == ()
    box.stop(process)


def test_when_headquarters_confirms_after_all_nobody_is_spared_any_more(box: Bed) -> None:
    process = box.start()
    life, uplink = Life(box, box.line()), box.line("uplink")
    life.open()
    life.ask_headquarters()
    first, brought = life.answer(Verdict.NOT_CONFIRMED, 1)
    uplink.ask(brought)
    life.take(Stage.NOT_CONFIRMED, Who.HEADQUARTERS, answer=first)
    life.take(Stage.NOT_SAME)
    assert spared(life.line, life.first, hit()) == (hit().entry,)
    second, brought = life.answer(Verdict.CONFIRMED, 2)
    uplink.ask(brought)
    life.take(Stage.CONFIRMED, Who.HEADQUARTERS, answer=second)
    assert spared(life.line, life.first, hit()) == ()
    process.kill()
    process.wait()
    process = box.start()
    assert spared(life.line, life.first, hit()) == ()
    box.stop(process)


@pytest.mark.interop
@pytest.mark.skipif(shutil.which("strace") is None, reason="needs strace")
def test_a_step_a_hand_over_and_an_answer_each_cost_exactly_one_sync(box: Bed) -> None:
    """Room in the journal is made in the pauses between them; test_one_sync.py shows that no answer waits for it."""
    trace = box.folder / "trace"
    process = box.start("strace", "-D", "-f", "-q", "-y", "-e", f"trace={SYNC_CALLS}", "-o", str(trace))
    life, uplink = Life(box, box.line()), box.line("uplink")
    keys = ("fsync", str(box.state / "recorder" / "case-keys"))
    while syncs(trace).count(keys) < SPARE_KEYS:
        welcome(life.line)
    life.open()
    while syncs(trace).count(keys) < SPARE_KEYS + 1:
        welcome(life.line)
    before = len(syncs(trace))
    life.ask_headquarters()
    digest, brought = life.answer(Verdict.NOT_CONFIRMED, 1)
    uplink.ask(brought)
    life.take(Stage.NOT_CONFIRMED, Who.HEADQUARTERS, answer=digest)
    recorded(life.line, life.hand_over(), box.verifier)
    life.take(Stage.NOT_SAME)
    box.settle()
    room = ("fsync", str(box.journals[0]))
    assert [sync for sync in syncs(trace)[before:] if sync != room] == [("fdatasync", str(box.journals[0]))] * 7
    box.stop(process)
