"""Days that pass in seconds: processes started with this folder on PYTHONPATH read their clocks some days later.

Python imports this module of its own accord when it starts. Wall time and boot time move together, as they do while
days pass; the monotonic clock of timeouts stays as it is. By how much stands in the file that LANDLINK_DAYS names, in
seconds, and is read at every look at a clock.
"""

import os
import time
from collections.abc import Callable
from pathlib import Path

_SHIFTED = (time.CLOCK_REALTIME, time.CLOCK_BOOTTIME)
_file = Path(os.environ["LANDLINK_DAYS"])


def _passed_s() -> int:
    return int(_file.read_text(encoding="ascii"))


def _later(read_ns: Callable[[int], int]) -> Callable[[int], int]:
    return lambda clock: read_ns(clock) + (_passed_s() * 1_000_000_000 if clock in _SHIFTED else 0)


_clock_gettime_ns = _later(time.clock_gettime_ns)
time.clock_gettime_ns = _clock_gettime_ns
time.clock_gettime = lambda clock: _clock_gettime_ns(clock) / 1e9
time.time_ns = lambda: _clock_gettime_ns(time.CLOCK_REALTIME)
time.time = lambda: _clock_gettime_ns(time.CLOCK_REALTIME) / 1e9
