"""A hit's life in the lane: officers and faults move it, each step a record that is kept."""

import re

import pytest
from msgspec import structs

from appliance.booth.events import (
    AsylumSaid,
    BadgeSaid,
    CodeHeard,
    DetailsShown,
    Following,
    HandedOver,
    Moved,
    NextBelongs,
    OutcomeChosen,
)
from appliance.booth.state import Kept
from appliance.errors import Malformed, Refused
from appliance.formats.voice import Verdict, case_code
from appliance.formats.wire import Append
from appliance.judged import Clear, Refer
from appliance.model import Priority
from appliance.record.case_change import change_of
from appliance.recorded import HandOver, Outcome, OutcomeKind, Screened, Stage, Transition
from drivers.api import Lamp
from tests.inquiry_world import later
from tests.matched_post import BADGE, TO_ASKED, case, look, with_a_match
from tests.small_post import GROUNDS, LISTED, NOW, WANTED, WANTED_NAME, MemoryRecorder, SmallPost, passport, spoken


def test_a_possible_match_opens_a_case_with_document_hits_and_stage() -> None:
    post, of = with_a_match()
    kept = post.recorder.cases[of]
    assert kept == case(post, of).case
    assert (kept.stage, kept.last, kept.asked) == (Stage.CANDIDATE, of, None)
    assert kept.document is not None
    assert kept.document.primary_identifier == WANTED_NAME[0]
    assert [(hit.entry, hit.notice, hit.basis) for hit in kept.hits] == [(WANTED.entry, "red", None)]
    assert "located" not in kept.hits[0].instruction
    assert "Nobody is held for this entry alone" in kept.hits[0].instruction


def test_what_only_asks_for_another_reading_or_a_page_that_is_not_read_has_no_life() -> None:
    post = SmallPost()
    post.lay()
    of = str(post.state.shown)
    assert post.recorder.cases[of].hits == ()
    with pytest.raises(Refused, match="No list is asked about"):
        post.clerk.say(Moved(of=of, now=Stage.FIRST_LINE_VERIFIED))


def test_each_step_is_a_record_that_names_the_one_before_and_the_outcome_names_the_last() -> None:
    post, of = with_a_match(steps=3)
    post.recorder.says(of, Verdict.CONFIRMED, "Same fingerprints.")
    look(post)
    post.clerk.say(OutcomeChosen(of=of, outcome=OutcomeKind.HANDED_OVER, **GROUNDS))
    records = [record for record in post.recorder.records if isinstance(record.body, Screened | Transition | Outcome)]
    assert [record.record_id for record in records][:1] == [of]
    before = of
    for record in records[1:]:
        assert isinstance(record.body, Transition | Outcome)
        assert (record.body.of, record.body.before) == (of, before)
        assert record.person == records[0].person
        before = record.record_id
    stages = [body.now for body in post.recorder.steps]
    assert stages == [*TO_ASKED, Stage.CONFIRMED]
    outcome = post.recorder.outcomes[of]
    assert (outcome.legal_basis, outcome.by, outcome.note) == (GROUNDS["legal_basis"], BADGE, GROUNDS["note"])
    assert post.recorder.cases == {}
    assert post.state.find(of) is None


def test_the_request_and_a_departure_travel_first_and_other_steps_do_not() -> None:
    post, of = with_a_match(steps=3)
    post.clerk.say(Moved(of=of, now=Stage.TRAVELLER_LEFT))
    steps = [
        priority
        for priority, record in zip(post.recorder.priorities, post.recorder.records, strict=True)
        if isinstance(record.body, Transition)
    ]
    assert steps == [Priority.RECORD, Priority.RECORD, Priority.ALERT, Priority.ALERT]
    request = post.recorder.steps[2].request
    assert request is not None
    assert request.case_code == case_code(of)
    assert [entry.entry for entry in request.entries] == [WANTED.entry]


def test_a_step_without_its_reason_changes_nothing() -> None:
    post, of = with_a_match()
    before = post.state
    for word in (Moved(of=of, now=Stage.NOT_SAME), OutcomeChosen(of=of, outcome=OutcomeKind.PASSED, note="Fine.")):
        with pytest.raises(Refused, match="Write down"):
            post.clerk.say(word)
    assert (post.state, post.recorder.steps) == (before, [])


