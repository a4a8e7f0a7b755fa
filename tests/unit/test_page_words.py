"""The words on the screen are the officer's; ours, and what pretends to know, never reach it (CONTRIBUTING.md)."""

import itertools
import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from html.parser import HTMLParser
from pathlib import Path

import pytest
from jinja2 import Environment, FileSystemLoader
from msgspec import structs

from appliance.booth import forms, words
from appliance.booth import page as page_module
from appliance.booth.board import Device
from appliance.booth.events import DetailsShown
from appliance.booth.lists_on_hand import OnHand
from appliance.booth.page import PARTS
from appliance.booth.status_line import Surroundings
from appliance.booth.view import view
from appliance.booth.words import clock_time
from appliance.clock import Grade
from appliance.formats.status import ReleasesStatus, UplinkStatus
from appliance.model import PartialDate
from appliance.screen.persons import NoPersons
from drivers.api import DeviceState
from tests.small_post import LISTED, NO_LISTS, NOW, TELEPHONE, MemoryRecorder, SmallPost, on_hand, passport

FORBIDDEN = re.compile(
    r"\b(epoch|checkpoint|parked|weak|strong|inconclusive|mrz|score|queue|hit|reject\w*|clear|no hit|not screened|"
    r"error|exception|malformed|untrusted|payload|record id|hash)\b",
    re.IGNORECASE,
)
ROOM = Path(page_module.__file__).parent


