"""A zone that did not read well, measured anew: where its lines begin and end, how many characters, a missing line.

The locator's map can run on into a striped table, stop before a glare or miss a line. The recogniser sees characters
one by one: over strips that reach far beyond both ends it tells where they begin and end.
"""

from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from appliance.ocr.network import Floats, Grey, load_weights, recognise
from appliance.ocr.placing import FRAMES, odds_of
from appliance.ocr.strips import STRIP_PITCH, cut_strip
from appliance.ocr.zones import Line, Zone

SPACING_CHARACTERS: Final = 2.5
"""Doc 9303-3 §4.5: lines 6.35 mm apart, characters 2.54 mm."""
BEYOND: Final = 0.35
"""How far beyond the ends is looked, in lengths."""
CHARACTERS_MAX: Final = 90
GAP_CHARACTERS: Final = 3.0
"""Characters that may be illegible in the middle of a line."""
WIDTHS: Final = (30, 36, 44)
TOLERANCE: Final = 0.11
"""How far the number of characters found may be from a format's."""
LINE_ODDS: Final = -1.0
"""Mean odds in nats above which there is a line at all."""


@dataclass(frozen=True, slots=True)
class Run:
    """Where characters stand: from `start` to `end` along the line in pixels, each `pitch` wide."""

    start: float
    end: float
    pitch: float


def mend(image: Grey, zone: Zone) -> tuple[Zone, int] | None:
    """The zone with its ends, lines and number of characters put right; None when no format fits."""
    spacing = zone.spacing
    run = run_of_characters(image, zone)
    if run is None:
        return None
    found = (run.end - run.start) / run.pitch
    width = min(WIDTHS, key=lambda each: abs(np.log(found / each)))
    if abs(np.log(found / width)) > TOLERANCE:
        return None
    lines = [replace(line, start=run.start, end=run.end) for line in zone.lines]
    if width == 30 and len(lines) == 2:
        above = _shifted(lines[0], -spacing)
        below = _shifted(lines[1], spacing)
        odds = [_line_odds(image, line, run) for line in (above, below)]
        if max(odds) < LINE_ODDS:
            return None
        lines = [above, *lines] if odds[0] > odds[1] else [*lines, below]
    elif width != 30 and len(lines) == 3:
        odds = [_line_odds(image, line, run) for line in (lines[0], lines[2])]
        lines = lines[1:] if odds[0] < odds[1] else lines[:2]
    return Zone(tuple(lines)), width


def run_of_characters(image: Grey, zone: Zone) -> Run | None:
    """The longest run of characters over all lines together; None where there are hardly any."""
    lines, pitch = zone.lines, zone.spacing / SPACING_CHARACTERS
    first, last = min(line.start for line in lines), max(line.end for line in lines)
    more = (last - first) * BEYOND
    count = min(int((last - first + 2 * more) / max(pitch, 1.0)), CHARACTERS_MAX)
    begin = (first + last) / 2 - count * pitch / 2
    odds = np.mean([_odds_along(image, line, begin, pitch, count) for line in lines], axis=0)
    peaks = np.flatnonzero((odds[1:-1] > 0) & (odds[1:-1] >= odds[:-2]) & (odds[1:-1] > odds[2:])) + 1
    if len(peaks) < min(WIDTHS) // 2:
        return None
    steps = np.diff(peaks)
    cuts = np.flatnonzero(steps > GAP_CHARACTERS * FRAMES) + 1
    longest = max(np.split(peaks, cuts), key=lambda part: int(part[-1] - part[0]))
    near = np.diff(longest)
    near = near[(near > FRAMES * 0.6) & (near < FRAMES * 1.5)]
    if len(near) < 8:
        return None
    frames = float(near.mean())
    start, end = longest[0] + 0.5 - frames / 2, longest[-1] + 0.5 + frames / 2
    scale = pitch / FRAMES
    return Run(begin + start * scale, begin + end * scale, frames * scale)


def _line_odds(image: Grey, line: Line, run: Run) -> float:
    count = min(int((run.end - run.start) / run.pitch), CHARACTERS_MAX)
    odds = _odds_along(image, line, run.start, run.pitch, count)
    cells = odds[: len(odds) // int(FRAMES) * int(FRAMES)].reshape(-1, int(FRAMES))
    return float(cells.max(axis=1).mean())


def _odds_along(image: Grey, line: Line, begin: float, pitch: float, count: int) -> Floats:
    places = begin + (np.arange(count * STRIP_PITCH) + 0.5) / STRIP_PITCH * pitch
    return odds_of(recognise(cut_strip(image, line, places), load_weights("recogniser")))


def _shifted(line: Line, by: float) -> Line:
    constant, slope, curve = line.bend
    return replace(line, bend=(constant + by, slope, curve))
