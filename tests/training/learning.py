"""`python -m tests.training.learning FOLDER locator|recogniser`: trains one network on FOLDER's shards, one thread.

Started by tests.training, which fixes what the bytes depend on: threads and the processor's instructions.
"""

import random
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Final

import cv2
import numpy as np
import torch
from torch import nn

from tests.training.batches import Batch, Pool, strip_batch, view_batch
from tests.training.networks import Locator, Recogniser, weights_of

SEED: Final = 20261122
STEPS: Final = {"locator": 640, "recogniser": 1600}
RATE: Final = 3e-3


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


def main(folder: Path, name: str) -> None:
    """Train, write FOLDER/NAME.npz."""
    cv2.setNumThreads(1)
    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(mode=True)
    torch.manual_seed(SEED)
    chance, noise = random.Random(SEED), np.random.default_rng(SEED)
    pool = Pool(sorted(folder.glob("shard-*.npz")), chance)
    if name == "locator":
        network = train(Locator(), partial(view_batch, pool, chance), locator_loss, STEPS[name])
    else:
        loss = nn.CrossEntropyLoss(ignore_index=-100)
        network = train(Recogniser(), partial(strip_batch, pool, chance, noise), loss, STEPS[name])
    np.savez(folder / f"{name}.npz", **{f"{name}.{layer}": values for layer, values in weights_of(network).items()})


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2])
