"""The bars of what is promised: each with what was measured, and whether it is met; once more together at the end."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Bar:
    """One promise.

    Attributes:
        what: In words.
        limit: With its unit and its side ("at most 10 ms").
        ours: As measured, with its unit.
        met: Whether ours is on the right side.
    """

    what: str
    limit: str
    ours: str
    met: bool

    def __str__(self) -> str:
        """A line: bar / ours / met or NOT met."""
        return f"{self.what}: bar {self.limit} / ours {self.ours} / {'met' if self.met else 'NOT met'}"


_MEASURED: Final[list[Bar]] = []


def at_most(what: str, limit: float, ours: float, unit: str = "") -> None:
    """Print and keep a bar from above."""
    _keep(Bar(what, f"at most {_number(limit)}{unit}", f"{_number(ours)}{unit}", ours <= limit))


def at_least(what: str, limit: float, ours: float, unit: str = "") -> None:
    """Print and keep a bar from below."""
    _keep(Bar(what, f"at least {_number(limit)}{unit}", f"{_number(ours)}{unit}", ours >= limit))


def better(what: str, peer: str, theirs: float, ours: float) -> None:
    """Print and keep a bar that a peer has set."""
    _keep(Bar(what, f"better than {peer} {_number(theirs)}", _number(ours), ours > theirs))


def measured() -> Iterator[Bar]:
    """All bars of this run, in order."""
    yield from _MEASURED


def _keep(bar: Bar) -> None:
    _MEASURED.append(bar)
    print(f"  = {bar}", flush=True)


def _number(value: float) -> str:
    return f"{value:.0f}" if value >= 100 else f"{value:.3g}"
