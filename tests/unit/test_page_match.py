"""A possible match on the officer's page: both sides, what to do at every stage, and nothing until opened."""

import re
from datetime import UTC, datetime, timedelta

import pytest
from jinja2 import Environment, FileSystemLoader
from msgspec import structs

from appliance.booth import match_words, words
from appliance.booth.board import Snapshot
from appliance.booth.match_view import AWAITING, shown_hits
from appliance.booth.page import PARTS
from appliance.booth.view import View, view
from appliance.formats.lists import NOTICES
from appliance.formats.status import RecorderStatus
from appliance.formats.voice import case_code
from appliance.formats.wire import Case
from appliance.inquiry.moves import OPEN, Who, moves_from
from appliance.judged import Band
from appliance.recorded import Stage
from tests.small_post import NOW, TELEPHONE, on_hand
from tests.synthetic_cases import OF, asked_ago, case, document_hit, person_hit, shown
from tests.unit.test_page_words import FORBIDDEN, ROOM, Text, around

LISTS = on_hand()
TEMPLATES = Environment(loader=FileSystemLoader(ROOM / "templates"), autoescape=True)
OUTCOMES = [(kind.value, said) for kind, said in words.OUTCOME_WORDS.items()]
NOW_ASKED = asked_ago(0)


def looked_at(snapshot: Snapshot) -> View:
    return view(snapshot, around(LISTS))


def parts(snapshot: Snapshot) -> dict[str, str]:
    now = looked_at(snapshot)
    return {name: TEMPLATES.get_template(f"{name}.html").render(view=now, outcomes=OUTCOMES) for name in PARTS}


def stage(*cases: Case) -> str:
    return parts(shown(*cases))["stage"]


def at(where: Stage) -> Case:
    """A person's case at this stage, of which headquarters was asked where that comes before it."""
    asked = None if where in (Stage.CANDIDATE, Stage.FIRST_LINE_VERIFIED, Stage.SECONDARY) else NOW_ASKED
    return case(person_hit(), stage=where, asked=asked)


def test_names_stand_side_by_side_word_by_word_each_with_its_verdict_in_words() -> None:
    rows = re.findall(r"<tr[^>]*>(.*?)</tr>", stage(case(person_hit())), re.DOTALL)
    said = [" | ".join(Text(cell).text for cell in re.findall(r"<td[^>]*>(.*?)</td>", row, re.DOTALL)) for row in rows]
    assert said[1:] == [
        "Name PHOMMASAK | \u2248 alike | PHOMMASACK",
        "KHAMPHENG | = same | KHAMPHENG",
        "LUANGPRA | \u2026 cut off | LUANGPRABANG",
        "BOUN MY | + written as one | BOUNMY",
        "V | . first letter | VILAY",
        "SOMCHAI | \u2013 missing | not on the list",
        "not in the document | \u2013 missing | PHENG",
        "Born 12 April 1978 | = same | 12 April 1978",
        "Nationality Laos (LAO) | ? list does not say | not on the list",
        "Sex female | \u2260 differs | male",
    ]


def test_every_verdict_is_told_by_sign_and_word_so_that_colour_is_never_alone() -> None:
    every = (*match_words.FIELD_WORDS.values(), *match_words.WORD_WORDS.values(), match_words.COMPARE)
    assert all(said.sign and said.words for said in every)
    by_word: dict[str, set[str]] = {}
    for said in match_words.WORD_WORDS.values():
        by_word.setdefault(said.sign, set()).add(said.words)
    assert all(len(meanings) == 1 for meanings in by_word.values()), "one sign, one meaning"


def test_no_number_says_how_alike_they_are() -> None:
    for where in OPEN:
        text = Text(stage(at(where))).text
        assert not re.search(r"%|\d[.,]\d|\bper cent\b|\bof 100\b|likel", text), text


HEARS = {Stage.CONFIRMATION_REQUESTED, Stage.NO_ANSWER, Stage.TRAVELLER_LEFT}
"""Where headquarters was asked and can still answer by telephone."""


