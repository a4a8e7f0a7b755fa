"""An act in a process of its own that is gone when one more file would come to its place: a power cut between two."""

import multiprocessing
import os
import sys
from collections.abc import Callable
from typing import Final

CUT: Final = 9


def came_through(act: Callable[[], object], renames: int) -> bool:
    """Do `act`, and be gone once so many files have come to their places and one more would; whether it was done."""
    attempt = multiprocessing.get_context("fork").Process(target=_struck, args=(act, renames))
    attempt.start()
    attempt.join()
    assert attempt.exitcode in (0, CUT), "it failed by itself"
    return attempt.exitcode == 0


def _struck(act: Callable[[], object], renames: int) -> None:
    left = renames

    def look(event: str, _: object) -> None:
        nonlocal left
        if event == "os.rename":
            left -= 1
            if left < 0:
                os._exit(CUT)

    sys.addaudithook(look)
    act()
