"""Reference cards: each with a source, in the officer's words; the issuer's own come first."""

import html

import pytest

from appliance.booth.view import view
from appliance.examine.cards import CARDS, STEPS_MAX, card_steps
from appliance.parse.codes import state_codes
from tests.small_post import on_hand
from tests.synthetic_cases import case, shown
from tests.unit.test_page_match import OUTCOMES, TEMPLATES
from tests.unit.test_page_words import around

FORBIDDEN = ("mrz", "genuine", "forged", "fake", "epoch", "score", "inconclusive", "weak", "strong")


def test_every_card_is_of_an_issuer_that_exists_and_stands_there_once() -> None:
    keys = [(card.issuer, card.document) for card in CARDS.card]
    assert len(set(keys)) == len(keys)
    assert {issuer for issuer, _ in keys if issuer} <= set(state_codes())
    assert {("", "P"), ("", "I")} <= set(keys)


def test_every_card_names_a_public_source() -> None:
    assert all("://" in card.source or "Doc 9303" in card.source or "Wikipedia" in card.source for card in CARDS.card)


def test_no_card_says_that_a_document_is_or_is_not_what_it_seems() -> None:
    said = [step.words.lower() for card in CARDS.card for step in card.steps]
    assert [(word, text) for word in FORBIDDEN for text in said if word in text] == []
    assert all(text.endswith(".") for text in said)


def test_the_issuers_own_come_first_then_what_holds_for_any() -> None:
    steps = card_steps("VNM", "P")
    assert len(steps) == STEPS_MAX
    assert "pierced by laser" in steps[0].words
    assert steps[-1] in card_steps("BTN", "P")


@pytest.mark.parametrize(("issuer", "code", "count"), [("BTN", "P", 6), ("BTN", "ID", 4), ("LAO", "V", 0), ("", "", 0)])
def test_kinds_of_documents(issuer: str, code: str, count: int) -> None:
    assert len(card_steps(issuer, code)) == count


@pytest.mark.parametrize("opened", [True, False])
def test_a_card_stands_beside_a_referral_once_it_is_opened(*, opened: bool) -> None:
    now = view(shown(case()) if opened else shown(case(), details=None), around(on_hand()))
    page = TEMPLATES.get_template("stage.html").render(view=now, outcomes=OUTCOMES)
    assert [step.words in html.unescape(page) for step in card_steps("LAO", "P")] == [opened] * STEPS_MAX
