"""Time is a claim with a grade (I9): nothing stops for a wrong clock, none is believed beyond what is proven.

A Pi has no clock to trust. Order is the log's index; spacing is boot id and boot-time clock; wall time is a claim. The
proven lower bound is max(build time, last headquarters-signed time); never a time that the box once believed.
"""

import enum
import time
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Annotated, Final, Protocol

import msgspec
from msgspec import Meta

BUILT_AT_MS: Final = 1_793_000_000_000
"""No record is older than this software: 2026-10-26T06:13:20Z, in milliseconds since 1970. Raised at each release."""


Milliseconds = Annotated[int, Meta(ge=0, le=253_402_300_799_999)]
"""Since 1970-01-01T00:00Z, to the end of the year 9999: what a date can be made of."""


class Grade(enum.StrEnum):
    """Who says what time it is, best first."""

    HEADQUARTERS = "headquarters"  # set from a headquarters-signed time in this boot
    NETWORK = "network"  # the kernel's clock is disciplined (NTP)
    RTC = "rtc"  # a battery-backed clock set it at boot
    NONE = "none"  # nobody vouches for it


class Instant(msgspec.Struct, frozen=True, kw_only=True, gc=False, forbid_unknown_fields=True):
    """One reading of the clock.

    Attributes:
        wall_ms: Wall time, milliseconds since 1970-01-01T00:00Z. A claim.
        grade: Who vouches for it.
        lower_bound_ms: Proven: it is later than this, milliseconds since 1970.
        boot_id: The kernel's random id of this boot, 32 hexadecimal digits.
        boot_ms: CLOCK_BOOTTIME, milliseconds since boot.
    """

    wall_ms: Milliseconds
    grade: Grade
    lower_bound_ms: Milliseconds
    boot_id: Annotated[str, Meta(pattern=r"\A[0-9a-f]{32}\Z")]
    boot_ms: Annotated[int, Meta(ge=0, le=2**53)]

    @property
    def trusted(self) -> bool:
        """Whether date checks may rest on the wall time: somebody vouches for it and it is not below what is proven."""
        return self.grade is not Grade.NONE and self.wall_ms >= self.lower_bound_ms

    @property
    def today(self) -> date:
        """The claimed date in UTC; for a clock below the lower bound, the lower bound's date."""
        return datetime.fromtimestamp(max(self.wall_ms, self.lower_bound_ms) / 1000, UTC).date()

    @property
    def lower_bound_date(self) -> date:
        """The date before which it certainly is not."""
        return datetime.fromtimestamp(self.lower_bound_ms / 1000, UTC).date()


class Clock(Protocol):
    """Gives the time; handed in wherever time matters."""

    def now(self) -> Instant:
        """Read all clocks at once."""
        ...


GRADE_S: Final = 0.9
"""So long a grade is taken as it was read, from files: whoever looks at the clock every second reads it anew."""


class SystemClock:
    """The kernel's clocks, graded.

    Args:
        grade: Reads the grade (the kernel's synchronisation state, a status file).
        lower_bound_ms: Reads the last headquarters-signed time at each call, milliseconds since 1970.
    """

    def __init__(self, *, grade: Callable[[], Grade], lower_bound_ms: Callable[[], int]) -> None:
        self._read_grade = grade
        self._grade = (float("-inf"), Grade.NONE)
        self._lower_bound_ms = lower_bound_ms
        self._boot_id = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip().replace("-", "")

    def now(self) -> Instant:
        """Read all clocks at once."""
        return Instant(
            wall_ms=max(0, time.time_ns() // 1_000_000),
            grade=self._graded(),
            lower_bound_ms=max(BUILT_AT_MS, self._lower_bound_ms()),
            boot_id=self._boot_id,
            boot_ms=time.clock_gettime_ns(time.CLOCK_BOOTTIME) // 1_000_000,
        )

    def _graded(self) -> Grade:
        read_s, grade = self._grade
        if time.monotonic() - read_s >= GRADE_S:
            grade = self._read_grade()
            self._grade = time.monotonic(), grade
        return grade
