"""Whatever officers, headquarters, clocks, power cuts and a failing recorder do: lives stay whole and lead on.

The lane is the real clerk; the recorder changes its cases by the real rules (record/case_change.py).
"""

import contextlib

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from msgspec import structs

from appliance.booth.events import (
    AsylumSaid,
    BadgeSaid,
    CodeHeard,
    CrossingBegun,
    DetailsShown,
    HandedOver,
    Moved,
    OutcomeChosen,
)
from appliance.booth.inquirer import LOOK_S
from appliance.booth.state import Kept, OpenCase
from appliance.clock import Grade
from appliance.errors import Refused
from appliance.formats.rules import DEFAULT_RULES
from appliance.formats.voice import Verdict
from appliance.inquiry.advice import advice
from appliance.inquiry.life import STAGE_OF, due
from appliance.inquiry.moves import Need, Who, find_move, officers_moves, outcome_needs
from appliance.recorded import Outcome, OutcomeKind, Record, Stage, Transition
from tests.small_post import LISTED, NOW, TELEPHONE, WANTED_NAME, MemoryRecorder, SmallPost, passport, spoken

PAGES = (
    passport("PA7654321", *WANTED_NAME),
    passport("PA7654322", *WANTED_NAME),
    passport(LISTED, "SISOUK"),
    passport("PA0000002", "SISOUK"),
    passport("PA0000003", "SISOUK", expiry="200101"),
    (),
)
TROUBLES = ("", "", "away", "full", "strict", "dies", "no outcomes")
REASONS = st.sampled_from(["", "Compared by two officers."])
DAY_MS = 86_400_000


