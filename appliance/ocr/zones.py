"""Where the zone lies: the locator's map of line cores -> candidates of two or three parallel lines, likeliest first.

A line is a curve in the image, since pages bend; its two ends are half a character outside its first and last one.
Nothing here knows which way up the page is: every candidate can also be read turned by half a turn.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Final

import cv2
import numpy as np

from appliance.ocr.network import STRIDE, Floats, Grey, Weights, locate_lines

SIDE_MAX: Final = 512
"""Pixels of the longer side of what the locator sees."""
CORE: Final = 0.4
"""A cell likelier than this belongs to a line's core."""
CELLS_MIN: Final = 8
PIECES_MAX: Final = 40
"""Longest pieces that are looked at: a page full of stripes costs no more than one with a zone."""
LENGTH_MIN: Final = 12.0
"""Cells of a line, at least; 30 characters are hardly legible below."""
SPACING: Final = (0.03, 0.13)
"""Distance of neighbouring lines, in lengths of a line: 2.5 characters of 44 to 30, with room for perspective."""
OVERLAP_MIN: Final = 0.55
WHOLE: Final = 60.0
"""Cells of a piece from which its own direction and bend are followed."""
GAP_WHOLE: Final = 1.4
GAP_PIECES: Final = 2.4
"""Cells across that part two lines, at least: less certain where lines lie in pieces."""
GAP: Final = 0.05
LONG_GAP: Final = 0.9
"""Lengths of the longest piece: how far off one may lie that continues it; a LONG_PIECE farther, behind glare."""
LONG_PIECE: Final = 0.14
PARALLEL: Final = 0.2
"""Radians between pieces of one zone, at most."""
CANDIDATES_MAX: Final = 4
WINDOWS_FROM: Final = 700
"""Pixels of the longer side from which windows show more than the whole."""


@dataclass(frozen=True, slots=True)
class Line:
    """One line: origin + s * along + (bend[0] + bend[1] s + bend[2] s^2) * across, with s from `start` to `end`.

    Attributes:
        origin, along, across: Of the zone, in pixels of the image; `along` and `across` of length 1 at right angles.
    """

    origin: Floats
    along: Floats
    across: Floats
    bend: tuple[float, float, float]
    start: float
    end: float

    def offset(self, s: Floats) -> Floats:
        """How far from the straight line through `origin`, along `across`."""
        return self.bend[0] + s * (self.bend[1] + s * self.bend[2])

    def offset_at(self, s: float) -> float:
        """The same at one place."""
        return self.bend[0] + s * (self.bend[1] + s * self.bend[2])

    def point(self, s: float, below: float = 0.0) -> tuple[float, float]:
        """Where in the image, x before y; `below` is further along `across`."""
        x, y = self.origin + s * self.along + (self.offset_at(s) + below) * self.across
        return float(x), float(y)

    def scaled(self, scale: float) -> "Line":
        """The same line in an image `scale` times as large."""
        constant, slope, curve = self.bend
        bend = (constant * scale, slope, curve / scale)
        return Line(self.origin * scale, self.along, self.across, bend, self.start * scale, self.end * scale)

    def turned(self) -> "Line":
        """The same line, read upside down."""
        constant, slope, curve = self.bend
        return Line(self.origin, -self.along, -self.across, (-constant, slope, -curve), -self.end, -self.start)


@dataclass(frozen=True, slots=True)
class Zone:
    """Lines that may be a machine readable zone, the upper one first."""

    lines: tuple[Line, ...]

    @property
    def spacing(self) -> float:
        """Mean distance of neighbouring lines in their middle, in pixels."""
        first, last = self.lines[0], self.lines[-1]
        middle = (first.start + first.end) / 2
        return (last.offset_at(middle) - first.offset_at(middle)) / (len(self.lines) - 1)

    @property
    def middle(self) -> Floats:
        """In the image, x before y."""
        return np.asarray(np.array(self.corners(), np.float32).mean(axis=0))

    def overlaps(self, other: "Zone") -> bool:
        """Whether the other one's middle lies within this one, or not farther from it than half its sides."""
        first = self.lines[0]
        away = other.middle - self.middle
        along, across = abs(float(away @ first.along)), abs(float(away @ first.across))
        return along < 0.75 * (first.end - first.start) and across < self.spacing * len(self.lines)

    def turned(self) -> "Zone":
        """The same zone, read upside down."""
        return Zone(tuple(line.turned() for line in reversed(self.lines)))

    def scaled(self, scale: float) -> "Zone":
        """The same zone in an image `scale` times as large."""
        return Zone(tuple(line.scaled(scale) for line in self.lines))

    def corners(self) -> tuple[tuple[float, float], ...]:
        """The four corners in the image, x before y, from the first character on clockwise, half a spacing around."""
        first, last = self.lines[0], self.lines[-1]
        start, end = min(line.start for line in self.lines), max(line.end for line in self.lines)
        half = (last.bend[0] - first.bend[0]) / (len(self.lines) - 1) / 2
        return (
            first.point(start, -half),
            first.point(end, -half),
            last.point(end, half),
            last.point(start, half),
        )


