"""Whose document is this, and whose outcome: the crossing's rules, one fact a test."""

from dataclasses import replace
from itertools import count

import pytest

from appliance.booth.clerk import lamp_of
from appliance.booth.crossing import step
from appliance.booth.events import (
    Arrived,
    CrossingBegun,
    DetailsShown,
    Event,
    Following,
    Judged,
    KeepOutcome,
    KeepScreening,
    NextBelongs,
    NextTraveller,
    NotRead,
    OutcomeChosen,
    OutcomeKept,
    OutcomeNotKept,
    Restored,
    ScreeningKept,
    ScreeningNotKept,
)
from appliance.booth.state import Kept, Phase, State
from appliance.errors import Refused
from appliance.recorded import Direction, DocumentBasis, OutcomeKind
from drivers.api import Lamp


class Desk:
    """Feeds the machine; keeps every record unless told otherwise."""

    def __init__(self, state: State | None = None) -> None:
        self.state = state or State(direction=Direction.EXIT, lane="2")
        self.ids = count(1)
        self.screenings: list[KeepScreening] = []
        self.outcomes: list[KeepOutcome] = []

    def take(self, event: Event, *, keeps: bool = True) -> None:
        self.state, effects = step(self.state, event)
        for effect in effects:
            match effect:
                case KeepScreening(opens=case):
                    self.screenings.append(effect)
                    self.take(ScreeningKept(of=case.of) if keeps else ScreeningNotKept(of=case.of), keeps=keeps)
                case KeepOutcome(case=case):
                    self.outcomes.append(effect)
                    self.take(OutcomeKept(of=case.of) if keeps else OutcomeNotKept(of=case.of), keeps=keeps)

    def lay(self, title: str, *reasons: str, keeps: bool = True, unsure: bool = False) -> str:
        """Lay a document; with reasons it refers; "" could not be read. The record's identifier."""
        of, crossing, person = (f"{next(self.ids):032x}" for _ in range(3))
        self.take(Arrived())
        judged = Judged(
            of=of,
            crossing_id=crossing,
            person_id=person,
            document_basis=DocumentBasis.PASSPORT,
            title=title or "unread",
            key=title,
            unread=not title,
            unsure=unsure,
            refers=bool(reasons) or not title,
            reasons=reasons or (() if title else ("not read",)),
            next_step="telephone" if reasons else "lay it again",
            opened_ms=1,
        )
        self.take(judged, keeps=keeps)
        return of

    def person(self, of: str) -> str:
        return next(kept.opens.person.id for kept in self.screenings if kept.opens.of == of)

    def crossing(self, of: str) -> str:
        return next(kept.opens.crossing.id for kept in self.screenings if kept.opens.of == of)

    def said(self) -> list[tuple[str, OutcomeKind, bool]]:
        return [(effect.case.of, effect.outcome, effect.implied) for effect in self.outcomes]


def test_laying_the_next_document_after_nothing_found_says_passed_for_the_one_before() -> None:
    desk = Desk()
    first = desk.lay("A")
    assert desk.said() == []
    second = desk.lay("B")
    assert desk.said() == [(first, OutcomeKind.PASSED, True)]
    assert desk.crossing(first) != desk.crossing(second)


def test_a_referral_stays_open_while_the_lane_goes_on() -> None:
    desk = Desk()
    referred = desk.lay("A", "Possible match.")
    for title in "BCD":
        desk.lay(title)
    assert referred not in [of for of, _, _ in desk.said()]
    assert desk.state.find(referred) is not None
    desk.take(OutcomeChosen(of=referred, outcome=OutcomeKind.HANDED_OVER, note="to the police"))
    kept = desk.outcomes[-1]
    assert (kept.case.person.id, kept.case.crossing.id) == (desk.person(referred), desk.crossing(referred))
    assert (kept.outcome, kept.implied, kept.note) == (OutcomeKind.HANDED_OVER, False, "to the police")
    assert desk.state.find(referred) is None


def test_the_same_document_twice_in_a_row_is_the_same_person_laid_twice() -> None:
    desk = Desk()
    first, second = desk.lay("A"), desk.lay("A")
    assert desk.person(first) == desk.person(second)
    assert [(kept.laid, kept.closes) for kept in desk.screenings] == [(1, None), (2, first)]
    desk.lay("B")
    assert desk.said() == [(second, OutcomeKind.PASSED, True)], "one person, one outcome"


def test_the_same_document_after_another_one_is_a_new_crossing() -> None:
    desk = Desk()
    first = desk.lay("A")
    desk.lay("B")
    assert desk.person(desk.lay("A")) != desk.person(first)


def test_another_person_of_this_crossing_shares_the_crossing_and_nothing_else() -> None:
    desk = Desk()
    mother = desk.lay("A")
    desk.take(NextBelongs(following=Following.PERSON))
    child = desk.lay("B")
    assert desk.crossing(mother) == desk.crossing(child)
    assert [kept.opens.person.number for kept in desk.screenings] == [1, 2]
    assert desk.said() == [(mother, OutcomeKind.PASSED, True)]
    stranger = desk.lay("C")
    assert desk.crossing(stranger) != desk.crossing(mother), "the word holds for one document"


