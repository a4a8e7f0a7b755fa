"""decide: what refers and what does not, in which order, and the words that an officer may never meet."""

import itertools
import re
from collections.abc import Iterator

import pytest

from appliance.decide import decide
from appliance.examine.findings import CHECKS
from appliance.judged import Answer, Band, Clear, Decision, Finding, Refer, Screening
from appliance.model import TravelDocument
from appliance.screen.documents import NoDocuments
from appliance.screen.lists import Lists
from appliance.screen.persons import NoPersons
from appliance.screen.screen import not_screened, screen
from tests.screen_world import DATED, STOLEN, birth, documents, instant, laid, lists, person, persons

TELEPHONE = "+856 20 5555 0199"
FORBIDDEN = ("epoch", "checkpoint", "parked", "weak", "strong", "inconclusive", "mrz", "score", "reject", "queue")
NEVER_WHOLE = ("clear", "no hit", "not screened", "error")
NOW = instant()
LISTED = person("Khampheng Phommasack", births=(birth(1978, 4, 12),))
PASSED = tuple(Finding(check=check, answer=Answer.PASSED, reason="It agrees.") for check in CHECKS)


def judged(document: TravelDocument | None = None, against: Lists | None = None, *findings: Finding) -> Decision:
    document = document or laid("SISOUK<<MALAVANH")
    screening = screen(document, against or lists(), NOW)
    return decide(document, findings or PASSED, screening, duty_telephone=TELEPHONE)


def failed(check: str) -> Finding:
    return Finding(check=check, answer=Answer.FAILED, reason=f"It does not hold: {check}.")


def codes(decision: Decision) -> list[str]:
    assert isinstance(decision, Refer)
    return [reason.code for reason in (decision.first, *decision.others)]


def test_nothing_found_is_clear_with_the_date_of_the_oldest_list() -> None:
    assert judged() == Clear(oldest_list=DATED)


def test_a_listed_document_refers_as_a_possible_match_that_is_not_confirmed() -> None:
    decision = judged(laid("SISOUK<<MALAVANH", number=STOLEN.number), lists(documents(STOLEN)))
    assert codes(decision) == ["listed_document"]
    assert isinstance(decision, Refer)
    assert decision.first.words.startswith("Possible match. Not confirmed.")
    assert TELEPHONE in decision.first.next_step


def test_a_person_who_may_be_listed_refers_with_what_fits() -> None:
    decision = judged(laid(), lists(listed_persons=persons(LISTED)))
    assert codes(decision) == ["possible_person"]
    assert isinstance(decision, Refer)
    assert "the same name and the same date of birth" in decision.first.words
    assert "UN Security Council" in decision.first.words


def test_a_name_alone_refers_nobody() -> None:
    assert isinstance(judged(laid(birth="1950-01-01"), lists(listed_persons=persons(LISTED))), Clear)


@pytest.mark.parametrize(
    "against",
    [
        lists(NoDocuments("it is damaged or incomplete")),
        lists(listed_persons=NoPersons("it is damaged or incomplete")),
        Lists.from_release(None),
        Lists.from_release(None, (), "the release in service does not verify"),
    ],
)
def test_a_list_that_could_not_be_searched_refers_and_names_the_telephone(against: Lists) -> None:
    decision = judged(None, against)
    assert set(codes(decision)) == {"list_not_checked"}
    assert isinstance(decision, Refer)
    assert "The box could NOT check the list" in decision.first.words
    assert decision.first.next_step.startswith(f"Telephone {TELEPHONE}")


def test_a_technicians_reason_stays_in_the_record() -> None:
    nothing = Lists.from_release(None, (), "metadata/snapshot.json is missing")
    assert screen(laid(), nothing, NOW).lists[0].why == "metadata/snapshot.json is missing"
    decision = judged(None, nothing)
    assert isinstance(decision, Refer)
    assert decision.first.words == "The box could NOT check the list of documents: it has no list that can be trusted."


def test_no_answer_of_any_list_is_never_clear() -> None:
    decision = decide(laid(), PASSED, Screening(lists=(), hits=()), duty_telephone=TELEPHONE)
    assert codes(decision) == ["list_not_checked"]


def test_an_unreadable_page_refers_and_says_what_to_do() -> None:
    decision = decide(None, (), not_screened(lists()), duty_telephone=TELEPHONE, unread="nothing on it is legible")
    assert codes(decision) == ["unreadable"]
    assert isinstance(decision, Refer)
    assert "nothing on it is legible" in decision.first.words
    assert "type it in" in decision.first.next_step


@pytest.mark.parametrize("check", CHECKS)
def test_every_failed_check_refers_with_a_next_step_of_its_own(check: str) -> None:
    decision = judged(None, None, failed(check))
    assert isinstance(decision, Refer)
    assert decision.first.words == f"It does not hold: {check}."
    assert decision.first.next_step.endswith(".")
    steps = [judged(None, None, failed(other)) for other in CHECKS]
    assert len({step.first.next_step for step in steps if isinstance(step, Refer)}) == len(CHECKS)


