"""The same zone under infrared light: is the ink of each character still there?

A zone is printed in ink that is seen near 900 nm (Doc 9303-3 §4.2, "B900"); most other inks are not. The second image
is of the same page from the same place, so it is looked at exactly where the first one was read, and nothing is
searched for.
"""

from typing import Final

import cv2
import numpy as np

from appliance.model import InfraredReading
from appliance.ocr.network import CHARACTERS, Floats, Grey, load_weights, recognise
from appliance.ocr.placing import FRAMES, characters_at, odds_of
from appliance.ocr.sides import MARGIN, even_columns, smooth_centres
from appliance.ocr.strips import cut_strip
from appliance.ocr.zones import Line, Zone

GLARE: Final = 250
"""Grey level of a character's place from which the lamp may be mirrored there, so that nothing can be seen."""
AS_LIGHT: Final = 90
"""Percentile of the places where ink is seen: what is no lighter than that hides none."""
FAINT: Final = 3.0
"""Nats: where a neighbour's ink is less likely than this, nothing is seen well, and no place is called empty."""
BESIDE: Final = 2
NEAR: Final = 1.0
"""Frames around a character's place that are looked at, for the page may have stirred."""
DARK: Final = 40
"""Grey level of the paper below which the lamp has not lit it."""


def look_under_infrared(image: Grey, zone: Zone, centres: tuple[Floats, ...], text: str) -> InfraredReading:
    """Look for what was read.

    Args:
        image: Grey, under infrared light, of the same size and from the same place as the image that was read.
        zone: Where it was read.
        centres: For each line how far along it each character stands, in pixels.
        text: The lines, joined.
    """
    count = len(centres[0])
    read: list[str] = []
    likely: list[Floats] = []
    level: list[Floats] = []
    for line, along in zip(zone.lines, smooth_centres(centres), strict=True):
        answer = recognise(cut_strip(image, line, even_columns(along, count)), load_weights("recogniser"))
        frames, odds = _likeliest(odds_of(answer), count)
        read += [CHARACTERS[int(at)] for at in characters_at(answer, frames).argmax(axis=1)]
        likely.append(odds)
        level.append(_level(image, line, along(np.arange(count)), float(along.deriv()(count / 2))))
    if float(np.median(level)) < DARK:
        return InfraredReading(why="the infrared lamp did not light the page.")
    odds, grey = np.concatenate(likely), np.concatenate(level)
    inked = odds > 0
    seen = (np.array(list(text)) == np.array(read)) & inked
    lightest = max(GLARE, float(np.percentile(grey[inked], AS_LIGHT))) if inked.any() else GLARE
    gone = ~inked & (grey <= lightest) & (np.concatenate([_faintest_beside(each) for each in likely]) > FAINT)
    return InfraredReading(seen=int(100 * seen.mean()), vanished=bytes(np.flatnonzero(gone).tolist()))


def _likeliest(odds: Floats, count: int) -> tuple[Floats, Floats]:
    """For each character the frame where one most likely stands, near its place, and how likely that is."""
    places = (np.arange(count) + MARGIN + 0.5) * FRAMES - 0.5
    frames = places[:, None] + np.arange(-NEAR, NEAR + 0.5, 0.5)
    near = np.interp(frames, np.arange(len(odds)), odds)
    best = near.argmax(axis=1)[:, None]
    return np.take_along_axis(frames, best, 1)[:, 0], np.take_along_axis(near, best, 1)[:, 0]


def _faintest_beside(odds: Floats) -> Floats:
    """For each place of a line how likely the faintest ink is within BESIDE places of it; infinite without any."""
    ink = np.pad(np.where(odds > 0, odds, np.inf), BESIDE, constant_values=np.inf)
    faintest: Floats = np.lib.stride_tricks.sliding_window_view(ink, 2 * BESIDE + 1).min(axis=1)
    return faintest


def _level(image: Grey, line: Line, along: Floats, pitch: float) -> Floats:
    """Grey of the paper around each character: ink covers less than half of its place."""
    steps = np.linspace(-0.5, 0.5, 7) * pitch
    places = (along[:, None, None] + steps[None, :, None]) + np.zeros((1, 1, len(steps)))
    below = line.offset(places) + steps[None, None]
    points = line.origin + places[..., None] * line.along + below[..., None] * line.across
    flat = points.reshape(len(along), -1, 2).astype(np.float32)
    grey = cv2.remap(image, flat[..., 0], flat[..., 1], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    level: Floats = np.median(grey, axis=1)
    return level
