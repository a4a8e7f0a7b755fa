"""What a page laid again or typed in answers of what the box said of it before, power cut in between or not."""

import hashlib

import pytest

from appliance.booth.clerk import lamp_of
from appliance.booth.events import Following, NextBelongs
from appliance.model import CameraReading, MrzReading
from drivers.api import Lamp
from tests.small_post import LISTED, SmallPost, passport
from tests.unit.test_typed_entry import typed as as_typed

LINES = passport("PA1234567")
UNSURE = "The camera could not read the page surely."
UNREAD = "The box could NOT read this page"
MISREAD = "The check digits do not agree as the scanner reads the lines. As the camera reads them, they do."
DIFFERS = "Scanner and camera read one character differently."
CHECK_DIGIT = "Check digits do not agree: date of birth, whole line."


def camera_alone(post: SmallPost, lines: tuple[str, ...], *, unseen: int = 0) -> None:
    """The camera, the only reader here, reads a page of which that many columns are out of view."""
    width = len(lines[0])
    shown = tuple(line[: width - unseen].ljust(width, "<") for line in lines)
    sure = (bytes([99]) * (width - unseen) + bytes(unseen)) * len(lines)
    why = f"{unseen * len(lines)} characters cannot be seen." if unseen else ""
    post.camera = CameraReading(lines=shown, raw=shown, percent=sure, doubt=bool(unseen), why=why)
    raw = hashlib.sha256("".join(shown).encode()).digest()
    post.clerk.document(MrzReading(device="camera", lines=shown, raw_sha256=raw))
    post.wait(5)


def type_in(post: SmallPost, number: str = "PA1234567", given: str = "MALAVANH") -> None:
    """The officer types the page in, as the same person's."""
    reading = as_typed(
        document_kind="P",
        document_number=number,
        primary_identifier="SISOUK",
        secondary_identifier=given,
        date_of_birth="1987-03-04",
        date_of_expiry="2031-06-30",
    )
    post.clerk.document(reading, Following.DOCUMENT)


def power_cut(post: SmallPost) -> SmallPost:
    after = SmallPost(post.recorder)
    after.clock.at = post.clock.at
    after.clerk.idle()
    return after


def against(post: SmallPost) -> list[tuple[str, ...]]:
    """The reasons of each open case, shortened."""
    return [
        tuple(
            known
            for said in each.case.reasons
            for known in (UNSURE, UNREAD, MISREAD, DIFFERS, CHECK_DIGIT)
            if said.startswith(known)
        )
        for each in post.state.cases
    ]


@pytest.mark.parametrize("cut", [False, True])
def test_a_page_read_surely_answers_that_it_was_not(*, cut: bool) -> None:
    post = SmallPost()
    camera_alone(post, LINES, unseen=17)
    assert against(post) == [(UNSURE,)]
    post = power_cut(post) if cut else post
    camera_alone(post, LINES)
    assert lamp_of(post.state) is Lamp.GREEN
    assert against(post) == [()]


@pytest.mark.parametrize("cut", [False, True])
def test_a_page_typed_in_answers_that_it_could_not_be_read(*, cut: bool) -> None:
    post = SmallPost()
    post.lay()
    assert against(post) == [(UNREAD,)]
    post = power_cut(post) if cut else post
    type_in(post)
    assert lamp_of(post.state) is Lamp.GREEN
    assert against(post) == [()]


def test_a_name_that_ran_out_of_view_is_answered_by_typing_the_whole_of_it() -> None:
    lines = passport("PA1234567", "SISOUK", "MALAVANH CHANTHAVONE PHETSAMONE")
    post = SmallPost()
    camera_alone(post, lines, unseen=17)
    assert against(post) == [(UNSURE,)]
    post.camera = None
    type_in(post, given="MALAVANH CHANTHAVONE PHETSAMONE")
    assert lamp_of(post.state) is Lamp.GREEN
    assert against(post) == [()]


@pytest.mark.parametrize("cut", [False, True])
def test_another_paper_of_that_person_answers_nothing(*, cut: bool) -> None:
    post = SmallPost()
    camera_alone(post, LINES, unseen=17)
    post.camera = None
    post = power_cut(post) if cut else post
    type_in(post, number="V0000001")
    assert lamp_of(post.state) is Lamp.AMBER
    assert against(post) == [(UNSURE,)]


def test_what_was_joined_from_two_papers_is_not_taken_for_one_after_a_power_cut() -> None:
    first, second = passport("PA1234567"), passport("PA7654321")
    post = SmallPost()
    camera_alone(post, first, unseen=17)
    post.clerk.say(NextBelongs(following=Following.DOCUMENT))
    camera_alone(post, second, unseen=17)
    assert against(post) == [(UNSURE,)]
    post = power_cut(post)
    camera_alone(post, second)
    assert lamp_of(post.state) is Lamp.AMBER, "the first of them was never read surely"


def test_a_listed_number_outlives_a_power_cut_and_a_sure_reading() -> None:
    post = SmallPost()
    camera_alone(post, passport(LISTED), unseen=17)
    post = power_cut(post)
    camera_alone(post, passport(LISTED))
    assert lamp_of(post.state) is Lamp.AMBER
    (case,) = post.recorder.cases.values()
    assert case.hits


def misread(lines: tuple[str, ...]) -> tuple[str, ...]:
    """The lines with another day of birth (column 18), which no look-alike explains."""
    return lines[0], lines[1][:18] + ("7" if lines[1][18] != "7" else "2") + lines[1][19:]


def seen_surely(lines: tuple[str, ...]) -> CameraReading:
    return CameraReading(lines=lines, raw=lines, percent=bytes([99]) * len("".join(lines)), doubt=False)


def test_a_scanners_misreading_that_the_camera_shows_is_answered_by_laying_the_page_again_as_the_box_asks() -> None:
    post = SmallPost()
    post.camera = seen_surely(LINES)
    post.lay(*misread(LINES))
    assert against(post) == [(MISREAD, DIFFERS)]
    assert "Lay the document again" in post.state.cases[0].case.next_step
    post.lay(*LINES)
    assert lamp_of(post.state) is Lamp.GREEN
    assert against(post) == [()]


def test_check_digits_that_fail_in_the_cameras_eyes_too_stay_whatever_is_laid_after() -> None:
    post = SmallPost()
    post.camera = seen_surely(misread(LINES))
    post.lay(*misread(LINES))
    assert against(post) == [(CHECK_DIGIT,)]
    post.camera = seen_surely(LINES)
    post.lay(*LINES)
    assert lamp_of(post.state) is Lamp.AMBER
    assert against(post) == [(CHECK_DIGIT,)]


def test_lines_of_which_a_third_is_gone_are_not_called_no_document() -> None:
    post = SmallPost()
    post.lay(*(line[:29] for line in LINES))
    (said,) = post.state.cases[0].case.reasons
    assert said == (
        "The box could NOT read this page (its printed lines are not whole, or not a travel document's), "
        "so nothing was checked."
    )
