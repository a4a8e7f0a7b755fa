"""A million listed persons, a list with all sources in it: a run of its own, two minutes."""

from typing import Final

from tests.benchmarks.bench_names import speed

LISTED: Final = 1_000_000
LIMIT_MS: Final = 50.0


def main() -> None:
    """Print what bench_names prints of 100,000."""
    speed(LISTED, LIMIT_MS)


if __name__ == "__main__":
    main()
