"""A hit's life at headquarters: a chain of records, and whatever does not follow on is named."""

from appliance.recorded import HandOver, Outcome, OutcomeKind, Stage, Transition
from provisioning.audit.opened.lives import Lives

SCREENING, FIRST, SECOND, THIRD = (letter * 32 for letter in "abcd")


def step(before: str, was: Stage, now: Stage) -> Transition:
    return Transition(of=SCREENING, before=before, was=was, now=now, by="K-17", reason="compared")


def verified() -> Lives:
    lives = Lives()
    assert lives.transition(1, FIRST, "", step(SCREENING, Stage.CANDIDATE, Stage.FIRST_LINE_VERIFIED)) == ""
    return lives


def test_a_life_is_read_in_its_order_with_its_outcome() -> None:
    lives = verified()
    assert lives.transition(2, SECOND, "", step(FIRST, Stage.FIRST_LINE_VERIFIED, Stage.SECONDARY)) == ""
    outcome = Outcome(
        of=SCREENING, outcome=OutcomeKind.TURNED_BACK, implied=False, legal_basis="law", by="B-4", before=SECOND
    )
    assert lives.outcome(3, THIRD, "", outcome) == ""
    life, hand_overs = lives.of(SCREENING)
    assert [line.stage for line in life] == [Stage.FIRST_LINE_VERIFIED, Stage.SECONDARY, Stage.OUTCOME]
    assert [line.was for line in life] == [Stage.CANDIDATE, Stage.FIRST_LINE_VERIFIED, Stage.SECONDARY]
    assert (life[-1].legal_basis, life[-1].by, hand_overs) == ("law", "B-4", [])


def test_a_gap_a_branch_and_a_wrong_stage_are_named() -> None:
    assert "does not follow" in Lives().transition(5, SECOND, "", step(FIRST, Stage.SECONDARY, Stage.NOT_SAME))
    assert "does not follow" in verified().transition(5, THIRD, "", step(SCREENING, Stage.CANDIDATE, Stage.NOT_SAME))
    assert '"candidate"' in Lives().transition(5, SECOND, "", step(SCREENING, Stage.SECONDARY, Stage.NOT_SAME))


def test_an_outcome_of_no_hit_begins_no_life() -> None:
    lives = Lives()
    assert lives.outcome(1, FIRST, "", Outcome(of=SCREENING, outcome=OutcomeKind.PASSED, implied=True)) == ""
    assert lives.subjects() == {}


def test_a_hand_over_stands_with_every_case_that_it_names() -> None:
    lives = verified()
    lives.hand_over(2, "at", HandOver(gave="K-17", took="B-4", cases=(SCREENING, THIRD), note="quiet night"))
    for of in (SCREENING, THIRD):
        (line,) = lives.of(of)[1]
        assert (line.gave, line.took, line.note, line.index) == ("K-17", "B-4", "quiet night", 2)
