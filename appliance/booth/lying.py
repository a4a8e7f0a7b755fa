"""What lies under the camera where no printed lines are seen: nothing, something, or a page that has print on it.

Told by the edges in an image made small (page_watch.py). The place itself is plain and evenly lit, so it has none; a
hand, a cover or a white sheet has its outline; print has more than any outline. Measured on the drawn pages of every
view, with lines and without, and on hands and sheets (tests/unit/test_lying.py). For a place that is not plain the
answer errs to "something": the light goes dark, and nobody is let through by it.
"""

import enum
from itertools import pairwise
from typing import Final

WIDTH: Final = 160
"""Pixels in a row of the small image (ocr/second.py)."""
FAINT: Final = 8
"""Grey levels between neighbours: a picture's noise, made small, stays under it, and so does a light from one side."""
SHARP: Final = 12
"""Grey levels between neighbours: what is out of focus, such as a hand above the place, stays under it."""
NOTHING_MAX: Final = 100
"""Faint edges: a speck, a hair. The plain place has none; the outline of a closed passport some 450."""
PAGE_MIN: Final = 600
"""Sharp edges: a page with print in dim light has some 640, in good light 1,000 and more; a white sheet 580."""


class Lying(enum.Enum):
    """What lies there."""

    NOTHING = enum.auto()
    SOMETHING = enum.auto()
    PAGE = enum.auto()


def lying(small: bytes) -> Lying:
    """Tell it from a small image: grey levels, row by row."""
    if _edges(small, FAINT) < NOTHING_MAX:
        return Lying.NOTHING
    return Lying.PAGE if _edges(small, SHARP) >= PAGE_MIN else Lying.SOMETHING


def _edges(small: bytes, step: int) -> int:
    """How many pixels differ by so much from the one to the right or the one below."""
    rows = [small[at : at + WIDTH] for at in range(0, len(small), WIDTH)]
    return sum(
        abs(here - right) >= step or abs(here - below) >= step
        for row, next_row in pairwise(rows)
        for here, right, below in zip(row, row[1:], next_row, strict=False)
    )
