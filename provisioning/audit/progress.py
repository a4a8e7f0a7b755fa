"""A progress bar of the auditor's verbs, on standard error; nothing where that is no terminal."""

from collections.abc import Callable, Generator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

Advance = Callable[[str, int, int], None]
"""Called with what is being done, how much of it is done, and how much there is."""


class Bars:
    """One bar a log."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress

    def bar(self, origin: str) -> Advance:
        """Start the bar of a log."""
        task = self._progress.add_task(origin, total=None, what="")

        def advance(what: str, done: int, total: int) -> None:
            self._progress.update(task, completed=done, total=total, what=what)

        return advance


@contextmanager
def bars() -> Generator[Bars]:
    """Show bars while the block runs."""
    console = Console(stderr=True)
    with Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[what]}"),
        TimeRemainingColumn(),
        console=console,
        transient=True,
        disable=not console.is_terminal,
    ) as progress:
        yield Bars(progress)
