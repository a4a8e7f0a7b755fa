"""A file that is under way: what of it came, and how much of that a power cut cannot take.

```
.<name>.part    its bytes so far
.<name>.come    how many of them are synced, decimal
```
A download of weeks goes on where it was even after a power cut: beyond what was synced the disk may hold anything, so
it is cut off there and fetched again, SYNC_BYTES at most.
"""

import contextlib
import os
from collections.abc import Generator
from pathlib import Path
from typing import BinaryIO, Final

from appliance.files import read_regular, sync_folder, write_durably

SYNC_BYTES: Final = 8 * 1024 * 1024
"""At most so much is fetched twice: a minute at 1 Mbit/s."""
DIGITS_MAX: Final = 20


class Part:
    """What came of the file `path` by one way; for one thread at a time.

    Args:
        path: Where it lies when it is whole.
        way: Of two that bring the same file at once; each has a part of its own.

    Raises (every method):
        OSError: The disk; the caller names it.
    """

    def __init__(self, path: Path, way: str = "") -> None:
        self._whole = path
        self.path = path.with_name(f".{path.name}{way}.part")
        self._come = path.with_name(f".{path.name}{way}.come")
        self._synced = 0
        self._file: BinaryIO

    def length(self) -> int:
        """How many bytes surely came."""
        try:
            synced = read_regular(self._come, DIGITS_MAX)
            size = self.path.stat().st_size
        except OSError:
            return 0
        return min(int(synced), size) if synced.isdigit() else 0

    @contextlib.contextmanager
    def growing(self, have: int) -> Generator["Part"]:
        """Go on after `have` bytes; whatever breaks it off, what came until then is synced and counted."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        if have == 0:
            self._come.unlink(missing_ok=True)
        with self.path.open("r+b" if have else "wb") as self._file:
            self._file.truncate(have)
            self._file.seek(have)
            self._synced = have
            try:
                yield self
            except BaseException:
                self._mark()
                raise
            self._sync()

    def take(self, piece: bytes) -> None:
        """Append what arrived."""
        self._file.write(piece)
        if self._file.tell() - self._synced >= SYNC_BYTES:
            self._mark()

    def drop(self) -> None:
        """Throw it away."""
        self._come.unlink(missing_ok=True)
        self.path.unlink(missing_ok=True)

    def finish(self) -> None:
        """It is whole: give it its name, durably."""
        self.path.replace(self._whole)
        self._come.unlink(missing_ok=True)
        sync_folder(self._whole.parent)

    def _sync(self) -> None:
        self._file.flush()
        os.fsync(self._file.fileno())

    def _mark(self) -> None:
        self._sync()
        self._synced = self._file.tell()
        write_durably(self._come, str(self._synced).encode(), mode=0o644)
