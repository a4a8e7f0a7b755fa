"""Every step of a hit's life: what it makes of a case, what it records, and what it refuses."""

import itertools

import pytest
from msgspec import structs

from appliance.errors import Refused
from appliance.formats.cbor import pack
from appliance.formats.rules import DEFAULT_RULES
from appliance.formats.voice import case_code
from appliance.inquiry.life import (
    CARRIED_BYTES_MAX,
    Missing,
    carried,
    check_outcome,
    confirmation_of,
    move,
    newest_record,
)
from appliance.inquiry.moves import MOVES, NOTES, Need, Who
from appliance.model import Repair, RepairReason
from appliance.recorded import OutcomeKind, Stage
from tests.inquiry_world import ANSWER, OF, STEP, case_at, document, hit, said, said_well
from tests.small_post import NOW

ALLOWED = {
    (each.was, each.now, each.who)
    for each in (*MOVES, *NOTES.values())
    if each.now not in (Stage.OUTCOME, Stage.CLOSED)  # the outcome's own record makes both
}


@pytest.mark.parametrize(("was", "now", "who"), sorted(ALLOWED))
def test_every_move_of_the_table_is_a_record_that_names_the_one_before(was: Stage, now: Stage, who: Who) -> None:
    before = structs.replace(case_at(was), last="0c" * 16)
    step = said_well(was, now, who)
    after, transition = move(before, step)
    assert (after.stage, after.last, newest_record(after)) == (now, STEP, STEP)
    assert (transition.of, transition.before, transition.was, transition.now) == (OF, "0c" * 16, was, now)
    assert (transition.by, transition.reason, transition.answer) == (step.by, step.reason, step.answer)
    assert structs.replace(after, stage=was, last="0c" * 16, moved_ms=0, asked=NOW, officer="", reasons=()) == (
        structs.replace(before, moved_ms=0, reasons=())
    ), "nothing else changes"


def test_whatever_is_not_in_the_table_is_refused() -> None:
    refused = 0
    for was, now, who in itertools.product(Stage, Stage, Who):
        if (was, now, who) not in ALLOWED:
            with pytest.raises(Refused):
                move(case_at(was), said(now, who, reason="Because.", answer=ANSWER))
            refused += 1
    assert refused == len(Stage) ** 2 * len(Who) - len(ALLOWED)


@pytest.mark.parametrize("reason", ["", "   \n"])
def test_a_step_that_takes_a_reason_is_not_made_without_one(reason: str) -> None:
    with pytest.raises(Missing, match="why") as missing:
        move(case_at(Stage.SECONDARY), said(Stage.NOT_SAME, Who.OFFICER, reason=reason))
    assert missing.value.field == "reason"


def test_a_case_without_a_hit_has_no_life() -> None:
    with pytest.raises(Refused, match="Say what was done"):
        move(structs.replace(case_at(), hits=()), said(Stage.FIRST_LINE_VERIFIED, Who.OFFICER))


def test_an_answer_that_nobody_asked_for_moves_nothing() -> None:
    left = case_at(Stage.TRAVELLER_LEFT, asked=None)
    with pytest.raises(Refused, match="not been asked"):
        move(left, said(Stage.CONFIRMED, Who.HEADQUARTERS, answer=ANSWER))


def test_the_request_names_the_case_and_every_entry_and_starts_the_wait() -> None:
    before = case_at(Stage.SECONDARY, hit("R-7"), hit("R-8", notice="blue"), asked=None)
    after, transition = move(before, said(Stage.CONFIRMATION_REQUESTED, Who.OFFICER, by="7701"))
    assert after.asked == NOW
    assert after.officer == "7701"
    request = transition.request
    assert request is not None
    assert (request.case_code, request.not_to) == (case_code(OF), "")
    assert [(entry.entry, entry.list_version) for entry in request.entries] == [("R-7", 3), ("R-8", 3)]


@pytest.mark.parametrize(("nationality", "not_to"), [("MMR", "MMR"), ("", "XXX")])
def test_the_state_from_which_somebody_seeks_asylum_is_not_to_be_asked(nationality: str, not_to: str) -> None:
    before = structs.replace(case_at(Stage.SECONDARY, asked=None, nationality=nationality), seeks_asylum=True)
    _, transition = move(before, said(Stage.CONFIRMATION_REQUESTED, Who.OFFICER))
    assert transition.request is not None
    assert transition.request.not_to == not_to