class Text(HTMLParser):
    """What a person sees or hears of a page: text, and the attributes that are read aloud."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.seen: list[str] = []
        self.feed(html)

    def handle_data(self, data: str) -> None:
        self.seen.append(data)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:  # noqa: ARG002 - its base names it
        self.seen += [value or "" for name, value in attrs if name in ("title", "aria-label", "placeholder", "alt")]

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.seen).split())


def around(lists: OnHand, uplink: UplinkStatus | None = None, *, camera_alone: bool = False) -> Surroundings:
    return Surroundings(
        now=NOW,
        on_hand=lists,
        uplink=uplink,
        duty_telephone=TELEPHONE,
        local_time=clock_time,
        camera_alone=camera_alone,
    )


def render(post: SmallPost, lists: OnHand, *, camera_alone: bool = False) -> dict[str, str]:
    templates = Environment(loader=FileSystemLoader(ROOM / "templates"), autoescape=True)
    uplink = UplinkStatus(connected=False, not_sent=12)
    now = view(post.board.latest, around(lists, uplink, camera_alone=camera_alone))
    outcomes = [(kind.value, said) for kind, said in words.OUTCOME_WORDS.items()]
    return {name: templates.get_template(f"{name}.html").render(view=now, outcomes=outcomes) for name in PARTS}


def situations() -> Iterator[tuple[str, SmallPost, OnHand]]:
    """Every kind of result, shown and opened, with and without lists, recorded and not."""
    pages = {
        "nothing found": passport("PA1234567"),
        "listed": passport(LISTED),
        "expired": passport("PA1234567", expiry="200101"),
        "specimen": tuple(line.replace("LAO", "UTO") for line in passport("PA1234567")),
        "misread": (passport("PA1234567")[0], passport("PA1234567")[1].replace("870304", "870305")),
        "unread": (),
        "no document": ("ABC", "DEF"),
    }
    for (name, lines), lists, trouble in itertools.product(pages.items(), (on_hand(), NO_LISTS), ("", "full", "away")):
        post = SmallPost(MemoryRecorder(trouble=trouble), lists)
        post.clerk.device("scanner", DeviceState.FAULTED, "no answer")
        post.lay(*lines)
        yield f"{name}, {trouble or 'recorded'}", post, lists
        post.clerk.say(DetailsShown(of=post.state.shown))
        yield f"{name}, opened, {trouble or 'recorded'}", post, lists


def test_no_forbidden_word_in_any_situation() -> None:
    for name, post, lists in situations():
        for part, html in render(post, lists).items():
            found = FORBIDDEN.search(Text(html).text)
            assert found is None, f"{name}: {part} says {found and found.group()!r}"


def test_no_forbidden_word_in_the_page_itself_and_its_script() -> None:
    texts = [Text(path.read_text("utf-8")).text for path in sorted((ROOM / "templates").glob("*.html"))]
    said_by_script = re.findall(r'"([A-Z][^"]{8,})"', (ROOM / "static" / "page.js").read_text("utf-8"))
    assert said_by_script
    for text in (*texts, *said_by_script, *forms.HINTS.values(), *forms.LABELS.values(), *forms.KINDS.values()):
        visible = re.sub(r"{[{%#].*?[}%#]}", " ", text, flags=re.DOTALL)
        assert FORBIDDEN.search(visible) is None, visible


def test_nothing_found_names_its_list_and_leaves_the_check_to_the_officer() -> None:
    post = SmallPost()
    post.lay(*passport("PA1234567"))
    text = Text(render(post, post.lists)["stage"]).text
    assert "Nothing found" in text
    assert "In the list of 3 November 2026. Your check decides." in text


def test_a_referral_is_please_wait_until_it_is_opened() -> None:
    """I11: nothing of it is in the page, not even hidden; and each reason looks the same."""
    stages = set()
    for lists, lines in ((on_hand(), passport(LISTED)), (on_hand(), ()), (NO_LISTS, passport("PA1234567"))):
        post = SmallPost(lists=lists)
        post.lay(*lines)
        of = str(post.state.shown)
        stages.add(render(post, lists)["stage"].replace(of, ""))
    assert len(stages) == 1
    assert Text(stages.pop()).text == "Please wait Open Space"


def test_opened_a_possible_match_is_not_confirmed_and_says_what_to_do() -> None:
    post = SmallPost()
    post.lay(*passport(LISTED))
    post.clerk.say(DetailsShown(of=post.state.shown))
    text = Text(render(post, post.lists)["stage"]).text
    assert "Possible match. Not confirmed." in text
    assert TELEPHONE in text


def test_without_a_record_nothing_found_is_not_said() -> None:
    post = SmallPost(MemoryRecorder(trouble="away"))
    post.lay(*passport("PA1234567"))
    text = Text(render(post, post.lists)["stage"]).text
    assert "The box could not record" in text
    assert TELEPHONE in text
    assert "Nothing found" not in text


def test_without_a_record_a_possible_match_is_shown_as_not_recorded() -> None:
    post = SmallPost(MemoryRecorder(trouble="full"))
    post.lay(*passport(LISTED))
    assert "NOT RECORDED" in Text(render(post, post.lists)["stage"]).text
    post.clerk.say(DetailsShown(of=post.state.shown))
    text = Text(render(post, post.lists)["stage"]).text
    assert "NOT RECORDED" in text
    assert "Possible match. Not confirmed." in text


def test_a_repaired_character_is_shown_raw_and_taken() -> None:
    post = SmallPost()
    first, second = passport("PA1234567")
    post.lay(first, second.replace("8703", "87O3", 1))
    post.clerk.say(DetailsShown(of=post.state.shown))
    html = render(post, post.lists)["stage"]
    assert "<mark>O</mark>" in html
    assert "<mark>0</mark>" in html


def test_the_age_of_the_list_what_is_not_sent_the_clock_and_devices_are_in_view() -> None:
    post = SmallPost()
    post.clerk.device("scanner", DeviceState.ABSENT, "unplugged")
    text = Text(render(post, post.lists)["status"]).text
    assert "List of 3 November 2026, 15 days old" in text
    assert "Not sent yet: 12" in text
    assert "Clock: network" in text
    assert "Scanner: not connected" in text


def test_a_scanner_that_works_in_a_dialect_nobody_has_confirmed_is_said_so() -> None:
    post = SmallPost()
    post.clerk.device("scanner", DeviceState.READY, "ready")
    assert "not confirmed" not in Text(render(post, post.lists)["status"]).text
    post.clerk.device("scanner", DeviceState.READY, "ready, not confirmed on hardware")
    assert "Scanner: ready, not confirmed on hardware" in Text(render(post, post.lists)["status"]).text


@pytest.mark.parametrize(
    ("day", "said", "well", "alarm"),
    [
        (date(2026, 11, 17), "List of 17 November 2026, 1 day old", True, False),
        (date(2026, 11, 13), "List of 13 November 2026, 5 days old, older than usual here", True, False),
        (date(2026, 8, 1), "List of 1 August 2026, 109 days old, TOO OLD: telephone the technician", False, True),
    ],
)
def test_an_old_list_is_remarked_quietly_and_a_list_too_old_for_the_post_is_an_alarm(
    day: date, said: str, *, well: bool, alarm: bool
) -> None:
    post = SmallPost(lists=on_hand(day))
    listed = view(post.board.latest, around(post.lists)).quiet[0]
    assert (listed.words, listed.well, listed.alarm) == (said, well, alarm)
    assert ('class="alarm"' in render(post, post.lists)["status"]) == alarm


def test_a_list_that_waits_for_its_key_is_an_alarm_that_names_it_while_the_other_is_searched() -> None:
    whole = on_hand()
    locked = replace(whole.lists, persons=NoPersons("its key has not reached this box yet"))
    post = SmallPost(lists=replace(whole, lists=locked))
    quiet = {thing.name: thing for thing in view(post.board.latest, around(post.lists)).quiet}
    assert quiet["persons"].words == "List of persons NOT checked: its key has not reached this box yet"
    assert quiet["persons"].alarm
    assert quiet["list"].words.startswith("List of 3 November 2026")
    assert "documents" not in quiet


def test_a_mirror_that_is_held_back_is_said() -> None:
    post = SmallPost()
    still = ReleasesStatus(version=3, dated=date(2026, 11, 3), still_since=date(2026, 11, 3))
    held = structs.replace(around(post.lists), releases=still)
    said = [thing for thing in view(post.board.latest, held).quiet if thing.name == "still"]
    assert [thing.words for thing in said] == [
        "No newer list since 3 November 2026, though one is due: telephone the technician"
    ]
    assert not said[0].well


@pytest.mark.parametrize(
    ("uplink", "older", "said"),
    [
        (UplinkStatus(connected=True, not_sent=3, parked=3), False, ["Headquarters refused 3 records"]),
        (UplinkStatus(connected=True, not_sent=1, parked=1), False, ["Headquarters refused 1 record"]),
        (
            UplinkStatus(connected=True, not_sent=0, alarm="checkpoint <b>forked</b>"),
            False,
            ["Headquarters does not get this box's records"],
        ),
        (None, True, ["An older list was put on this box, and not used"]),
        (UplinkStatus(connected=True, not_sent=3), False, []),
    ],
)
def test_what_does_not_mend_itself_is_said_in_the_officers_words(
    uplink: UplinkStatus | None, *, older: bool, said: list[str]
) -> None:
    post = SmallPost()
    now = view(post.board.latest, around(replace(post.lists, older_refused=older), uplink))
    look = [thing.words for thing in now.quiet if "technician" in thing.words and thing.name != "list"]
    assert look == [f"{what}: telephone the technician" for what in said]
    assert not any(FORBIDDEN.search(words) for words in look)
    assert "forked" not in repr(now)


def test_every_grade_state_and_outcome_has_words() -> None:
    from appliance.booth.status_line import DEVICE_WORDS, GRADE_WORDS
    from appliance.recorded import OutcomeKind

    assert set(GRADE_WORDS) == set(Grade)
    assert set(DEVICE_WORDS) == set(DeviceState)
    assert set(words.OUTCOME_WORDS) == set(OutcomeKind)
    assert Device(state=DeviceState.READY, why="").state in DEVICE_WORDS


@pytest.mark.parametrize(
    ("year", "month", "day", "said"),
    [
        (1987, 3, 4, "4 March 1987"),
        (1987, 3, None, "March 1987"),
        (1987, None, None, "1987"),
        (None, None, None, "not stated"),
    ],
)
def test_a_date_says_as_much_as_is_known(year: int | None, month: int | None, day: int | None, said: str) -> None:
    assert words.partial(PartialDate(raw="", year=year, month=month, day=day, rule="")) == said


def test_days_are_spelled_out_so_that_nobody_takes_the_month_for_the_day() -> None:
    assert words.day(date(2026, 11, 3)) == "3 November 2026"
    assert [words.age(days) for days in (-1, 0, 1, 15)] == ["today", "today", "1 day old", "15 days old"]


def channels(colour: str) -> list[float]:
    values = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    return [value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4 for value in values]


def contrast(one: str, other: str) -> float:
    """WCAG 2.2, "contrast ratio"."""
    light = sorted(sum(w * c for w, c in zip((0.2126, 0.7152, 0.0722), channels(x), strict=True)) for x in (one, other))
    return (light[1] + 0.05) / (light[0] + 0.05)


@pytest.mark.parametrize("surroundings", [r":root \{", r':root\[data-light="dark"\] \{'])
def test_text_stands_out_from_its_ground_by_wcag_aa(surroundings: str) -> None:
    css = (ROOM / "static" / "page.css").read_text("utf-8")
    found = re.search(surroundings + r"(.*?)\n}", css, re.DOTALL)
    bright = re.search(r":root \{(.*?)\n}", css, re.DOTALL)
    assert found is not None
    assert bright is not None
    colours = dict(re.findall(r"--([a-z-]+): (#[0-9a-f]{6});", bright.group(1)))
    colours |= dict(re.findall(r"--([a-z-]+): (#[0-9a-f]{6});", found.group(1)))
    grounds = ("ground", "sheet", "green-tint", "amber-tint", "red-tint")
    pairs = [(ink, ground) for ink in ("ink", "soft") for ground in grounds]
    pairs += [("on-deep", "deep"), ("amber-ink", "amber"), ("ground", "ink"), ("ink", "shade"), ("deep", "on-deep")]
    for ink, ground in pairs:
        assert contrast(colours[ink], colours[ground]) >= 4.5, (ink, ground)
    for ground in ("green", "red"):
        assert contrast("#ffffff", colours[ground]) >= 4.5, ground


def test_what_the_list_says_stands_beside_what_the_document_says() -> None:
    """Whoever is told to compare has both sides in view."""
    post = SmallPost()
    post.lay(*passport(LISTED))
    of = str(post.state.shown)
    assert "same" not in Text(render(post, post.lists)["stage"]).text
    post.clerk.say(DetailsShown(of=of))
    text = Text(render(post, post.lists)["stage"]).text
    assert f"Document LAO P {LISTED} = same LAO P {LISTED}" in text
    assert "an entry is a question, not proof" in text


@pytest.mark.parametrize(
    ("said", "seen"),
    [
        ("1978-04-12", "12 April 1978"),
        ("1978-04-12, 1979", "12 April 1978, 1979"),
        ("1978-04", "1978-04"),
        ("1978-13-12", "1978-13-12"),
        ("LAO P 1978-04-121", "LAO P 1978-04-121"),
    ],
)
def test_a_day_of_a_list_is_spelled_out_as_the_document_s_is(said: str, seen: str) -> None:
    assert words.days(said) == seen


def test_the_page_says_who_of_a_group_comes_next() -> None:
    post = SmallPost()
    post.clerk.say(forms.crossing({"conveyance": "BUS 17", "group": "2"}, "c" * 32))
    said = [view(post.board.latest, around(post.lists)).crossing]
    for number in ("PA1234567", "PA1234568"):
        post.lay(*passport(number))
        said.append(view(post.board.latest, around(post.lists)).crossing)
    assert said == ["Person 1 of 2, BUS 17", "Person 2 of 2, BUS 17", ""]


def test_what_was_said_of_the_next_document_can_be_taken_back() -> None:
    post = SmallPost()
    post.lay(*passport("PA1234567"))
    for form in (forms.person, forms.document):
        post.clerk.say(form({}))
        assert view(post.board.latest, around(post.lists)).next != "traveller"
        post.clerk.say(form({"on": "0"}))
        assert view(post.board.latest, around(post.lists)).next == "traveller"


def test_where_the_camera_reads_alone_the_page_speaks_of_no_scanner() -> None:
    post = SmallPost()
    post.clerk.meet()
    post.clerk.device("scanner", DeviceState.READY, "ready")
    said = {part: Text(html).text for part, html in render(post, post.lists, camera_alone=True).items()}
    assert "Lay a document under the camera." in said["stage"]
    assert "Camera ready" in said["status"]
    assert not any("scanner" in text.lower() for text in said.values())


def test_where_the_camera_reads_alone_the_page_says_what_is_wrong_with_its_image() -> None:
    post = SmallPost()
    post.clerk.meet()
    black = "the camera's image is black: look at its lamp and its lens"
    post.clerk.device("scanner", DeviceState.FAULTED, black)
    said = {part: Text(html).text for part, html in render(post, post.lists, camera_alone=True).items()}
    assert "The camera's image is black: look at its lamp and its lens. Until it works, type" in said["stage"]
    assert f"Camera: {black}" in said["status"]
    assert not any("scanner" in text.lower() for text in said.values())


@pytest.mark.parametrize("state", [DeviceState.ABSENT, DeviceState.FAULTED])
def test_without_a_scanner_the_page_asks_nobody_to_lay_a_document(state: DeviceState) -> None:
    post = SmallPost()
    post.clerk.meet()
    post.clerk.device("scanner", DeviceState.READY, "")
    assert "Lay a document" in Text(render(post, post.lists)["stage"]).text
    post.clerk.device("scanner", state, "no answer")
    text = Text(render(post, post.lists)["stage"]).text
    assert "Lay a document" not in text
    assert "type documents in" in text