@pytest.mark.parametrize(
    ("verdict", "traveller", "listed", "said"),
    [
        ("equal", "F", "F", "same"),
        ("alike", "A", "B", "could be the same"),
        ("compatible", "1978", "1978-04", "could be the same"),
        ("contradicts", "F", "M", "differs"),
        ("absent", "F", "", "list does not say"),
        ("absent", "", "F", "document does not say"),
        ("of a later version", "F", "M", "compare yourself"),
    ],
)
def test_a_field_s_verdict_in_plain_words(verdict: str, traveller: str, listed: str, said: str) -> None:
    assert match_words.compared(verdict, traveller=traveller, listed=listed).words == said


@pytest.mark.parametrize("where", OPEN)
def test_at_every_stage_one_sentence_says_what_to_do_and_a_code_stands_while_it_can_be_answered(
    where: Stage,
) -> None:
    snapshot = shown(at(where))
    html = parts(snapshot)["stage"]
    match = looked_at(snapshot).cases[0].match
    assert match is not None
    to_do = re.search(r'<p class="lead next">(.*?)</p>', html, re.DOTALL)
    assert to_do is not None
    assert Text(to_do[1]).text == " ".join(match.to_do.split()) != ""
    assert TELEPHONE in Text(html).text
    assert (" ".join(case_code(OF).split("-")) in Text(html).text) is (where in HEARS)
    assert ("If no answer comes in time" in html) is (where in AWAITING)


@pytest.mark.parametrize("where", OPEN)
def test_it_is_not_confirmed_until_headquarters_has(where: Stage) -> None:
    html = stage(at(where))
    headline = re.search(r"<h1[^>]*>(.*?)</h1>", html)
    assert headline is not None
    possible = where not in (Stage.CONFIRMED, Stage.NOT_CONFIRMED, Stage.NOT_SAME, Stage.TRAVELLER_LEFT)
    assert (headline[1] == match_words.NOT_CONFIRMED) == possible
    assert ("has confirmed" in Text(html).text) == (where is Stage.CONFIRMED)


@pytest.mark.parametrize("where", OPEN)
def test_no_forbidden_word_at_any_stage(where: Stage) -> None:
    for snapshot in (shown(at(where)), shown(at(where), details=None, badge="B-1")):
        for name, html in parts(snapshot).items():
            found = FORBIDDEN.search(Text(html).text)
            assert found is None, f"{name}: {found and found.group()!r}"


@pytest.mark.parametrize("where", OPEN)
def test_there_are_buttons_for_the_moves_that_are_possible_now_and_for_no_other(where: Stage) -> None:
    html = stage(at(where))
    offered = set(re.findall(r'data-do="panel" data-panel="([a-z ]+)"', html))
    offered |= set(re.findall(r'name="now" value="([a-z ]+)" data-key', html))
    officers = {move.now.value for move in moves_from(where) if move.who is Who.OFFICER}
    assert offered == officers | {"note"}
    assert not offered & {Stage.CONFIRMED.value, Stage.NOT_CONFIRMED.value}, "headquarters alone says so"
    keys = re.findall(r'data-key="(\d)"', html)
    assert keys == [str(number) for number in range(1, len(keys) + 1)]


@pytest.mark.parametrize("where", OPEN)
def test_what_was_done_asks_for_the_reason_and_the_legal_basis(where: Stage) -> None:
    form = re.search(r'<form class="panel"[^>]*data-panel-of="outcome".*?</form>', stage(at(where)), re.DOTALL)
    assert form is not None
    assert 'action="/outcome"' in form[0]
    assert 'name="note"' in form[0]
    assert ('name="legal_basis"' in form[0]) == (where not in (Stage.NOT_SAME, Stage.NOT_CONFIRMED))
    assert "sent to secondary" not in form[0], "the second check is a step, not an end"


def test_not_the_same_asks_why() -> None:
    form = re.search(
        r'<form class="panel"[^>]*data-panel-of="not the same".*?</form>', stage(case(person_hit())), re.DOTALL
    )
    assert form is not None
    assert 'name="reason"' in form[0]
    assert "Other date of birth" in form[0]


