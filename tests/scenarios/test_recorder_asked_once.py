"""Who has taken over the booth gives a record an identifier that headquarters was asked about, and uses its word again.

Headquarters' answer and its code by telephone name a case by the screening record's identifier, and the booth makes
that. One code, got for a harmless match, must not clear the next traveller whose case bears the same identifier, nor
one whose identifier was searched for until it gave the same code of a case.
"""

import os
from collections.abc import Generator

import pytest
from msgspec import structs

from appliance.formats.downlink import VoiceKey
from appliance.formats.voice import Verdict, answer_code, case_code
from appliance.formats.wire import Voice
from appliance.line import RecorderRefused
from appliance.recorded import OutcomeKind, Stage
from tests.scenarios.case_life import Life, hit, inbox, matched
from tests.scenarios.recorder_bed import BOX, Bed, bed, deliver, record, recorded

KEY = bytes(range(32))


@pytest.fixture
def box() -> Generator[Bed]:
    with bed() as made:
        yield made


def asked(box: Bed) -> Life:
    """A harmless case, about which headquarters was asked."""
    life = Life(box, box.line())
    life.open()
    life.ask_headquarters()
    return life


def under_the_same_name(box: Bed, life: Life) -> Life:
    """Another traveller and another entry, under an identifier that was used before."""
    other = structs.replace(record(matched((hit("QDi.1"),))), record_id=life.of, salt=os.urandom(32))
    return Life(box, life.line, other)


def refused_to_ask(life: Life) -> None:
    life.open()
    for now in (Stage.FIRST_LINE_VERIFIED, Stage.SECONDARY):
        life.take(now)
    with pytest.raises(RecorderRefused) as refusal:
        life.line.ask(life.step(Stage.CONFIRMATION_REQUESTED)[1])
    assert refusal.value.code == "malformed"


def test_a_code_that_was_given_for_one_case_clears_no_other_of_its_name(box: Bed) -> None:
    process = box.start()
    box.line("uplink").ask(deliver(box, VoiceKey(key=KEY), 1))
    harmless = asked(box)
    code = answer_code(KEY, box=BOX, case=case_code(harmless.of), verdict=Verdict.NOT_CONFIRMED)
    harmless.line.ask(Voice(of=harmless.of, code=code))
    recorded(harmless.line, harmless.outcome(OutcomeKind.PASSED), box.verifier)
    wanted = under_the_same_name(box, harmless)
    refused_to_ask(wanted)
    with pytest.raises(RecorderRefused) as refusal:
        wanted.line.ask(Voice(of=wanted.of, code=code))
    assert refusal.value.code == "malformed"
    box.stop(process)


def test_an_answer_that_is_under_way_meets_no_other_case_of_its_name(box: Bed) -> None:
    process = box.start()
    harmless = asked(box)
    recorded(harmless.line, harmless.outcome(OutcomeKind.PASSED), box.verifier)
    wanted = under_the_same_name(box, harmless)
    refused_to_ask(wanted)
    _, brought = harmless.answer(Verdict.NOT_CONFIRMED, 1)
    box.line("uplink").ask(brought)
    assert [answer.verdict for answer in inbox(wanted.line)] == [Verdict.NOT_CONFIRMED], "told, and moves nothing"
    assert wanted.case.asked is None
    box.stop(process)


@pytest.mark.parametrize("cut", ["killed at once", "published"])
def test_no_restart_forgets_what_was_asked(box: Bed, cut: str) -> None:
    process = box.start()
    harmless = asked(box)
    if cut == "published":
        box.stop(process)
    else:
        process.kill()
        process.wait()
    process = box.start()
    recorded(harmless.line, harmless.outcome(OutcomeKind.PASSED), box.verifier)
    refused_to_ask(under_the_same_name(box, harmless))
    box.stop(process)
