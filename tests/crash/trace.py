"""What a file system was told, operation by operation, as a file of length-framed MessagePack."""

from collections.abc import Iterator
from typing import IO

import msgspec


class Operation(msgspec.Struct, frozen=True, kw_only=True, array_like=True):
    """One operation that changes something, or a sync.

    Attributes:
        kind: create, mkdir, symlink, link, write, truncate, rename, unlink, chmod, sync.
        inode: What is changed, made, moved, removed or synced.
        folder, name: The entry that is made, removed or moved away.
        new_folder, new_name: Of a rename.
        offset: Of a write; the length of a truncate; the mode of what is made or changed.
        data: Of a write; the target of a symbolic link.
    """

    kind: str
    inode: int
    folder: int = 0
    name: str = ""
    new_folder: int = 0
    new_name: str = ""
    offset: int = 0
    data: bytes = b""


class TraceWriter:
    """Appends to a trace.

    Attributes:
        count: Operations so far.
    """

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self.count = 0

    def write(self, operation: Operation) -> None:
        packed = msgspec.msgpack.encode(operation)
        self._file.write(len(packed).to_bytes(4, "big") + packed)
        self._file.flush()
        self.count += 1


def read_trace(file: IO[bytes]) -> Iterator[Operation]:
    """The operations of a trace, to its last whole one."""
    while len(head := file.read(4)) == 4:
        packed = file.read(int.from_bytes(head, "big"))
        if len(packed) < int.from_bytes(head, "big"):
            return
        yield msgspec.msgpack.decode(packed, type=Operation)
