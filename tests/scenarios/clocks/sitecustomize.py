"""A wall clock that is wrong: processes started with this folder on PYTHONPATH read another one.

Python imports this module of its own accord when it starts. Wall time alone moves; boot time, monotonic time and what
C code reads stay as they are. By how much stands in the file that LANDLINK_CLOCK names, in seconds, at every look.
"""

import os
import time
from pathlib import Path

_file = Path(os.environ["LANDLINK_CLOCK"])
_read_ns = time.clock_gettime_ns


def _clock_gettime_ns(clock: int) -> int:
    offset_s = int(_file.read_text(encoding="ascii")) if clock == time.CLOCK_REALTIME else 0
    return _read_ns(clock) + offset_s * 1_000_000_000


time.clock_gettime_ns = _clock_gettime_ns
time.clock_gettime = lambda clock: _clock_gettime_ns(clock) / 1e9
time.time_ns = lambda: _clock_gettime_ns(time.CLOCK_REALTIME)
time.time = lambda: _clock_gettime_ns(time.CLOCK_REALTIME) / 1e9
