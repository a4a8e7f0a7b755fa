"""A page whose characters are all sure is not looked at again: a check digit that does not hold is not a bad image."""

import pytest

from appliance.booth.frames import FRAMES_MAX, Frames
from appliance.model import CameraReading
from drivers.api import Image

PAGE = Image(jpeg=b"page", captured={})


@pytest.mark.parametrize(
    ("percent", "doubt", "images"), [(99, False, 1), (99, True, 1), (84, True, FRAMES_MAX), (0, True, FRAMES_MAX)]
)
def test_another_image_is_taken_only_while_a_character_is_unsure(percent: int, doubt: bool, images: int) -> None:
    reading = CameraReading(lines=("P<LAO",), percent=bytes([percent] * 5), doubt=doubt)
    frames = Frames(lambda readings: readings[-1])
    taken = 0
    while not frames.enough:
        frames.add(PAGE, reading)
        taken += 1
    assert taken == images


def test_a_place_without_lines_is_looked_at_again() -> None:
    frames = Frames(lambda readings: readings[-1])
    frames.add(PAGE, CameraReading())
    assert not frames.enough
