"""The mirror as python-tuf's client fetches from it: a folder that others fill (uplink, a stick), and nothing else."""

import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from tuf.api.exceptions import DownloadError, DownloadHTTPError
from tuf.ngclient import FetcherInterface

ADDRESS: Final = "mirror:/"
"""Before a path in the mirror: python-tuf speaks of addresses."""
_PART_BYTES: Final = 1024 * 1024


class MirrorFolder(FetcherInterface):
    """Reads regular files below one folder, in parts; follows no link at the end of a path and waits for no pipe.

    Args:
        folder: `state/mirror`, with `metadata/` and `targets/`.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def _fetch(self, url: str) -> Iterator[bytes]:
        path = url.removeprefix(ADDRESS)
        if not url.startswith(ADDRESS) or ".." in path.split("/"):
            raise DownloadError("a path outside the mirror")
        try:
            fd = os.open(self._folder / path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        except FileNotFoundError:
            raise DownloadHTTPError(f"the mirror has no {path}", 404) from None
        except OSError as error:
            raise DownloadError(f"{path} cannot be read: {error.strerror}") from None
        return _parts(fd, path)


def _parts(fd: int, path: str) -> Iterator[bytes]:
    with os.fdopen(fd, "rb") as file:
        if not stat.S_ISREG(os.fstat(fd).st_mode):
            raise DownloadError(f"{path} is no file")
        try:
            while part := file.read(_PART_BYTES):
                yield part
        except OSError as error:
            raise DownloadError(f"{path} cannot be read: {error.strerror}") from None
