"""Jobs that wait for links: several done at once, what became of each told as it ends."""

import queue
import threading
from collections.abc import Callable, Sequence
from typing import Final, TypeVar

AT_ONCE_MAX: Final = 8
"""Each waits for its link most of the time."""
T = TypeVar("T")
R = TypeVar("R")


def each_at_once(jobs: Sequence[T], work: Callable[[T], R], tell: Callable[[int], None]) -> list[R]:
    """Do all jobs in a few threads; what became of each, in their order. `tell` is told how many are done.

    The threads end with the process, wherever they are: whatever they do can be broken off.
    """
    waiting: queue.SimpleQueue[int] = queue.SimpleQueue()
    finished: queue.SimpleQueue[tuple[int, R | BaseException]] = queue.SimpleQueue()
    for place in range(len(jobs)):
        waiting.put(place)

    def serve() -> None:
        while True:
            try:
                place = waiting.get_nowait()
            except queue.Empty:
                return
            try:
                finished.put((place, work(jobs[place])))
            except BaseException as error:  # noqa: BLE001 - a bug: it is raised where it can end the process
                finished.put((place, error))

    for _ in range(min(AT_ONCE_MAX, len(jobs))):
        threading.Thread(target=serve, daemon=True).start()
    found: dict[int, R] = {}
    while len(found) < len(jobs):
        place, done = finished.get()
        if isinstance(done, BaseException):
            raise done
        found[place] = done
        tell(len(found))
    return [found[place] for place in range(len(jobs))]
