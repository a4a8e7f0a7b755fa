"""`make bench`: every bench_*.py of this folder in turn; each prints ours, the peer, the limit, from one run."""

import importlib
import sys
from pathlib import Path

from tests.benchmarks.bars import measured


def main(wanted: list[str]) -> None:
    """Run all benchmarks, or those whose names are given ("record", "names")."""
    for path in sorted(Path(__file__).parent.glob("bench_*.py")):
        name = path.stem.removeprefix("bench_")
        if not wanted or name in wanted:
            print(f"\n== {name}", flush=True)
            importlib.import_module(f"tests.benchmarks.{path.stem}").main()
    bars = list(measured())
    if bars:
        print(f"\n== bars: {sum(bar.met for bar in bars)} of {len(bars)} met")
        for bar in bars:
            print(f"  {bar}")


if __name__ == "__main__":
    main(sys.argv[1:])
