"""Cuts what the two networks learn from out of drawn pages, and keeps it as one file a shard."""

import random
from pathlib import Path
from typing import Final

import cv2
import numpy as np

from tests.training.pages import CHARACTERS, Page, draw_page

STRIP_PITCH: Final = 16
STRIP_HEIGHT: Final = 48
"""Taller than what the network sees, so that training can shift and stretch."""
MARGIN: Final = 2
"""Characters before the first and after the last."""
STRIP_WIDTH: Final = (44 + 2 * MARGIN) * STRIP_PITCH
VIEW: Final = 352
"""Side of the square that the locator learns from, in pixels."""
STRIDE: Final = 4


def cut_strip(page: Page, line: int) -> np.ndarray:
    """The line, straight, 16 pixels a character; shorter lines leave the rest of (48, 768) black."""
    centres = page.centres[line]
    count = len(centres)
    at = (np.arange((count + 2 * MARGIN) * STRIP_PITCH) + 0.5) / STRIP_PITCH - MARGIN - 0.5
    inside = np.clip(at, 0, count - 1)
    index = np.arange(count)
    along = np.gradient(centres, axis=0)
    curve = np.stack([np.interp(inside, index, centres[:, axis]) for axis in (0, 1)], 1)
    tangent = np.stack([np.interp(inside, index, along[:, axis]) for axis in (0, 1)], 1)
    curve += tangent * (at - inside)[:, None]
    normal = np.stack([-tangent[:, 1], tangent[:, 0]], 1) / STRIP_PITCH
    rows = np.arange(STRIP_HEIGHT) - STRIP_HEIGHT / 2 + 0.5
    places = (curve[None] + normal[None] * rows[:, None, None]).astype(np.float32)
    strip = np.zeros((STRIP_HEIGHT, STRIP_WIDTH), np.uint8)
    strip[:, : places.shape[1]] = cv2.remap(
        page.image, places[..., 0], places[..., 1], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
    )
    return strip


def cut_view(page: Page, chance: random.Random) -> tuple[np.ndarray, np.ndarray]:
    """A square of the page at the locator's scale, and how much of each 4 x 4 cell is the core of a line."""
    scale = chance.uniform(5.0, 13.0) / page.pitch
    image = cv2.resize(
        page.image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    )
    mask = np.zeros(image.shape, np.uint8)
    pitch = page.pitch * scale
    for row in page.centres:
        step = (row[1:] - row[:-1]).mean(axis=0)
        points = np.concatenate([row[:1] - step / 2, row, row[-1:] + step / 2]) * scale
        points = np.round(points * 16).astype(np.int32)
        thick = max(round(pitch * 0.6), 2)
        cv2.polylines(mask, [points], isClosed=False, color=255, thickness=thick, lineType=cv2.LINE_AA, shift=4)
    centre = np.concatenate(page.centres).mean(axis=0) * scale
    left = int(centre[0] - VIEW / 2 + chance.uniform(-0.4, 0.4) * VIEW)
    top = int(centre[1] - VIEW / 2 + chance.uniform(-0.4, 0.4) * VIEW)
    fit = np.array([[1, 0, -left], [0, 1, -top]], np.float32)
    view = cv2.warpAffine(image, fit, (VIEW, VIEW), borderMode=cv2.BORDER_CONSTANT, borderValue=chance.randrange(256))
    mask = cv2.warpAffine(mask, fit, (VIEW, VIEW))
    return view, cv2.resize(mask, (VIEW // STRIDE, VIEW // STRIDE), interpolation=cv2.INTER_AREA)


def hardness_of(chance: random.Random) -> float:
    """About half light and half heavy."""
    return chance.uniform(0, 0.5) if chance.random() < 0.45 else chance.uniform(0.5, 1.05)


def write_shard(path: Path, seed: int, pages: int) -> None:
    """`pages` pages: their strips with their text, and one view of each."""
    strips, texts, views, masks = [], [], [], []
    for number in range(pages):
        chance = random.Random(seed * 1_000_003 + number)
        page = draw_page(seed * 1_000_003 + number, hardness_of(chance))
        for line, text in enumerate(page.lines):
            strips.append(cut_strip(page, line))
            texts.append([CHARACTERS.index(c) for c in text] + [-1] * (44 - len(text)))
        view, mask = cut_view(page, chance)
        views.append(view)
        masks.append(mask)
    np.savez(
        path, strips=np.stack(strips), texts=np.array(texts, np.int8), views=np.stack(views), masks=np.stack(masks)
    )
