"""What the officer is told, stage by stage and colour by colour: always something, and never more than is known."""

import re
from typing import get_args

import pytest
from msgspec import structs

from appliance.formats.lists import NOTICES
from appliance.formats.rules import DEFAULT_RULES, NoticeColour, Rules
from appliance.formats.voice import case_code
from appliance.inquiry.advice import advice, in_words
from appliance.inquiry.instructions import (
    FRAUD_INSTRUCTIONS,
    NOTICE_INSTRUCTIONS,
    fraud_instruction,
    notice_instruction,
)
from appliance.recorded import Stage
from tests.inquiry_world import OF, case_at, hit, later
from tests.small_post import NOW, TELEPHONE

FORBIDDEN = re.compile(
    r"\b(epoch|checkpoint|parked|weak|strong|inconclusive|mrz|scores?|hits?|reject\w*|refus\w*|criminals?|offenders?|"
    r"suspects?|guilty|illegals?|clear|error|arrest\w*|detain\w*|custody)\b",
    re.IGNORECASE,
)
ALLOWED = {
    "red": ("an arrest is possible only as under national law",),
    "blue": ("Do not detain",),
}
"""Words that may stand in one sentence alone."""
EVERY = {**{("notice", name): text for name, text in NOTICE_INSTRUCTIONS.items()}} | {
    ("fraud", name): text for name, text in FRAUD_INSTRUCTIONS.items()
}
FRAUDS = ("stolen blank", "stolen", "lost", "revoked", "listed person")


def test_every_colour_and_kind_of_fraud_has_one_text() -> None:
    assert set(NOTICE_INSTRUCTIONS) == {*NOTICES, "none"}
    assert set(FRAUD_INSTRUCTIONS) == {*FRAUDS, "other"}
    assert {colour or "none" for colour in get_args(NoticeColour)} == set(NOTICE_INSTRUCTIONS)
    assert len(set(EVERY.values())) == len(EVERY)


def test_what_has_no_colour_or_an_unknown_kind_has_a_text_too() -> None:
    assert notice_instruction("") == NOTICE_INSTRUCTIONS["none"]
    assert fraud_instruction("found in a lake") == FRAUD_INSTRUCTIONS["other"]


@pytest.mark.parametrize("key", EVERY)
def test_an_instruction_is_short_says_whom_to_ask_and_nothing_forbidden(key: tuple[str, str]) -> None:
    text = EVERY[key]
    assert 80 <= len(text) <= 600
    assert text == " ".join(text.split())
    assert "elephone" in text
    rest = text
    for allowed in ALLOWED.get(key[1], ()):
        assert allowed in rest
        rest = rest.replace(allowed, "")
    assert FORBIDDEN.search(rest) is None, rest


def test_yellow_protects() -> None:
    yellow = notice_instruction("yellow")
    for word in ("Protect", "alone", "interpreter", "safe", "child", "no offence"):
        assert word in yellow
    assert FORBIDDEN.search(yellow) is None


def test_every_colour_keeps_the_limits_of_its_source() -> None:
    """Screening procedure: red asks to locate, blue for information, black for a name, silver for property."""
    assert "Nobody is held for this entry alone" in notice_instruction("red")
    assert "Do not detain" in notice_instruction("blue")
    assert "no ground to hold anybody" in notice_instruction("green")
    assert "not that person" in notice_instruction("black")
    assert "authority for sanctions" in notice_instruction("special")
    assert "nobody is held" in notice_instruction("silver")


@pytest.mark.parametrize("stage", Stage)
@pytest.mark.parametrize("colour", [*NOTICES, ""])
def test_every_stage_says_what_to_do_now_and_nothing_forbidden(stage: Stage, colour: str) -> None:
    says = advice(case_at(stage, hit(notice=colour)), DEFAULT_RULES, NOW, duty_telephone=TELEPHONE)
    rules_own = {confirmation.release_path for confirmation in DEFAULT_RULES.confirmations}
    assert says.steps
    for words in (says.headline, *says.steps):
        assert words
        assert "{" not in words
        if words not in rules_own:
            assert FORBIDDEN.search(words) is None, words
            assert len(words) <= 256


