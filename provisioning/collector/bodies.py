"""Sealed bodies as objects, written once: `bodies/<domain>/<log>/<index>.age`. Nothing overwrites one.

obstore's create-only put refuses an overwrite on a file system and on S3 alike; on a file system it does not sync, so
that is done here before anybody is told that the body is safe.
"""

import os
from pathlib import Path
from typing import Final

import obstore
from obstore.exceptions import AlreadyExistsError, BaseError
from obstore.store import LocalStore

from appliance.errors import StorageFault
from appliance.files import storage, sync_folder

PREFIX: Final = "bodies"


class BodyStore:
    """Objects below `folder`/bodies."""

    def __init__(self, folder: Path) -> None:
        with storage("bodies"):
            (folder / PREFIX).mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self._store = LocalStore(folder)

    def keep(self, origin: str, leaf: int, sealed: bytes) -> str:
        """Put the body there, its bytes synced; returns its reference. It is safe after `settle`.

        The caller has compared the body with its statement. So an object of that name with other content is what a
        power cut left of an earlier attempt, of which nobody was told, and is replaced.

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
                    return self.keep(origin, leaf, sealed)
        except BaseError as error:
            raise StorageFault(f"body {leaf}: {type(error).__name__}") from error
        with storage(f"body {leaf}"):
            fd = os.open(path, os.O_RDONLY)
            try:
                os.fsync(fd)
            finally:
                os.close(fd)
        return reference

    def settle(self, origin: str) -> None:
        """Make the names of this log's bodies durable: now they are safe. Raises StorageFault."""
        folder = self._folder / PREFIX / origin
        with storage(f"bodies of {origin}"):
            for each in (folder, folder.parent, folder.parent.parent):
                sync_folder(each)
