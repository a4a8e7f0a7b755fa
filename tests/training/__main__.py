"""`python -m tests.training FOLDER`: draws pages, trains the locator and the recogniser, writes FOLDER/model.npz.

Seeded, on the CPU, within the hour on two cores. Needs what requirements.txt beside this file names and Debian's
fonts-ocr-b. What was drawn stays in FOLDER and is not drawn again. Nothing of this runs on a box or in the tests.
"""

import argparse
import random
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Final

import cv2
import numpy as np
import torch
from torch import nn

from appliance.ocr.strips import normalise
from tests.training.networks import Locator, Recogniser, weights_of
from tests.training.samples import MARGIN, STRIP_PITCH, write_shard

SEED: Final = 20261122
STRIP_BATCH: Final = 24
VIEW_BATCH: Final = 8
WIDTH: Final = 384
BETWEEN: Final = 37
SHARDS: Final = 24
SHARD_PAGES: Final = 200
STEPS: Final = {"locator": 560, "recogniser": 1600}
HELD_MIN: Final = 4
HELD_MAX: Final = 6
RATE: Final = 3e-3

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


def locator_loss(logits: torch.Tensor, masks: torch.Tensor) -> torch.Tensor:
    """Cross-entropy with the rare cells weighed, and their overlap (Dice)."""
    loss = nn.functional.binary_cross_entropy_with_logits(logits, masks, pos_weight=torch.tensor(2.0))
    share = torch.sigmoid(logits)
    overlap = (2 * (share * masks).sum() + 1) / ((share**2).sum() + (masks**2).sum() + 1)
    return loss + 0.3 * (1 - overlap)


def train(
    network: nn.Module,
    batch: Callable[[], Batch],
    loss: Callable[[torch.Tensor, torch.Tensor], torch.Tensor],
    steps: int,
) -> nn.Module:
    """AdamW on one cycle."""
    begun, shown = time.monotonic(), 0.0
    optimiser = torch.optim.AdamW(network.parameters(), lr=RATE, weight_decay=1e-3)
    network.train()
    for step in range(1, steps + 1):
        for group in optimiser.param_groups:
            group["lr"] = RATE * min(1, step / 100 + 0.05) * (0.5 + 0.5 * np.cos(np.pi * step / steps)) + 1e-6
        inputs, wanted = batch()
        value = loss(network(inputs), wanted)
        optimiser.zero_grad()
        value.backward()
        optimiser.step()
        shown = 0.98 * shown + 0.02 * value.item() if step > 1 else value.item()
        if step % 50 == 0:
            print(f"{step} of {steps} steps, {time.monotonic() - begun:.0f} s, loss {shown:.4f}", flush=True)
    return network.eval()


def main() -> None:
    """Draw, train, write."""
    parser = argparse.ArgumentParser(prog="python -m tests.training")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--shards", type=int, default=SHARDS)
    parser.add_argument("--pages", type=int, default=SHARD_PAGES, help="a shard")
    parser.add_argument("--share", type=float, default=1.0, help="of the steps, to try the program out")
    asked = parser.parse_args()
    cv2.setNumThreads(1)
    asked.folder.mkdir(exist_ok=True)
    paths = [asked.folder / f"{number:04}.npz" for number in range(asked.shards)]
    for number, path in enumerate(paths):
        if not path.exists():
            write_shard(path, number, asked.pages)
            print(f"drawn: {path.name}", flush=True)
    steps = {name: max(int(count * asked.share), 1) for name, count in STEPS.items()}
    weights = {}
    for name in ("locator", "recogniser"):
        torch.manual_seed(SEED)
        chance, noise = random.Random(SEED), np.random.default_rng(SEED)
        pool = Pool(paths, chance)
        if name == "locator":
            network = train(Locator(), partial(view_batch, pool, chance), locator_loss, steps[name])
        else:
            loss = nn.CrossEntropyLoss(ignore_index=-100)
            network = train(Recogniser(), partial(strip_batch, pool, chance, noise), loss, steps[name])
        weights |= {f"{name}.{layer}": values for layer, values in weights_of(network).items()}
    np.savez_compressed(asked.folder / "model.npz", **weights)


if __name__ == "__main__":
    main()
