"""Where the ink of each character begins and ends on its four sides, found between two pixels.

Each line of the zone is cut out once more along an even pitch; all lengths are in characters.
"""

from typing import Final

import numpy as np

from appliance.ocr.glyphs import SIDES
from appliance.ocr.network import Floats
from appliance.ocr.strips import STRIP_HEIGHT, STRIP_PITCH

INK: Final = 0.5
"""Of a character's darkest ink: where its sides are taken to be."""
VALLEY: Final = 0.9
"""Of the same: how light it gets between two characters that are not one blot."""
VALLEY_FROM: Final = 3
"""Columns from the middle of a character's ink on."""
WIDE: Final = 24
"""Columns that are looked at for one character: its place, and a quarter of its neighbours' on either side."""
BESIDE: Final = (WIDE - STRIP_PITCH) // 2
VOTES: Final = 8
"""Rounds in which centres that lie off lose weight."""
REACH: Final = 4
"""Columns that a character's middle may lie from where it should."""
AROUND: Final = 3.0
"""Columns beside where a glyph should begin and end in which its height is looked for: beyond stand the others."""
MARGIN: Final = 1
"""Characters of the strip before the first one and behind the last."""


def smooth_centres(centres: tuple[Floats, ...]) -> list[np.polynomial.Polynomial]:
    """For each line how far along it each character stands, as a curve over their numbers.

    Each line has its own place and pitch; how the pitch changes is common to all, and what few centres say is outvoted.
    NaN says nothing.
    """
    lines, count = len(centres), len(centres[0])
    along = np.linspace(-1, 1, count)
    own = np.kron(np.eye(lines), along[:, None] ** np.arange(2))
    terms = np.hstack([own, np.tile(along[:, None] ** np.arange(2, 4), (lines, 1))])
    measured = np.concatenate(centres)
    terms, measured = terms[np.isfinite(measured)], measured[np.isfinite(measured)]
    weight = np.ones(len(measured))
    found = np.zeros(terms.shape[1])
    for _ in range(VOTES):
        root = np.sqrt(weight)
        found = np.linalg.lstsq(terms * root[:, None], measured * root, rcond=None)[0]
        off = np.abs(measured - terms @ found)
        weight = 1 / np.maximum(off, np.median(off) + 1e-3)
    return [
        np.polynomial.Polynomial([*found[2 * line : 2 * line + 2], *found[-2:]], domain=[0, count - 1])
        for line in range(lines)
    ]


def even_columns(along: np.polynomial.Polynomial, count: int) -> Floats:
    """Where each column of a strip lies along the line, MARGIN characters before and behind it: straight there."""
    columns = (np.arange((count + 2 * MARGIN) * STRIP_PITCH) + 0.5) / STRIP_PITCH - 0.5 - MARGIN
    inside = np.clip(columns, 0, count - 1)
    return np.asarray(along(inside) + (columns - inside) * along.deriv()(inside), np.float32)


def ideal_sides(text: str) -> Floats:
    """(characters, 4) left, right, top and bottom of the ink of OCR-B, in characters from its place's middle."""
    return np.array([SIDES[character] for character in text]) / 1000


def find_sides(strip: Floats, ideal: Floats) -> Floats:
    """The same as the strip shows it; NaN where it does not: no ink, or one blot with the neighbour on that side.

    Args:
        strip: Of one line, cut along `even_columns`.
        ideal: Sides of the characters that stand there.
    """
    begin = MARGIN * STRIP_PITCH - BESIDE
    windows = np.lib.stride_tricks.sliding_window_view(-strip, WIDE, axis=1)
    cells = windows[:, begin::STRIP_PITCH][:, : len(ideal)].transpose(1, 0, 2)
    cells = cells - np.percentile(cells, 25, axis=(1, 2), keepdims=True)
    middle = (WIDE - 1) / 2
    columns = (np.arange(WIDE) - middle)[None]
    own = (columns > ideal[:, :1] * STRIP_PITCH - AROUND) & (columns < ideal[:, 1:2] * STRIP_PITCH + AROUND)
    upright = np.where(own[:, None], cells, 0.0).max(axis=2)
    dark = np.sort(upright, axis=1)[:, -4:].mean(axis=1)[:, None] * INK
    top, bottom = _run(upright, dark, np.full(len(ideal), (STRIP_HEIGHT - 1) / 2))
    rows = np.arange(STRIP_HEIGHT)[None]
    within = (rows >= np.floor(top)[:, None]) & (rows <= np.ceil(bottom)[:, None])
    across = np.where(within[:, :, None], cells, 0.0).max(axis=1)
    left, right = _run(across, dark, ideal[:, :2].mean(axis=1) * STRIP_PITCH + middle)
    found = np.stack([left - middle, right - middle, top, bottom], axis=1)
    found[:, 2:] -= (STRIP_HEIGHT - 1) / 2
    found[np.isnan(found[:, 2:]).any(axis=1) | np.isnan(found[:, :2]).all(axis=1)] = np.nan
    return found / STRIP_PITCH


def _run(profile: Floats, dark: Floats, middle: Floats) -> tuple[Floats, Floats]:
    """Where the ink near the middle begins and ends; NaN where there is none, or it runs on."""
    places = np.arange(profile.shape[1])[None]
    near = np.abs(places - middle[:, None]) <= REACH
    start = np.where(near, profile, -np.inf).argmax(axis=1)
    back, on = (_end(profile, dark, start, way) for way in (-1, 1))
    inked = profile[np.arange(len(profile)), start] > dark[:, 0]
    return np.where(inked, back, np.nan), np.where(inked, on, np.nan)


def _end(profile: Floats, dark: Floats, start: np.ndarray, way: int) -> Floats:
    """Where the ink ends that way: between two pixels, or, where a neighbour touches, where it is lightest."""
    at, beyond = np.arange(len(profile)), profile.shape[1]
    ahead = (np.arange(beyond)[None] - start[:, None]) * way
    paper = np.where((profile <= dark) & (ahead > 0), ahead, beyond).min(axis=1)
    outside = np.clip(start + way * paper, 0, beyond - 1)
    inside = np.clip(start + way * (paper - 1), 0, beyond - 1)
    fall = np.maximum(profile[at, inside] - profile[at, outside], 1e-6)
    clear = inside + way * np.clip((profile[at, inside] - dark[:, 0]) / fall, 0, 1)
    lightest = np.where(ahead >= VALLEY_FROM, profile, np.inf).argmin(axis=1)
    valley = profile[at, lightest] < VALLEY * profile[at, start]
    return np.where(paper < beyond, clear, np.where(valley, lightest, np.nan))
