"""What lies under the camera where no printed lines are seen: nothing, something, or a page that has print on it.

Told in an image made small (page_watch.py). The place itself is plain and evenly lit, so it has no edges; a hand, a
cover or a white sheet has its outline; print is strokes that are finer than any outline, brighter or darker than what
lies on both sides of them. Measured on the drawn pages of every view, with lines and without, and on hands and sheets
(tests/unit/test_lying.py). For a place that is not plain the answer errs to "something": the light goes dark, and
nobody is let through by it; a sleeve with a fine pattern may pass for a page.
"""

import enum
from itertools import chain, pairwise
from typing import Final

WIDTH: Final = 160
"""Pixels in a row of the small image (ocr/second.py)."""
FAINT: Final = 8
"""Grey levels between neighbours: a picture's noise, made small, stays under it, and so does a light from one side."""
NOTHING_MAX: Final = 100
"""Faint edges: a speck, a hair. The plain place has none; the outline of a closed passport some 450."""
STROKE: Final = 5
"""Grey levels by which a stroke differs from both its sides, at least; in noise, STROKE_IN_NOISE times the noise."""
STROKE_IN_NOISE: Final = 6
PAGE_MIN: Final = 70
"""Pixels of strokes: a page without lines, seen badly, has some 190, one with lines 700 and more; a hand 24."""


class Lying(enum.Enum):
    """What lies there."""

    NOTHING = enum.auto()
    SOMETHING = enum.auto()
    PAGE = enum.auto()


def lying(small: bytes) -> Lying:
    """Tell it from a small image: grey levels, row by row."""
    if _edges(small, FAINT) < NOTHING_MAX:
        return Lying.NOTHING
    return Lying.PAGE if _strokes(small) >= PAGE_MIN else Lying.SOMETHING


def _edges(small: bytes, step: int) -> int:
    """How many pixels differ by so much from the one to the right or the one below."""
    return sum(
        abs(here - right) >= step or abs(here - below) >= step
        for row, next_row in pairwise(_rows(small))
        for here, right, below in zip(row, row[1:], next_row, strict=False)
    )


def _strokes(small: bytes) -> int:
    """How many pixels are brighter, or darker, than those on both sides of them, along the row or along the column."""
    rows = _rows(small)
    step = max(STROKE, STROKE_IN_NOISE * _noise(rows))
    return sum(
        _stands_out(here, left, right, step) or _stands_out(here, above, below, step)
        for row_above, row, row_below in zip(rows, rows[1:], rows[2:], strict=False)
        for left, here, right, above, below in zip(row, row[1:], row[2:], row_above[1:], row_below[1:], strict=False)
    )


def _stands_out(here: int, one_side: int, other_side: int, step: float) -> bool:
    return min(one_side, other_side) - here >= step or here - max(one_side, other_side) >= step


def _noise(rows: list[bytes]) -> float:
    """Grey levels between neighbours where nothing is: the mean of the smaller ones, three in five."""
    steps = sorted(chain.from_iterable((abs(here - right) for here, right in pairwise(row)) for row in rows))
    calm = steps[: max(1, len(steps) * 3 // 5)]
    return sum(calm) / max(1, len(calm))


def _rows(small: bytes) -> list[bytes]:
    return [small[at : at + WIDTH] for at in range(0, len(small), WIDTH)]