def test_an_officer_cannot_say_that_headquarters_has_confirmed() -> None:
    post, of = with_a_match(steps=3)
    for stage in (Stage.CONFIRMED, Stage.NOT_CONFIRMED, Stage.NO_ANSWER, Stage.CLOSED):
        with pytest.raises(Refused):
            post.clerk.say(Moved(of=of, now=stage, reason="I think so."))
    assert case(post, of).tip.stage is Stage.CONFIRMATION_REQUESTED


def test_what_is_said_of_asylum_is_a_note_of_the_case_and_stays_in_it() -> None:
    post, of = with_a_match()
    post.clerk.say(AsylumSaid(of=of, seeks=True))
    assert post.recorder.cases[of].seeks_asylum
    for stage in TO_ASKED:
        post.clerk.say(Moved(of=of, now=stage))
    request = post.recorder.steps[-1].request
    assert request is not None
    assert request.not_to == "LAO"
    post.clerk.say(AsylumSaid(of=of, seeks=False))
    taken_back = post.recorder.steps[-1].request
    assert taken_back is not None
    assert taken_back.not_to == ""
    with pytest.raises(Refused):
        post.clerk.say(AsylumSaid(of="0" * 32, seeks=True))


def test_steps_wait_in_order_while_the_recorder_is_away_and_none_is_made_before_it_is_kept() -> None:
    post, of = with_a_match()
    post.recorder.trouble = "full"
    for stage in TO_ASKED:
        post.clerk.say(Moved(of=of, now=stage))
    waiting = case(post, of)
    assert (waiting.case.stage, waiting.tip.stage, len(waiting.ahead)) == (Stage.CANDIDATE, TO_ASKED[-1], 3)
    with pytest.raises(Refused, match="still recording"):
        post.clerk.say(CodeHeard(of=of, code=spoken(of, Verdict.CONFIRMED)))
    post.recorder.trouble = ""
    post.clerk.idle()
    assert case(post, of).case.stage is TO_ASKED[-1]
    assert case(post, of).ahead == ()
    assert [step.now for step in post.recorder.steps] == list(TO_ASKED)


def test_a_step_that_the_recorder_refuses_is_taken_back_with_those_behind_it() -> None:
    post, of = with_a_match()
    post.recorder.trouble = "full"
    for stage in TO_ASKED:
        post.clerk.say(Moved(of=of, now=stage))
    post.recorder.trouble = "strict"
    post.clerk.idle()
    assert (case(post, of).tip.stage, case(post, of).ahead) == (Stage.CANDIDATE, ())
    assert "did not take the last step" in post.board.latest.notice
    post.recorder.trouble = ""
    post.clerk.say(Moved(of=of, now=Stage.FIRST_LINE_VERIFIED))
    assert case(post, of).case.stage is Stage.FIRST_LINE_VERIFIED


def test_an_outcome_that_the_recorder_refuses_can_be_said_again() -> None:
    post, of = with_a_match()
    post.recorder.trouble = "no outcomes"
    post.clerk.say(OutcomeChosen(of=of, outcome=OutcomeKind.PASSED, **GROUNDS))
    assert case(post, of).answer is None
    post.recorder.trouble = ""
    post.clerk.say(OutcomeChosen(of=of, outcome=OutcomeKind.PASSED, **GROUNDS))
    assert post.state.find(of) is None


@pytest.mark.parametrize("steps", range(4))
def test_a_restart_of_the_booth_restores_every_case_with_its_details(steps: int) -> None:
    recorder = MemoryRecorder()
    before, of = with_a_match(recorder, steps=steps)
    after = SmallPost(recorder)
    after.clerk.idle()
    assert case(after, of).case == case(before, of).case
    assert case(after, of).case.hits[0].fields
    if steps == 3:
        recorder.says(of, Verdict.CONFIRMED)
        look(after)
        assert case(after, of).case.stage is Stage.CONFIRMED


def test_more_cases_than_one_answer_holds_come_back_after_a_restart() -> None:
    recorder = MemoryRecorder()
    before = SmallPost(recorder)
    for number in range(7):
        before.lay(*passport(f"PA765432{number}", *WANTED_NAME))
    after = SmallPost(recorder)
    after.clerk.idle()
    assert [each.case.of for each in after.state.cases] == [each.case.of for each in before.state.cases]
    assert len(after.state.cases) == 7


