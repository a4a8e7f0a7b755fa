"""Stage 1 of 8: scan - what the camera sees: image -> the zone's lines, how surely each character, and where it stands.

Locate, straighten, recognise, place, straighten once more where it helps, decode under the check digits. A second
reading, independent of the scanner's; when in doubt it says so rather than guess.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

import cv2
import numpy as np
from msgspec import Struct

from appliance.ocr.decoding import Decoded, decode
from appliance.ocr.mending import SPACING_CHARACTERS, mend
from appliance.ocr.network import CHARACTERS, Floats, Grey, load_weights, recognise
from appliance.ocr.placing import FRAMES, Placed, characters_at, place
from appliance.ocr.strips import STRIP_HEIGHT, STRIP_PITCH, cut_strip
from appliance.ocr.zones import Line, Zone, find_zones
from appliance.parse.layouts import Layout

SIDE_MIN: Final = 64
SIDE_MAX: Final = 12_000
"""Pixels of an image's sides; the bound on the bytes stands in pictures.py."""
MARGIN: Final = 3.0
"""Characters of the strip before the first one and behind the last."""
PITCH_MAX: Final = 26.0
"""Pixels a character; finer images are made coarser first, as the networks know them."""
WIDTHS: Final = {3: (30,), 2: (44, 36)}
"""Characters a line, by the number of lines."""
GOOD_FIT: Final = 1.0
"""Nats: below this the lines are not of so many characters."""
SURE: Final = 0.95
"""Where every character is as sure as this, the zone is not straightened again."""
GATE_READ: Final = 0.85
"""A character that no check digit vouches for is in doubt below this."""
GATE_CHECKED: Final = 0.35
"""The same for one that a check digit covers, when all hold."""


class MrzImageReading(Struct, frozen=True, kw_only=True):
    """What one image shows.

    Attributes:
        lines: Two or three lines of the zone; () when none could be read at all.
        raw: The same as read, before the check digits had their say: where it differs, a character was put right.
        confidences: For each character of `lines`, from 0 to 1, how likely it is by the image alone.
        box: The zone's corners in the image, (x, y), from the first character on clockwise; () without a zone.
        doubt: Somebody should look before these lines count as read.
        why: What is in doubt, in words without personal data; "" without doubt.
    """

    lines: tuple[str, ...] = ()
    raw: tuple[str, ...] = ()
    confidences: tuple[tuple[float, ...], ...] = ()
    box: tuple[tuple[float, float], ...] = ()
    doubt: bool = True
    why: str = ""


NOTHING: Final = MrzImageReading(why="No machine readable zone was found in the picture.")


@dataclass(frozen=True, slots=True)
class _Attempt:
    """One zone read with one number of characters a line."""

    zone: Zone
    decoded: Decoded
    places: Floats
    count: int
    fit: float

    @property
    def worth(self) -> float:
        """To choose between attempts: how sure the characters are, and whether the check digits agree."""
        sure = float(np.log(np.maximum(self.decoded.confidences, 1e-3)).mean())
        return sure + 0.1 * min(self.fit, 3.0) + (0.5 if self.decoded.holds else 0.0) - (self.decoded.layout is None)

    @property
    def clear(self) -> bool:
        """Good enough to look no further."""
        return self.decoded.holds and float(self.decoded.confidences.min()) > GATE_CHECKED


def read_mrz(image: Grey) -> MrzImageReading:
    """Read the zone of the document in this image.

    Args:
        image: (height, width) grey or (height, width, 3) of any order of colours, uint8; any turn of a quarter, and a
            few degrees beside. Sides of SIDE_MIN to SIDE_MAX pixels; anything else is answered with NOTHING.
    """
    if (
        image.dtype != np.uint8
        or image.ndim not in (2, 3)
        or not SIDE_MIN <= min(image.shape[:2]) <= max(image.shape[:2]) <= SIDE_MAX
    ):
        return NOTHING
    grey = image if image.ndim == 2 else np.ascontiguousarray(image[:, :, 1])
    best: _Attempt | None = None
    for zone in find_zones(grey, load_weights("locator")):
        for attempt in _attempts(grey, zone):
            if best is None or attempt.worth > best.worth:
                best = attempt
            if best.clear:
                return _judged(best)
    return NOTHING if best is None or best.fit < 0 else _judged(best)


