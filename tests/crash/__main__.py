"""`make crash`: the long run. Every operation of many workloads is cut, in every way, until enough cuts have held.

    python -m tests.crash [--cuts 10000] [--seed 1]

A cut that does not hold is printed with what repeats it, and ends the run with exit code 1.
"""

import argparse
import random
import sys
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory

from rich.progress import Progress

from tests.crash.cuts import Luck
from tests.crash.rig import cut_and_recover, work

STEPS = 60
LUCK = (Luck.NOTHING, Luck.EVERYTHING, Luck.ANYTHING, Luck.ANYTHING)


def main() -> int:
    """Run until `--cuts` cuts have held."""
    parser = argparse.ArgumentParser(prog="python -m tests.crash", description=__doc__)
    parser.add_argument("--cuts", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=1, help="of the first workload; each next one counts it up")
    arguments = parser.parse_args()
    done = 0
    with TemporaryDirectory() as folder, Progress() as progress:
        task = progress.add_task("power cuts", total=arguments.cuts)
        for seed in count(arguments.seed):
            worked = work(Path(folder) / f"{seed}.trace", seed=seed, steps=STEPS)
            disk = worked.disk()
            for at in range(worked.begins, len(disk) + 1):
                for number, luck in enumerate(LUCK):
                    chance = random.Random(f"{seed} {at} {number}")
                    try:
                        cut_and_recover(worked, disk, at, luck, chance)
                    except Exception as error:
                        progress.stop()
                        print(f"seed {seed}, operation {at}, {luck.value}: {type(error).__name__}: {error}")
                        raise
                    done += 1
                    progress.advance(task)
                    if done == arguments.cuts:
                        print(f"{done} power cuts in {seed - arguments.seed + 1} workloads: nothing promised was lost")
                        return 0
    raise AssertionError("workloads never end")


if __name__ == "__main__":
    sys.exit(main())
