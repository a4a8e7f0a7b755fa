"""What the two networks learn from: cuts of drawn pages, each time moved and stretched otherwise, in seeded order."""

import random
from pathlib import Path
from typing import Final

import cv2
import numpy as np
import torch

from appliance.ocr.strips import normalise
from tests.training.samples import MARGIN, STRIP_PITCH

STRIP_BATCH: Final = 24
VIEW_BATCH: Final = 8
WIDTH: Final = 384
BETWEEN: Final = 37
HELD_MIN: Final = 4
HELD_MAX: Final = 6

Batch = tuple[torch.Tensor, torch.Tensor]


class Pool:
    """Shards, a few in memory at a time, in seeded order."""

    def __init__(self, paths: list[Path], chance: random.Random) -> None:
        self._paths, self._chance = paths, chance
        self._held: list[dict[str, np.ndarray]] = []

    def draw(self) -> dict[str, np.ndarray]:
        """One shard; now and then another one is read."""
        if len(self._held) < HELD_MIN or self._chance.random() < 0.04:
            with np.load(self._chance.choice(self._paths)) as file:
                self._held.append({name: file[name] for name in file.files})
            self._held = self._held[-HELD_MAX:]
        return self._chance.choice(self._held)


def strip_batch(pool: Pool, chance: random.Random, noise: np.random.Generator) -> Batch:
    """Strips (N, 1, 32, WIDTH) as a first, imprecise cut gives them, and what each frame shows (-100: not asked)."""
    shard = pool.draw()
    strips, labels = [], []
    for _ in range(STRIP_BATCH):
        number = chance.randrange(len(shard["strips"]))
        text = shard["texts"][number]
        count = int((text >= 0).sum())
        cut, x = _imprecise_cut(shard["strips"][number][:, : (count + 2 * MARGIN) * STRIP_PITCH], chance)
        if chance.random() < 0.3:
            cut += noise.standard_normal(cut.shape).astype(np.float32) * chance.uniform(0, 12)
        strips.append(normalise(cut))
        labels.append(_labels(x, text, count))
    return torch.from_numpy(np.stack(strips)[:, None]), torch.from_numpy(np.stack(labels))


def _imprecise_cut(strip: np.ndarray, chance: random.Random) -> tuple[np.ndarray, np.ndarray]:
    """Shifted, stretched, leaning, bowed and slanted; and where in the strip each column lies."""
    stretch, high = chance.uniform(0.86, 1.15), chance.uniform(0.82, 1.2)
    column = np.arange(WIDTH, dtype=np.float32)
    x = chance.uniform(-10, max(strip.shape[1] - WIDTH / stretch, 0) + 10) + (column + 0.5) / stretch
    x += chance.uniform(0, 3) * np.sin(column / chance.uniform(40, 200) + chance.uniform(0, 6))
    row = np.arange(32, dtype=np.float32) - 15.5
    along = column / (WIDTH / 2) - 1
    lean, bow, slant = chance.gauss(0, 0.008) * WIDTH / 2, chance.gauss(0, 1.0), chance.gauss(0, 0.05)
    rows = (24 + row / high + chance.gauss(0, 1.6))[:, None] + (lean * along + bow * (along**2 - 0.33))[None]
    columns = x[None] + slant * row[:, None]
    places = (columns - 0.5).astype(np.float32), (rows - 0.5).astype(np.float32)
    cut = cv2.remap(strip, *places, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return cut.astype(np.float32), x


def _labels(x: np.ndarray, text: np.ndarray, count: int) -> np.ndarray:
    """For each frame the character in whose middle it lies, BETWEEN, or -100 where neither is clear."""
    place = x.reshape(-1, 4).mean(axis=1) / STRIP_PITCH - MARGIN - 0.5
    nearest = np.round(place).astype(int)
    off = np.abs(place - nearest)
    label = np.full(len(place), -100)
    inside = (nearest >= 0) & (nearest < count)
    middle = inside & (off < 0.27)
    label[middle] = text[nearest[middle]]
    label[(off > 0.38) | ~inside] = BETWEEN
    return label


def view_batch(pool: Pool, chance: random.Random) -> Batch:
    """Views (N, 1, S, S) turned by quarters, and the share of each cell that is a line's core."""
    shard = pool.draw()
    views, masks = [], []
    for _ in range(VIEW_BATCH):
        number, turns = chance.randrange(len(shard["views"])), chance.randrange(4)
        view = shard["views"][number].astype(np.float32)
        if chance.random() < 0.06:
            view = 255 - view
        views.append(np.rot90((view - view.mean()) / max(view.std(), 8.0), turns).copy())
        masks.append(np.rot90(shard["masks"][number].astype(np.float32) / 255, turns).copy())
    return torch.from_numpy(np.stack(views)[:, None]), torch.from_numpy(np.stack(masks)[:, None])
