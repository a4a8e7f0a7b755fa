"""A zone of which a part is not to be seen: what is left stands in its place, and what is gone is said to be gone."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFilter

from appliance.booth.filled import UNSEEN, filled
from appliance.booth.forms import FieldMalformed, typed
from appliance.examine.findings import SURE_READING
from appliance.judged import Refer
from appliance.model import CameraReading, MrzReading
from appliance.ocr.reading import ILLEGIBLE, read_mrz
from appliance.ocr.second import camera_reading
from appliance.ocr.voting import vote
from appliance.recorded import Screened
from drivers.camera import encode_jpeg
from drivers.simulators.page import draw_page
from drivers.simulators.physics import seen
from drivers.simulators.views import View
from tests.small_post import NOW, SmallPost, passport

pytestmark = pytest.mark.skipif(
    not Path("/usr/share/fonts/opentype/ocr-b/OCRB.otf").exists(),
    reason="no OCR-B on this machine: the simulated page cannot be read",
)
TD3 = passport("P0001390", "KEOMANY", "THONGDAM", expiry="300110")
Bitmap = Image.Image


def glare(page: Bitmap, start: float) -> Bitmap:
    """White light over both lines, from this share of the image's width on: seven characters."""
    width, height = page.size
    light = Image.new("L", page.size, 0)
    ImageDraw.Draw(light).ellipse((width * start, height * 0.72, width * (start + 0.16), height * 0.95), fill=255)
    white = Image.new("RGB", page.size, "white")
    return Image.composite(white, page, light.filter(ImageFilter.GaussianBlur(width * 0.01)))


def worn_off(lines: tuple[str, ...], start: int, count: int) -> Bitmap:
    return draw_page([line[:start] + " " * count + line[start + count :] for line in lines])


def read(page: Bitmap) -> CameraReading:
    return camera_reading(encode_jpeg(page, bytes_max=300_000))


def judged(camera: CameraReading) -> Screened:
    """What a post whose camera reads alone makes of it."""
    post = SmallPost()
    post.camera = camera
    post.clerk.document(MrzReading(device="camera", lines=camera.lines, raw_sha256=bytes(32)))
    (record,) = post.recorder.records
    assert isinstance(record.body, Screened)
    return record.body


@pytest.mark.parametrize(
    "hidden",
    [
        lambda: seen(draw_page(TD3), View.GLARE),
        lambda: seen(draw_page(TD3), View.HALF_OUT),
        *(lambda at=at: glare(draw_page(TD3), at) for at in (0.02, 0.04, 0.12, 0.3, 0.5, 0.7, 0.8)),
        lambda: worn_off(TD3, 29, 15),
        lambda: worn_off(TD3, 36, 8),
        lambda: worn_off(TD3, 0, 8),
        lambda: worn_off(TD3, 0, 15),
    ],
)
def test_what_is_seen_stands_in_its_place_and_the_rest_is_unseen(hidden: Callable[[], Bitmap]) -> None:
    reading = read(hidden())
    assert reading.doubt
    assert reading.why.endswith("characters cannot be seen.")
    assert [len(line) for line in reading.lines] == [44, 44]
    told = [
        (true, char)
        for true, char, percent in zip("".join(TD3), "".join(reading.lines), reading.percent, strict=True)
        if percent >= 85
    ]
    assert len(told) >= 40
    assert all(true == char for true, char in told)
    assert 0 in reading.percent


@pytest.mark.parametrize("start", [0.02, 0.12, 0.3, 0.5, 0.8])
def test_a_page_that_is_partly_in_glare_gives_no_invented_reason_and_begins_the_form(start: float) -> None:
    decision = judged(read(glare(draw_page(TD3), start))).decision
    assert isinstance(decision, Refer)
    reasons = (decision.first, *decision.others)
    assert {reason.code for reason in reasons} <= {"unreadable", SURE_READING.id}
    assert "cannot be seen" in reasons[0].words


@pytest.mark.parametrize(("start", "known"), [(0.02, False), (0.12, False), (0.3, False), (0.5, True), (0.8, True)])
def test_glare_over_who_it_is_makes_no_document_and_elsewhere_takes_none_away(start: float, *, known: bool) -> None:
    assert (judged(read(glare(draw_page(TD3), start))).document is not None) == known


def test_the_form_begins_with_what_is_seen_and_is_not_taken_with_a_mark_in_it() -> None:
    begun = filled(judged(read(glare(draw_page(TD3), 0.02))), NOW)
    assert begun == {
        "document_kind": "P",
        "issuing_state": "?",
        "document_number": "?1390",
        "primary_identifier": "KEOMANY",
        "secondary_identifier": "THONGDAM",
        "date_of_birth": "4.3.1987",
        "date_of_expiry": "10.1.2030",
    }
    assert begun is not None
    with pytest.raises(FieldMalformed, match=r"Issued by: put in what the page shows where \? stands"):
        typed(begun, NOW)
    with pytest.raises(FieldMalformed, match=r"Number: put in what the page shows where \? stands"):
        typed({**begun, "issuing_state": "LAO"}, NOW)
    righted = typed(
        {**begun, "issuing_state": "LAO", "document_number": "P0001390", "primary_identifier": "KEOMANY"}, NOW
    )
    assert righted.reading.primary_identifier == "KEOMANY"


def test_what_no_check_digit_vouches_for_and_does_not_begin_as_a_document_is_illegible() -> None:
    assert read(worn_off(TD3, 0, 24)).why == ILLEGIBLE.why
    assert read(worn_off(TD3, 0, 24)).lines == ()


def test_a_vote_invents_nothing_where_no_image_shows_anything() -> None:
    readings = [read(glare(draw_page(TD3), 0.3)), read(glare(draw_page(TD3), 0.31))]
    together = vote(readings)
    both = np.all([np.frombuffer(each.percent, np.uint8) == 0 for each in readings], axis=0)
    assert both.any()
    assert [percent == 0 for percent in together.percent] == both.tolist()
    assert together.doubt


def test_a_page_that_is_wholly_seen_has_no_unseen_character() -> None:
    assert min(read_mrz(np.asarray(draw_page(TD3).convert("L"))).confidences[0]) > 0
    assert UNSEEN not in "".join(read(draw_page(TD3)).lines)
