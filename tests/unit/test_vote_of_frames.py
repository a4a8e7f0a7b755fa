"""Several images of one page: what a vote rights, what it leaves in doubt, and that no other page has a say."""

import pytest
from msgspec import structs

from appliance.booth.frames import FRAMES_MAX, Frames
from appliance.model import CameraReading
from appliance.ocr.reading import TWO_DOCUMENTS
from appliance.ocr.voting import vote
from drivers.api import Image

TD1 = ("I<UTOD231458907<<<<<<<<<<<<<<<", "7408122F1204159UTO<<<<<<<<<<<6", "ERIKSSON<<ANNA<MARIA<<<<<<<<<<")
"""Doc 9303-5 appendix B."""
OTHER = ("I<UTOSTEVENSON<<PETER<JOHN<<<<<<<<<<", "D23145890<UTO3407127M95071227349<<<8")
ANMA = (*TD1[:2], TD1[2].replace("ANNA", "ANMA"))
"""A name: no check digit speaks."""
NOTHING = CameraReading(why="nothing")


def frame(*lines: str, percent: int = 97, digest: int = 0, doubt: bool = False) -> CameraReading:
    sure = bytes([percent]) * len("".join(lines))
    return CameraReading(lines=lines, raw=lines, percent=sure, doubt=doubt, image_sha256=bytes([digest]) * 32)


def test_two_images_outvote_one() -> None:
    together = vote([frame(*ANMA, percent=80, doubt=True), frame(*TD1), frame(*TD1)])
    assert (together.lines, together.doubt, together.images) == (TD1, False, 3)


def test_agreement_of_unsure_images_of_one_page_makes_nothing_surer() -> None:
    together = vote([frame(*TD1, percent=60, doubt=True)] * 3)
    assert together.lines == TD1
    assert max(together.percent) == 60
    assert together.doubt


def test_images_that_disagree_evenly_are_in_doubt() -> None:
    assert vote([frame(*ANMA, percent=80, doubt=True), frame(*TD1, percent=80, doubt=True)]).doubt


def test_check_digits_have_their_say_over_what_all_images_saw() -> None:
    wrong = (TD1[0].replace("D231458907", "D231458407"), *TD1[1:])
    together = vote([frame(*wrong, percent=55, doubt=True), frame(*TD1, percent=55, doubt=True)])
    assert together.lines == TD1


@pytest.mark.parametrize("other", [NOTHING, frame(*OTHER), frame(*ANMA[:1], *reversed(TD1[1:]))])
def test_an_image_of_another_page_has_no_vote(other: CameraReading) -> None:
    first = frame(*TD1, percent=90, doubt=True)
    assert vote([first, other]).lines == TD1
    assert vote([first, other]).images == 1


def test_a_second_document_that_one_image_saw_stays_in_doubt_in_the_vote() -> None:
    first = structs.replace(frame(*TD1, percent=80, doubt=True), another=True)
    together = vote([first, frame(*TD1), frame(*TD1)])
    assert (together.lines, together.doubt, together.another, together.why) == (TD1, True, True, TWO_DOCUMENTS)


def test_a_vote_without_lines_is_the_first_reading() -> None:
    assert vote([NOTHING, CameraReading(why="another")]) == NOTHING


def test_the_stored_image_is_the_surest_and_the_reading_names_it() -> None:
    frames = Frames(vote)
    for number, percent in enumerate((60, 80, 70)):
        assert not frames.enough
        frames.add(Image(jpeg=bytes([number]), captured={}), frame(*TD1, percent=percent, digest=number, doubt=True))
    assert frames.image == Image(jpeg=bytes([1]), captured={})
    assert frames.reading is not None
    assert frames.reading.image_sha256 == bytes([1]) * 32
    assert frames.enough
    assert frames.reading.images == FRAMES_MAX


def test_a_sure_image_is_enough() -> None:
    frames = Frames(vote)
    assert (frames.reading, frames.image) == (None, None)
    frames.add(Image(jpeg=b"1", captured={}), frame(*TD1))
    assert frames.enough
