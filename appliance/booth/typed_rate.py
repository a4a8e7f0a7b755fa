"""How often documents may be typed in: an officer's hand is slow, and guessing numbers at the page must be, too.

60 at once and 30 a minute after that: more than a busload with a broken scanner needs, 43,200 a day at the most, each a
sealed record under the officer's session. Who has taken over the booth itself is not held by this (SECURITY.md).
"""

import threading
from typing import Final

from appliance.clock import Instant
from appliance.errors import Refused

TYPED_AT_ONCE: Final = 60
TYPED_EVERY_MS: Final = 2_000


class TypedRate:
    """Counts typed documents of one page, whoever typed them."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._free_ms = 0

    def admit(self, now: Instant) -> None:
        """Let one pass.

        Raises:
            Refused: Too many in a short time; another is free within TYPED_EVERY_MS.
        """
        with self._lock:
            next_free_ms = max(self._free_ms, now.boot_ms) + TYPED_EVERY_MS
            if next_free_ms > now.boot_ms + TYPED_AT_ONCE * TYPED_EVERY_MS:
                raise Refused("Too many documents were typed in a short time. Wait two seconds and send it again.")
            self._free_ms = next_free_ms
