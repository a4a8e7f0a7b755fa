"""How the zone is printed, measured in characters: no length in millimetres is known, but every ratio is.

Each line is cut out once more along an even pitch; where the ink of a character begins and ends on its four sides is
found between two pixels. What one side alone says is a scratch or the paper's print: a character is out of place where
two opposite sides say so.
"""

from itertools import pairwise
from typing import Final

import numpy as np

from appliance.model import ShiftedCharacter, ZoneGeometry
from appliance.ocr.network import Floats, Grey
from appliance.ocr.strips import STRIP_HEIGHT, STRIP_PITCH, cut_strip
from appliance.ocr.zones import Zone
from appliance.parse.characters import FILLER

PIXELS_MIN: Final = 13.0
"""Pixels a character below which the sides of a character are guesswork."""
CHARACTERS_MIN: Final = 6
"""Of a line that are no fillers, and next to a filler say nothing of the line's height."""
BENT: Final = 14
"""Characters from which a line's own bend is followed."""
AROUND: Final = 4
AROUND_MIN: Final = 2
"""Other characters within AROUND places that tell where one should stand: a lone one at a line's end is not judged."""
NOTED: Final = 0.1
"""Characters by which one stands off before it is written down at all."""
NOTED_MAX: Final = 8
INK: Final = 0.5
"""Of a character's darkest ink: where its sides are taken to be."""
WIDE: Final = 22
"""Columns that are looked at for one character: its place, and a fifth of its neighbours' on either side."""
MARGIN: Final = 1
"""Characters of the strip before the first one and behind the last."""


def measure(image: Grey, zone: Zone, centres: tuple[Floats, ...], text: str) -> ZoneGeometry | None:
    """The zone's measures; None where the image does not show them.

    Args:
        image: Grey, as it was read.
        zone: The lines in it.
        centres: For each line how far along it each character stands, in pixels.
        text: The lines as read, joined.
    """
    count = len(centres[0])
    smooth = smooth_centres(centres)
    pitch = float(np.mean([float(each(count - 1) - each(0)) / (count - 1) for each in smooth]))
    if pitch < PIXELS_MIN:
        return None
    lines = [text[at : at + count] for at in range(0, len(text), count)]
    sides = [
        _sides(cut_strip(image, line, even_columns(along, count)), chars)
        for line, along, chars in zip(zone.lines, smooth, lines, strict=True)
    ]
    if min(int(np.isfinite(each[:, 0]).sum()) for each in sides) < CHARACTERS_MIN:
        return None
    heights = np.concatenate([each[:, 3] - each[:, 2] for each in sides])
    middles = [float(along(count / 2)) + _aside(each) * pitch for along, each in zip(smooth, sides, strict=True)]
    return ZoneGeometry(
        pixels=round(pitch * 10),
        height=_thousandths(float(np.nanmedian(heights))),
        spacing=tuple(_thousandths(each / pitch) for each in _distances(zone, smooth, sides, pitch)),
        aside=_thousandths((max(middles) - min(middles)) / pitch),
        shifted=_shifted(sides),
    )


def smooth_centres(centres: tuple[Floats, ...]) -> list[np.polynomial.Polynomial]:
    """For each line how far along it each character stands, as a curve over their numbers."""
    return [np.polynomial.Polynomial.fit(np.arange(len(each)), each, 3) for each in centres]


def _thousandths(characters: float) -> int:
    return round(characters * 1000)


def even_columns(along: np.polynomial.Polynomial, count: int) -> Floats:
    """Where each column of a strip lies along the line, MARGIN characters before and behind it: straight there."""
    columns = (np.arange((count + 2 * MARGIN) * STRIP_PITCH) + 0.5) / STRIP_PITCH - 0.5 - MARGIN
    inside = np.clip(columns, 0, count - 1)
    return np.asarray(along(inside) + (columns - inside) * along.deriv()(inside), np.float32)