def test_a_mothers_passport_laid_for_her_child_is_the_childs_when_the_officer_says_so() -> None:
    desk = Desk()
    mother = desk.lay("A")
    desk.take(NextBelongs(following=Following.PERSON))
    assert desk.person(desk.lay("A")) != desk.person(mother)


def test_another_document_of_a_referred_person_does_not_clear_the_person() -> None:
    desk = Desk()
    desk.lay("passport", "Possible match.")
    desk.take(NextBelongs(following=Following.DOCUMENT))
    visa = desk.lay("visa")
    shown = desk.state.shown_case
    assert shown is not None
    assert (shown.case.of, shown.case.refers, shown.case.reasons) == (visa, True, ("Possible match.",))
    assert lamp_of(desk.state) is Lamp.AMBER
    assert len(desk.state.cases) == 1


def test_a_page_that_could_not_be_read_is_nobodys_unless_the_officer_says_so() -> None:
    desk = Desk()
    unread = desk.lay("")
    other = desk.lay("A")
    assert desk.person(unread) != desk.person(other)
    assert desk.state.find(unread) is not None, "it waits for its outcome"


def test_a_page_read_at_the_second_try_answers_that_it_could_not_be_read() -> None:
    desk = Desk()
    unread = desk.lay("")
    desk.take(NextBelongs(following=Following.DOCUMENT))
    read = desk.lay("A")
    assert desk.person(read) == desk.person(unread)
    assert lamp_of(desk.state) is Lamp.GREEN
    desk.lay("B")
    assert desk.said() == [(read, OutcomeKind.PASSED, True)]
    assert desk.state.find(unread) is None


def test_the_same_document_read_surely_answers_that_it_was_not() -> None:
    desk = Desk()
    unsure = desk.lay("A", "Not read surely.", unsure=True)
    again = desk.lay("A", "Not read surely.", unsure=True)
    sure = desk.lay("A")
    assert desk.person(unsure) == desk.person(sure)
    assert [kept.closes for kept in desk.screenings] == [None, unsure, again]
    assert lamp_of(desk.state) is Lamp.GREEN
    assert [open_case.case.of for open_case in desk.state.cases] == [sure]


def test_what_else_is_against_a_person_outlives_a_sure_reading_and_another_document() -> None:
    for first, unsure, second in (("A", False, "A"), ("A", True, "B")):
        desk = Desk()
        desk.lay(first, "Why.", unsure=unsure)
        desk.take(NextBelongs(following=Following.DOCUMENT))
        desk.lay(second)
        assert lamp_of(desk.state) is Lamp.AMBER
        assert [open_case.case.reasons for open_case in desk.state.cases] == [("Why.",)]


def test_a_sure_reason_among_unsure_readings_is_answered_by_nothing_laid() -> None:
    desk = Desk()
    desk.lay("A", "Not read surely.", unsure=True)
    desk.lay("A", "Expired.")
    desk.lay("A", "Not read surely.", unsure=True)
    desk.lay("A")
    assert lamp_of(desk.state) is Lamp.AMBER
    assert desk.state.cases[0].case.reasons == ("Not read surely.", "Expired.")


def test_two_unread_pages_in_a_row_are_two_persons() -> None:
    desk = Desk()
    assert desk.person(desk.lay("")) != desk.person(desk.lay(""))


def test_an_announced_group_shares_one_crossing_until_it_is_through() -> None:
    desk = Desk()
    desk.take(CrossingBegun(crossing_id="f" * 32, group=2))
    first, second, third = desk.lay("A"), desk.lay("B"), desk.lay("C")
    assert desk.crossing(first) == desk.crossing(second) == "f" * 32
    assert desk.crossing(third) != "f" * 32
    assert [kept.opens.person.number for kept in desk.screenings] == [1, 2, 1]


def test_all_who_follow_a_vehicle_share_its_crossing_until_another_begins() -> None:
    desk = Desk()
    desk.take(CrossingBegun(crossing_id="f" * 32, conveyance="UN 4471"))
    riders = [desk.lay(title) for title in "ABC"]
    assert {desk.crossing(of) for of in riders} == {"f" * 32}
    assert desk.screenings[-1].opens.crossing.conveyance == "UN 4471"
    desk.take(CrossingBegun(crossing_id="e" * 32))
    assert desk.said()[-1] == (riders[-1], OutcomeKind.PASSED, True), "going on says passed"
    assert desk.crossing(desk.lay("D")) == "e" * 32


def test_nothing_found_that_was_not_recorded_is_not_shown_and_never_implies_passed() -> None:
    desk = Desk()
    lost = desk.lay("A", keeps=False)
    assert lamp_of(desk.state) is Lamp.RED
    desk.lay("B")
    assert desk.said() == []
    open_case = desk.state.find(lost)
    assert open_case is not None
    assert open_case.kept is Kept.NOT_RECORDED
    desk.take(ScreeningKept(of=lost))
    late = desk.state.find(lost)
    assert late is not None
    assert late.kept is Kept.LATE
    desk.lay("C")
    assert lost not in [of for of, _, _ in desk.said()], "an officer has to say it"


