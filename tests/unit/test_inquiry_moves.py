"""The machine of a hit's life, as data: who may make which move, what it takes, and how it is drawn."""

import itertools
from pathlib import Path

import pytest

from appliance.errors import Refused
from appliance.inquiry.moves import (
    ANSWERABLE,
    MOVES,
    NOTES,
    OPEN,
    RULED_OUT,
    Need,
    Who,
    find_move,
    moves_from,
    officers_moves,
    outcome_needs,
)
from appliance.recorded import OutcomeKind, Stage

README = Path(__file__).parents[2] / "appliance" / "inquiry" / "README.md"
FIRST_TO_ASKED = (Stage.CANDIDATE, Stage.FIRST_LINE_VERIFIED, Stage.SECONDARY, Stage.CONFIRMATION_REQUESTED)


def drawn() -> str:
    """Every move, by where it leads from; what every open stage has stands once."""
    everywhere = (Stage.TRAVELLER_LEFT, Stage.OUTCOME)
    lines = [f"{'from':<24}{'to':<24}{'who':<14}{'takes'}"]
    for stage in Stage:
        for move in moves_from(stage):
            if move.now not in everywhere:
                takes = " and ".join(sorted(need.value for need in move.needs)) or "-"
                lines.append(f"{stage.value:<24}{move.now.value:<24}{move.who.value:<14}{takes}")
    lines.append(f"{'any open one':<24}{'traveller left':<24}{'officer':<14}-")
    lines.append(f"{'any open one':<24}{'outcome':<24}{'officer':<14}legal basis and reason, unless ruled out")
    lines.append(f"{'any open one':<24}{'the same (a note)':<24}{'officer':<14}reason")
    return "\n".join(lines)


def test_the_readme_draws_the_machine_as_it_is() -> None:
    assert drawn() in README.read_text(encoding="utf-8")


def test_no_move_stands_twice() -> None:
    assert len({(move.was, move.now, move.who) for move in MOVES}) == len(MOVES)


def test_the_way_of_the_procedure_is_there_in_its_order() -> None:
    for was, now in itertools.pairwise(FIRST_TO_ASKED):
        assert find_move(was, now, Who.OFFICER).button


def test_every_stage_but_the_last_is_left_and_every_stage_but_the_first_is_reached() -> None:
    assert {move.was for move in MOVES} == set(Stage) - {Stage.CLOSED}
    assert {move.now for move in MOVES} == set(Stage) - {Stage.CANDIDATE}


def test_a_traveller_can_leave_and_an_outcome_be_said_from_every_open_stage() -> None:
    for stage in OPEN:
        ways = {move.now for move in moves_from(stage) if move.who is Who.OFFICER}
        assert Stage.OUTCOME in ways
        assert stage is Stage.TRAVELLER_LEFT or Stage.TRAVELLER_LEFT in ways
        assert NOTES[stage].needs == {Need.REASON}


def test_nobody_but_headquarters_confirms_and_only_by_an_answer() -> None:
    for move in MOVES:
        if move.now in (Stage.CONFIRMED, Stage.NOT_CONFIRMED):
            assert (move.who, move.needs) == (Who.HEADQUARTERS, frozenset({Need.ANSWER}))
        else:
            assert move.who is not Who.HEADQUARTERS
    for who in (Who.OFFICER, Who.CLOCK):
        with pytest.raises(Refused):
            find_move(Stage.CONFIRMATION_REQUESTED, Stage.CONFIRMED, who)


def test_a_late_answer_counts_after_the_wait_and_after_the_traveller_has_left() -> None:
    for was in (Stage.NO_ANSWER, Stage.TRAVELLER_LEFT, Stage.NOT_SAME, Stage.CONFIRMED, Stage.NOT_CONFIRMED):
        assert was in ANSWERABLE
        for now in (Stage.CONFIRMED, Stage.NOT_CONFIRMED):
            assert find_move(was, now, Who.HEADQUARTERS).now is now


def test_before_the_request_no_answer_moves_anything() -> None:
    for was in (Stage.CANDIDATE, Stage.FIRST_LINE_VERIFIED, Stage.SECONDARY):
        assert all(move.who is not Who.HEADQUARTERS for move in moves_from(was))


def test_not_the_same_takes_a_reason_and_not_after_a_confirmation() -> None:
    leading = [move for move in MOVES if move.now is Stage.NOT_SAME]
    assert all((move.who, move.needs) == (Who.OFFICER, frozenset({Need.REASON})) for move in leading)
    assert {move.was for move in leading}.isdisjoint({Stage.CONFIRMED, Stage.CONFIRMATION_REQUESTED, Stage.NO_ANSWER})


def test_the_box_by_itself_ends_a_wait_and_closes_and_nothing_else() -> None:
    assert {(move.was, move.now) for move in MOVES if move.who is Who.CLOCK} == {
        (Stage.CONFIRMATION_REQUESTED, Stage.NO_ANSWER),
        (Stage.OUTCOME, Stage.CLOSED),
    }


def test_nothing_follows_what_is_closed_and_nothing_but_that_what_has_an_outcome() -> None:
    assert moves_from(Stage.CLOSED) == ()
    assert [move.now for move in moves_from(Stage.OUTCOME)] == [Stage.CLOSED]


@pytest.mark.parametrize("stage", OPEN)
def test_an_outcome_takes_reason_and_legal_basis_while_the_match_is_possible(stage: Stage) -> None:
    both = {Need.REASON, Need.LEGAL_BASIS}
    assert outcome_needs(stage, OutcomeKind.HANDED_OVER) == (set() if stage in RULED_OUT else both)
    assert Need.LEGAL_BASIS not in outcome_needs(stage, OutcomeKind.TRAVELLER_LEFT)


def test_every_officers_move_has_a_button_and_nobody_elses() -> None:
    for move in MOVES:
        assert bool(move.button) == (move.who is Who.OFFICER)
    assert all(Stage.OUTCOME not in {move.now for move in officers_moves(stage)} for stage in Stage)


def test_a_note_is_the_officers_and_of_open_cases_only() -> None:
    assert find_move(Stage.SECONDARY, Stage.SECONDARY, Who.OFFICER).needs == {Need.REASON}
    for stage, who in ((Stage.CLOSED, Who.OFFICER), (Stage.OUTCOME, Who.OFFICER), (Stage.SECONDARY, Who.CLOCK)):
        with pytest.raises(Refused):
            find_move(stage, stage, who)
