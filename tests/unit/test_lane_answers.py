"""A hit that waits: headquarters' written answers, codes over the telephone and the clock move it."""

import pytest

from appliance.booth.events import CodeHeard, Moved, OutcomeChosen
from appliance.errors import Refused
from appliance.formats.voice import Verdict
from appliance.recorded import OutcomeKind, Stage
from drivers.api import Sound
from tests.inquiry_world import later
from tests.matched_post import BADGE, case, look, with_a_match
from tests.small_post import GROUNDS, NOW, spoken


def test_a_written_answer_moves_the_case_by_its_digest_and_sounds_like_a_referral() -> None:
    post, of = with_a_match(steps=3)
    answered = post.recorder.says(of, Verdict.NOT_CONFIRMED, "Another birth place.")
    sounds = len(post.panel.sounds)
    look(post)
    assert case(post, of).case.stage is Stage.NOT_CONFIRMED
    step = post.recorder.steps[-1]
    assert (step.answer, step.by, step.by_voice) == (answered.digest, "", False)
    assert step.reason == "Headquarters (NCB duty officer): not the same. Another birth place."
    assert step.reason in case(post, of).case.reasons
    assert post.panel.sounds[sounds:] == [Sound.WAIT]
    look(post)
    assert post.recorder.steps[-1] is step, "an answer moves a case once"


def test_an_answer_that_comes_before_the_request_waits_for_it() -> None:
    post, of = with_a_match(steps=2)
    post.recorder.says(of, Verdict.CONFIRMED)
    look(post)
    assert case(post, of).tip.stage is Stage.SECONDARY
    post.clerk.say(Moved(of=of, now=Stage.CONFIRMATION_REQUESTED))
    look(post)
    assert case(post, of).case.stage is Stage.CONFIRMED


def test_answers_are_asked_for_once_a_second_and_only_while_a_case_waits() -> None:
    post, of = with_a_match(steps=2)
    look(post)
    assert post.recorder.asked_inbox == 0
    post.clerk.say(Moved(of=of, now=Stage.CONFIRMATION_REQUESTED))
    look(post)
    for _ in range(5):
        post.clerk.idle()
        post.clerk.tend()
    assert post.recorder.asked_inbox == 1


def test_a_code_over_the_telephone_moves_the_case_and_the_written_answer_follows() -> None:
    post, of = with_a_match(steps=3)
    post.clerk.say(CodeHeard(of=of, code=spoken(of, Verdict.CONFIRMED).lower()))
    assert case(post, of).case.stage is Stage.CONFIRMED
    heard = post.recorder.steps[-1]
    assert (heard.by_voice, heard.answer, heard.by) == (True, None, BADGE)
    post.recorder.says(of, Verdict.CONFIRMED, "In writing.")
    look(post)
    written = post.recorder.steps[-1]
    assert (written.was, written.now) == (Stage.CONFIRMED, Stage.CONFIRMED)
    assert written.answer is not None


@pytest.mark.parametrize("steps", [0, 2])
def test_a_code_before_the_request_is_not_listened_to(steps: int) -> None:
    post, of = with_a_match(steps=steps)
    with pytest.raises(Refused, match="Ask headquarters first"):
        post.clerk.say(CodeHeard(of=of, code=spoken(of, Verdict.CONFIRMED)))


def test_a_code_for_another_case_moves_nothing() -> None:
    post, of = with_a_match(steps=3)
    with pytest.raises(Refused, match="not the code for this case"):
        post.clerk.say(CodeHeard(of=of, code=spoken("f" * 32, Verdict.CONFIRMED)))
    assert case(post, of).tip.stage is Stage.CONFIRMATION_REQUESTED


def test_a_code_while_the_recorder_is_away_is_said_to_be_kept() -> None:
    post, of = with_a_match(steps=3)
    post.recorder.trouble = "away"
    with pytest.raises(Refused, match="keep the code"):
        post.clerk.say(CodeHeard(of=of, code=spoken(of, Verdict.CONFIRMED)))


def test_the_clock_ends_a_wait_and_a_late_answer_still_counts() -> None:
    post, of = with_a_match(steps=3)
    post.clock.at = later(NOW, 119)
    look(post)
    assert case(post, of).case.stage is Stage.CONFIRMATION_REQUESTED
    post.clock.at = later(NOW, 121)
    look(post)
    assert case(post, of).case.stage is Stage.NO_ANSWER
    assert (post.recorder.steps[-1].by, post.recorder.steps[-1].reason) == (
        "",
        "No answer in the time of the rules, version 1.",
    )
    post.recorder.says(of, Verdict.CONFIRMED)
    look(post)
    assert case(post, of).case.stage is Stage.CONFIRMED


def test_an_answer_that_lies_there_when_the_wait_ends_counts_as_in_time() -> None:
    post, of = with_a_match(steps=3)
    post.recorder.says(of, Verdict.NOT_CONFIRMED)
    post.clock.at = later(NOW, 10_000)
    look(post)
    assert [step.now for step in post.recorder.steps][-1] is Stage.NOT_CONFIRMED


def test_an_outcome_while_headquarters_is_asked_is_a_humans_to_say_and_is_recorded_so() -> None:
    post, of = with_a_match(steps=3)
    request = post.recorder.records[-1].record_id
    post.clerk.say(OutcomeChosen(of=of, outcome=OutcomeKind.PASSED, **GROUNDS))
    assert post.recorder.outcomes[of].before == request
    assert (post.recorder.cases, post.state.cases) == ({}, ())
