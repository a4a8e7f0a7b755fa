"""Large bodies on their way: bytes on disk until they are complete, so that a broken link costs nothing twice.

A part is a file `partial/<log>/<index>.<sha256>`; its length is the offset to go on at, told only after a sync. There
is at most one for a statement of the copied logs. The newest request on an address ends the older: a connection that
died unseen must not hold the place of the one that took over.
"""

import asyncio
import contextlib
import itertools
import os
from collections.abc import AsyncGenerator, AsyncIterator
from pathlib import Path
from typing import Final

from appliance.errors import Malformed
from appliance.files import storage

FOLDER: Final = "partial"
ADDRESSES_MAX: Final = 65_536
"""Whose newest request is remembered."""


class Superseded(Exception):
    """A newer request on the same address has taken over."""


class Partial:
    """The bytes so far of one body."""

    def __init__(self, folder: Path, origin: str, leaf: int, sha256: bytes) -> None:
        self._path = folder / FOLDER / origin.rpartition("/")[2] / f"{leaf}.{sha256.hex()}"

    def offset(self) -> int:
        """Bytes that are here, durable. Raises StorageFault."""
        with storage(self._path.name):
            try:
                fd = os.open(self._path, os.O_RDONLY)
            except FileNotFoundError:
                return 0
            try:
                os.fsync(fd)  # what a killed process wrote is told only when it is safe
                return os.fstat(fd).st_size
            finally:
                os.close(fd)

    async def append(self, chunks: AsyncIterator[bytes], *, size: int) -> int:
        """Append what arrives, up to `size` bytes in all; the new length, durable.

        Raises:
            Malformed: More than `size` bytes; nothing beyond them is kept.
            StorageFault, StorageFull: What was written stays and is counted by `offset`.
        """
        with storage(self._path.name):
            self._path.parent.mkdir(parents=True, exist_ok=True)
            file = self._path.open("ab", buffering=0)
        try:
            async for chunk in chunks:
                if file.tell() + len(chunk) > size:
                    raise Malformed("upload", f"longer than its Upload-Length of {size} bytes")
                with storage(self._path.name):
                    _write_whole(file.fileno(), chunk)
        finally:
            with storage(self._path.name), contextlib.closing(file):
                await asyncio.to_thread(os.fsync, file.fileno())
        return self._path.stat().st_size

    def content(self) -> bytes:
        """All bytes that are here. Raises StorageFault."""
        with storage(self._path.name):
            return self._path.read_bytes()

    def drop(self) -> None:
        """Forget them: the body is safe elsewhere, or damaged."""
        with storage(self._path.name):
            self._path.unlink(missing_ok=True)


class Fence:
    """Lets one request at a time hold an address: the one that arrived last, however long each took to get here."""

    def __init__(self) -> None:
        self._tickets = itertools.count(1)
        self._newest: dict[str, int] = {}
        self._holders: dict[str, asyncio.Task[object]] = {}

    def ticket(self, address: str) -> int:
        """Taken when a request arrives, before anything is waited for."""
        ticket = next(self._tickets)
        self._newest.pop(address, None)  # so that the dictionary's order is that of arrival
        self._newest[address] = ticket
        if len(self._newest) > ADDRESSES_MAX:
            del self._newest[next(iter(self._newest))]
        return ticket

    @contextlib.asynccontextmanager
    async def hold(self, address: str, ticket: int) -> AsyncGenerator[None]:
        """Hold `address`, ending whoever held it.

        Raises:
            Superseded: In a request that is not the newest, or no longer.
        """
        me = asyncio.current_task()
        assert me is not None, "a request runs in a task"
        if ticket < self._newest.get(address, 0):
            raise Superseded
        older = self._holders.get(address)
        self._holders[address] = me
        try:
            if older is not None:
                older.cancel(_SUPERSEDED)
                await asyncio.wait((older,))
            yield
        except asyncio.CancelledError as cancelled:
            if cancelled.args == (_SUPERSEDED,):
                raise Superseded from None
            raise
        finally:
            if self._holders.get(address) is me:
                del self._holders[address]


_SUPERSEDED: Final = "a newer request holds this address"


def _write_whole(fd: int, chunk: bytes) -> None:
    view = memoryview(chunk)
    while view:
        view = view[os.write(fd, view) :]