def _attempts(grey: Grey, zone: Zone) -> Iterator[_Attempt]:
    """As located, this way up and the other; then, the better way up, measured anew and with another number."""
    pitch = zone.spacing / SPACING_CHARACTERS
    if pitch > PITCH_MAX:
        scale = PITCH_MAX / 1.3 / pitch
        fine = zone
        small = cv2.resize(grey, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA).astype(np.uint8)
        yield from (replace(each, zone=each.zone.scaled(1 / scale)) for each in _attempts(small, fine.scaled(scale)))
        return
    counts = _counts(zone)
    ways: list[_Attempt] = []
    for way in (zone, zone.turned()):
        ways.append(_read_zone(grey, way, counts[0]))
        yield ways[-1]
    better = max(ways, key=lambda attempt: attempt.worth).zone
    mended = mend(grey, better)
    if mended is not None:
        yield _read_zone(grey, *mended)
    if len(counts) > 1:
        yield _read_zone(grey, better, counts[1])


def _counts(zone: Zone) -> tuple[int, ...]:
    """Characters a line, the likelier first."""
    widths = WIDTHS[len(zone.lines)]
    guess = (zone.lines[0].end - zone.lines[0].start) / max(zone.spacing, 1.0) * SPACING_CHARACTERS
    return tuple(sorted(widths, key=lambda width: abs(np.log(guess / width))))


def _read_zone(image: Grey, zone: Zone, count: int) -> _Attempt:
    """One attempt; straightened once more where it looks like a zone and not every character is sure."""
    columns = [_columns(line, count) for line in zone.lines]
    strips = [cut_strip(image, line, places) for line, places in zip(zone.lines, columns, strict=True)]
    answers = [recognise(strip, load_weights("recogniser")) for strip in strips]
    placed = place(answers, MARGIN, count)
    attempt = _attempt(zone, answers, placed, count)
    if attempt.fit < GOOD_FIT or float(attempt.decoded.confidences.min()) > SURE:
        return attempt
    second = _attempt(zone, *_again(image, zone, columns, strips, placed, count), count)
    return second if second.worth > attempt.worth else attempt


def _attempt(zone: Zone, answers: Sequence[Floats], placed: Sequence[Placed], count: int) -> _Attempt:
    places = np.concatenate([characters_at(a, each.frames) for a, each in zip(answers, placed, strict=True)])
    fit = float(np.mean([each.fit for each in placed]))
    return _Attempt(zone, decode(places, len(zone.lines), count), places, count, fit)


def _columns(line: Line, count: int) -> Floats:
    """Where each column of the strip lies along the line."""
    pitch = (line.end - line.start) / count
    at = (np.arange(int((count + 2 * MARGIN) * STRIP_PITCH)) + 0.5) / STRIP_PITCH - MARGIN
    return (line.start + at * pitch).astype(np.float32)


def _again(
    image: Grey, zone: Zone, columns: list[Floats], strips: list[Floats], placed: Sequence[Placed], count: int
) -> tuple[list[Floats], tuple[Placed, ...]]:
    """Straighten by what the first pass saw: characters evenly apart, the line in the middle of its strip."""
    answers = []
    for line, before, strip, where in zip(zone.lines, columns, strips, placed, strict=True):
        index = np.arange(count)
        even = np.polyval(np.polyfit(index, where.frames, 3), index)
        at = (np.arange(len(before)) + 0.5) / STRIP_PITCH - MARGIN - 0.5
        inside = np.clip(at, 0, count - 1)
        frame = np.interp(inside, index, even) + (at - inside) * FRAMES
        column = frame * 4 + 1.5
        places = np.interp(column, np.arange(len(before)), before)
        step = float(before[1] - before[0])
        places += np.where(column < 0, column * step, 0) + np.where(
            column > len(before) - 1, (column - len(before) + 1) * step, 0
        )
        rise = _rise(strip)[np.clip(np.round(column).astype(int), 0, len(before) - 1)]
        answers.append(recognise(cut_strip(image, line, places.astype(np.float32), rise), load_weights("recogniser")))
    return answers, place(answers, MARGIN, count)


