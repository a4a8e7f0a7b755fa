"""`python -m tests.fuzz [NAME ... [--minutes M] [--jobs N] [--seed N]]`: parsers against ever new bytes.

Alone, every target for half a second, with the same blind changes each time. With names, with `all`, or with `reading`
for those that read documents: guided by atheris towards branches not taken yet, each in a process of its own, with a
table at the end. What breaks a target's promise, takes too long or too much memory is kept in the folder for temporary
files, and the command ends with 1. Where there is no atheris, `--blind` changes the seeds without a guide.
"""

import argparse
import hashlib
import importlib.util
import random
import shutil
import sys
import tempfile
import time
from pathlib import Path

from rich.console import Console
from rich.table import Table

from tests.fuzz.campaign import Outcome, guide_all
from tests.fuzz.corpus import inputs_of, keep_corpus
from tests.fuzz.mutation import mutate
from tests.fuzz.planted import PLANTED
from tests.fuzz.reading import READING, Target
from tests.fuzz.targets import TARGETS

SHORT_S = 0.5
SEED = 47113
"""Of a run without a name."""
GROUPS = {"all": tuple(TARGETS), "reading": tuple(READING)}


def main() -> int:
    """Run the targets; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description="Parsers against ever new bytes.")
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join((*GROUPS, *TARGETS)))
    parser.add_argument("--minutes", type=float, default=1.0, help="for each target")
    parser.add_argument("--jobs", type=int, default=1, help="targets at a time")
    parser.add_argument("--seed", type=int, default=None, help="to change inputs as another run did")
    parser.add_argument("--blind", action="store_true", help="without atheris")
    parser.add_argument("--keep", action="store_true", help="add the inputs that went a new way to tests/fuzz/corpus")
    arguments = parser.parse_args()
    if not arguments.names:
        return max(_blind(target, name, SHORT_S, SEED) for name, target in TARGETS.items())
    targets = TARGETS | PLANTED
    if unknown := set(arguments.names) - GROUPS.keys() - targets.keys():
        parser.error(f"no target of this name: {', '.join(sorted(unknown))}")
    names = dict.fromkeys(name for given in arguments.names for name in GROUPS.get(given, (given,)))
    seconds = 60 * arguments.minutes
    seed = time.time_ns() % 2**32 if arguments.seed is None else arguments.seed
    if arguments.blind:
        return max(_blind(targets[name], name, seconds, seed) for name in names)
    if not importlib.util.find_spec("atheris"):
        print("There is no atheris here (its wheels are for x86-64 and Python 3.11 to 3.13); --blind does without.")
        return 69
    outcomes = guide_all({name: targets[name] for name in names}, seconds=seconds, seed=seed, jobs=arguments.jobs)
    _show(outcomes, seconds, seed)
    for outcome in outcomes:
        if outcome.finding:
            print(f"{outcome.name} {outcome.finding}: the input is found-* in {outcome.folder}")
            continue
        if arguments.keep:
            found = [path.read_bytes() for path in (outcome.folder / "corpus").iterdir()]
            keep_corpus(outcome.name, targets[outcome.name], found)
        shutil.rmtree(outcome.folder)
    return int(any(outcome.finding for outcome in outcomes))


def _show(outcomes: list[Outcome], seconds: float, seed: int) -> None:
    table = Table(title=f"{seconds:.0f} s each, seed {seed}")
    for heading in ("target", "executions", "edges", "features", "corpus", "slowest", "memory", "finding"):
        table.add_column(heading, justify="left" if heading in ("target", "finding") else "right", overflow="fold")
    for each in outcomes:
        counts = (f"{count:,}" for count in (each.executions, each.edges, each.features, each.corpus))
        table.add_row(each.name, *counts, f"{each.slowest_s} s", f"{each.memory_mb} MB", each.finding or "none")
    Console(width=None if sys.stdout.isatty() else 140).print(table)


def _blind(target: Target, name: str, seconds: float, seed: int) -> int:
    chance = random.Random(seed)
    seeds = inputs_of(name, target)
    until, runs = time.monotonic() + seconds, 0
    while time.monotonic() < until:
        data = mutate(chance.choice(seeds), chance)
        try:
            target.run(data)
        except Exception as error:  # noqa: BLE001 - whatever it is, it is what we look for
            path = _kept(name, data)
            print(f"{name}: {type(error).__name__}: {error}; the input is {path}, the run's seed {seed}")
            return 1
        runs += 1
    print(f"{name}: {runs} inputs in {seconds:.0f} s, seed {seed}: nothing broke")
    return 0


def _kept(name: str, data: bytes) -> Path:
    path = Path(tempfile.gettempdir()) / f"fuzz-{name}-{hashlib.sha256(data).hexdigest()[:16]}"
    path.write_bytes(data)
    return path


if __name__ == "__main__":
    sys.exit(main())
