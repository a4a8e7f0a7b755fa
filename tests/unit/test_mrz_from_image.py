"""Pictures of pages that the recogniser was not trained on, pictures that go wrong, and pictures without a page."""

import hashlib
import re
from importlib.resources import files
from pathlib import Path

import numpy as np
import pytest

from appliance.ocr.network import MODEL, load_weights
from appliance.ocr.pictures import read_picture
from appliance.ocr.reading import NOTHING, TWO_DOCUMENTS, read_mrz
from tests.drawn_camera import GRADES, Grade
from tests.drawn_pages import KINDS, Kind, draw_blank, draw_page, typefaces

needs_typeface = pytest.mark.skipif(not typefaces(), reason="no OCR-B here (apt-get install fonts-ocr-b)")
TD1 = ("I<UTOD231458907<<<<<<<<<<<<<<<", "7408122F1204159UTO<<<<<<<<<<<6", "ERIKSSON<<ANNA<MARIA<<<<<<<<<<")
TD2 = ("I<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<", "D231458907UTO7408122F1204159<<<<<<<6")
TD3 = ("P<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<", "L898902C36UTO7408122F1204159ZE184226B<<<<<10")


@needs_typeface
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("grade", GRADES)
def test_drawn_pages_are_read_exactly(kind: Kind, grade: Grade) -> None:
    for seed in range(3):
        page = draw_page(seed, kind, grade)
        reading = read_mrz(page.image)
        assert (reading.lines, reading.doubt) == (page.lines, False)


@pytest.mark.parametrize(
    ("name", "lines"), [("passport-td3.png", TD3), ("passport-td3.jpg", TD3), ("passport-td2.jpg", TD2)]
)
def test_public_drawn_specimen_is_read_exactly(shared_data: Path, name: str, lines: tuple[str, ...]) -> None:
    reading = read_picture((shared_data / "images" / name).read_bytes())
    assert (reading.lines, reading.doubt) == (lines, False)


@needs_typeface
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("turns", [1, 2, 3])
def test_page_may_lie_any_way_round(kind: Kind, turns: int) -> None:
    page = draw_page(2, kind, "clean")
    assert read_mrz(np.rot90(page.image, turns)).lines == page.lines


@needs_typeface
def test_colours_in_either_order_are_read_alike() -> None:
    page = draw_page(3, "TD2", "clean")
    colours = np.repeat(page.image[:, :, None], 3, axis=2)
    one, other = read_mrz(colours), read_mrz(page.image)
    assert (one.lines, one.confidences, one.box) == (other.lines, other.confidences, other.box)


@needs_typeface
@pytest.mark.parametrize("grade", GRADES)
def test_box_begins_at_the_first_character(grade: Grade) -> None:
    page = draw_page(3, "TD3", grade)
    upright = np.array(read_mrz(page.image).box)
    turned = np.array(read_mrz(np.rot90(page.image, 2)).box)
    height, width = page.image.shape
    assert np.abs(turned - (np.array([width, height]) - upright)).max() < 12
    assert upright[0, 0] < upright[1, 0]
    assert upright[0, 1] < upright[3, 1]


@needs_typeface
def test_small_page_in_a_large_picture_is_read() -> None:
    page = draw_page(4, "TD3", "clean")
    desk = np.full((page.image.shape[0] * 2, page.image.shape[1] * 2), 90, np.uint8)
    desk[300 : 300 + page.image.shape[0], 200 : 200 + page.image.shape[1]] = page.image
    assert read_mrz(desk).lines == page.lines


@needs_typeface
@pytest.mark.parametrize(("kind", "beside"), [("TD3", False), ("TD3", True), ("TD1", False), ("TD2", True)])
def test_of_two_documents_in_view_one_is_read_whole_and_somebody_has_to_look(kind: Kind, *, beside: bool) -> None:
    one, two = draw_page(5, "TD3", "clean"), draw_page(6, kind, "clean")
    (height, width), (more_height, more_width) = one.image.shape, two.image.shape
    size = (max(height, more_height), width + more_width) if beside else (height + more_height, max(width, more_width))
    both = np.full(size, 90, np.uint8)
    both[:height, :width] = one.image
    top, left = (0, width) if beside else (height, 0)
    both[top : top + more_height, left : left + more_width] = two.image
    reading = read_mrz(both)
    assert reading.lines in (one.lines, two.lines)
    assert (reading.doubt, reading.why, reading.another) == (True, TWO_DOCUMENTS, True)


@needs_typeface
def test_third_of_the_zone_gone_is_in_doubt_and_what_is_left_is_read() -> None:
    page = draw_page(7, "TD3", "clean")
    height, width = page.image.shape
    worn = page.image.copy()
    worn[int(height * 0.7) :, int(width * 0.42) : int(width * 0.7)] = 128
    reading = read_mrz(worn)
    assert reading.doubt
    assert [line[:10] for line in reading.lines] == [line[:10] for line in page.lines]
    assert min(reading.confidences[0][:10]) > 0.9


@needs_typeface
def test_page_half_out_of_the_picture_is_in_doubt() -> None:
    page = draw_page(8, "TD3", "clean")
    assert read_mrz(page.image[:, : page.image.shape[1] // 2]).doubt


@pytest.mark.parametrize("grey", [0, 128, 255])
def test_picture_of_nothing_has_no_zone_and_says_so(grey: int) -> None:
    assert read_mrz(np.full((480, 640), grey, np.uint8)) == NOTHING


def test_noise_and_stripes_are_in_doubt() -> None:
    noise = np.random.default_rng(1).integers(0, 256, (600, 800), np.uint8)
    stripes = np.repeat((np.arange(600) // 7 % 2 * 200).astype(np.uint8)[:, None], 800, axis=1)
    assert read_mrz(noise).doubt
    assert read_mrz(stripes).doubt


@needs_typeface
@pytest.mark.parametrize("seed", range(4))
def test_page_without_a_zone_is_in_doubt(seed: int) -> None:
    assert read_mrz(draw_blank(seed)).doubt


@pytest.mark.parametrize("shape", [(0, 0), (63, 500), (500, 63), (64, 64), (12_001, 64), (70, 12_000), (65, 80, 3)])
def test_any_size_is_answered(shape: tuple[int, ...]) -> None:
    assert read_mrz(np.zeros(shape, np.uint8)) == NOTHING


def test_other_numbers_than_bytes_are_answered() -> None:
    assert read_mrz(np.zeros((480, 640), np.float32)) == NOTHING


# --- the model --------------------------------------------------------------------------------------------------------


def test_shipped_model_is_the_one_that_its_card_measures() -> None:
    model = files("appliance.ocr").joinpath(MODEL).read_bytes()
    card = files("appliance.ocr").joinpath("README.md").read_text(encoding="utf-8")
    named = re.search(r"SHA-256 `([0-9a-f]{64})`", card)
    assert named is not None
    assert hashlib.sha256(model).hexdigest() == named[1]
    assert len(model) < 1_000_000


def test_model_is_only_numbers() -> None:
    for network in ("locator", "recogniser"):
        weights = load_weights(network)
        assert all(np.isfinite(weight).all() for weight in weights.values())
