"""How many bytes a second all auditors together are given: the link carries records first."""

import asyncio
import time
from typing import Final

BURST_S: Final = 1.0
"""What was not used is kept for so long."""


class Allowance:
    """A bucket of bytes that fills steadily.

    Args:
        bytes_per_s: At which rate.
    """

    def __init__(self, bytes_per_s: int) -> None:
        self._rate = bytes_per_s
        self._left = bytes_per_s * BURST_S
        self._at_s = time.monotonic()
        self._turn = asyncio.Lock()

    async def take(self, count: int) -> None:
        """Wait until so many bytes may be sent; whoever asked first goes first."""
        async with self._turn:
            now_s = time.monotonic()
            self._left = min(self._left + (now_s - self._at_s) * self._rate, self._rate * BURST_S) - count
            self._at_s = now_s
            if self._left < 0:
                await asyncio.sleep(-self._left / self._rate)
