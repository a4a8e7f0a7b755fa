"""`make bench`: every bench_*.py of this folder in turn; each prints ours, the peer, the limit, from one run."""

import argparse
import importlib
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from tests.benchmarks.bars import measured

NAMES: Final = tuple(sorted(path.stem.removeprefix("bench_") for path in Path(__file__).parent.glob("bench_*.py")))


def main(arguments: Sequence[str]) -> None:
    """Run all benchmarks, or those whose names are given ("record", "names")."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.benchmarks",
        description="Each prints ours, the peer and the limit from one run; then every bar, met or NOT met.",
        epilog="README.md beside them says what was measured, and when.",
    )
    parser.add_argument("name", nargs="*", help=f"only these of {', '.join(NAMES)} (all)")
    # The two that draw pages read these themselves.
    parser.add_argument("--pages", type=int, metavar="N", help="drawn pages of examine and mrz_image: all take hours")
    parser.add_argument("--first", type=int, metavar="N", help="of examine's drawn pages: go on from here (0)")
    parser.add_argument("--jobs", type=int, metavar="N", help="processes that draw and read those of examine (cores)")
    wanted = parser.parse_args(arguments).name
    if unknown := [name for name in wanted if name not in NAMES]:
        parser.error(f"there is no {unknown[0]}; there are {', '.join(NAMES)}")
    for name in NAMES:
        if not wanted or name in wanted:
            print(f"\n== {name}", flush=True)
            importlib.import_module(f"tests.benchmarks.bench_{name}").main()
    bars = list(measured())
    if bars:
        print(f"\n== bars: {sum(bar.met for bar in bars)} of {len(bars)} met")
        for bar in bars:
            print(f"  {bar}")


if __name__ == "__main__":
    main(sys.argv[1:])
