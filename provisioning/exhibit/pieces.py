"""The files of an exhibit by their path in its folder, in memory: what is made is what is checked."""

import contextlib
import itertools
from collections.abc import Generator, Mapping
from pathlib import Path
from typing import Final

from appliance.errors import Malformed, NoInput, Untrusted
from appliance.files import all_beneath, read_regular

FILE_BYTES_MAX: Final = 64 * 1024 * 1024
FILES_MAX: Final = 100_000
BYTES_MAX: Final = 1024 * 1024 * 1024
"""Of all files together: they are held in memory."""
EVIDENCE: Final = "evidence"

Pieces = Mapping[str, bytes]
"""Path below the exhibit's folder to content."""


class Broken(Untrusted):
    """A file of an exhibit that does not hold; `path` names it."""

    def __init__(self, path: str, why: str) -> None:
        self.path = path
        super().__init__(f"{path}: {why}")


def take(pieces: Pieces, path: str) -> bytes:
    """The file at `path`. Raises Broken when it is missing."""
    content = pieces.get(path)
    if content is None:
        raise Broken(path, "missing")
    return content


@contextlib.contextmanager
def naming(path: str) -> Generator[None]:
    """What does not hold in here is the fault of this file. Raises Broken."""
    try:
        yield
    except Broken:
        raise
    except (Malformed, Untrusted) as error:
        raise Broken(path, str(error)) from None


def demand(holds: bool, path: str, why: str) -> None:  # noqa: FBT001 - a condition and what its failure means
    """Raise Broken unless it holds."""
    if not holds:
        raise Broken(path, why)


def read_pieces(folder: Path) -> dict[str, bytes]:
    """Every file of an exhibit's folder; it may come from anybody, so no link is followed.

    Raises:
        NoInput: It is no folder, or cannot be read.
        Broken: A link, a pipe or a device, a file too long, or too many of them.
    """
    if not folder.is_dir():
        raise NoInput(f"{folder} is no folder; name the folder that `landlink-hq exhibit --out` wrote")
    try:
        entries = list(itertools.islice(all_beneath(folder), FILES_MAX + 1))
        size = sum(entry.stat(follow_symlinks=False).st_size for entry in entries)
    except OSError as error:
        raise Broken(folder.name, error.strerror or type(error).__name__) from None
    demand(size <= BYTES_MAX, folder.name, f"all files together have more than {BYTES_MAX} bytes")
    demand(len(entries) <= FILES_MAX, folder.name, f"holds more than {FILES_MAX} files")
    pieces: dict[str, bytes] = {}
    left = BYTES_MAX
    for entry in sorted(entries, key=lambda each: each.path):
        path = Path(entry.path).relative_to(folder).as_posix()
        demand(not entry.is_symlink(), path, "a link, not a file")
        if entry.is_dir(follow_symlinks=False):
            continue
        try:
            pieces[path] = read_regular(Path(entry.path), min(FILE_BYTES_MAX, left))
        except OSError as error:
            raise Broken(path, error.strerror or type(error).__name__) from None
        left -= len(pieces[path])
    return pieces
