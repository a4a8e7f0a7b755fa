"""Whatever happens in a lane, in whatever order: outcomes stay with their person, and nothing is lost."""

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

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
from appliance.booth.state import Kept, State
from appliance.errors import Refused
from appliance.examine.findings import SURE_READING
from appliance.formats.wire import Case
from appliance.parse.mrz import parse_mrz
from appliance.recorded import Direction, DocumentBasis, OutcomeKind
from drivers.api import Lamp
from tests.small_post import NOW, passport

DOCUMENTS = {title: parse_mrz(passport(f"P{title}0000001", title), NOW) for title in "ABC"}


class Lane(RuleBasedStateMachine):
    """A lane, an officer, a recorder that sometimes keeps and sometimes does not, and power cuts.

    The model is what an outsider could write down: which record was whose, which are kept, which were answered.
    """

    @initialize()
    def start(self) -> None:
        self.state = State(direction=Direction.ENTRY, lane="1")
        self.number = 0
        self.person_of: dict[str, str] = {}
        self.refers: dict[str, bool] = {}
        self.against: set[str] = set()
        self.kept: set[str] = set()
        self.shown_clear: set[str] = set()
        self.answered: dict[str, list[str]] = {}
        self.moved: set[str] = set()
        self.waiting: list[KeepScreening | KeepOutcome] = []
        self.recorder: dict[str, Case] = {}
        self.works = True

    def take(self, event: Event) -> None:
        self.state, effects = step(self.state, event)
        shown = self.state.shown_case
        if shown and lamp_of(self.state) is Lamp.GREEN:
            self.shown_clear.add(shown.case.of)
            assert shown.case.person.id not in self.against, "only an outcome ends what was surely against a person"
        for effect in effects:
            self.waiting.append(effect)
            if isinstance(effect, KeepOutcome):
                self.against.discard(effect.case.person.id)
        self.drain()

    def drain(self) -> None:
        """The outbox: in order, all or nothing."""
        while self.works and self.waiting:
            self.keep(self.waiting.pop(0))

    def keep(self, effect: KeepScreening | KeepOutcome) -> None:
        if isinstance(effect, KeepScreening):
            case = effect.opens
            self.kept.add(case.of)
            self.person_of[case.of] = case.person.id
            self.recorder[case.of] = case
            if effect.closes:
                assert self.person_of[effect.closes] == case.person.id, "a case never moves to another person"
                self.moved.add(effect.closes)
                self.recorder.pop(effect.closes, None)
            self.take(ScreeningKept(of=case.of))
        else:
            case = effect.case
            assert self.person_of[case.of] == case.person.id, "an outcome never attaches to another person"
            self.answered.setdefault(case.of, []).append(effect.outcome)
            if effect.implied:
                assert effect.outcome is OutcomeKind.PASSED
                assert not case.refers, "a referral is never passed by going on"
            self.recorder.pop(case.of, None)
            self.take(OutcomeKept(of=case.of))

    @rule(
        title=st.sampled_from(["", "A", "B", "C"]),
        refers=st.booleans(),
        unsure=st.booleans(),
        works=st.sampled_from([True, True, True, False]),
    )
    def lay(self, title: str, *, refers: bool, unsure: bool, works: bool) -> None:
        self.number += 1
        of, crossing, person = (f"{kind}{self.number:031x}" for kind in "abc")
        refers = refers or not title
        unsure = unsure and refers and title != ""
        self.works = works
        self.refers[of] = refers
        self.take(Arrived())
        assert lamp_of(self.state) is None, "dark while reading"
        judged = Judged(
            of=of,
            crossing_id=crossing,
            person_id=person,
            document_basis=DocumentBasis.PASSPORT,
            title=title or "unread",
            key=title,
            unread=not title,
            unsure=unsure,
            refers=refers,
            reasons=("why",) if refers else (),
            next_step=SURE_READING.next_step if unsure else "do",
            opened_ms=self.number,
            document=DOCUMENTS.get(title),
        )
        self.take(judged)
        if refers and title and not unsure:
            assert self.state.person is not None
            self.against.add(self.state.person.id)
        self.report_not_kept()

    def report_not_kept(self) -> None:
        told: set[int] = set()
        while fresh := [effect for effect in self.waiting if id(effect) not in told]:
            for effect in fresh:
                told.add(id(effect))
                if isinstance(effect, KeepOutcome):
                    self.take(OutcomeNotKept(of=effect.case.of))
                elif (known := self.state.find(effect.opens.of)) and known.kept is Kept.PENDING:
                    self.take(ScreeningNotKept(of=effect.opens.of))

    @rule(outcome=st.sampled_from(OutcomeKind), pick=st.integers(min_value=0))
    def answer(self, outcome: OutcomeKind, pick: int) -> None:
        if not self.state.cases:
            return
        case = self.state.cases[pick % len(self.state.cases)]
        try:
            self.take(OutcomeChosen(of=case.case.of, outcome=outcome))
        except Refused:
            assert case.answer is not None
        self.report_not_kept()

    @rule(following=st.sampled_from(Following))
    def belongs(self, following: Following) -> None:
        try:
            self.take(NextBelongs(following=following))
        except Refused:
            assert self.state.person is None

    @rule(group=st.sampled_from([0, 1, 3]), conveyance=st.sampled_from(["", "UN 1"]))
    def begin(self, group: int, conveyance: str) -> None:
        self.number += 1
        self.take(CrossingBegun(crossing_id=f"d{self.number:031x}", group=group, conveyance=conveyance))
        self.report_not_kept()

    @rule()
    def button(self) -> None:
        self.take(NextTraveller())
        self.report_not_kept()

    @rule()
    def not_read(self) -> None:
        self.take(NotRead())
        assert lamp_of(self.state) is None

    @rule()
    def open_details(self) -> None:
        self.take(DetailsShown(of=self.state.shown))

    @rule()
    def recorder_is_back(self) -> None:
        self.works = True
        self.drain()

    @rule()
    def power_cut(self) -> None:
        """The booth forgets everything; the recorder has what it kept."""
        self.recorder_is_back()
        self.state = State(direction=Direction.ENTRY, lane="1")
        self.take(Restored(cases=tuple(reversed(self.recorder.values()))))

    @invariant()
    def a_light_has_a_record(self) -> None:
        shown = self.state.shown_case
        if lamp_of(self.state) in (Lamp.GREEN, Lamp.AMBER):
            assert shown is not None
            assert shown.case.of in self.kept

    @invariant()
    def nothing_is_lost(self) -> None:
        """Every kept record has its outcome, has moved to the same person's newer record, or waits in view."""
        for of in self.kept:
            pending = any(isinstance(effect, KeepScreening) and effect.closes == of for effect in self.waiting)
            assert of in self.answered or of in self.moved or pending or self.state.find(of) is not None

    @invariant()
    def each_case_has_at_most_one_outcome(self) -> None:
        assert all(len(outcomes) == 1 for outcomes in self.answered.values())

    @invariant()
    def the_recorder_and_the_page_know_the_same_open_cases(self) -> None:
        if not self.waiting:
            assert {open_case.case.of for open_case in self.state.cases} == set(self.recorder)


Lane.TestCase.settings = settings(max_examples=150, stateful_step_count=30, deadline=None)
TestLane = Lane.TestCase
