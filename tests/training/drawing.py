"""`python -m tests.training.drawing FOLDER FIRST STEP`: draws every STEP-th shard from FIRST on, one thread."""

import sys
from pathlib import Path
from typing import Final

import cv2

from tests.training.samples import write_shard

SHARDS: Final = 24
SHARD_PAGES: Final = 200


def main(folder: Path, first: int, step: int) -> None:
    """Draw, write FOLDER/shard-NN.npz."""
    cv2.setNumThreads(1)
    for number in range(first, SHARDS, step):
        write_shard(folder / f"shard-{number:02}.npz", number, SHARD_PAGES)
        print(f"shard {number} of {SHARDS} drawn", flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))