def test_asylum_said_while_headquarters_asks_goes_after_the_request_at_once() -> None:
    note = said(Stage.CONFIRMATION_REQUESTED, Who.OFFICER, reason="They say so.", seeks_asylum=True)
    after, transition = move(case_at(Stage.CONFIRMATION_REQUESTED), note)
    assert (after.seeks_asylum, after.stage, after.asked) == (True, Stage.CONFIRMATION_REQUESTED, NOW)
    assert transition.request is not None
    assert transition.request.not_to == "LAO"
    _, again = move(after, note)
    assert again.request is None, "nothing has changed"


def test_asylum_said_before_asks_nobody_anything() -> None:
    note = said(Stage.CANDIDATE, Who.OFFICER, reason="They say so.", seeks_asylum=True)
    after, transition = move(case_at(asked=None), note)
    assert after.seeks_asylum
    assert after.asked is None
    assert transition.request is None


def test_what_headquarters_says_stands_with_the_case() -> None:
    before = structs.replace(case_at(Stage.NO_ANSWER), reasons=tuple(f"reason {n}" for n in range(8)))
    after, _ = move(before, said(Stage.CONFIRMED, Who.HEADQUARTERS, answer=ANSWER, reason="NCB: " + "x" * 400))
    assert len(after.reasons) == 8
    assert after.reasons[-1].startswith("NCB: xxx")
    assert len(after.reasons[-1]) == 256


def test_an_outcome_of_a_possible_match_takes_reason_and_legal_basis() -> None:
    asked = case_at(Stage.CONFIRMATION_REQUESTED)
    for note, basis, field in (("", "", "note"), (" ", "Act 12", "note"), ("Seen.", " ", "legal_basis")):
        with pytest.raises(Missing) as missing:
            check_outcome(asked, OutcomeKind.HANDED_OVER, note=note, legal_basis=basis)
        assert missing.value.field == field
    check_outcome(asked, OutcomeKind.HANDED_OVER, note="Seen.", legal_basis="Act 12")
    check_outcome(asked, OutcomeKind.TRAVELLER_LEFT, note="Ran.", legal_basis="")
    check_outcome(case_at(Stage.NOT_SAME), OutcomeKind.PASSED, note="", legal_basis="")
    check_outcome(structs.replace(asked, hits=()), OutcomeKind.SENT_TO_SECONDARY, note="", legal_basis="")


def test_a_second_check_does_not_end_a_possible_match() -> None:
    with pytest.raises(Refused, match="stays open"):
        check_outcome(case_at(), OutcomeKind.SENT_TO_SECONDARY, note="x", legal_basis="y")


def test_the_rules_first_confirmation_that_fits_one_of_the_hits_counts() -> None:
    assert confirmation_of(case_at(Stage.CANDIDATE, hit(notice="blue")), DEFAULT_RULES).notice is None
    both = case_at(Stage.CANDIDATE, hit(notice="yellow"), hit("R-8", notice="red"))
    assert confirmation_of(both, DEFAULT_RULES).notice == "red"


def test_a_case_carries_the_strongest_hits_that_fit_and_always_one() -> None:
    few = carried(case_at(Stage.CANDIDATE, *(hit(f"R-{n}") for n in range(6))))
    assert [each.entry for each in few.hits] == ["R-0", "R-1", "R-2", "R-3"]
    long = carried(case_at(Stage.CANDIDATE, *(hit(f"R-{n}", words=60) for n in range(4))))
    assert 1 <= len(long.hits) < 4
    assert len(pack(long)) <= CARRIED_BYTES_MAX
    one = carried(case_at(Stage.CANDIDATE, hit(words=600)))
    assert [each.entry for each in one.hits] == ["R-7"]
    assert one.hits[0].fields[0].words == ()
    assert len(pack(one)) <= CARRIED_BYTES_MAX


def test_a_case_does_not_carry_a_hundred_repairs() -> None:
    repair = Repair(line=0, column=0, read="0", taken_as="O", reason=RepairReason.POSITION)
    worn = structs.replace(case_at(), document=document(repairs=(repair,) * 132))
    kept = carried(worn).document
    assert kept is not None
    assert kept.repairs == ()
    assert kept.document_number == "PA1234567"


def test_needs_are_all_met_somewhere() -> None:
    assert {need for each in MOVES for need in each.needs} == set(Need)
