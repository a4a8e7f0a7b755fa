"""Several images of one page -> one reading: each place by all that speaks for each character there.

Images of a page that lies still share its wear, its glare and the lens: that they agree makes nothing surer. So a
character is at most as sure as the surest image that saw it: a vote rights what single images see differently, no more.
"""

from collections.abc import Sequence
from dataclasses import replace
from itertools import chain
from typing import Final

import numpy as np
from msgspec import structs

from appliance.model import CameraReading
from appliance.ocr.decoding import decode
from appliance.ocr.network import CHARACTERS, Floats
from appliance.ocr.partial import percent_of, seen_of, unseen_words
from appliance.ocr.placing import ODDS_MAX
from appliance.ocr.reading import TWO_DOCUMENTS, doubt_of, split

SURE_PERCENT: Final = 85
UNSEEN: Final = 0.03
"""How likely a character is that an image did not show."""
OTHERS_MAX: Final = 0.05
"""Share of the characters of which both images are sure that may differ; above, they show two pages."""


def vote(readings: Sequence[CameraReading]) -> CameraReading:
    """One reading of several images, the first one first; it keeps all of the surest image but the characters.

    An image whose lines have another shape than most, or that shows another page, has no vote. Without any lines at
    all the first reading stands. Another document that one of them shows lay there; what none of them shows is unseen.
    """
    shapes = [_shape(reading) for reading in readings if reading.lines]
    if not shapes:
        return readings[0]
    shape = max(shapes, key=shapes.count)
    first, *others = (reading for reading in readings if _shape(reading) == shape)
    alike = [first, *(other for other in others if _same_page(first, other))]
    best = max(alike, key=_least_sure)
    if len(alike) == 1 or len(set(shape)) > 1:
        return best
    joined = np.sum([_votes(reading) for reading in alike], axis=0)
    joined -= joined.max(axis=1, keepdims=True)
    joined -= np.log(np.exp(joined).sum(axis=1, keepdims=True))
    decoded = decode(joined, len(shape), shape[0])
    unseen = np.all([np.frombuffer(reading.percent, np.uint8) == 0 for reading in alike], axis=0)
    decoded = seen_of(decoded, np.where(unseen, -ODDS_MAX, ODDS_MAX))
    surest = np.max([_sure_of(reading, decoded.text) for reading in alike], axis=0)
    decoded = replace(decoded, confidences=np.minimum(decoded.confidences, surest))
    another = any(reading.another for reading in alike)
    why = TWO_DOCUMENTS if another else unseen_words(int(unseen.sum())) or doubt_of(decoded)
    return structs.replace(
        best,
        lines=split(decoded.text, shape[0]),
        raw=split(decoded.read, shape[0]),
        percent=percent_of(decoded.confidences),
        doubt=bool(why),
        why=why,
        images=len(alike),
        another=another,
    )


def _shape(reading: CameraReading) -> tuple[int, ...]:
    return tuple(len(line) for line in reading.lines)


def _least_sure(reading: CameraReading) -> tuple[bool, int]:
    return not reading.doubt, min(reading.percent, default=0)


def _same_page(one: CameraReading, other: CameraReading) -> bool:
    """Whether hardly a character differs of which both are sure: a page can be taken away between two images."""
    sure = [
        a == b
        for a, b, *percent in zip(chain(*one.lines), chain(*other.lines), one.percent, other.percent, strict=True)
        if min(percent) >= SURE_PERCENT
    ]
    return sure.count(False) <= OTHERS_MAX * len(sure)


def _sure_of(reading: CameraReading, text: str) -> Floats:
    """How sure the reading is of each character of the text; hardly, where it saw another."""
    saw = np.array([seen == character for seen, character in zip(chain(*reading.lines), text, strict=True)])
    return np.where(saw, np.frombuffer(reading.percent, np.uint8) / 100, UNSEEN).astype(np.float32)


def _votes(reading: CameraReading) -> Floats:
    """Log-probabilities that a reading stands for: its character, and the rest shared by all others."""
    sure = np.clip(np.frombuffer(reading.percent, np.uint8) / 100, UNSEEN, 0.999)
    votes = np.repeat(np.log((1 - sure) / (len(CHARACTERS) - 1))[:, None], len(CHARACTERS), axis=1)
    votes[np.arange(len(sure)), [CHARACTERS.index(character) for character in chain(*reading.lines)]] = np.log(sure)
    return votes.astype(np.float32)