def test_the_code_of_headquarters_is_asked_for_once_it_was_asked_and_until_it_has_answered() -> None:
    hears = {where for where in OPEN if 'action="/voice"' in stage(at(where))}
    assert hears == HEARS
    assert 'action="/voice"' not in stage(case(person_hit(), stage=Stage.TRAVELLER_LEFT)), "nobody was asked"


def test_since_when_until_when_and_who_decides_then() -> None:
    (waiting,) = looked_at(shown(case(person_hit(), stage=Stage.CONFIRMATION_REQUESTED, asked=asked_ago(0)))).cases
    assert waiting.match is not None
    confirmation = next(each for each in LISTS.rules.confirmations if each.notice in ("red", None))
    since = datetime.fromtimestamp(NOW.wall_ms / 1000, UTC).astimezone() - timedelta(minutes=20)
    until = datetime.fromtimestamp(NOW.wall_ms / 1000, UTC).astimezone() + timedelta(minutes=confirmation.wait_minutes)
    assert waiting.match.since == f"{since:%H:%M}"
    assert waiting.match.until.endswith(f"{until:%H:%M}")
    text = Text(stage(case(person_hit(), stage=Stage.CONFIRMATION_REQUESTED, asked=asked_ago(0)))).text
    assert confirmation.decides in text
    assert " ".join(confirmation.release_path.split()) in text


def test_a_time_of_another_day_says_its_day() -> None:
    day_ms = 24 * 3_600_000
    assert re.fullmatch(r"\d\d:\d\d", match_words.moment(NOW.wall_ms, NOW.wall_ms))
    assert re.fullmatch(r"Thursday 19 November, \d\d:\d\d", match_words.moment(NOW.wall_ms + day_ms, NOW.wall_ms))


@pytest.mark.parametrize("colour", NOTICES)
def test_the_notice_its_instruction_its_source_and_the_day_of_the_list_are_said(colour: str) -> None:
    text = Text(stage(case(person_hit(colour)))).text
    assert match_words.NOTICE_NAMES[colour] in text
    assert "Telephone before anything else. Nobody is held for this entry alone." in text
    assert "UN Security Council, QDx.901 List of persons of 3 November 2026, number 3" in text


def test_who_seeks_asylum_is_marked_and_what_follows_is_said() -> None:
    html = stage(case(person_hit(), seeks_asylum=True))
    assert re.search(r'name="on" value="0" aria-pressed="true"', html)
    assert "do not tell or ask the state of their nationality" in Text(html).text
    assert re.search(r'name="on" value="1" aria-pressed="false"', stage(case(person_hit())))


@pytest.mark.parametrize("where", OPEN)
def test_a_name_that_is_merely_near_is_shown_from_the_second_check_on(where: Stage) -> None:
    near = person_hit(band=Band.WEAK)
    entries = [hit.entry for hit in shown_hits(case(person_hit(), near, stage=where), None)]
    first_line = where in (Stage.CANDIDATE, Stage.FIRST_LINE_VERIFIED)
    assert entries == ["QDx.901"] if first_line else ["QDx.901", "QDx.902"]


def test_a_number_that_is_almost_a_listed_one_is_shown_at_once() -> None:
    assert shown_hits(case(document_hit(Band.WEAK)), None)


def test_until_it_is_opened_nothing_of_it_is_in_the_page() -> None:
    """I11: not in any part, not hidden, and not told apart from any other referral."""
    for where in OPEN:
        hidden = {name: Text(html).text for name, html in parts(shown(at(where), details=None, badge="B-1")).items()}
        everything = " ".join(hidden.values())
        for word in (
            "PHOMMASA",
            "KHAMPHENG",
            "PA1234567",
            "match",
            "notice",
            "Security",
            "onfirm",
            "list of",
            where.value,
        ):
            assert word not in everything.replace("List of 3 November", ""), word


