"""How the zone is printed, measured in characters: no length in millimetres is known, but every ratio is."""

from itertools import pairwise
from typing import Final

import numpy as np

from appliance.model import ZoneGeometry
from appliance.ocr.network import Floats, Grey
from appliance.ocr.sides import even_columns, find_sides, ideal_sides, smooth_centres
from appliance.ocr.standing import shifted_characters
from appliance.ocr.strips import cut_strip
from appliance.ocr.zones import Zone
from appliance.parse.characters import FILLER

PIXELS_MIN: Final = 13.0
"""Pixels a character below which the sides of a character are guesswork."""
CHARACTERS_MIN: Final = 6
"""Of a line that are no fillers, and next to a filler say nothing of the line's height."""
STRAYED: Final = 0.25
"""Characters from which one stands so far off its place that the lines are cut anew by what is seen."""
CUTS_MAX: Final = 4
BENT: Final = 14
"""Characters from which a line's own bend is followed."""


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
    ideal = [ideal_sides(chars) for chars in lines]
    all_sides = _cut(image, zone, smooth, ideal)
    for _ in range(CUTS_MAX - 1):
        seen = tuple(map(_seen_centres, smooth, all_sides, ideal))
        strayed = np.concatenate(
            [np.abs(each - along(np.arange(count))) for each, along in zip(seen, smooth, strict=True)]
        )
        if np.nanmax(strayed) < STRAYED * pitch or np.isfinite(strayed).sum() < CHARACTERS_MIN * len(lines):
            break
        smooth = smooth_centres(seen)
        all_sides = _cut(image, zone, smooth, ideal)
    sides = [_without_fillers(each, chars) for each, chars in zip(all_sides, lines, strict=True)]
    if min(int(np.isfinite(each[:, 0]).sum()) for each in sides) < CHARACTERS_MIN:
        return None
    heights = np.concatenate([each[:, 3] - each[:, 2] for each in sides])
    middles = [float(along(count / 2)) + _aside(each) * pitch for along, each in zip(smooth, sides, strict=True)]
    return ZoneGeometry(
        pixels=round(pitch * 10),
        height=_thousandths(float(np.nanmedian(heights))),
        spacing=tuple(_thousandths(each / pitch) for each in _distances(zone, smooth, sides, pitch)),
        aside=_thousandths((max(middles) - min(middles)) / pitch),
        shifted=shifted_characters(all_sides, lines),
        unseen=sum(int(np.isnan(each[:, 2]).sum()) for each in all_sides),
    )


def _cut(image: Grey, zone: Zone, smooth: list[np.polynomial.Polynomial], ideal: list[Floats]) -> list[Floats]:
    """Sides of every line's characters, where these curves have their places."""
    return [
        find_sides(cut_strip(image, line, even_columns(along, len(each))), each)
        for line, along, each in zip(zone.lines, smooth, ideal, strict=True)
    ]


def _seen_centres(along: np.polynomial.Polynomial, sides: Floats, ideal: Floats) -> Floats:
    """Where along the line each place's middle is by the character's ink; NaN where that is not seen."""
    at = np.arange(len(sides))
    centres: Floats = along(at) + (sides - ideal)[:, :2].mean(axis=1) * along.deriv()(at)
    return centres


def _thousandths(characters: float) -> int:
    return round(characters * 1000)


def _without_fillers(sides: Floats, text: str) -> Floats:
    """They are lower than characters, and as many as a name leaves."""
    return np.where(np.array([[character == FILLER] for character in text]), np.nan, sides)


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