class Inquiries(RuleBasedStateMachine):
    """A post at the border; the model is what an outsider could write down."""

    @initialize()
    def start(self) -> None:
        self.recorder = MemoryRecorder()
        self.post = SmallPost(self.recorder)
        self.post.clerk.idle()
        self.written: set[tuple[str, bytes, Verdict]] = set()
        self.spoken: set[tuple[str, Verdict]] = set()
        self.boots = 0

    def say(self, *words: object) -> None:
        with contextlib.suppress(Refused):
            for word in words:
                self.post.clerk.say(word)

    def pick(self, number: int) -> OpenCase | None:
        cases = [each for each in self.post.state.cases if each.case.hits] or list(self.post.state.cases)
        return cases[number % len(cases)] if cases else None

    # --- what happens -------------------------------------------------------------------------------------------------

    @rule(page=st.sampled_from(PAGES))
    def lay(self, page: tuple[str, ...]) -> None:
        self.post.lay(*page)

    @rule(number=st.integers(0, 5), choice=st.integers(0, 5), reason=REASONS)
    def officer_goes_on(self, number: int, choice: int, reason: str) -> None:
        if (case := self.pick(number)) and (moves := officers_moves(case.tip.stage)):
            self.say(Moved(of=case.case.of, now=moves[choice % len(moves)].now, reason=reason))

    @rule(number=st.integers(0, 5), now=st.sampled_from(Stage), reason=REASONS)
    def officer_says_anything(self, number: int, now: Stage, reason: str) -> None:
        if case := self.pick(number):
            self.say(Moved(of=case.case.of, now=now, reason=reason))

    @rule(number=st.integers(0, 5), reason=st.just("Compared by two officers."))
    def to_headquarters(self, number: int, reason: str) -> None:
        if case := self.pick(number):
            for now in (Stage.FIRST_LINE_VERIFIED, Stage.SECONDARY, Stage.CONFIRMATION_REQUESTED):
                self.say(Moved(of=case.case.of, now=now, reason=reason))

    @rule(number=st.integers(0, 5), kind=st.sampled_from(OutcomeKind), note=REASONS, basis=REASONS)
    def outcome(self, number: int, kind: OutcomeKind, note: str, basis: str) -> None:
        if case := self.pick(number):
            self.say(OutcomeChosen(of=case.case.of, outcome=kind, note=note, legal_basis=basis))

    @rule(number=st.integers(0, 5), seeks=st.booleans())
    def asylum(self, number: int, *, seeks: bool) -> None:
        if case := self.pick(number):
            self.say(AsylumSaid(of=case.case.of, seeks=seeks))

    @rule(number=st.integers(0, 5), verdict=st.sampled_from(Verdict))
    def answer_arrives(self, number: int, verdict: Verdict) -> None:
        cases = list(self.recorder.open_cases)
        if cases:
            of = cases[number % len(cases)]
            answered = self.recorder.says(of, verdict)
            self.written.add((of, answered.digest, verdict))

    @rule(number=st.integers(0, 5), verdict=st.sampled_from(Verdict), right=st.booleans())
    def code_is_heard(self, number: int, verdict: Verdict, *, right: bool) -> None:
        if (case := self.pick(number)) and case.case.of in self.recorder.open_cases:
            of = case.case.of
            if right:
                self.spoken.add((of, verdict))
            self.say(CodeHeard(of=of, code=spoken(of if right else "f" * 32, verdict)))

    @rule(minutes=st.sampled_from([0.02, 1, 59, 121, 1_500]))
    def time_passes(self, minutes: float) -> None:
        self.post.wait(60 * minutes)
        self.post.clerk.idle()

    @rule(days=st.sampled_from([-4_000, -1, 1, 4_000]), grade=st.sampled_from(Grade))
    def the_clock_leaps(self, days: int, grade: Grade) -> None:
        at = self.post.clock.at
        self.post.clock.at = structs.replace(at, wall_ms=max(0, at.wall_ms + days * DAY_MS), grade=grade)

    @rule(trouble=st.sampled_from(TROUBLES))
    def recorder_changes(self, trouble: str) -> None:
        self.recorder.trouble = trouble

    @rule(power=st.booleans())
    def restart(self, *, power: bool) -> None:
        """The booth forgets everything; with the power gone, the box's clocks begin anew."""
        at = self.post.clock.at
        if power:
            self.boots += 1
            at = structs.replace(at, boot_id=f"{self.boots:032x}", boot_ms=1_000)
        self.post = SmallPost(self.recorder)
        self.post.clock.at = at
        self.post.clerk.idle()

    @rule(group=st.sampled_from([0, 2]))
    def begin(self, group: int) -> None:
        self.boots += 1
        self.say(CrossingBegun(crossing_id=f"c{self.boots:031x}", group=group))

    @rule(badge=st.sampled_from(["", "7701", "7702"]), look=st.booleans())
    def shift_changes(self, badge: str, *, look: bool) -> None:
        before = self.post.state.badge
        cases = tuple(each.case.of for each in self.post.state.to_hand_over)
        looks = [DetailsShown(of=of) for of in cases] if look else []
        self.say(BadgeSaid(badge=badge), *looks, HandedOver(gave=before, took=badge, cases=cases))

    # --- what always holds --------------------------------------------------------------------------------------------

    def life(self, of: str) -> list[Record]:
        return [
            record
            for record in self.recorder.records
            if record.record_id == of or (isinstance(record.body, Transition | Outcome) and record.body.of == of)
        ]

    @invariant()
    def every_life_is_an_unbroken_chain_of_moves_that_somebody_may_make(self) -> None:
        for of in {step.of for step in self.recorder.steps}:
            screening, *later = self.life(of)
            assert screening.record_id == of
            before, stage = of, Stage.CANDIDATE
            for record in later:
                assert (record.person, record.crossing) == (screening.person, screening.crossing)
                body = record.body
                assert isinstance(body, Transition | Outcome)
                assert body.before == before
                if isinstance(body, Transition):
                    assert body.was is stage
                    self.may_be(body)
                    before, stage = record.record_id, body.now
                else:
                    needs = outcome_needs(stage, body.outcome)
                    assert Need.REASON not in needs or body.note
                    assert Need.LEGAL_BASIS not in needs or body.legal_basis
                    assert record is later[-1], "nothing follows an outcome"

    def may_be(self, body: Transition) -> None:
        if body.now in STAGE_OF.values() and (body.answer is not None or body.by_voice):
            verdict = next(verdict for verdict, stage in STAGE_OF.items() if stage is body.now)
            if body.by_voice:
                assert (body.of, verdict) in self.spoken
            else:
                assert (body.of, body.answer, verdict) in self.written
            find_move(body.was, body.now, Who.HEADQUARTERS)
        elif body.now is Stage.NO_ANSWER and body.was is not body.now:
            find_move(body.was, body.now, Who.CLOCK)
        else:
            move = find_move(body.was, body.now, Who.OFFICER)
            assert Need.REASON not in move.needs or body.reason

    @invariant()
    def every_open_case_of_a_hit_says_what_to_do_now(self) -> None:
        for each in self.post.state.cases:
            if each.case.hits:
                for case in (each.case, each.tip):
                    says = advice(case, DEFAULT_RULES, self.post.clock.at, duty_telephone=TELEPHONE)
                    assert says.headline
                    assert all(says.steps)

    @invariant()
    def what_the_page_holds_for_made_is_what_the_recorder_has(self) -> None:
        kept = self.recorder.cases
        for each in self.post.state.cases:
            if each.case.of in kept and each.kept is Kept.RECORDED and each.answer is None and not each.ahead:
                known = kept[each.case.of]
                assert (each.case.stage, each.case.last) == (known.stage, known.last)

    @precondition(lambda self: self.recorder.trouble == "")
    @rule()
    def a_quiet_recorder_brings_everything_to_rest(self) -> None:
        """A second in which nothing fails: all is kept, every answer is in a life, and no wait is over its time."""
        for _ in range(6):  # a look takes one answer of each case
            self.post.wait(LOOK_S)
            self.post.clerk.idle()
        assert self.post.board.latest.waiting == 0
        assert {each.case.of for each in self.post.state.cases} == set(self.recorder.cases)
        for each in self.post.state.cases:
            assert each.ahead == ()
            assert each.case == self.recorder.cases[each.case.of]
            assert not due(each.case, DEFAULT_RULES, self.post.clock.at)
            asked = each.case.asked is not None and each.case.hits
            assert not asked or not self.recorder.open_cases[each.case.of].answers


Inquiries.TestCase.settings = settings(max_examples=80, stateful_step_count=40, deadline=None)
TestInquiries = Inquiries.TestCase

assert NOW.trusted, "the lane begins with a clock that somebody vouches for"
