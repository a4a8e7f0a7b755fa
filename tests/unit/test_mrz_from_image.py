"""Pictures of pages that the recogniser was not trained on, and pictures without a page."""

import numpy as np
import pytest

from appliance.ocr.reading import NOTHING, MrzImageReading, read_mrz, vote
from tests.drawn_pages import GRADES, KINDS, Grade, Kind, draw_blank, draw_page, typefaces

needs_typeface = pytest.mark.skipif(not typefaces(), reason="no OCR-B here (apt-get install fonts-ocr-b)")


@needs_typeface
@pytest.mark.parametrize("kind", KINDS)
def test_clean_page_is_read_exactly(kind: Kind) -> None:
    page = draw_page(1, kind, "clean")
    assert read_mrz(page.image).lines == page.lines


@needs_typeface
@pytest.mark.parametrize("turns", [1, 2, 3])
def test_page_may_lie_any_way_round(turns: int) -> None:
    page = draw_page(2, "TD3", "clean")
    assert read_mrz(np.rot90(page.image, turns)).lines == page.lines


def test_black_picture_has_no_zone_and_says_so() -> None:
    assert read_mrz(np.zeros((480, 640), np.uint8)) == NOTHING


def test_page_without_a_zone_is_in_doubt() -> None:
    assert read_mrz(draw_blank(1)).doubt


@needs_typeface
@pytest.mark.parametrize("grade", GRADES)
def test_box_lies_around_the_zone(grade: Grade) -> None:
    page = draw_page(3, "TD3", grade)
    box = np.array(read_mrz(page.image).box)
    assert box.shape == (4, 2)
    assert (box[:, 1] > page.image.shape[0] * 0.5).all()


def test_two_frames_outvote_one() -> None:
    lines = ("I<UTOD231458907<<<<<<<<<<<<<<<", "7408122F1204159UTO<<<<<<<<<<<6", "ERIKSSON<<ANNA<MARIA<<<<<<<<<<")
    sure = tuple((0.97,) * 30 for _ in lines)
    good = MrzImageReading(lines=lines, raw=lines, confidences=sure, doubt=False)
    wrong = (*lines[:2], lines[2].replace("ANNA", "ANMA"))
    bad = MrzImageReading(lines=wrong, raw=wrong, confidences=sure, doubt=False)
    assert vote([bad, good, good]).lines == lines
    assert not vote([bad, good, good]).doubt


def test_vote_of_frames_without_a_zone_is_a_reading_without_one() -> None:
    assert vote([NOTHING, NOTHING]).lines == ()
