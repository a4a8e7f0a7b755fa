"""`make crash`: power cuts under the real recorder and the real queue, until enough have held.

    python -m tests.crash [--cuts 10000] [--seed 1] [--jobs 2] [--out FOLDER]
    python -m tests.crash --break-sync-order [--seed 1]     each kind of sync ignored: what is lost
    python -m tests.crash --replay FOLDER --at N --luck torn    one cut again

The first workload is cut before every operation in every way; each next one (its seed is one higher) at cuts that its
seed chooses. A cut that does not hold is printed with the command that repeats it, its workload is kept, and the run
ends with exit code 1.
"""

import argparse
import os
import random
import sys
import traceback
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from itertools import count
from pathlib import Path
from tempfile import mkdtemp

from rich.progress import Progress

from tests.crash.campaign import BROKEN, Cut, Worked
from tests.crash.cuts import Luck
from tests.crash.unneeded import UNNEEDED

STEPS = 40
CUTS_OF_ONE = 2_000
SLICE = 100


def main() -> int:
    """Run what was asked for."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.crash", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--cuts", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=1, help="of the first workload; each next one counts it up")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="processes that cut at the same time")
    parser.add_argument("--out", type=Path, help="where workloads are kept (a new temporary folder)")
    parser.add_argument("--break-sync-order", action="store_true", help="ignore one kind of sync after the other")
    parser.add_argument("--replay", type=Path, metavar="FOLDER", help="a workload that was kept")
    parser.add_argument("--at", type=int)
    parser.add_argument("--luck", choices=[luck.value for luck in Luck])
    arguments = parser.parse_args()
    out = arguments.out or Path(mkdtemp(prefix="crash-"))
    if arguments.replay:
        cut = Cut(arguments.at, Luck(arguments.luck))
        return 0 if _held(arguments.replay, [cut]) else 1
    print(f"seed {arguments.seed}; workloads in {out}", flush=True)
    if arguments.break_sync_order:
        return _break(Worked.done(out / f"{arguments.seed}", seed=arguments.seed, steps=0))
    return _campaign(out, arguments.seed, arguments.cuts, arguments.jobs)


def _campaign(out: Path, seed: int, cuts: int, jobs: int) -> int:
    made = Counter[str]()
    workloads = 0
    with Progress() as progress, ProcessPoolExecutor(jobs) as pool:
        bar = progress.add_task("power cuts", total=cuts)
        for worked, chosen in _workloads(out, seed):
            workloads += 1
            some = chosen[: cuts - made.total()]
            parts = [some[start : start + SLICE] for start in range(0, len(some), SLICE)]
            for part, held in zip(parts, pool.map(_held, [worked.folder] * len(parts), parts), strict=True):
                if not held:
                    pool.shutdown(cancel_futures=True)
                    return 1
                made.update(cut.luck.value for cut in part)
                progress.advance(bar, len(part))
            if made.total() == cuts:
                break
    print(f"{made.total()} power cuts in {workloads} workloads ({_table(made)}):")
    print("0 acknowledged records lost, 0 forks, 0 refusals to start, 0 deletions that came back")
    return 0


def _workloads(out: Path, seed: int) -> Iterator[tuple[Worked, list[Cut]]]:
    first = Worked.done(out / f"{seed}", seed=seed, steps=0)
    print(f"workload {seed}: {len(first.boundaries)} operations, cut at each in every way", flush=True)
    yield first, list(first.every())
    for number in count(seed + 1):
        worked = Worked.done(out / f"{number}", seed=number, steps=STEPS)
        yield worked, worked.some(random.Random(number), CUTS_OF_ONE)


def _held(folder: Path, cuts: Sequence[Cut]) -> bool:
    """Make these cuts, in order; False at the first that does not hold."""
    worked = Worked.read(folder)
    disk = worked.disk()
    for cut in cuts:
        try:
            worked.hold(disk, cut)
        except BROKEN:
            traceback.print_exc()
            print(f"python -m tests.crash --replay {folder} --at {cut.at} --luck {cut.luck.value}", flush=True)
            return False
    return True


def _break(worked: Worked) -> int:
    """Ignore each kind of sync; 0 when each is missed, or is one of which it is known why not."""
    kinds = Counter(worked.syncs.values())
    unexplained = 0
    for word, times in kinds.items():
        loss = worked.loss_without(word)
        if loss is None:
            unexplained += word not in UNNEEDED
            print(f"{word:28} {times:4}  not missed: {UNNEEDED.get(word, 'NOBODY KNOWS WHY')}", flush=True)
        else:
            cut, error, _ = loss
            print(f"{word:28} {times:4}  missed ({cut.at} {cut.luck.value}): {error}", flush=True)
    return 1 if unexplained else 0


def _table(made: Counter[str]) -> str:
    return ", ".join(f"{luck.value} {made[luck.value]}" for luck in Luck)


if __name__ == "__main__":
    sys.exit(main())