def _rise(strip: Floats) -> Floats:
    """How many rows below the middle the ink stands, for each column: a slope and a bow through what edges show."""
    edges = np.abs(np.diff(strip, axis=1, append=strip[:, -1:]))
    edges = np.maximum(edges - np.median(edges), 0)
    edges[:4] = 0
    edges[-4:] = 0
    weight = edges.sum(axis=0)
    rows = np.arange(STRIP_HEIGHT) - (STRIP_HEIGHT - 1) / 2
    middle = (edges * rows[:, None]).sum(axis=0) / np.maximum(weight, 1e-6)
    along = np.linspace(-1, 1, strip.shape[1])
    return np.polyval(np.polyfit(along, middle, 2, w=np.sqrt(weight + 1e-6)), along).astype(np.float32)


# --- judgement --------------------------------------------------------------------------------------------------------


def _judged(attempt: _Attempt) -> MrzImageReading:
    """The reading, with what is in doubt about it."""
    decoded, count = attempt.decoded, attempt.count
    why = _why(decoded)
    sure = decoded.confidences
    return MrzImageReading(
        lines=_lines(decoded.text, count),
        raw=_lines(decoded.read, count),
        confidences=tuple(
            tuple(round(float(each), 4) for each in sure[at : at + count]) for at in range(0, len(sure), count)
        ),
        box=attempt.zone.corners(),
        doubt=bool(why),
        why=why,
    )


def _lines(text: str, count: int) -> tuple[str, ...]:
    return tuple(text[at : at + count] for at in range(0, len(text), count))


def _why(decoded: Decoded) -> str:
    """What is in doubt; "" for nothing."""
    if decoded.layout is None:
        return "The lines are of no known format."
    if not decoded.holds:
        return "A check digit does not hold."
    covered = _covered(decoded.layout)
    doubtful = int((decoded.confidences < np.where(covered, GATE_CHECKED, GATE_READ)).sum())
    return f"{doubtful} characters are hard to read." if doubtful else ""


def _covered(layout: Layout) -> np.ndarray:
    """Which positions a check digit vouches for."""
    covered = np.zeros(layout.line_count * layout.width, bool)
    for rule in layout.checks:
        covered[rule.at] = True
        for start, end in rule.covers:
            covered[start:end] = True
    return covered


# --- several frames ---------------------------------------------------------------------------------------------------


def vote(readings: Sequence[MrzImageReading]) -> MrzImageReading:
    """One reading of several frames of the same document: each place by the sum of what speaks for each character.

    Frames whose lines are of another shape than most have no vote. Without any lines at all the first reading stands.
    """
    shapes = [tuple(len(line) for line in reading.lines) for reading in readings if reading.lines]
    if not shapes:
        return readings[0] if readings else NOTHING
    shape = max(shapes, key=shapes.count)
    alike = [reading for reading in readings if tuple(len(line) for line in reading.lines) == shape]
    joined = np.zeros((sum(shape), 37), np.float32)
    for reading in alike:
        joined += _votes(reading)
    joined -= joined.max(axis=1, keepdims=True)
    joined -= np.log(np.exp(joined).sum(axis=1, keepdims=True))
    decoded = decode(joined, len(shape), shape[0])
    best = max(alike, key=lambda reading: min(min(line) for line in reading.confidences))
    why = _why(decoded)
    sure = decoded.confidences
    return MrzImageReading(
        lines=_lines(decoded.text, shape[0]),
        raw=_lines(decoded.read, shape[0]),
        confidences=tuple(
            tuple(round(float(each), 4) for each in sure[at : at + shape[0]]) for at in range(0, len(sure), shape[0])
        ),
        box=best.box,
        doubt=bool(why),
        why=why,
    )


def _votes(reading: MrzImageReading) -> Floats:
    """Log-probabilities that a reading stands for: its character, and the rest shared by all others."""
    text, sure = "".join(reading.lines), np.concatenate([np.array(line) for line in reading.confidences])
    sure = np.clip(sure, 0.03, 0.999)
    votes = np.repeat(np.log((1 - sure) / 36)[:, None], 37, axis=1)
    votes[np.arange(len(text)), [CHARACTERS.index(character) for character in text]] = np.log(sure)
    return votes.astype(np.float32)
