"""Stage 1 of 8: scan - what the camera sees: image -> the zone's lines, how surely each character, and where it stands.

Locate, straighten, recognise, place, straighten once more where it helps, decode under the check digits. A second
reading, independent of the scanner's; when in doubt it says so rather than guess.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import chain, islice
from typing import Final

import cv2
import numpy as np
from msgspec import Struct

from appliance.model import ZoneGeometry
from appliance.ocr.decoding import Decoded, decode
from appliance.ocr.geometry import measure
from appliance.ocr.mending import SPACING_CHARACTERS, mend
from appliance.ocr.network import STRIDE, Floats, Grey, load_weights, recognise
from appliance.ocr.partial import (
    THERE_MIN,
    VOUCHED_MIN,
    doubt_edges,
    in_place,
    is_legible,
    seen_of,
    trust,
    unseen_words,
    zones_around,
)
from appliance.ocr.placing import FRAMES, ODDS_MAX, Placed, characters_at, place
from appliance.ocr.strips import STRIP_HEIGHT, STRIP_PITCH, cut_strip
from appliance.ocr.zones import Line, Zone, find_zones, zones_in_windows
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
OTHERS_MAX: Final = 2
"""Zones elsewhere in the picture that are looked at when one is read: each costs some milliseconds."""
ATTEMPTS_MAX: Final = 16
"""Of reading a zone of one picture; each way up, and each number of characters, is one. Where a picture is in disorder
much looks like a zone, and one that is there is read at the first attempt nearly always."""
SPARED_FOR_WINDOWS: Final = 4
"""Of them, so that a small page is found in however restless a picture."""
SPARED_FOR_PARTS: Final = 2
"""And so that what is left of a zone is read that is not wholly to be seen."""
SMALL: Final = 0.5
"""Of the picture's longer side: where the zone is shorter, there is room for another document beside it."""
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
        zone: Where it was read; None when nothing was.
        centres: For each line how far along it each character stands, in pixels.
        geometry: How it is printed; None where characters are in doubt, or the image is too coarse.
        another: Another document is in the picture, too.
    """

    lines: tuple[str, ...] = ()
    raw: tuple[str, ...] = ()
    confidences: tuple[tuple[float, ...], ...] = ()
    box: tuple[tuple[float, float], ...] = ()
    doubt: bool = True
    why: str = ""
    zone: Zone | None = None
    centres: tuple[Floats, ...] = ()
    geometry: ZoneGeometry | None = None
    another: bool = False


NOTHING: Final = MrzImageReading(why="no printed lines are in the picture.")
ILLEGIBLE: Final = MrzImageReading(why="the printed lines are too unclear to be read.")
TWO_DOCUMENTS: Final = "Two documents are in the picture: leave one."


@dataclass(frozen=True, slots=True)
class _Attempt:
    """One zone read with one number of characters a line.

    Attributes:
        centres: For each line how far along it each character stands, in pixels of the image.
        there: For each character by how many nats it is likelier that one stands there than that none does.
    """

    zone: Zone
    decoded: Decoded
    centres: tuple[Floats, ...]
    count: int
    fit: float
    there: Floats

    @property
    def worth(self) -> float:
        """To choose between attempts: how sure the characters are, and whether the check digits agree."""
        sure = float(np.log(np.maximum(self.decoded.confidences, 1e-3)).mean())
        return sure + 0.1 * min(self.fit, 3.0) + (0.5 if self.decoded.holds else 0.0) - (self.decoded.layout is None)

    @property
    def clear(self) -> bool:
        """Good enough to look no further."""
        return self.decoded.holds and float(self.decoded.confidences.min()) > GATE_CHECKED

    @property
    def seen(self) -> Decoded:
        """Without what is not to be seen."""
        return seen_of(self.decoded, self.there)

    @property
    def whole(self) -> bool:
        """Every character is to be seen."""
        return bool((self.there >= THERE_MIN).all())

    @property
    def trust(self) -> tuple[int, bool, bool]:
        """As partial.trust, of what is seen."""
        return trust(self.seen, len(self.zone.lines))

    @property
    def sure(self) -> bool:
        """Every character is: where a check digit does not hold all the same, no other zone is a better one."""
        return self.decoded.layout is not None and float(self.decoded.confidences.min()) > SURE

    def scaled(self, scale: float) -> "_Attempt":
        """The same in an image `scale` times as large."""
        return replace(self, zone=self.zone.scaled(scale), centres=tuple(each * scale for each in self.centres))


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
    whole = find_zones(grey, load_weights("locator"))
    search = _Search(grey)
    search.look_at(whole, spare=SPARED_FOR_WINDOWS + SPARED_FOR_PARTS)
    search.look_for_parts(spare=SPARED_FOR_WINDOWS)
    if not search.over:
        search.look_at(zones_in_windows(grey, load_weights("locator")))
    best = search.best
    if best is None or (best.fit < 0 and not best.clear):
        return NOTHING
    if not best.clear:
        best = max((best, *search.parts), key=lambda each: (*each.trust, each.whole))
        return _judged(best, grey)
    return _judged(best, grey, another=_another_document(grey, best.zone, whole))


def _parts(grey: Grey, located: Zone) -> Iterator[_Attempt]:
    """What is seen of it, in its places of each format, this way up and the other."""
    for way in (located, located.turned()):
        small, coarse = _coarse(grey, way)
        for zone, count in zones_around(small, coarse):
            part = _read_zone(small, zone, count).scaled(grey.shape[1] / small.shape[1])
            moved = in_place(part.seen, len(zone.lines))
            yield replace(part, decoded=moved, there=np.where(moved.confidences > 0, ODDS_MAX, -ODDS_MAX))


@dataclass(slots=True)
class _Search:
    """The best attempt so far, what else may be a part of a zone, and how many more attempts there may be."""

    grey: Grey
    best: _Attempt | None = None
    parts: tuple[_Attempt, ...] = ()
    left: int = ATTEMPTS_MAX

    @property
    def over(self) -> bool:
        """Nothing better is to be found."""
        return self.best is not None and (self.best.clear or self.best.sure)

    def look_at(self, zones: Iterable[Zone], *, spare: int = 0) -> None:
        """Read one zone after the other until it is over, or but `spare` attempts are left."""
        for zone in zones:
            for attempt in islice(_attempts(self.grey, zone), self.left - spare):
                self.left -= 1
                if self.best is None or attempt.worth > self.best.worth:
                    self.best = attempt
                if self.best.clear:
                    return
            if self.over or self.left == spare:
                return

    def look_for_parts(self, *, spare: int) -> None:
        """Where hardly a check digit vouches for the best, look for what is left of a zone that is not wholly seen."""
        best = self.best
        if best is not None and not best.clear and not (best.whole and best.trust[0] >= VOUCHED_MIN and best.trust[2]):
            self.parts = tuple(islice(_parts(self.grey, best.zone), self.left - spare))
            self.left -= len(self.parts)


def _another_document(grey: Grey, read: Zone, zones: list[Zone]) -> bool:
    """Whether a zone elsewhere in the picture reads as well: nobody can know which document is meant."""
    elsewhere = iter([zone for zone in zones if not zone.overlaps(read)][:OTHERS_MAX])
    if read.lines[0].end - read.lines[0].start < SMALL * max(grey.shape):
        windows = zones_in_windows(grey, load_weights("locator"))
        elsewhere = chain(elsewhere, (zone for zone in windows if not zone.overlaps(read)))
    attempts = (attempt for zone in elsewhere for attempt in _as_located(*_coarse(grey, zone)))
    return any(attempt.clear for attempt in islice(attempts, ATTEMPTS_MAX))


def _attempts(grey: Grey, zone: Zone) -> Iterator[_Attempt]:
    """As located, this way up and the other; then, the better way up, measured anew and with another number."""
    small, coarse = _coarse(grey, zone)
    scale = small.shape[1] / grey.shape[1]
    ways: list[_Attempt] = []
    for attempt in _as_located(small, coarse):
        ways.append(attempt)
        yield attempt.scaled(1 / scale)
    better = max(ways, key=lambda attempt: attempt.worth).zone
    mended = mend(small, better)
    if mended is not None:
        yield _read_zone(small, *mended).scaled(1 / scale)
    for count in _counts(coarse)[1:]:
        yield _read_zone(small, better, count).scaled(1 / scale)


def _coarse(grey: Grey, zone: Zone) -> tuple[Grey, Zone]:
    """The same where characters are fine; made coarser where they are larger than the networks know them."""
    pitch = zone.spacing / SPACING_CHARACTERS
    if pitch <= PITCH_MAX:
        return grey, zone
    scale = PITCH_MAX / 1.3 / pitch
    small = cv2.resize(grey, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA).astype(np.uint8)
    return small, zone.scaled(scale)


def _as_located(grey: Grey, zone: Zone) -> Iterator[_Attempt]:
    """With the likelier number of characters, this way up and the other."""
    for way in (zone, zone.turned()):
        yield _read_zone(grey, way, _counts(zone)[0])


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
    attempt = _attempt(zone, answers, placed, columns)
    if attempt.fit < GOOD_FIT or float(attempt.decoded.confidences.min()) > SURE:
        return attempt
    second = _attempt(zone, *_again(image, zone, columns, strips, placed))
    return second if second.worth > attempt.worth else attempt


def _attempt(zone: Zone, answers: Sequence[Floats], placed: Sequence[Placed], columns: Sequence[Floats]) -> _Attempt:
    count = len(placed[0].frames)
    places = np.concatenate([characters_at(a, each.frames) for a, each in zip(answers, placed, strict=True)])
    centres = tuple(
        _at(along, each.frames * STRIDE + (STRIDE - 1) / 2) for along, each in zip(columns, placed, strict=True)
    )
    fit = float(np.mean([each.fit for each in placed]))
    there = np.concatenate([each.there for each in placed])
    return _Attempt(zone, decode(places, len(zone.lines), count), centres, count, fit, there)


def _at(values: Floats, where: Floats) -> Floats:
    """Between two of the values."""
    return np.interp(where, np.arange(len(values)), values)


def _columns(line: Line, count: int) -> Floats:
    """Where each column of the strip lies along the line."""
    pitch = (line.end - line.start) / count
    at = (np.arange(int((count + 2 * MARGIN) * STRIP_PITCH)) + 0.5) / STRIP_PITCH - MARGIN
    return (line.start + at * pitch).astype(np.float32)


def _again(
    image: Grey, zone: Zone, columns: list[Floats], strips: list[Floats], placed: Sequence[Placed]
) -> tuple[list[Floats], tuple[Placed, ...], list[Floats]]:
    """Straighten by what the first pass saw: characters evenly apart, the line in the middle of its strip."""
    answers: list[Floats] = []
    straightened: list[Floats] = []
    count = len(placed[0].frames)
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
        straightened.append(places.astype(np.float32))
        answers.append(recognise(cut_strip(image, line, straightened[-1], rise), load_weights("recogniser")))
    return answers, place(answers, MARGIN, count), straightened


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


def _judged(attempt: _Attempt, image: Grey, *, another: bool = False) -> MrzImageReading:
    """The reading, with what is in doubt about it, and how the zone is printed."""
    decoded, count = seen_of(attempt.decoded, attempt.there), attempt.count
    why = TWO_DOCUMENTS if another else unseen_words(int((attempt.there < THERE_MIN).sum())) or doubt_of(decoded)
    if why and not another and not is_legible(decoded, len(attempt.zone.lines)):
        return ILLEGIBLE
    sure = doubt_edges(decoded, len(attempt.zone.lines)).confidences
    measurable = not another and attempt.whole and (attempt.sure or not why)
    return MrzImageReading(
        lines=split(decoded.text, count),
        raw=split(decoded.read, count),
        confidences=tuple(
            tuple(round(float(each), 4) for each in sure[at : at + count]) for at in range(0, len(sure), count)
        ),
        box=attempt.zone.corners(),
        doubt=bool(why),
        why=why,
        zone=attempt.zone,
        centres=attempt.centres,
        geometry=measure(image, attempt.zone, attempt.centres, decoded.text) if measurable else None,
        another=another,
    )


def split(text: str, count: int) -> tuple[str, ...]:
    """Joined lines of `count` characters, each for itself."""
    return tuple(text[at : at + count] for at in range(0, len(text), count))


def doubt_of(decoded: Decoded) -> str:
    """What is in doubt, in words without personal data; "" for nothing."""
    if decoded.layout is None:
        return "The lines are of no known format."
    if not decoded.holds:
        return "As it reads them, a check digit does not hold."
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
