"""What of a pull has arrived but is not verified yet: a pull that was interrupted, killed or cut goes on from here.

```
incoming/<domain>/<log>/source          where it came from: another source begins anew
                        tile/entries/…  entry bundles, unverified
                        <index>.part    the beginning of a sealed body
```
Nothing here is believed: it takes the same way through verification as what has just arrived. The folder goes when a
pull ends, well or with a refusal, so what a bad source left is never in the way of a good one.
"""

import os
import shutil
from pathlib import Path
from typing import Final

from appliance.errors import StorageFault
from appliance.files import read_regular, replace_file, storage
from appliance.formats.age import BLOB_BYTES_MAX
from appliance.formats.tiles import BUNDLE_BYTES_MAX

SOURCE: Final = "source"
SOURCE_BYTES_MAX: Final = 4_096
ENTRIES: Final = "tile/entries/"


class Incoming:
    """The folder of one log; for one thread at a time.

    Args:
        folder: Made when something arrives.
        source: Name of where it arrives from.

    Raises (every method):
        StorageFull, StorageFault: The disk.
    """

    def __init__(self, folder: Path, source: str) -> None:
        self._folder = folder
        self._source = source.encode()
        self._part: Path | None = None
        if folder.exists() and _read(folder / SOURCE, SOURCE_BYTES_MAX) != self._source:
            self.clear()

    def bundle(self, path: str) -> bytes | None:
        """An entry bundle that arrived before; None for all else."""
        return _read(self._folder / path, BUNDLE_BYTES_MAX) if path.startswith(ENTRIES) else None

    def keep_bundle(self, path: str, content: bytes) -> None:
        """Keep an entry bundle until the pull ends; nothing else is kept."""
        if path.startswith(ENTRIES):
            self._make((self._folder / path).parent)
            replace_file(self._folder / path, content)

    def begun(self, index: int) -> bytes:
        """The beginning of a body, b"" where there is none; the part of the body before, which is kept by now, goes."""
        part = self._folder / f"{index}.part"
        if self._part not in (None, part):
            self._drop(self._part)
        self._part = part
        return _read(part, BLOB_BYTES_MAX) or b""

    def grow(self, index: int, piece: bytes) -> None:
        """Keep what came of a body; on return a power cut cannot leave anything else in its place."""
        self._make(self._folder)
        with storage(f"keeping what came of body {index}"):
            flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_DSYNC | os.O_NOFOLLOW | os.O_CLOEXEC
            with os.fdopen(os.open(self._folder / f"{index}.part", flags, 0o600), "wb") as file:
                file.write(piece)

    def restart(self, index: int) -> None:
        """Throw the beginning of a body away."""
        self._drop(self._folder / f"{index}.part")

    def clear(self) -> None:
        """The pull has ended."""
        with storage(f"tidying {self._folder}"):
            if self._folder.exists():
                shutil.rmtree(self._folder)
        self._part = None

    def _make(self, folder: Path) -> None:
        with storage(f"making {folder}"):
            if not self._folder.exists():
                self._folder.mkdir(parents=True)
                replace_file(self._folder / SOURCE, self._source)
            folder.mkdir(parents=True, exist_ok=True)

    def _drop(self, part: Path | None) -> None:
        if part is not None:
            with storage(f"tidying {part.name}"):
                part.unlink(missing_ok=True)


def _read(path: Path, bytes_max: int) -> bytes | None:
    """A file of ours; None where there is none, or one that we did not write."""
    try:
        return read_regular(path, bytes_max)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise StorageFault(f"reading {path}: {error.strerror}") from None
