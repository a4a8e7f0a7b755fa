"""Codes by telephone at a real recorder: the right one moves its case, wrong ones lock, and no restart forgets them."""

from collections.abc import Generator

import pytest

from appliance.formats.downlink import VoiceKey
from appliance.formats.statement import EventEntry
from appliance.formats.voice import Verdict, answer_code, case_code
from appliance.formats.wire import Voice, Voiced
from appliance.inquiry.life import STAGE_OF
from appliance.inquiry.moves import Who
from appliance.line import RecorderLine, RecorderRefused
from appliance.recorded import Stage
from tests.scenarios.case_life import Life, inbox
from tests.scenarios.recorder_bed import BOX, Bed, bed, deliver, recorded

KEY = bytes(range(32))


@pytest.fixture
def box() -> Generator[Bed]:
    with bed() as made:
        yield made


def code_for(life: Life, verdict: Verdict = Verdict.CONFIRMED, *, key: bytes = KEY, box: str = BOX) -> str:
    """What the duty desk reads out."""
    return answer_code(key, box=box, case=case_code(life.of), verdict=verdict)


def wrong_code(life: Life, number: int) -> str:
    """Well formed, and nobody's answer: made under another key."""
    return code_for(life, key=bytes([number + 1]) * 32)


def asked(box: Bed) -> Life:
    life = Life(box, box.line())
    life.open()
    life.ask_headquarters()
    return life


def refusal(line: RecorderLine, life: Life, code: str) -> str:
    with pytest.raises(RecorderRefused) as refused:
        line.ask(Voice(of=life.of, code=code))
    return refused.value.code


@pytest.mark.parametrize("verdict", Verdict)
def test_the_right_code_moves_its_case_and_the_written_answer_follows(box: Bed, verdict: Verdict) -> None:
    process = box.start()
    life, uplink = asked(box), box.line("uplink")
    uplink.ask(deliver(box, VoiceKey(key=KEY), 1))
    heard = code_for(life, verdict).lower().replace("-", " ")
    assert life.line.ask(Voice(of=life.of, code=heard)) == Voiced(verdict=verdict)
    stage = STAGE_OF[verdict]
    process.kill()
    process.wait()
    process = box.start()
    life.take(stage, Who.HEADQUARTERS, by_voice=True)
    digest, brought = life.answer(verdict, 1)
    uplink.ask(brought)
    assert [one.verdict for one in inbox(life.line)] == [verdict]
    life.take(stage, Who.HEADQUARTERS, answer=digest)
    recorded(life.line, life.outcome(), box.verifier)
    box.stop(process)


def test_a_code_heard_moves_once_and_with_what_it_said(box: Bed) -> None:
    process = box.start()
    life = asked(box)
    box.line("uplink").ask(deliver(box, VoiceKey(key=KEY), 1))
    life.line.ask(Voice(of=life.of, code=code_for(life, Verdict.NOT_CONFIRMED)))
    with pytest.raises(RecorderRefused) as refused:
        life.line.ask(life.step(Stage.CONFIRMED, Who.HEADQUARTERS, by_voice=True)[1])
    assert refused.value.code == "untrusted"
    life.take(Stage.NOT_CONFIRMED, Who.HEADQUARTERS, by_voice=True)
    with pytest.raises(RecorderRefused) as refused:
        life.line.ask(life.step(Stage.NOT_CONFIRMED, Who.HEADQUARTERS, by_voice=True)[1])
    assert refused.value.code == "untrusted"
    box.stop(process)


def test_five_wrong_codes_lock_their_case_over_restarts_and_no_other(box: Bed) -> None:
    process = box.start()
    life, other = asked(box), asked(box)
    box.line("uplink").ask(deliver(box, VoiceKey(key=KEY), 1))
    for number in range(3):
        assert refusal(life.line, life, wrong_code(life, number)) == "wrong_code"
    process.kill()
    process.wait()
    process = box.start()
    assert refusal(life.line, life, code_for(other)) == "wrong_code"
    assert refusal(life.line, life, wrong_code(life, 9)) == "locked"
    process.kill()
    process.wait()
    process = box.start()
    assert refusal(life.line, life, code_for(life)) == "locked"
    assert other.line.ask(Voice(of=other.of, code=code_for(other))) == Voiced(verdict=Verdict.CONFIRMED)
    digest, brought = life.answer(Verdict.CONFIRMED, 1)
    box.line("uplink").ask(brought)
    life.take(Stage.CONFIRMED, Who.HEADQUARTERS, answer=digest)
    box.stop(process)
    events = [one.kind for one in box.statements() if isinstance(one.kind, EventEntry)]
    heard = [one.fields["held"] for one in events if one.event == "voice_code_heard"]
    assert heard == ["no"] * 5 + ["yes"]


def test_a_misheard_code_counts_for_nothing(box: Bed) -> None:
    process = box.start()
    life = asked(box)
    box.line("uplink").ask(deliver(box, VoiceKey(key=KEY), 1))
    right = code_for(life)
    swapped = right[:-1] + ("0" if right[-1] != "0" else "1")
    for _ in range(3):
        for misheard in (swapped, right[:-2], "", "?" * 11, "x" * 64):
            assert refusal(life.line, life, misheard) == "malformed"
    assert life.line.ask(Voice(of=life.of, code=right)) == Voiced(verdict=Verdict.CONFIRMED)
    box.stop(process)


def test_a_code_needs_a_key_and_a_case_that_was_asked_about_and_is_of_this_box_alone(box: Bed) -> None:
    process = box.start()
    life, uplink = asked(box), box.line("uplink")
    assert refusal(life.line, life, code_for(life)) == "not_ready"
    uplink.ask(deliver(box, VoiceKey(key=KEY), 2))
    uplink.ask(deliver(box, VoiceKey(key=bytes(32)), 1))  # older, and late
    unasked = Life(box, life.line)
    unasked.open()
    assert refusal(life.line, unasked, code_for(unasked)) == "malformed"
    assert refusal(life.line, life, code_for(life, key=bytes(32))) == "wrong_code"
    assert refusal(life.line, life, code_for(life, box="landlink.example/la-0002")) == "wrong_code"
    assert life.line.ask(Voice(of=life.of, code=code_for(life))) == Voiced(verdict=Verdict.CONFIRMED)
    recorded(life.line, life.outcome(), box.verifier)
    assert refusal(life.line, life, code_for(life)) == "malformed"
    box.stop(process)