@pytest.mark.parametrize("answer", [Answer.INCONCLUSIVE, Answer.UNAVAILABLE])
def test_what_an_untrusted_clock_leaves_open_is_a_notice_and_refers_nobody(answer: Answer) -> None:
    words = "The box is not sure of today's date. Valid until 14 March 2031: compare it yourself."
    decision = judged(None, None, Finding(check="expiry", answer=answer, reason=words))
    assert decision == Clear(oldest_list=DATED, notices=(words,))


@pytest.mark.parametrize(
    ("second", "shown"),
    [
        (Answer.UNAVAILABLE, ["second_reading"]),
        (Answer.INCONCLUSIVE, ["second_reading"]),
        (Answer.PASSED, ["printed_geometry", "infrared"]),
    ],
)
def test_lines_that_the_camera_did_not_read_surely_are_said_once(second: Answer, shown: list[str]) -> None:
    answers = {"second_reading": second, "printed_geometry": Answer.UNAVAILABLE, "infrared": Answer.UNAVAILABLE}
    decision = judged(None, None, *(Finding(check=check, answer=said, reason=check) for check, said in answers.items()))
    assert decision == Clear(oldest_list=DATED, notices=tuple(shown))


def test_a_number_that_looks_alike_asks_for_another_reading_only_where_no_check_digit_speaks_for_it() -> None:
    listed = lists(documents(STOLEN))
    misread = laid("SISOUK<<MALAVANH", number="PAO047113", number_holds=False)
    assert codes(judged(misread, listed)) == ["number_alike"]
    typed = laid("SISOUK<<MALAVANH", number="PAO047113", check_digits=())
    assert codes(judged(typed, listed)) == ["number_alike"]
    assert isinstance(judged(laid("SISOUK<<MALAVANH", number="PAO047113"), listed), Clear)


def test_the_order_is_the_order_of_what_to_do_first() -> None:
    everything = (failed("expiry"), failed("nationality"), failed("specimen"), failed("check_digits"))
    against = lists(documents(STOLEN), persons(LISTED))
    assert codes(judged(laid(number=STOLEN.number), against, *everything)) == [
        "listed_document",
        "possible_person",
        "specimen",
        "check_digits",
        "expired",
        "nationality",
    ]
    not_checked = lists(NoDocuments("it is damaged or incomplete"))
    assert codes(judged(None, not_checked, *everything))[:2] == ["list_not_checked", "specimen"]


@pytest.mark.parametrize("nationality", ["LAO", "VNM", "XXB", ""])
@pytest.mark.parametrize("sex", ["M", "F", "X", ""])
@pytest.mark.parametrize("year", ["1935", "1978", "2019", ""])
def test_nationality_sex_and_age_alone_never_refer(nationality: str, sex: str, year: str) -> None:
    against = lists(documents(STOLEN), persons(LISTED))
    document = laid("SISOUK<<MALAVANH", nationality=nationality, sex=sex, birth=year)
    assert isinstance(judged(document, against), Clear)


def every_decision() -> Iterator[Decision]:
    """One of every kind of words that decide can say."""
    listed = [LISTED, person("Khampheng Phommasak"), person("Kampheng Phommasack", births=(birth(1978),))]
    frauds = ("stolen blank", "stolen", "lost", "revoked", "listed person")
    people = [persons(one) for one in listed]
    papers = [documents(STOLEN, fraud=fraud) for fraud in frauds]
    for paper, who in itertools.product([*papers, NoDocuments("it is damaged")], [*people, NoPersons("no list")]):
        for number in (STOLEN.number, "PAO047113"):
            yield judged(laid(number=number, number_holds=False), lists(paper, who))
    yield from (judged(None, None, failed(check)) for check in CHECKS)
    yield judged(None, Lists.from_release(None))
    yield decide(None, (), not_screened(lists()), duty_telephone=TELEPHONE)
    yield decide(laid(), (), Screening(lists=(), hits=()), duty_telephone=TELEPHONE)


def test_no_word_of_ours_reaches_the_officer() -> None:
    seen = 0
    for decision in every_decision():
        assert isinstance(decision, Refer)
        for reason in (decision.first, *decision.others):
            for words in (reason.words, reason.next_step):
                seen += 1
                assert words[0].isupper()
                assert words.endswith((".", "?")), words
                for forbidden in FORBIDDEN:
                    assert forbidden not in words.lower(), words
                for forbidden in NEVER_WHOLE:
                    assert not re.search(rf"\b{forbidden}\b", words.lower()), words
    assert seen > 100


@pytest.mark.parametrize("fraud", ["stolen blank", "stolen", "lost", "revoked", "listed person"])
def test_instructions_of_hits_keep_to_the_officers_words(fraud: str) -> None:
    against = lists(documents(STOLEN, fraud=fraud), persons(LISTED))
    for hit in screen(laid(number=STOLEN.number), against, NOW).hits:
        assert "not proof" in hit.instruction
        assert not [word for word in FORBIDDEN if word in hit.instruction.lower()]


def test_bands_stay_inside_and_never_reach_the_words() -> None:
    """The band's own values are words for the record, not for the officer."""
    for decision in every_decision():
        assert isinstance(decision, Refer)
        for band in (Band.STRONG, Band.WEAK):
            assert band.value not in decision.first.words.lower()
