"""Where each of exactly N characters stands in its strip: near a fixed pitch that all lines of the zone share.

First one offset, pitch and unevenness for all lines together, so that a line in glare is held by the others; then each
character for itself, a frame or two around.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np

from appliance.ocr.network import CHARACTERS, STRIDE, Floats
from appliance.ocr.strips import STRIP_PITCH

FRAMES: Final = STRIP_PITCH / STRIDE
"""Frames a character."""
ODDS_MAX: Final = 4.0
"""No frame counts for more than this many nats: glare and smudges are sure of what they show."""
OFFSETS: Final = np.arange(-6, 6.5, 0.5)
STRETCHES: Final = np.arange(-0.09, 0.0901, 0.0075)
BOWS: Final = np.array([-0.9, -0.45, 0.0, 0.45, 0.9])
"""Frames by which the middle is off, from perspective."""
REACH: Final = 2
"""Frames around the common place that a character may stand."""
STIFFNESS: Final = 0.6


@dataclass(frozen=True, slots=True)
class Placed:
    """Where the characters of one line stand.

    Attributes:
        frames: Place of each, in frames, fractions allowed: (characters,).
        fit: How well the line's frames bear it out, mean odds in nats: above 2 is good, below 0 is no line.
    """

    frames: Floats
    fit: float


def place(answers: list[Floats], margin: float, count: int) -> tuple[Placed, ...]:
    """Places of `count` characters in the recogniser's answers (frames, 38) for each line of one zone.

    Args:
        answers: One for each line.
        margin: Where the first character's left edge is thought to be, in characters from the strip's beginning.
        count: Characters a line.
    """
    odds = [_odds(answer) for answer in answers]
    common = _common(np.mean(odds, axis=0), margin, count)
    return tuple(_each(odd, common) for odd in odds)


def characters_at(answer: Floats, frames: Floats) -> Floats:
    """Log-probabilities (characters, 37) at these places: between two frames, something of both."""
    low = np.clip(np.floor(frames).astype(int), 0, len(answer) - 2)
    share = np.clip(frames - low, 0, 1)[:, None].astype(np.float32)
    mixed = answer[low] * (1 - share) + answer[low + 1] * share
    mixed = mixed[:, : len(CHARACTERS)]
    mixed = mixed - mixed.max(axis=1, keepdims=True)
    mixed -= np.log(np.exp(mixed).sum(axis=1, keepdims=True))
    return np.asarray(mixed)


def _odds(answer: Floats) -> Floats:
    """For each frame how much likelier a character's middle is there than not."""
    between = np.clip(np.exp(answer[:, -1]), 1e-4, 1 - 1e-4)
    odds: Floats = np.log1p(-between) - np.log(between)
    return np.clip(odds, -ODDS_MAX, ODDS_MAX)


def _common(odds: Floats, margin: float, count: int) -> Floats:
    """The places that suit all lines best: characters at them, nothing halfway between, nothing before and behind."""
    index = np.arange(-1, count + 1)
    line = (index - (count - 1) / 2) / ((count - 1) / 2)
    pitch = FRAMES * (1 + STRETCHES)
    start = (margin + 0.5) * FRAMES - 0.5
    middle = start + (count - 1) / 2 * FRAMES
    half = (count - 1) / 2 * pitch
    places = (
        middle
        + OFFSETS[:, None, None, None]
        + half[None, :, None, None] * line
        + BOWS[None, None, :, None] * (1 - line**2)
    )
    sign = np.ones(count + 2)
    sign[[0, -1]] = -0.5 * 4  # one character more or fewer would be as good otherwise
    value = (_look(odds, places) * sign).sum(axis=-1)
    gaps = (places[..., 1:-2] + places[..., 2:-1]) / 2
    value -= 0.5 * _look(odds, gaps).sum(axis=-1)
    best = np.unravel_index(int(np.argmax(value)), value.shape)
    chosen: Floats = places[best][1:-1]
    return chosen


def _look(odds: Floats, places: Floats) -> Floats:
    """The odds at fractional places; outside the strip there is nothing."""
    low = np.floor(places).astype(int)
    share = places - low
    padded = np.concatenate([odds, [-ODDS_MAX]])
    one = np.where((low >= 0) & (low < len(odds)), low, len(odds))
    two = np.where((low >= -1) & (low + 1 < len(odds)), low + 1, len(odds))
    looked: Floats = padded[one] * (1 - share) + padded[two] * share
    return looked


def _each(odds: Floats, common: Floats) -> Placed:
    """Each character near its common place, neighbours pulling on each other."""
    shifts = np.arange(-REACH, REACH + 0.5, 0.5)
    pull = STIFFNESS * (shifts[:, None] - shifts[None]) ** 2
    gain = _look(odds, common[:, None] + shifts)
    total = gain[0]
    back = []
    for row in gain[1:]:
        options = total[None] - pull
        chosen = options.argmax(axis=1)
        back.append(chosen)
        total = options[np.arange(len(shifts)), chosen] + row
    at = int(total.argmax())
    path = [at]
    for chosen in reversed(back):
        at = int(chosen[at])
        path.append(at)
    frames = common + shifts[path[::-1]]
    return Placed(frames.astype(np.float32), float(_look(odds, frames).mean()))
