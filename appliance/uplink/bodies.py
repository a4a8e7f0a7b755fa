"""The folder of sealed bodies, as the recorder publishes it: `<index>.<priority>.age`. Read here, never written."""

import os
import re
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from appliance.errors import StorageFault
from appliance.files import open_regular
from appliance.formats.age import BLOB_BYTES_MAX
from appliance.model import Priority

NAME: Final = re.compile(r"(0|[1-9][0-9]{0,11})\.([0-3])\.age")
SETTLED_NS: Final = 1_000_000_000
"""A folder changed less than this before it was read may change again within the same tick of its clock."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BodyFile:
    """One published body."""

    leaf: int
    priority: Priority
    path: Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Changes:
    """What has come and gone since the last look."""

    fresh: tuple[BodyFile, ...] = ()
    gone: tuple[BodyFile, ...] = ()


class Bodies:
    """What lies in the folder; there may be tens of thousands, so a look tells only what is new."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._seen_ns = -1
        self._names: frozenset[str] = frozenset()

    def look(self) -> Changes:
        """What was added and removed since the last look; everything is new to the first.

        Raises:
            StorageFault: The folder cannot be read.
        """
        try:
            modified_ns = self._folder.stat().st_mtime_ns
            if modified_ns == self._seen_ns:
                return Changes()
            names = frozenset(os.listdir(self._folder))  # noqa: PTH208 - names are compared, ten thousand at a time
        except FileNotFoundError:
            return Changes()  # the recorder has published nothing yet
        except OSError as error:
            raise StorageFault(f"bodies: {error.strerror}") from error
        self._seen_ns = modified_ns if time.time_ns() - modified_ns > SETTLED_NS else -1
        before, self._names = self._names, names
        return Changes(fresh=self._bodies(names - before), gone=self._bodies(before - names))

    def read(self, body: BodyFile) -> bytes | None:
        """The sealed bytes; None when the recorder has deleted it meanwhile or it is longer than a body can be.

        Raises:
            StorageFault: The card does not give it.
        """
        try:
            with open_regular(body.path) as file:
                sealed = file.read(BLOB_BYTES_MAX + 1)
        except FileNotFoundError:
            return None
        except OSError as error:
            raise StorageFault(f"body {body.leaf}: {error.strerror}") from error
        return sealed if 0 < len(sealed) <= BLOB_BYTES_MAX else None

    def _bodies(self, names: Iterable[str]) -> tuple[BodyFile, ...]:
        """Those of the names that are a body's; the others are temporary names of the recorder."""
        return tuple(
            BodyFile(leaf=int(match[1]), priority=Priority(int(match[2])), path=self._folder / match[0])
            for match in map(NAME.fullmatch, names)
            if match is not None
        )
