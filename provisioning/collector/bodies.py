"""Sealed bodies as objects, written once: `bodies/<domain>/<log>/<index>.age`. Nothing overwrites one.

obstore's create-only put refuses an overwrite on a file system and on S3 alike; on a file system it does not sync, so
that is done here before anybody is told that the body is safe.
"""

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final

import obstore
from obstore.exceptions import AlreadyExistsError, BaseError
from obstore.store import LocalStore

from appliance.errors import StorageFault
from appliance.files import storage, sync_folder

PREFIX: Final = "bodies"
SYNCS_MAX: Final = 16
"""Side by side."""


class BodyStore:
    """Objects below `folder`/bodies."""

    def __init__(self, folder: Path) -> None:
        with storage("bodies"):
            (folder / PREFIX).mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self._store = LocalStore(folder)
        self._pool = ThreadPoolExecutor(max_workers=SYNCS_MAX, thread_name_prefix="bodies")
        self._settled: set[str] = set()

    def _keep(self, origin: str, leaf: int, sealed: bytes) -> str:
        """Put the body there, its bytes synced; returns its reference. Its name is safe after `_settle`.

        The caller of `keep_all` has compared the body with its statement. So an object of that name with other content
        is what a power cut left of an earlier attempt, of which nobody was told, and is replaced.

        Raises:
            StorageFault, StorageFull: It is not safe.
        """
        reference = f"{PREFIX}/{origin}/{leaf}.age"
        path = self._folder / reference
        try:
            obstore.put(self._store, reference, sealed, mode="create")
        except AlreadyExistsError:
            with storage(f"body {leaf}"):
                if path.read_bytes() != sealed:
                    path.unlink()
                    return self._keep(origin, leaf, sealed)
        except BaseError as error:
            raise StorageFault(f"body {leaf}: {type(error).__name__}") from error
        with storage(f"body {leaf}"):
            fd = os.open(path, os.O_RDONLY)
            try:
                os.fsync(fd)
            finally:
                os.close(fd)
        return reference

    def keep_all(self, bodies: Sequence[tuple[str, int, bytes]]) -> list[str]:
        """Make these bodies (origin, leaf, sealed) durable; their references, in the same order.

        Syncs run side by side, since a file system merges them: 25 bodies cost about as much as three.

        Raises:
            StorageFault, StorageFull: Some may be there; none counts as safe.
        """
        origins, leaves, sealed = zip(*bodies, strict=True)
        references = list(self._pool.map(self._keep, origins, leaves, sealed))
        for origin in set(origins):
            self._settle(origin)
        return references

    def _settle(self, origin: str) -> None:
        """Make the names of this log's bodies durable."""
        folder = self._folder / PREFIX / origin
        with storage(f"bodies of {origin}"):
            sync_folder(folder)
            if origin not in self._settled:  # the folder itself may be new
                sync_folder(folder.parent)
                sync_folder(folder.parent.parent)
                self._settled.add(origin)
