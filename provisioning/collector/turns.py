"""One box's share of the service: few requests at once, and one of them at a time in a thread.

The pool has some forty threads for everybody. A box that opens sixty connections, whatever it sends on them, waits
for itself here, in the event loop, where waiting takes no thread; beyond a few it is told to come again.
"""

import asyncio
import contextlib
from collections.abc import Callable, Generator
from typing import Final, ParamSpec, TypeVar

from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException

REQUESTS_MAX: Final = 8
"""Of one box at once. A box uses one connection; the rest is for those that died unseen and are cut after 20 s."""
RETRY_AFTER_S: Final = 5

P = ParamSpec("P")
T = TypeVar("T")


class Turns:
    """What is under way, a box each; of one event loop. Nothing is kept of a box that asks for nothing."""

    def __init__(self) -> None:
        self._lines: dict[str, _Line] = {}

    @contextlib.contextmanager
    def request(self, serial: str) -> Generator[None]:
        """Around everything that a request of this box does, before its body is read.

        Raises:
            HTTPException: 503 with Retry-After, when enough of this box are under way.
        """
        line = self._lines.setdefault(serial, _Line())
        if line.requests >= REQUESTS_MAX:
            raise HTTPException(
                503, "this box has too many requests under way", headers={"Retry-After": f"{RETRY_AFTER_S}"}
            )
        line.requests += 1
        try:
            yield
        finally:
            line.requests -= 1
            if not line.requests:
                del self._lines[serial]

    async def work(self, serial: str, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Call `function` in a thread when no other call of this box is in one; within `request`."""
        async with self._lines[serial].at_work:
            return await run_in_threadpool(function, *args, **kwargs)


class _Line:
    """The requests of one box.

    Attributes:
        requests: How many are under way.
        at_work: Held by the one that is in a thread.
    """

    def __init__(self) -> None:
        self.requests = 0
        self.at_work = asyncio.Lock()
