"""New tiles on their way into the copy of a log: written as their entries are verified, switched in when all hold.

`new/` stands beside the copy's `tile/`, on the same file system. No more than a tile is held in memory, however much a
pull brings. Nobody reads what lies here: a pull begins with an empty one and leaves none behind, well or refused. A
power cut, or a full disk, in the middle of the switch leaves tiles that no checkpoint covers; the next pull writes them
again, and no reader looks past the checkpoint.

`shown/` is the whole tree of a source that contradicts the copy, while the two are compared (contradiction.py).
"""

import os
import shutil
from collections.abc import Generator, Iterable
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

from appliance.files import remove_partial, storage, sync_folder

NEW: Final = "new"
SHOWN: Final = "shown"


class Staged:
    """Tiles that wait.

    Args:
        folder: The copy; made when there is something to keep.
        name: Of the folder in it where they wait.

    Attributes:
        paths: What waits, or was switched in, in the order in which it came.

    Raises (every method):
        StorageFull, StorageFault: The disk; the copy's checkpoint is as it was.
    """

    def __init__(self, folder: Path, name: str = NEW) -> None:
        self._folder = folder
        self._new = folder / name
        self.paths: list[str] = []

    def add(self, tiles: Iterable[tuple[str, bytes]]) -> None:
        """Write tiles (path, content)."""
        with storage(f"writing tiles in {self._new}"):
            for path, content in tiles:
                place = self._new / path
                place.parent.mkdir(parents=True, exist_ok=True)
                place.write_bytes(content)
                self.paths.append(path)

    def read(self, path: str) -> bytes:
        """A tile that waits."""
        with storage(f"reading {self._new / path}"):
            return (self._new / path).read_bytes()

    def switch_in(self) -> None:
        """Put all of them in place; on return none of them can be lost. The checkpoint that covers them comes after."""
        with storage(f"moving tiles of {self._new} into place"):
            for path in self.paths:
                _sync(self._new / path)
            folders: set[Path] = set()
            for path in self.paths:
                place = self._folder / path
                if place.parent not in folders:
                    place.parent.mkdir(parents=True, exist_ok=True)
                    folders.add(place.parent)
                (self._new / path).rename(place)
            for folder in {above for inner in folders for above in (inner, *inner.parents)}:
                if folder.is_relative_to(self._folder.parent):
                    sync_folder(folder)

    def clear(self) -> None:
        """Take away what waits."""
        if self._new.exists():
            with storage(f"tidying {self._new}"):
                shutil.rmtree(self._new)
            with suppress(OSError):  # of a log of which nothing was ever kept nothing stays; others are not empty
                self._folder.rmdir()


def tidy(folder: Path) -> None:
    """Take away what a pull that was killed left in the copy in `folder`. Raises as `Staged`."""
    for name in (NEW, SHOWN):
        Staged(folder, name).clear()
    remove_partial(folder)


@contextmanager
def staging(folder: Path, name: str = NEW) -> Generator[Staged]:
    """Tiles for the copy in `folder`, tidied before: none wait after. Raises as `Staged`."""
    staged = Staged(folder, name)
    try:
        yield staged
    finally:
        staged.clear()


def _sync(path: Path) -> None:
    fd = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)