def find_zones(image: Grey, weights: Weights) -> list[Zone]:
    """Candidates in an image of any size, the likeliest first; [] where nothing looks like lines of a zone."""
    scale = min(SIDE_MAX / max(image.shape), 1.5)
    interpolation = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    small = cv2.resize(image, None, fx=scale, fy=scale, interpolation=interpolation)
    height, width = small.shape
    padded = cv2.copyMakeBorder(small, 0, -height % 8, 0, -width % 8, cv2.BORDER_REPLICATE).astype(np.float32)
    padded -= padded.mean()
    padded /= max(float(padded.std()), 8.0)
    pieces = _pieces(locate_lines(padded, weights))
    return _zones(pieces, STRIDE * image.shape[1] / width)[:CANDIDATES_MAX]


def zones_in_windows(image: Grey, weights: Weights) -> Iterator[Zone]:
    """The likeliest zone of each of nine overlapping windows, where the image is large enough for windows to show more.

    In a window half as wide and high a small document is twice as large. A zone that is found twice comes twice.
    """
    height, width = image.shape
    if max(height, width) < WINDOWS_FROM:
        return
    for top in (0, height // 4, height // 2):
        for left in (0, width // 4, width // 2):
            window = image[top : top + height // 2, left : left + width // 2]
            shift = np.array([left, top], np.float32)
            for zone in find_zones(window, weights)[:1]:
                yield Zone(tuple(replace(line, origin=line.origin + shift) for line in zone.lines))


@dataclass(frozen=True, slots=True)
class _Piece:
    """Connected cells of core: places (cells, 2), x before y, and how likely each is."""

    places: Floats
    likely: Floats
    along: Floats
    length: float


def _pieces(likely: Floats) -> list[_Piece]:
    """Elongated pieces, the longest first."""
    count, labels, stats, _ = cv2.connectedComponentsWithStats((likely > CORE).astype(np.uint8), connectivity=8)
    order = sorted(range(1, count), key=lambda at: -int(stats[at, cv2.CC_STAT_AREA]))[:PIECES_MAX]
    found: list[_Piece] = []
    for number in order:
        left, top, wide, high, area = (int(part) for part in stats[number])
        if area < CELLS_MIN:
            break
        y, x = np.nonzero(labels[top : top + high, left : left + wide] == number)
        places = np.stack([x + left + 0.5, y + top + 0.5], 1).astype(np.float32)
        weight = likely[y + top, x + left]
        middle = np.average(places, axis=0, weights=weight)
        spread, axes = np.linalg.eigh(np.cov((places - middle).T, aweights=weight) + np.eye(2) * 1e-3)
        if spread[1] > 6 * spread[0]:
            along = axes[:, 1].astype(np.float32)
            found.append(_Piece(places, weight, along, float(np.sqrt(12 * spread[1]))))
    return sorted(found, key=lambda piece: -piece.length)


def _zones(pieces: list[_Piece], cell: float) -> list[Zone]:
    """Zones around the longest pieces, in pixels of the image; `cell` is the size of a cell there."""
    zones: list[tuple[float, Zone]] = []
    used: set[int] = set()
    for number, piece in enumerate(pieces):
        if number in used or len(zones) >= 2 * CANDIDATES_MAX:
            continue
        along = piece.along if _rightward(piece.along) else -piece.along
        family = [at for at, other in enumerate(pieces) if abs(float(other.along @ along)) > np.cos(PARALLEL)]
        lines, members = _lines([pieces[at] for at in family], piece, along)
        used |= {family[at] for at in members} | {number}
        zones.extend(_groups(lines, cell))
    return [zone for _, zone in sorted(zones, key=lambda each: -each[0])]


def _rightward(along: Floats) -> bool:
    """Which of the two ways to read is tried first: to the right, or where the line stands upright, upwards."""
    return bool(along[0] > abs(along[1]) or (abs(along[0]) <= abs(along[1]) and along[1] < 0))


def _lines(family: list[_Piece], leader: _Piece, along: Floats) -> tuple[list[tuple[Line, float]], set[int]]:
    """Lines parallel to the leader, top to bottom, with their weight, in cells; and which pieces are near it."""
    if leader.length < WHOLE:
        along = _common_direction(family, along)
    across = np.array([-along[1], along[0]], np.float32)
    origin = np.average(leader.places, axis=0, weights=leader.likely).astype(np.float32)
    s_leader, t_leader = (leader.places - origin) @ along, (leader.places - origin) @ across
    shape = np.polyfit(s_leader, t_leader, 2 if leader.length >= WHOLE else 0, w=leader.likely)
    offsets: list[float] = []
    for piece in family:
        s, t = (piece.places - origin) @ along, (piece.places - origin) @ across
        offsets.append(float(np.average(t - np.polyval(shape, s), weights=piece.likely)))
    near = [at for at, offset in enumerate(offsets) if abs(offset) < 3 * SPACING[1] * leader.length]
    near.sort(key=lambda at: offsets[at])
    gap = max(SPACING[0] * leader.length * 0.6, GAP_WHOLE if leader.length >= WHOLE else GAP_PIECES)
    clusters: list[list[int]] = []
    for at in near:
        if clusters and offsets[at] - offsets[clusters[-1][-1]] < gap:
            clusters[-1].append(at)
        else:
            clusters.append([at])
    axes = (origin, along, across)
    joined = (_joined([family[at] for at in cluster], leader.length, along) for cluster in clusters)
    return [_line(pieces, shape, axes) for pieces in joined if pieces], set(near)


def _common_direction(family: list[_Piece], along: Floats) -> Floats:
    """Of lines that lie in pieces, the longer ones counting more: a short one's own is too uncertain to follow far."""
    total = sum((piece.length**2 * np.sign(piece.along @ along) * piece.along for piece in family), np.zeros(2))
    return np.asarray(total / np.linalg.norm(total), np.float32)


def _joined(pieces: list[_Piece], length: float, along: Floats) -> list[_Piece]:
    """Those that make one line as long as the leader; () when they do not. What lies beyond a gap is only noise."""
    kept: list[_Piece] = []
    rest = sorted(pieces, key=lambda piece: -piece.length)
    start = end = float(np.median(rest[0].places @ along))
    while rest:
        near = [piece for piece in rest if _goes_on(piece, along, (start, end), length)] if kept else rest[:1]
        if not near:
            break
        for piece in near:
            s = piece.places @ along
            start, end = min(start, float(s.min())), max(end, float(s.max()))
        kept += near
        rest = [piece for piece in rest if not any(piece is each for each in near)]
    return kept if end - start > OVERLAP_MIN * length else []


def _goes_on(piece: _Piece, along: Floats, so_far: tuple[float, float], length: float) -> bool:
    """Whether the piece continues a line from `so_far[0]` to `so_far[1]`."""
    s = piece.places @ along
    gap = max(float(s.min()) - so_far[1], so_far[0] - float(s.max()))
    return gap < (LONG_GAP if piece.length > LONG_PIECE * length else GAP) * length


def _line(pieces: list[_Piece], shape: Floats, axes: tuple[Floats, Floats, Floats]) -> tuple[Line, float]:
    """One line through all its pieces: the leader's bend, with an offset and a slope of its own."""
    origin, along, across = axes
    places = np.concatenate([piece.places for piece in pieces]) - origin
    likely = np.concatenate([piece.likely for piece in pieces])
    s, t = places @ along, places @ across
    start, end = float(s.min()) - 0.35, float(s.max()) + 0.35
    more = np.polyfit(s, t - np.polyval(shape, s), 1 if end - start > LENGTH_MIN else 0, w=likely)
    bend = np.zeros(3)
    bend[: len(shape)] += shape[::-1]
    bend[: len(more)] += more[::-1]
    line = Line(origin, along, across, (float(bend[0]), float(bend[1]), float(bend[2])), start, end)
    return line, float(likely.sum())


def _groups(lines: list[tuple[Line, float]], cell: float) -> list[tuple[float, Zone]]:
    """Three or two neighbouring lines that could be a zone, each with how much speaks for it."""
    found: list[tuple[float, Zone]] = []
    for count in (3, 2):
        for first in range(len(lines) - count + 1):
            chosen = [line for line, _ in lines[first : first + count]]
            if _could_be_zone(chosen):
                weight = sum(each for _, each in lines[first : first + count]) * (1.0 if count == 3 else 0.9)
                found.append((weight, Zone(tuple(_in_image(line, chosen, cell) for line in chosen))))
    return found


def _could_be_zone(lines: list[Line]) -> bool:
    """Long enough, one above the other, evenly apart."""
    length = float(np.median([line.end - line.start for line in lines]))
    if length < LENGTH_MIN:
        return False
    for line in lines:
        overlap = min(line.end, lines[0].end) - max(line.start, lines[0].start)
        if overlap < OVERLAP_MIN * length:
            return False
    middle = float(np.mean([(line.start + line.end) / 2 for line in lines]))
    gaps = [below.offset_at(middle) - above.offset_at(middle) for above, below in pairwise(lines)]
    even = max(gaps) < 1.5 * min(gaps)
    return even and all(SPACING[0] * length < gap < SPACING[1] * length for gap in gaps)


def _in_image(line: Line, together: list[Line], cell: float) -> Line:
    """In pixels of the image; lines of a zone begin and end alike: where one ends in glare, the others count."""
    starts, ends = [each.start for each in together], [each.end for each in together]
    start, end = (float(np.median(starts)), float(np.median(ends))) if len(together) > 2 else (min(starts), max(ends))
    constant, slope, curve = line.bend
    bend = (constant * cell, slope, curve / cell)
    return Line(line.origin * np.float32(cell), line.along, line.across, bend, start * cell, end * cell)