def test_a_result_whose_record_comes_late_is_shown_if_nobody_came_since() -> None:
    desk = Desk()
    lost = desk.lay("A", keeps=False)
    desk.take(ScreeningKept(of=lost))
    assert lamp_of(desk.state) is Lamp.GREEN


def test_an_outcome_is_taken_once() -> None:
    desk = Desk()
    of = desk.lay("A", "expired")
    desk.take(OutcomeChosen(of=of, outcome=OutcomeKind.TURNED_BACK))
    with pytest.raises(Refused, match="already has an outcome"):
        desk.take(OutcomeChosen(of=of, outcome=OutcomeKind.PASSED))


def test_an_outcome_that_is_not_recorded_yet_keeps_its_case_in_view_and_is_not_said_twice() -> None:
    desk = Desk()
    of = desk.lay("A", "expired")
    desk.take(OutcomeChosen(of=of, outcome=OutcomeKind.TURNED_BACK), keeps=False)
    open_case = desk.state.find(of)
    assert open_case is not None
    assert open_case.answer is OutcomeKind.TURNED_BACK
    with pytest.raises(Refused, match="already said"):
        desk.take(OutcomeChosen(of=of, outcome=OutcomeKind.PASSED))
    desk.take(OutcomeKept(of=of))
    assert desk.state.cases == ()


def test_the_start_button_passes_who_has_nothing_found_and_sets_a_referral_aside() -> None:
    desk = Desk()
    clear = desk.lay("A")
    desk.take(NextTraveller())
    assert desk.said() == [(clear, OutcomeKind.PASSED, False)]
    assert desk.state.phase is Phase.READY
    referred = desk.lay("B", "expired")
    desk.take(NextTraveller())
    assert desk.state.phase is Phase.READY
    assert desk.state.find(referred) is not None
    assert lamp_of(desk.state) is None


def test_details_hide_by_themselves_when_the_next_document_comes() -> None:
    desk = Desk()
    of = desk.lay("A", "expired")
    desk.take(DetailsShown(of=of))
    assert desk.state.details == of
    desk.take(Arrived())
    assert desk.state.details is None


def test_details_of_nobody_cannot_be_opened() -> None:
    desk = Desk()
    desk.take(DetailsShown(of="0" * 32))
    assert desk.state.details is None


def test_after_a_power_cut_open_cases_come_back_and_the_next_document_says_passed() -> None:
    before = Desk()
    referred = before.lay("A", "expired")
    clear = before.lay("B")
    after = Desk()
    after.take(Restored(cases=tuple(open_case.case for open_case in before.state.cases)))
    assert [open_case.case.of for open_case in after.state.cases] == [clear, referred]
    after.ids = count(100)
    after.lay("C")
    assert after.said() == [(clear, OutcomeKind.PASSED, True)]
    assert after.outcomes[0].case.crossing.direction is Direction.EXIT


def test_after_a_power_cut_the_same_document_again_is_still_the_same_person() -> None:
    before = Desk()
    clear = before.lay("A")
    after = Desk()
    after.take(Restored(cases=tuple(open_case.case for open_case in before.state.cases)))
    after.ids = count(100)
    again = after.lay("A")
    assert after.person(again) == before.person(clear)
    assert after.screenings[0].laid == 2
    assert after.screenings[0].closes == clear


def test_nobody_can_be_joined_before_the_first_document() -> None:
    desk = Desk()
    before = replace(desk.state)
    with pytest.raises(Refused, match="Lay the first one"):
        desk.take(NextBelongs(following=Following.PERSON))
    assert desk.state == before


def test_next_traveller_takes_back_whose_the_next_document_was_said_to_be() -> None:
    """Whoever said "same person" and then sent that person on would give the next one's document to them."""
    desk = Desk()
    first = desk.lay("A")
    desk.take(NextBelongs(following=Following.DOCUMENT))
    desk.take(NextTraveller())
    second = desk.lay("B")
    assert desk.person(first) != desk.person(second)
    desk.take(NextBelongs(following=Following.PERSON))
    desk.take(NextTraveller())
    desk.take(NextTraveller())
    assert desk.crossing(desk.lay("C")) != desk.crossing(second)


def test_what_is_no_document_takes_the_result_before_off_the_screen_and_says_nothing_of_it() -> None:
    desk = Desk()
    clear = desk.lay("A")
    assert lamp_of(desk.state) is Lamp.GREEN
    desk.take(NotRead())
    assert lamp_of(desk.state) is None
    assert (desk.state.phase, desk.state.shown, desk.said()) == (Phase.READY, None, [])
    desk.lay("B")
    assert desk.said() == [(clear, OutcomeKind.PASSED, True)]