def test_an_answer_is_announced_as_news_whatever_it_says() -> None:
    said = set()
    for where in (Stage.CONFIRMED, Stage.NOT_CONFIRMED, Stage.NO_ANSWER):
        drawn = parts(shown(at(where), details=None))
        said.add((Text(drawn["news"]).text, Text(drawn["cases"]).text, Text(drawn["stage"]).text))
    assert len(said) == 1
    assert said.pop()[0] == "There is news for one who waits. Open to see."


def test_news_is_over_once_somebody_has_looked() -> None:
    assert looked_at(shown(at(Stage.CONFIRMED), details=None)).news == 1
    assert looked_at(shown(at(Stage.CONFIRMED), details=OF)).news == 0
    assert looked_at(shown(at(Stage.CONFIRMED), details=None, looked=frozenset({OF}))).news == 0
    assert Text(parts(shown(at(Stage.SECONDARY), details=None))["news"]).text == ""


def test_whoever_waits_is_listed_with_what_to_do_once_details_are_open() -> None:
    drawn = Text(parts(shown(at(Stage.CONFIRMATION_REQUESTED)))["cases"]).text
    assert "Wait for headquarters, since" in drawn
    assert set(match_words.IN_SHORT) == set(Stage)


def test_the_next_shift_takes_over_when_it_has_looked_at_every_case() -> None:
    unseen = parts(shown(at(Stage.SECONDARY), details=None, badge="B-2"))["shift"]
    assert "Look at it" in unseen
    assert re.search(r"<button[^>]*disabled[^>]*>Take over 1 case", unseen)
    seen = parts(shown(at(Stage.SECONDARY), details=None, badge="B-2", looked=frozenset({OF})))["shift"]
    assert "Looked at" in Text(seen).text
    assert not re.search(r"<button[^>]*disabled", seen)
    assert f'name="cases" value="{OF}"' in seen
    assert 'name="took" value="B-2"' in seen


def test_whoever_is_at_the_booth_stands_quietly_in_the_head() -> None:
    assert Text(parts(shown(details=None, badge="B-4471"))["badge"]).text == "Badge and hand-over (S) B-4471"
    assert "No badge" in parts(shown(details=None))["badge"]


def test_after_a_restart_the_case_itself_has_both_sides() -> None:
    """The screening's own record is sealed by then; what the recorder kept is the case."""
    snapshot = shown(case(document_hit()))
    assert not snapshot.seen
    text = Text(parts(snapshot)["stage"]).text
    assert "LAO P PA0047113 = same LAO P PA0047113" in text
    assert "Reported stolen." in text


def test_what_a_list_or_a_rule_says_is_text_and_never_markup() -> None:
    hostile = structs.replace(person_hit(), source="<b>x</b>", instruction="<script>1</script>")
    html = stage(case(hostile))
    assert "<script" not in html
    assert "<b>x" not in html


def test_the_shift_writes_what_the_box_has_into_its_paper_register() -> None:
    status = RecorderStatus(
        origin="landlink.example/la-0001.1",
        entries=812,
        acknowledged=0,
        bodies=0,
        free_share=0.5,
        fingerprint="K7Q2-M9TX-3FJH-W0C5",
    )
    now = view(shown(), structs.replace(around(on_hand()), recorder=status))
    sheet = Text(TEMPLATES.get_template("shift.html").render(view=now, outcomes=OUTCOMES)).text
    assert "For the paper register: 812 entries K7Q2 M9TX 3FJH W0C5" in sheet
    assert "register" not in parts(shown())["shift"]


def test_the_number_of_a_waiting_document_stands_beside_the_name_and_is_not_cut_with_it() -> None:
    waiting = parts(shown(case(person_hit())))["cases"]
    (holder,) = re.findall(r"<strong>(.*?)</strong>", waiting)
    (number,) = re.findall(r'<b class="number">(.*?)</b>', waiting)
    assert f"{holder} {number}" == case(person_hit()).title.replace(" · ", " ")


def test_a_list_that_names_several_nationalities_is_spelled_out_with_the_codes_that_papers_bear() -> None:
    assert words.states("LAO, THA") == "Laos (LAO), Thailand (THA)"
    assert words.states("") == ""
    assert words.state("ZZZ") == "ZZZ", "a code that nobody gave to a state"
