"""`make bench`: every bench_*.py of this folder in turn; each prints ours, the peer, the limit, from one run."""

import importlib
import sys
from pathlib import Path


def main(wanted: list[str]) -> None:
    """Run all benchmarks, or those whose names are given ("record", "names")."""
    for path in sorted(Path(__file__).parent.glob("bench_*.py")):
        name = path.stem.removeprefix("bench_")
        if not wanted or name in wanted:
            print(f"\n== {name}", flush=True)
            importlib.import_module(f"tests.benchmarks.{path.stem}").main()


if __name__ == "__main__":
    main(sys.argv[1:])
