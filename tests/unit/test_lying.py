"""What lies under the camera without readable lines: an empty place, a page with print, or neither for sure."""

from collections.abc import Callable

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFilter

from appliance.booth.lying import WIDTH, Lying, lying
from appliance.ocr.second import GLANCE, glance
from drivers.api import Light
from drivers.camera import encode_jpeg
from drivers.simulators.page import draw_desk, draw_hand, draw_page
from drivers.simulators.physics import seen
from drivers.simulators.views import View

SPECIMEN = ("P<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<", "L898902C36UTO7408122F1204159ZE184226B<<<<<10")
BITMAP = Image.Image
LIT = [view for view in View if view not in (View.LAMP_OFF, View.CUT_SHORT, View.FULL_SENSOR)]
"""The others are a lamp or a camera out of order."""


def told(image: BITMAP) -> Lying:
    return lying(glance(encode_jpeg(image, bytes_max=300_000)))


def plain(desk: BITMAP) -> BITMAP:
    return desk


def lit_from_one_side(desk: BITMAP) -> BITMAP:
    return Image.fromarray((np.asarray(desk) + np.linspace(-20, 40, desk.width)[None, :, None]).astype(np.uint8))


def grainy(desk: BITMAP) -> BITMAP:
    noise = np.random.default_rng(1).normal(0, 12, (desk.height, desk.width, 3))
    return Image.fromarray((np.asarray(desk) + noise).clip(0, 255).astype(np.uint8))


def speck(desk: BITMAP) -> BITMAP:
    ImageDraw.Draw(desk).line([100, 100, 180, 160], fill=(200, 200, 200), width=8)
    return desk


def fist(desk: BITMAP) -> BITMAP:
    width, height = desk.size
    ImageDraw.Draw(desk).ellipse([0.3 * width, 0.3 * height, 0.8 * width, 1.3 * height], fill=(190, 150, 130))
    return desk.filter(ImageFilter.GaussianBlur(3))


def hand_above(desk: BITMAP) -> BITMAP:
    width, height = desk.size
    pen = ImageDraw.Draw(desk)
    pen.ellipse([0.3 * width, 0.3 * height, 0.8 * width, 1.3 * height], fill=(190, 150, 130))
    for finger in range(4):
        left = (0.32 + 0.11 * finger) * width
        pen.rounded_rectangle([left, 0.05 * height, left + 0.08 * width, 0.6 * height], 60, fill=(195, 155, 135))
    return desk.filter(ImageFilter.GaussianBlur(25))


def sheet(desk: BITMAP) -> BITMAP:
    width, height = desk.size
    ImageDraw.Draw(desk).rectangle([0.1 * width, 0.1 * height, 0.9 * width, 0.9 * height], fill=(240, 240, 240))
    return desk


def closed_passport(desk: BITMAP) -> BITMAP:
    width, height = desk.size
    ImageDraw.Draw(desk).rectangle([0.1 * width, 0.1 * height, 0.9 * width, 0.9 * height], fill=(60, 20, 30))
    return desk


def test_the_small_image_is_as_wide_as_it_is_taken_for() -> None:
    assert GLANCE[0] == WIDTH


@pytest.mark.parametrize("view", LIT)
@pytest.mark.parametrize("mrz", [SPECIMEN, ()], ids=["with lines", "without lines"])
def test_a_page_is_told_from_an_empty_place_in_every_view(mrz: tuple[str, ...], view: View) -> None:
    assert told(seen(draw_page(mrz, Light.WHITE, vanishing=False), view)) is Lying.PAGE


@pytest.mark.parametrize("light", [plain, lit_from_one_side, grainy, speck])
def test_an_empty_place_is_nothing_in_any_light(light: Callable[[BITMAP], BITMAP]) -> None:
    assert told(light(draw_desk())) is Lying.NOTHING


@pytest.mark.parametrize("laid", [fist, hand_above, sheet, closed_passport])
def test_what_has_an_outline_and_no_print_is_neither(laid: Callable[[BITMAP], BITMAP]) -> None:
    assert told(laid(draw_desk())) is Lying.SOMETHING


@pytest.mark.parametrize("view", [view for view in LIT if view not in (View.GLARE, View.HALF_OUT)])
def test_a_hand_with_spread_fingers_is_no_page_in_any_view(view: View) -> None:
    assert told(seen(draw_hand(), view)) is Lying.SOMETHING
