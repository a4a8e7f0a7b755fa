"""decide by rules: what they change, what they cannot, and what people decided before."""

import itertools
from collections.abc import Iterable
from typing import get_args

import pytest
from msgspec import structs

from appliance.decide import decide
from appliance.examine.findings import CHECKS
from appliance.formats.rules import DEFAULT_RULES, Confirmation, HitRule, Rules
from appliance.judged import Answer, Band, Clear, Decision, Finding, Hit, Refer, Screening
from appliance.model import ListName
from appliance.screen.screen import not_screened
from tests.rules_world import SEARCHED, hit, rules
from tests.screen_world import DATED, laid, lists

TELEPHONE = "1191"


def judged(
    *hits: Hit, by: Rules = DEFAULT_RULES, spared: Iterable[str] = (), findings: tuple[Finding, ...] = ()
) -> Decision:
    screening = Screening(lists=SEARCHED, hits=hits)
    return decide(laid(), findings, screening, duty_telephone=TELEPHONE, rules=by, spared=frozenset(spared))


def codes(decision: Decision) -> list[str]:
    return [reason.code for reason in (decision.first, *decision.others)] if isinstance(decision, Refer) else []


HUSHED = rules(HitRule(action="note"), findings=dict.fromkeys(CHECKS, "note"))
"""What check_rules would refuse: every box and every program has to be safe from it all the same."""


def test_the_bands_that_alert_are_those_that_ship() -> None:
    alerts = {
        (name, band): isinstance(decision := judged(hit(name, band)), Refer) and decision.alert
        for name, band in itertools.product(get_args(ListName), Band)
        if (name == "documents") == (band is Band.EXACT_DOCUMENT) or band is Band.WEAK
    }
    assert alerts == {
        ("documents", Band.EXACT_DOCUMENT): True,
        ("documents", Band.WEAK): False,
        ("persons", Band.STRONG): True,
        ("persons", Band.POSSIBLE): False,
        ("persons", Band.WEAK): False,
    }


def test_one_hit_that_alerts_makes_the_decision_an_alert_whatever_stands_first() -> None:
    document = HitRule(action="refer", list_name="documents")
    decision = judged(hit("documents", Band.EXACT_DOCUMENT), hit(), by=rules(document, HitRule(action="alert")))
    assert isinstance(decision, Refer)
    assert codes(decision) == ["listed_document", "possible_person"]
    assert decision.alert


def test_a_name_alone_refers_where_the_rules_want_it_and_says_that_the_birth_date_does_not_fit() -> None:
    born_otherwise = structs.replace(hit(band=Band.WEAK))
    assert judged(born_otherwise) == Clear(oldest_list=DATED)
    decision = judged(born_otherwise, by=rules(HitRule(action="refer")))
    assert codes(decision) == ["possible_person"]
    assert not decision.alert if isinstance(decision, Refer) else False


def test_a_rule_for_a_colour_is_for_that_colour_alone() -> None:
    by = rules(HitRule(action="note", list_name="persons", notice="silver"), HitRule(action="alert"))
    assert isinstance(judged(hit(notice="silver"), by=by), Clear)
    assert codes(judged(hit(notice="red"), by=by)) == ["possible_person"]


def test_a_listed_document_a_list_not_searched_and_a_page_not_read_refer_under_any_rules() -> None:
    assert codes(judged(hit("documents", Band.EXACT_DOCUMENT), by=HUSHED)) == ["listed_document"]
    not_searched = tuple(structs.replace(answer, searched=False, dated=None) for answer in SEARCHED)
    for answers in (not_searched, (SEARCHED[0], not_searched[1]), ()):
        decision = decide(laid(), (), Screening(lists=answers, hits=()), duty_telephone=TELEPHONE, rules=HUSHED)
        assert set(codes(decision)) == {"list_not_checked"}
    unread = decide(None, (), not_screened(lists()), duty_telephone=TELEPHONE, rules=HUSHED)
    assert codes(unread) == ["unreadable"]


@pytest.mark.parametrize("check", CHECKS)
def test_a_finding_that_the_rules_only_note_is_a_notice_and_never_silent(check: str) -> None:
    failed = Finding(check=check, answer=Answer.FAILED, reason="It does not hold.")
    assert codes(judged(findings=(failed,)))
    noted = judged(findings=(failed,), by=rules(findings={check: "note"}))
    assert noted == Clear(oldest_list=DATED, notices=("It does not hold.",))


def test_a_check_that_neither_the_rules_nor_this_box_know_refers_with_a_next_step() -> None:
    decision = judged(findings=(Finding(check="chip", answer=Answer.FAILED, reason="The chip does not answer."),))
    assert isinstance(decision, Refer)
    assert (decision.first.code, decision.first.next_step[-1]) == ("chip", ".")


def test_the_telephone_is_that_of_the_notices_confirmation() -> None:
    special = Confirmation(notice="red", telephone="+856 20 1", wait_minutes=9, decides="x", release_path="y")
    by = rules(confirmations=(special, *DEFAULT_RULES.confirmations))
    for notice, telephone in (("red", "+856 20 1"), ("blue", TELEPHONE), ("", TELEPHONE)):
        decision = judged(hit(notice=notice), by=by)
        assert isinstance(decision, Refer)
        assert f"telephone {telephone}." in decision.first.next_step


def test_who_was_found_not_to_be_the_person_is_not_stopped_for_it_again() -> None:
    decision = judged(hit(), spared=["E-1"])
    assert decision == Clear(
        oldest_list=DATED, notices=("Compared before, and decided: not the person whom a list has (Source A).",)
    )
    assert codes(judged(hit(), hit(entry="E-2"), spared=["E-1"])) == ["possible_person"]


def test_a_spared_hit_hides_nothing_else() -> None:
    expired = Finding(check="expiry", answer=Answer.FAILED, reason="It expired.")
    decision = judged(hit(), hit("documents", Band.EXACT_DOCUMENT), spared=["E-1"], findings=(expired,))
    assert codes(decision) == ["listed_document", "expired"]
    assert isinstance(decision, Refer)
    assert decision.alert
    spared_only = judged(hit(), spared=["E-1"], findings=(expired,))
    assert isinstance(spared_only, Refer)
    assert not spared_only.alert


@pytest.mark.parametrize("band", [Band.EXACT_DOCUMENT, Band.WEAK])
def test_a_document_is_never_spared_for_it_is_about_the_paper(band: Band) -> None:
    listed = hit("documents", band)
    document = laid(number_holds=False)
    decision = decide(
        document,
        (),
        Screening(lists=SEARCHED, hits=(listed,)),
        duty_telephone=TELEPHONE,
        spared=frozenset({"E-1"}),
    )
    assert codes(decision) == ["listed_document" if band is Band.EXACT_DOCUMENT else "number_alike"]


@pytest.mark.parametrize("fields", [{"source": "Source B"}, {"revision": "1" * 16}])
def test_an_identifier_of_two_entries_spares_neither(fields: dict[str, object]) -> None:
    """Two sources may use the same one, and one of them was decided on."""
    decision = judged(hit(), structs.replace(hit(band=Band.POSSIBLE), **fields), spared=["E-1"])
    assert codes(decision) == ["possible_person", "possible_person"]