def _sides(strip: Floats, text: str) -> Floats:
    """Left, right, top and bottom of each character's ink, in characters from its place's middle; NaN of fillers."""
    begin = MARGIN * STRIP_PITCH - (WIDE - STRIP_PITCH) // 2
    windows = np.lib.stride_tricks.sliding_window_view(-strip, WIDE, axis=1)
    cells = windows[:, begin::STRIP_PITCH][:, : len(text)].transpose(1, 0, 2)
    cells = cells - np.percentile(cells, 25, axis=(1, 2), keepdims=True)
    upright = cells[:, :, (WIDE - STRIP_PITCH) // 2 : (WIDE + STRIP_PITCH) // 2].max(axis=2)
    dark = np.sort(upright, axis=1)[:, -4:].mean(axis=1)[:, None] * INK
    top, bottom = _run(upright, dark)
    rows = np.arange(STRIP_HEIGHT)[None]
    within = (rows >= np.floor(top)[:, None]) & (rows <= np.ceil(bottom)[:, None])
    left, right = _run(np.where(within[:, :, None], cells, 0.0).max(axis=1), dark)
    found = np.stack([left, right, top, bottom], axis=1)
    found -= np.array([WIDE - 1, WIDE - 1, STRIP_HEIGHT - 1, STRIP_HEIGHT - 1]) / 2
    found[[character == FILLER for character in text]] = np.nan
    found[~np.isfinite(found).all(axis=1)] = np.nan
    return found / STRIP_PITCH


def _run(profile: Floats, dark: Floats) -> tuple[Floats, Floats]:
    """Where the ink around the middle begins and ends; NaN where there is none, or it runs on into a neighbour's."""
    on = profile > dark
    middle = profile.shape[1] // 2
    before, after = ~on[:, middle::-1], ~on[:, middle:]
    first = middle - before.argmax(axis=1) + 1
    last = middle + after.argmax(axis=1) - 1
    whole = on[:, middle] & before.any(axis=1) & after.any(axis=1)
    start = first - _share(profile, dark, first, first - 1)
    end = last + _share(profile, dark, last, last + 1)
    return np.where(whole, start, np.nan), np.where(whole, end, np.nan)


def _share(profile: Floats, dark: Floats, inside: np.ndarray, outside: np.ndarray) -> Floats:
    """How far from the last pixel with ink towards the first without the ink ends, 0 to 1."""
    at = np.arange(len(profile))
    beyond = profile.shape[1] - 1
    ink, paper = profile[at, np.clip(inside, 0, beyond)], profile[at, np.clip(outside, 0, beyond)]
    share: Floats = np.clip((ink - dark[:, 0]) / np.maximum(ink - paper, 1e-6), 0, 1)
    return share


def _aside(sides: Floats) -> float:
    """How far the ink of a line stands to the right of where its characters were read."""
    return float(np.nanmedian((sides[:, 0] + sides[:, 1]) / 2))


def _distances(zone: Zone, smooth: list[np.polynomial.Polynomial], sides: list[Floats], pitch: float) -> list[float]:
    """Pixels between the middles of neighbouring lines, where both have characters."""
    middles = [(each[:, 2] + each[:, 3]) / 2 for each in sides]
    both = np.mean([float(np.nanmean(np.where(np.isfinite(each), np.arange(len(each)), np.nan))) for each in middles])
    at = []
    for line, along, middle in zip(zone.lines, smooth, middles, strict=True):
        seen = np.flatnonzero(np.isfinite(middle))
        rise = np.polynomial.Polynomial.fit(seen, middle[seen], 2 if len(seen) >= BENT else 1)
        near = float(np.clip(both, seen[0], seen[-1]))
        at.append(line.offset_at(float(along(both))) + float(rise(near)) * pitch)
    return [float(below - above) for above, below in pairwise(at)]


def _shifted(sides: list[Floats]) -> tuple[ShiftedCharacter, ...]:
    """Characters that stand off where their line has them, those farthest off first."""
    found: list[tuple[float, ShiftedCharacter]] = []
    for number, each in enumerate(sides):
        along, across = _off(each[:, 0], each[:, 1]), _off(each[:, 2], each[:, 3])
        for column in np.flatnonzero(np.maximum(np.abs(along), np.abs(across)) > NOTED):
            off = ShiftedCharacter(
                line=number,
                column=int(column),
                along=_thousandths(float(along[column])),
                across=_thousandths(float(across[column])),
            )
            found.append((max(abs(off.along), abs(off.across)), off))
    return tuple(off for _, off in sorted(found, key=lambda each: -each[0])[:NOTED_MAX])


def _off(low: Floats, high: Floats) -> Floats:
    """How far both sides stand off the line's own curve the same way: the smaller of the two; else 0."""
    one, other = _residual(low), _residual(high)
    off: Floats = np.where(one * other > 0, np.sign(one) * np.minimum(np.abs(one), np.abs(other)), 0.0)
    return np.nan_to_num(np.clip(off, -1, 1))


def _residual(side: Floats) -> Floats:
    seen = np.flatnonzero(np.isfinite(side))
    curve = np.polynomial.Polynomial.fit(seen, side[seen], 2 if len(seen) >= BENT else 1)
    near = np.abs(side[seen] - curve(seen))
    kept = seen[near <= np.median(near) * 4 + 1e-3]  # once more without those that are off
    if len(kept) >= CHARACTERS_MIN:
        curve = np.polynomial.Polynomial.fit(kept, side[kept], 2 if len(kept) >= BENT else 1)
    residual: Floats = side - curve(np.arange(len(side)))
    around = np.convolve(np.isfinite(side), np.ones(2 * AROUND + 1), "same") - np.isfinite(side)
    return np.where(around >= AROUND_MIN, residual, np.nan)