def test_the_same_document_again_is_shown_as_the_case_that_it_has() -> None:
    post, of = with_a_match(steps=3)
    post.lay(*passport("PA7654321", *WANTED_NAME))
    assert (post.state.shown, len(post.state.cases)) == (of, 1)
    assert post.panel.lamps[-1] is Lamp.AMBER
    assert case(post, of).case.stage is Stage.CONFIRMATION_REQUESTED
    assert len(post.recorder.screenings) == 2
    assert list(post.recorder.cases) == [of]


def test_another_document_of_a_possible_match_keeps_please_wait_and_adds_its_reasons() -> None:
    post, of = with_a_match(steps=1)
    post.clerk.say(NextBelongs(following=Following.DOCUMENT))
    post.lay(*passport("PA0000002", "SISOUK", expiry="200101"))
    assert (post.state.shown, post.panel.lamps[-1]) == (of, Lamp.AMBER)
    expired = post.recorder.screenings[-1].body
    assert isinstance(expired, Screened)
    assert isinstance(expired.decision, Refer)
    assert expired.decision.first.words in post.recorder.cases[of].reasons
    post.clerk.say(NextBelongs(following=Following.DOCUMENT))
    post.lay(*passport("PA0000003", "SISOUK"))
    assert (post.state.shown, post.panel.lamps[-1]) == (of, Lamp.AMBER), "a clear visa makes nobody pass"
    assert list(post.recorder.cases) == [of]
    assert post.recorder.outcomes == {}


def test_another_entrys_hit_on_another_document_is_a_case_of_its_own() -> None:
    post, of = with_a_match(steps=1)
    post.clerk.say(NextBelongs(following=Following.DOCUMENT))
    post.lay(*passport(LISTED, "SISOUK"))
    assert post.state.shown != of
    assert len(post.recorder.cases) == 2
    persons = {each.case.person.id for each in post.state.cases}
    assert len(persons) == 1


def test_a_later_document_that_cannot_be_recorded_says_so_on_the_case() -> None:
    post, of = with_a_match()
    post.recorder.trouble = "full"
    post.lay(*passport("PA7654321", *WANTED_NAME))
    assert (case(post, of).kept, post.panel.lamps[-1]) == (Kept.NOT_RECORDED, Lamp.RED)
    post.recorder.trouble = ""
    post.clerk.idle()
    assert (case(post, of).kept, post.panel.lamps[-1]) == (Kept.RECORDED, Lamp.AMBER)


def test_not_the_same_spares_this_traveller_the_same_stop_and_nobody_else() -> None:
    post, of = with_a_match()
    post.clerk.say(Moved(of=of, now=Stage.NOT_SAME, reason="Ten years older than the entry."))
    post.clerk.say(OutcomeChosen(of=of, outcome=OutcomeKind.PASSED))
    post.lay(*passport("PA1111111"))
    post.lay(*passport("PA7654321", *WANTED_NAME))
    spared = post.recorder.screenings[-1].body
    assert isinstance(spared, Screened)
    assert isinstance(spared.decision, Clear)
    assert spared.spared == (WANTED.entry,)
    assert [hit.entry for hit in spared.screening.hits] == [WANTED.entry], "the record still has the hit"
    assert re.search("decided", spared.decision.notices[0])
    post.lay(*passport("PA7654322", *WANTED_NAME))
    other = post.recorder.screenings[-1].body
    assert isinstance(other, Screened)
    assert isinstance(other.decision, Refer)


def test_whoever_could_be_spared_is_asked_again_when_nobody_can_say_so() -> None:
    post, of = with_a_match()
    post.clerk.say(Moved(of=of, now=Stage.NOT_SAME, reason="Another face."))
    post.clerk.say(OutcomeChosen(of=of, outcome=OutcomeKind.PASSED))
    post.recorder.trouble = "forgetful"
    post.lay(*passport("PA7654321", *WANTED_NAME))
    shown = post.state.shown_case
    assert shown is not None
    assert shown.case.refers


