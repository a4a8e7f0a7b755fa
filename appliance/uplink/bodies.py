"""The folder of sealed bodies, as the recorder publishes it: `<index>.<priority>.age`. Read here, never written."""

import re
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from appliance.errors import StorageFault
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


class Bodies:
    """What lies in the folder, read again only when it has changed."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._seen_ns = -1

    def changed(self) -> dict[int, BodyFile] | None:
        """All bodies by index; None when nothing was added or removed since the last time.

        Raises:
            StorageFault: The folder cannot be read.
        """
        try:
            modified_ns = self._folder.stat().st_mtime_ns
            if modified_ns == self._seen_ns:
                return None
            names = [path.name for path in self._folder.iterdir()]
        except FileNotFoundError:
            return {}  # the recorder has published nothing yet
        except OSError as error:
            raise StorageFault(f"bodies: {error.strerror}") from error
        self._seen_ns = modified_ns if time.time_ns() - modified_ns > SETTLED_NS else -1
        found = (self._body(name) for name in names)
        return {body.leaf: body for body in found if body is not None}

    def read(self, body: BodyFile) -> bytes | None:
        """The sealed bytes; None when the recorder has deleted it meanwhile or it is longer than a body can be.

        Raises:
            StorageFault: The card does not give it.
        """
        try:
            with body.path.open("rb") as file:
                sealed = file.read(BLOB_BYTES_MAX + 1)
        except FileNotFoundError:
            return None
        except OSError as error:
            raise StorageFault(f"body {body.leaf}: {error.strerror}") from error
        return sealed if 0 < len(sealed) <= BLOB_BYTES_MAX else None

    def _body(self, name: str) -> BodyFile | None:
        match = NAME.fullmatch(name)
        if match is None:
            return None  # a temporary name of the recorder
        return BodyFile(leaf=int(match[1]), priority=Priority(int(match[2])), path=self._folder / name)
