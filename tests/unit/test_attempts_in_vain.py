"""Pictures in which much looks like a zone: how often the reader tries is bounded, and a page among it is found."""

import cProfile
import random
from collections.abc import Callable

import cv2
import numpy as np
import pytest

from appliance.ocr.network import Grey
from appliance.ocr.pictures import read_picture
from appliance.ocr.reading import ATTEMPTS_MAX, SPARED_FOR_WINDOWS, MrzImageReading, read_mrz
from tests.drawn_pages import Kind, draw_page, typefaces

pytestmark = pytest.mark.skipif(not typefaces(), reason="no OCR-B here (apt-get install fonts-ocr-b)")
ATTEMPT = "_read_zone"
"""The function of reading.py that is one attempt."""
START_OF_SCAN = b"\xff\xda"


def _attempts(read: Callable[[], MrzImageReading]) -> tuple[MrzImageReading, int]:
    """What is read, and after how many attempts."""
    profile = cProfile.Profile()
    reading = profile.runcall(read)
    counts = [each.callcount for each in profile.getstats() if getattr(each.code, "co_name", "") == ATTEMPT]
    return reading, sum(counts)


def _broken(seed: int) -> bytes:
    """A page of 327 x 188 pixels, 1,300 bytes in the middle of whose JPEG scan are others."""
    image = draw_page(1, "TD1", "hard").image
    small = cv2.resize(image, None, fx=0.7, fy=0.7, interpolation=cv2.INTER_AREA)
    data = bytearray(cv2.imencode(".jpg", small)[1].tobytes())
    chance = random.Random(seed)
    at = chance.randrange(data.find(START_OF_SCAN) + 14, len(data) - 1300)
    data[at : at + 1300] = bytes(chance.choices(range(0xFF), k=1300))
    return bytes(data)


def _mirrored(kind: Kind, rows: int, columns: int) -> Grey:
    """A page many times over, in a mirror: every line of it looks like a zone's, and none can be read."""
    page = draw_page(2, kind, "hard").image[:, ::-1]
    return np.tile(page, (rows, columns))


def test_page_that_is_read_takes_one_attempt() -> None:
    page = draw_page(2, "TD1", "hard")
    reading, attempts = _attempts(lambda: read_mrz(page.image))
    assert (reading.lines, attempts) == (page.lines, 1)


@pytest.mark.parametrize("seed", [0, 57])
def test_page_broken_in_transit_is_in_doubt_after_few_attempts(seed: int) -> None:
    data = _broken(seed)
    reading, attempts = _attempts(lambda: read_picture(data))
    assert reading.doubt
    assert 4 < attempts <= ATTEMPTS_MAX - SPARED_FOR_WINDOWS


@pytest.mark.parametrize(("kind", "rows", "columns"), [("TD1", 2, 2), ("TD3", 2, 1)])
def test_picture_full_of_lines_that_cannot_be_read_is_given_up(kind: Kind, rows: int, columns: int) -> None:
    image = _mirrored(kind, rows, columns)
    reading, attempts = _attempts(lambda: read_mrz(image))
    assert (reading.doubt, attempts) == (True, ATTEMPTS_MAX)


def test_page_among_such_lines_is_found_before_that() -> None:
    page = draw_page(3, "TD3", "clean")
    around = cv2.resize(_mirrored("TD1", 3, 3), (page.image.shape[1] * 2, page.image.shape[0] * 2)).astype(np.uint8)
    around[-page.image.shape[0] :, -page.image.shape[1] :] = page.image
    assert read_mrz(around).lines == page.lines