def test_whoever_takes_over_says_their_badge_and_looks_at_every_case_first() -> None:
    post, first = with_a_match()
    post.lay(*passport(LISTED, "SISOUK"))
    second = str(post.state.shown)
    post.clerk.say(DetailsShown(of=second))
    handed = HandedOver(gave=BADGE, took="7702", cases=(first, second))
    with pytest.raises(Refused, match="badge first"):
        post.clerk.say(handed)
    post.clerk.say(BadgeSaid(badge="7702"))
    assert post.state.details is None, "what the one before had open is hidden"
    with pytest.raises(Refused, match="2 open cases"):
        post.clerk.say(handed)
    post.clerk.say(DetailsShown(of=first))
    with pytest.raises(Refused, match="1 open case"):
        post.clerk.say(handed)
    post.clerk.say(DetailsShown(of=second))
    with pytest.raises(Refused, match="1 open case"):
        post.clerk.say(HandedOver(gave=BADGE, took="7702", cases=(first,)))
    post.clerk.say(handed)
    body = post.recorder.records[-1].body
    assert isinstance(body, HandOver)
    assert (body.gave, body.took, body.cases) == (BADGE, "7702", (first, second))
    assert post.state.details is None
    assert "handed over" in post.board.latest.notice


@pytest.mark.parametrize(
    ("trouble", "said"), [("full", "not recorded yet"), ("strict", "did not take the last step"), ("", "handed over")]
)
def test_what_became_of_a_hand_over_is_said(trouble: str, said: str) -> None:
    post, of = with_a_match()
    post.recorder.trouble = trouble
    post.clerk.say(BadgeSaid(badge="7702"))
    post.clerk.say(DetailsShown(of=of))
    post.clerk.say(HandedOver(gave=BADGE, took="7702", cases=(of,)))
    assert said in post.board.latest.notice
    post.recorder.trouble = ""
    post.clerk.idle()
    handed = [record for record in post.recorder.records if isinstance(record.body, HandOver)]
    assert len(handed) == (0 if trouble == "strict" else 1)


def test_what_moves_by_itself_has_been_looked_at_by_nobody_unless_it_is_open() -> None:
    post, of = with_a_match(steps=3)
    post.clerk.say(DetailsShown(of=of))
    post.recorder.says(of, Verdict.NOT_CONFIRMED)
    look(post)
    assert of in post.state.looked
    post.clerk.say(DetailsShown(of=None))
    post.recorder.says(of, Verdict.CONFIRMED)
    look(post)
    assert of not in post.state.looked


def test_when_too_much_waits_steps_are_written_on_paper() -> None:
    post, of = with_a_match()
    post.recorder.trouble = "full"
    while not post.full:
        post.clerk.say(Moved(of=of, now=case(post, of).tip.stage, reason="Still here."))
    with pytest.raises(Refused, match="on paper"):
        post.clerk.say(Moved(of=of, now=Stage.FIRST_LINE_VERIFIED))


def test_a_case_closed_elsewhere_takes_no_step() -> None:
    post, of = with_a_match()
    post.clerk.say(OutcomeChosen(of=of, outcome=OutcomeKind.TRAVELLER_LEFT, note="Ran to the river."))
    with pytest.raises(Refused, match="already has an outcome"):
        post.clerk.say(Moved(of=of, now=Stage.FIRST_LINE_VERIFIED))


def test_the_clock_of_another_boot_is_asked_after_a_restart() -> None:
    recorder = MemoryRecorder()
    _, of = with_a_match(recorder, steps=3)
    after = SmallPost(recorder)
    after.clock.at = structs.replace(later(NOW, 30), boot_id="1" * 32, boot_ms=1_000)
    after.clerk.idle()
    look(after)
    assert case(after, of).case.stage is Stage.CONFIRMATION_REQUESTED
    after.clock.at = structs.replace(after.clock.at, wall_ms=NOW.wall_ms + 120 * 60_000)
    look(after)
    assert case(after, of).case.stage is Stage.NO_ANSWER


def test_an_outcome_is_no_step_neither_to_the_lane_nor_to_the_recorder() -> None:
    """A step takes no legal basis, so it would be a way around it."""
    post, of = with_a_match()
    for stage in (Stage.OUTCOME, Stage.CLOSED):
        with pytest.raises(Refused, match="record of its own"):
            post.clerk.say(Moved(of=of, now=stage, reason="Done."))
    open_case = post.recorder.open_cases[of]
    for was, now in ((Stage.CANDIDATE, Stage.OUTCOME), (Stage.OUTCOME, Stage.CLOSED)):
        there = structs.replace(open_case, case=structs.replace(open_case.case, stage=was))
        body = Transition(of=of, before=of, was=was, now=now, reason="Done.")
        record = structs.replace(post.recorder.records[0], record_id="e" * 32, body=body)
        request = Append(record=b"", priority=Priority.RECORD, updates=there.case)
        with pytest.raises(Malformed, match="record of its own"):
            change_of(request, record, {of: there}.get)
