"""The observer of the lamps: what an onlooker at the booth would see, edge by edge, with the time of each.

The time is that of the pin, as a logic analyser has it: the desk draws pages too, and would look up late.
"""

import json
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

LAMPS: Final[tuple[str, ...]] = ("green", "amber", "red", "buzzer")


class LampLog:
    """Knows which lamps are lit and appends every edge to a file of JSON lines.

    Args:
        path: The file; `{"t_ns": CLOCK_MONOTONIC, "at": wall time, "lamp": name, "on": bool}` a line.
        seen: Called with each edge.
    """

    def __init__(self, path: Path, *, seen: Callable[[dict[str, Any]], None]) -> None:
        self._file = path.open("ab", buffering=0)
        self._seen = seen
        self._lit = dict.fromkeys(LAMPS, False)

    @property
    def lit(self) -> dict[str, bool]:
        """Every lamp by name, and whether it is lit."""
        return dict(self._lit)

    def show(self, lamp: str, *, on: bool, t_ns: int) -> None:
        """Note that the lamp was switched at `t_ns`; nothing when it was so already, or no lamp has that name."""
        if self._lit.get(lamp, on) == on:
            return
        self._lit[lamp] = on
        edge: dict[str, Any] = {"t_ns": t_ns, "at": datetime.now(UTC).isoformat(), "lamp": lamp, "on": on}
        self._file.write(json.dumps(edge).encode() + b"\n")
        self._seen(edge)

    def dark(self) -> None:
        """The box has let go of its pins: the lines float and every lamp goes dark."""
        for lamp in LAMPS:
            self.show(lamp, on=False, t_ns=time.monotonic_ns())

    def close(self) -> None:
        """Close the file."""
        self._file.close()