BEFORE = (Stage.CANDIDATE, Stage.FIRST_LINE_VERIFIED, Stage.SECONDARY, Stage.CONFIRMATION_REQUESTED, Stage.NO_ANSWER)


@pytest.mark.parametrize("stage", BEFORE)
def test_until_headquarters_has_confirmed_it_is_a_possible_match(stage: Stage) -> None:
    says = advice(case_at(stage), DEFAULT_RULES, NOW, duty_telephone=TELEPHONE)
    assert says.headline.startswith("Possible match. Not confirmed.")


def test_confirmed_is_said_only_when_it_is() -> None:
    for stage in Stage:
        says = advice(case_at(stage), DEFAULT_RULES, NOW, duty_telephone=TELEPHONE)
        assert ("has confirmed" in says.headline) == (stage is Stage.CONFIRMED)


def test_while_an_answer_is_awaited_telephone_code_deadline_and_who_decides_are_there() -> None:
    says = advice(case_at(Stage.CONFIRMATION_REQUESTED), DEFAULT_RULES, later(NOW, 30), duty_telephone=TELEPHONE)
    words = " ".join(says.steps)
    assert "1 hour 30 minutes" in words
    assert case_code(OF) in words
    assert TELEPHONE in words
    assert "the officer in charge of the post decides" in words
    assert (says.left_ms, says.case_code) == (90 * 60_000, case_code(OF))


def test_for_a_wait_longer_than_a_shift_nobody_is_told_to_sit_and_wait() -> None:
    four_days = structs.replace(DEFAULT_RULES, confirmations=DEFAULT_RULES.confirmations[-1:])
    says = advice(case_at(Stage.CONFIRMATION_REQUESTED), four_days, NOW, duty_telephone=TELEPHONE)
    assert says.steps[0] == (
        "The answer may take up to 4 days. Nobody is held for it: "
        "the officer in charge of the post says whether the person goes on meanwhile."
    )


def test_when_no_answer_came_the_release_path_of_the_rules_is_said() -> None:
    confirmation = DEFAULT_RULES.confirmations[0]
    says = advice(case_at(Stage.NO_ANSWER), DEFAULT_RULES, NOW, duty_telephone=TELEPHONE)
    assert confirmation.release_path in says.steps
    assert says.left_ms is None


def test_the_telephone_of_the_rules_goes_before_the_posts_own_and_their_braces_are_text() -> None:
    own = structs.replace(DEFAULT_RULES.confirmations[-1], telephone="{code} 117", decides="{telephone}")
    rules: Rules = structs.replace(DEFAULT_RULES, confirmations=(own,))
    says = advice(case_at(Stage.SECONDARY), rules, NOW, duty_telephone=TELEPHONE)
    assert says.telephone == "{code} 117"
    assert any("telephone {code} 117" in step for step in says.steps)
    waits = advice(case_at(Stage.CONFIRMATION_REQUESTED), rules, NOW, duty_telephone=TELEPHONE)
    assert any("{telephone} decides" in step for step in waits.steps)


def test_asylum_stands_first_at_every_stage() -> None:
    for stage in Stage:
        case = structs.replace(case_at(stage), seeks_asylum=True)
        assert "asylum" in advice(case, DEFAULT_RULES, NOW, duty_telephone=TELEPHONE).steps[0]


@pytest.mark.parametrize(
    ("milliseconds", "words"),
    [
        (0, "1 minute"),
        (60_001, "2 minutes"),
        (3_600_000, "1 hour"),
        (3_660_000, "1 hour 1 minute"),
        (100 * 3_600_000 + 60_000, "4 days 4 hours"),
        (24 * 3_600_000, "1 day"),
    ],
)
def test_a_wait_in_words(milliseconds: int, words: str) -> None:
    assert in_words(milliseconds) == words
