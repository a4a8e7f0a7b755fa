"""screen: exact documents, numbers that look alike, persons, and lists that cannot be searched (I5)."""

import pytest

from appliance.clock import Grade
from appliance.formats.lists import (
    CANARY_DOCUMENT,
    CANARY_PERSON,
    DocumentKey,
    canonical_issuer,
    canonical_number,
)
from appliance.judged import Band
from appliance.model import DocumentFormat
from appliance.screen.documents import NoDocuments, document_key, look_alikes
from appliance.screen.lists import Lists
from appliance.screen.screen import not_screened, screen
from tests.screen_world import DATED, STOLEN, birth, documents, instant, laid, lists, person, persons

NOW = instant()
LISTED = person("Khampheng Phommasack", births=(birth(1978, 4, 12),))


def test_a_listed_number_is_an_exact_document() -> None:
    found = screen(laid("SISOUK<<MALAVANH", number="PA0047113"), lists(documents(STOLEN)), NOW)
    (hit,) = found.hits
    assert (hit.band, hit.list_name, hit.list_version, hit.list_date) == (Band.EXACT_DOCUMENT, "documents", 7, DATED)
    assert (hit.entry, hit.fields[0].traveller, hit.fields[0].verdict) == (
        "LAO-2026-00117",
        "LAO P PA0047113",
        "equal",
    )


@pytest.mark.parametrize(
    "other",
    [{"number": "PA0047119"}, {"issuing_state": "THA"}, {"document_code": "V"}, {"document_code": "I"}],
)
def test_another_number_issuer_or_type_is_not_that_document(other: dict[str, str]) -> None:
    document = laid("SISOUK<<MALAVANH", **({"number": "PA0047113"} | other))
    assert screen(document, lists(documents(STOLEN)), NOW).hits == ()


@pytest.mark.parametrize("number", ["PAO047113", "PA0O47113", "PAOO47113", "PA00471I3"])
def test_a_number_that_looks_alike_only_asks_for_another_reading(number: str) -> None:
    (hit,) = screen(laid("SISOUK<<MALAVANH", number=number), lists(documents(STOLEN)), NOW).hits
    assert (hit.band, hit.fields[0].verdict) == (Band.WEAK, "alike")


def test_look_alikes_are_few_whatever_the_number() -> None:
    key = DocumentKey(issuer="UTO", document_type="P", number="0" * 32)
    assert len(list(look_alikes(key))) == 16 + 16 * 15 // 2


def test_both_lists_answer_with_their_date() -> None:
    answers = screen(laid(), lists(), NOW).lists
    assert [(answer.list_name, answer.searched, answer.version, answer.dated) for answer in answers] == [
        ("documents", True, 7, DATED),
        ("persons", True, 7, DATED),
    ]


def test_a_damaged_list_says_so_and_the_other_is_searched_all_the_same() -> None:
    found = screen(laid(), lists(NoDocuments("it is damaged or incomplete"), persons(LISTED)), NOW)
    assert [(answer.searched, answer.why) for answer in found.lists] == [
        (False, "it is damaged or incomplete"),
        (True, ""),
    ]
    assert [hit.band for hit in found.hits] == [Band.STRONG]


def test_without_a_release_nothing_is_searched() -> None:
    nothing = Lists.from_release(None)
    for found in (screen(laid(), nothing, NOW), not_screened(nothing)):
        assert [answer.searched for answer in found.lists] == [False, False]
        assert all(answer.why and answer.dated is None for answer in found.lists)


def test_a_page_that_nobody_could_read_was_not_screened_even_with_good_lists() -> None:
    assert [answer.searched for answer in not_screened(lists()).lists] == [False, False]


def test_a_document_without_number_or_name_was_not_checked() -> None:
    found = screen(laid("", number=""), lists(), NOW)
    assert [answer.searched for answer in found.lists] == [False, False]


def test_a_letter_has_no_number_and_its_bearer_is_looked_up() -> None:
    letter = laid(number="", document_code="VL", format=DocumentFormat.TYPED)
    found = screen(letter, lists(listed_persons=persons(LISTED)), NOW)
    assert [answer.searched for answer in found.lists] == [True, True]
    assert [hit.band for hit in found.hits] == [Band.STRONG]


def test_a_border_pass_is_a_type_of_its_own() -> None:
    listed = DocumentKey(issuer="LAO", document_type="BP", number="BP00123")
    border_pass = laid(number="BP-00123", document_code="BP", format=DocumentFormat.TYPED)
    (hit,) = screen(border_pass, lists(documents(listed)), NOW).hits
    assert hit.band is Band.EXACT_DOCUMENT


def test_the_canaries_never_show_as_hits_of_a_traveller() -> None:
    canaries = lists(documents(CANARY_DOCUMENT), persons(CANARY_PERSON))
    name = CANARY_PERSON.names[0].text.replace(" ", "<")
    assert screen(laid(name, number="X1234567"), canaries, NOW).hits == ()


def test_a_hit_says_how_old_the_list_was() -> None:
    (hit,) = screen(laid(), lists(listed_persons=persons(LISTED)), instant(day="2026-11-15")).hits
    assert "list 12 days old" in hit.matcher


def test_an_untrusted_clock_changes_no_hit() -> None:
    listed = lists(documents(STOLEN), persons(LISTED))
    document = laid(number="PA0047113")
    bands = [
        [hit.band for hit in screen(document, listed, instant(grade=grade)).hits] for grade in (Grade.NONE, Grade.RTC)
    ]
    assert bands[0] == bands[1] == [Band.EXACT_DOCUMENT, Band.STRONG]


def test_spellings_of_one_document_have_one_key() -> None:
    assert canonical_number(" pa-0047 113<<") == "PA0047113"
    assert canonical_issuer("deu") == canonical_issuer("D") == "D"
    assert document_key(laid(number="C11T002JM", issuing_state="D", document_code="P")) == DocumentKey(
        issuer="D", document_type="P", number="C11T002JM"
    )
    for code, document_type in (("P", "P"), ("PD", "P"), ("I", "I"), ("AC", "I"), ("C", "I"), ("V", "V"), ("VL", "V")):
        key = document_key(laid(document_code=code))
        assert key is not None
        assert key.document_type == document_type


def test_a_document_of_nobody_knows_which_issuer_was_not_checked() -> None:
    found = screen(laid("SISOUK<<MALAVANH", number="PA0047113", issuing_state=""), lists(documents(STOLEN)), NOW)
    (answer,) = (answer for answer in found.lists if answer.list_name == "documents")
    assert (answer.searched, answer.why) == (False, "the document's number, type or issuer is not known")
