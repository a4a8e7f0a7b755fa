"""Several images of one drawn page: what a camera sees that looks again."""

import random
from collections.abc import Iterator

import numpy as np

from tests.drawn_camera import VIEWS, Grade, see
from tests.drawn_pages import Kind, print_page, written_lines


def draw_again(seed: int, kind: Kind, grade: Grade, *, still: bool) -> Iterator[np.ndarray]:
    """The page that draw_page draws of this seed, seen again and again.

    Args:
        seed: As of draw_page.
        kind: The same.
        grade: The same.
        still: Page, light and lens stay as they are and only the sensor's noise is new; else it was laid anew.
    """
    chance = random.Random(f"{seed}/{kind}/{grade}")
    noise = np.random.default_rng(chance.getrandbits(64))
    page = print_page(written_lines(kind, chance), kind, chance, noise)
    lens = chance.getstate()
    again = random.Random(f"{seed}/{kind}/{grade}/again")
    while True:
        if still:
            again.setstate(lens)
        yield see(page, VIEWS[grade], again, noise)
