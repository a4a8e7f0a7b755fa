"""Where each of exactly N characters stands in its strip: near a fixed pitch that all lines of the zone share.

First one offset, pitch and unevenness for all lines together, so that a line in glare is held by the others; then each
character for itself, a frame or two around.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from appliance.ocr.network import CHARACTERS, STRIDE, Floats
from appliance.ocr.strips import STRIP_PITCH

FRAMES: Final = STRIP_PITCH / STRIDE
"""Frames a character."""
ODDS_MAX: Final = 4.0
"""No frame counts for more than this many nats: glare and smudges are sure of what they show."""
OFFSETS: Final = np.arange(-12.0, 12.5, 1.0)
STRETCHES: Final = np.arange(-0.2, 0.091, 0.02)
BOWS: Final = np.arange(-6.0, 6.5, 2.0)
"""Frames by which the middle is off: a page that leans away shows its characters ever narrower."""
FINER: Final = ((1.0, 0.5), (0.5, 0.25))
"""Steps of the two searches around what the first one found, in the first one's steps: reach and step."""
OUTSIDE: Final = 2.0
"""How much a character before the first place or behind the last speaks against it: else one more or fewer would do."""
BETWEEN: Final = 0.5
"""How much a character halfway between two places does."""
REACH: Final = 2
"""Frames around the common place that a character may stand."""
STIFFNESS: Final = 0.6


@dataclass(frozen=True, slots=True)
class Placed:
    """Where the characters of one line stand.

    Attributes:
        frames: Place of each, in frames, fractions allowed: (characters,).
        there: For each, by how many nats it is likelier that a character stands there than that none does, within
            ODDS_MAX.
    """

    frames: Floats
    there: Floats

    @property
    def fit(self) -> float:
        """How well the line's frames bear it out, mean odds in nats: above 2 is good, below 0 is no line."""
        return float(self.there.mean())


def place(answers: list[Floats], margin: float, count: int) -> tuple[Placed, ...]:
    """Places of `count` characters in the recogniser's answers (frames, 38) for each line of one zone.

    Args:
        answers: One for each line.
        margin: Where the first character's left edge is thought to be, in characters from the strip's beginning.
        count: Characters a line.
    """
    odds = [odds_of(answer) for answer in answers]
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


def odds_of(answer: Floats) -> Floats:
    """For each frame how much likelier a character's middle is there than not."""
    between = np.clip(np.exp(answer[:, -1]), 1e-4, 1 - 1e-4)
    odds: Floats = np.log1p(-between) - np.log(between)
    return np.clip(odds, -ODDS_MAX, ODDS_MAX)


def _common(odds: Floats, margin: float, count: int) -> Floats:
    """The places that suit all lines best: characters at them, nothing halfway between, nothing before and behind."""
    axes: list[Floats] = [OFFSETS, STRETCHES, BOWS]
    best = _best_places(odds, margin, count, axes)
    for reach, step in FINER:
        near = np.arange(-reach, reach + step / 2, step)
        steps = [float(axis[1] - axis[0]) for axis in (OFFSETS, STRETCHES, BOWS)]
        axes = [value + near * size for value, size in zip(best, steps, strict=True)]
        best = _best_places(odds, margin, count, axes)
    offset, stretch, bow = best
    return _places(margin, count, np.array([[offset, stretch, bow]]))[0, 1:-1]


def _best_places(odds: Floats, margin: float, count: int, axes: Sequence[Floats]) -> tuple[float, float, float]:
    """Offset, stretch and bow of these that suit the lines best."""
    options = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, 3)
    places = _places(margin, count, options)
    value = _look(odds, places[:, 1:-1]).sum(axis=1) - _look(odds, places[:, [0, -1]]).sum(axis=1) * OUTSIDE
    value -= BETWEEN * _look(odds, (places[:, 1:-2] + places[:, 2:-1]) / 2).sum(axis=1)
    offset, stretch, bow = options[int(np.argmax(value))]
    return float(offset), float(stretch), float(bow)


def _places(margin: float, count: int, options: Floats) -> Floats:
    """(options, count + 2): a place before the first character, each character's, and one behind the last."""
    half = (count - 1) / 2
    line = np.arange(-1, count + 1) / half - 1
    offset, stretch, bow = options.T[:, :, None]
    middle = (margin + 0.5) * FRAMES - 0.5 + half * FRAMES
    places: Floats = middle + offset + half * FRAMES * (1 + stretch) * line + bow * (1 - line**2)
    return places


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
    return Placed(frames.astype(np.float32), _look(odds, frames))
