"""Progress of the auditor's verbs, on standard error: bars on a terminal, elsewhere a line now and then."""

import threading
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import Final

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

Advance = Callable[[str, int, int], None]
"""Called with what is being done, how much of it is done, and how much there is."""
LINE_S: Final = 10.0
"""Between two lines about one log, where nobody looks."""


class Bars:
    """One bar a log; for any number of threads.

    Args:
        progress: Shows them, where somebody looks.
        console: Takes the lines, where nobody does.
    """

    def __init__(self, progress: Progress, console: Console) -> None:
        self._progress = progress
        self._console = console
        self._turn = threading.Lock()

    def bar(self, origin: str) -> Advance:
        """Start the bar of a log."""
        return self._advance(origin, self._progress.add_task(origin, total=None, what=""))

    @contextmanager
    def passing(self, origin: str) -> Generator[Advance]:
        """A bar that goes when the block ends: there may be hundreds of logs."""
        task = self._progress.add_task(origin, total=None, what="")
        try:
            yield self._advance(origin, task)
        finally:
            self._progress.remove_task(task)

    def _advance(self, origin: str, task: TaskID) -> Advance:
        said_s = time.monotonic()

        def advance(what: str, done: int, total: int) -> None:
            nonlocal said_s
            self._progress.update(task, completed=done, total=total, what=what)
            if self._progress.disable and time.monotonic() - said_s >= LINE_S:
                said_s = time.monotonic()
                with self._turn:
                    self._console.out(f"{origin}: {what} {done}/{total}", highlight=False)

        return advance


@contextmanager
def bars() -> Generator[Bars]:
    """Show bars while the block runs. What is printed meanwhile goes where it would without them."""
    console = Console(stderr=True)
    with Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[what]}"),
        TimeRemainingColumn(),
        console=console,
        transient=True,
        redirect_stdout=False,
        redirect_stderr=False,
        disable=not console.is_terminal,
    ) as progress:
        yield Bars(progress, console)
