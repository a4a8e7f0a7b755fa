# ruff: noqa: ARG002 - what a file system is told is the library's to say
"""A file system that remembers in which order it was told what, so that a test can ask what a power cut would leave.

    python -m tests.crash.forgetful MOUNT TRACE

It holds files in memory and writes each operation that changes something to TRACE, one after the other (trace.py). It
forgets nothing while it runs: what storage may forget is decided afterwards, for every operation and in every way
(cuts.py). `MOUNT/.operations` tells how many there were until now.
"""

import errno
import itertools
import os
import stat
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import mfusepy

from tests.crash.trace import Operation, TraceWriter

COUNT_FILE: Final = ".operations"
ROOT: Final = 1
BLOCK: Final = 4_096
BLOCKS: Final = 16_384
FREE_BLOCKS: Final = 12_288
RESERVE_BYTES_MAX: Final = 4 * 1024 * 1024
"""Nobody may set more aside: a reserve that is not whole makes the recorder turn its journal early."""


@dataclass
class Inode:
    """A file, a folder or a symbolic link."""

    number: int
    mode: int
    content: bytearray = field(default_factory=bytearray)
    entries: dict[str, int] = field(default_factory=dict)
    links: int = 1
    at_ns: int = field(default_factory=time.time_ns)


class Forgetful(mfusepy.Operations):
    """The file system, for one thread.

    Args:
        trace: Where operations are written.
    """

    use_ns = True

    def __init__(self, trace: TraceWriter) -> None:
        self._trace = trace
        self._inodes = {ROOT: Inode(ROOT, stat.S_IFDIR | 0o755)}
        self._numbers = itertools.count(ROOT + 1)
        self._handles: dict[int, Inode] = {}
        self._handle_numbers = itertools.count(1)

    # --- looking ---

    def getattr(self, path: str, fh: int | None = None) -> dict[str, Any]:
        if path == f"/{COUNT_FILE}":
            return {"st_mode": stat.S_IFREG | 0o444, "st_nlink": 1, "st_size": 20}
        inode = self._of(path, fh)
        return {
            "st_mode": inode.mode,
            "st_nlink": inode.links,
            "st_size": len(inode.content),
            "st_ino": inode.number,
            "st_uid": os.getuid(),
            "st_gid": os.getgid(),
            "st_mtime": inode.at_ns,
            "st_ctime": inode.at_ns,
            "st_atime": inode.at_ns,
        }

    def readdir(self, path: str, fh: int) -> list[str]:
        return [".", "..", *self._inode(path).entries]

    def readlink(self, path: str) -> str:
        return self._inode(path).content.decode()

    def statfs(self, path: str) -> dict[str, int]:
        return {
            "f_bsize": BLOCK,
            "f_frsize": BLOCK,
            "f_blocks": BLOCKS,
            "f_bfree": FREE_BLOCKS,
            "f_bavail": FREE_BLOCKS,
        }

    def access(self, path: str, amode: int) -> int:
        return 0

    def open(self, path: str, flags: int) -> int:
        if path == f"/{COUNT_FILE}":
            counted = Inode(0, stat.S_IFREG, bytearray(str(self._trace.count).rjust(20).encode()))
            return self._handle(counted)
        return self._handle(self._inode(path))

    def opendir(self, path: str) -> int:
        return self._handle(self._inode(path))

    def read(self, path: str, size: int, offset: int, fh: int) -> bytes:
        return bytes(self._handles[fh].content[offset : offset + size])

    def release(self, path: str, fh: int) -> int:
        del self._handles[fh]
        return 0

    releasedir = release

    # --- changing ---

    def create(self, path: str, mode: int, fi: object = None) -> int:
        return self._handle(self._make(path, stat.S_IFREG | stat.S_IMODE(mode), "create"))

    def mkdir(self, path: str, mode: int) -> int:
        self._make(path, stat.S_IFDIR | stat.S_IMODE(mode), "mkdir")
        return 0

    def symlink(self, target: str, source: str) -> int:
        self._make(target, stat.S_IFLNK | 0o777, "symlink", source.encode())
        return 0

    def link(self, target: str, source: str) -> int:
        inode, (folder, name) = self._inode(source), self._place(target)
        inode.links += 1
        self._enter(folder, name, inode.number)
        self._wrote(Operation(kind="link", inode=inode.number, folder=folder.number, name=name))
        return 0

    def write(self, path: str, data: bytes, offset: int, fh: int) -> int:
        inode = self._handles[fh]
        end = offset + len(data)
        if len(inode.content) < end:
            inode.content.extend(bytes(end - len(inode.content)))
        inode.content[offset:end] = data
        inode.at_ns = time.time_ns()
        self._wrote(Operation(kind="write", inode=inode.number, offset=offset, data=bytes(data)))
        return len(data)

    def truncate(self, path: str, length: int, fh: int | None = None) -> int:
        inode = self._of(path, fh)
        del inode.content[length:]
        inode.content.extend(bytes(length - len(inode.content)))
        self._wrote(Operation(kind="truncate", inode=inode.number, offset=length))
        return 0

    def fallocate(self, path: str, mode: int, offset: int, size: int, fh: int) -> int:
        if mode:
            raise mfusepy.FuseOSError(errno.EOPNOTSUPP)
        if offset + size > RESERVE_BYTES_MAX:
            raise mfusepy.FuseOSError(errno.ENOSPC)
        inode = self._handles[fh]
        if len(inode.content) < offset + size:
            self.truncate(path, offset + size, fh)
        return 0

    def rename(self, old: str, new: str) -> int:
        (old_folder, old_name), (new_folder, new_name) = self._place(old), self._place(new)
        number = self._leave(old_folder, old_name)
        self._enter(new_folder, new_name, number)
        self._wrote(
            Operation(
                kind="rename",
                inode=number,
                folder=old_folder.number,
                name=old_name,
                new_folder=new_folder.number,
                new_name=new_name,
            )
        )
        return 0

    def unlink(self, path: str) -> int:
        folder, name = self._place(path)
        number = self._leave(folder, name)
        self._inodes[number].links -= 1
        self._wrote(Operation(kind="unlink", inode=number, folder=folder.number, name=name))
        return 0

    def rmdir(self, path: str) -> int:
        if self._inode(path).entries:
            raise mfusepy.FuseOSError(errno.ENOTEMPTY)
        return self.unlink(path)

    def chmod(self, path: str, mode: int) -> int:
        inode = self._inode(path)
        inode.mode = stat.S_IFMT(inode.mode) | stat.S_IMODE(mode)
        self._wrote(Operation(kind="chmod", inode=inode.number, offset=stat.S_IMODE(mode)))
        return 0

    def chown(self, path: str, uid: int, gid: int) -> int:
        return 0

    def utimens(self, path: str, times: tuple[int, int] | None = None) -> int:
        return 0

    def fsync(self, path: str, datasync: int, fh: int) -> int:
        self._wrote(Operation(kind="sync", inode=self._handles[fh].number))
        return 0

    fsyncdir = fsync

    def flush(self, path: str, fh: int) -> int:
        return 0

    # --- within ---

    @staticmethod
    def _enter(folder: Inode, name: str, number: int) -> None:
        """Put an entry into a folder, whose time changes: the uplink looks at it."""
        folder.entries[name] = number
        folder.at_ns = time.time_ns()

    @staticmethod
    def _leave(folder: Inode, name: str) -> int:
        folder.at_ns = time.time_ns()
        return folder.entries.pop(name)

    def _wrote(self, operation: Operation) -> None:
        self._trace.write(operation)

    def _handle(self, inode: Inode) -> int:
        number = next(self._handle_numbers)
        self._handles[number] = inode
        return number

    def _of(self, path: str, handle: int | None) -> Inode:
        return self._handles[handle] if handle in self._handles else self._inode(path)

    def _inode(self, path: str) -> Inode:
        inode = self._inodes[ROOT]
        for name in Path(path).parts[1:]:
            number = inode.entries.get(name)
            if number is None:
                raise mfusepy.FuseOSError(errno.ENOENT)
            inode = self._inodes[number]
        return inode

    def _place(self, path: str) -> tuple[Inode, str]:
        return self._inode(str(Path(path).parent)), Path(path).name

    def _make(self, path: str, mode: int, kind: str, content: bytes = b"") -> Inode:
        folder, name = self._place(path)
        inode = Inode(next(self._numbers), mode, bytearray(content))
        self._inodes[inode.number] = inode
        self._enter(folder, name, inode.number)
        made = Operation(
            kind=kind, inode=inode.number, folder=folder.number, name=name, data=content, offset=stat.S_IMODE(mode)
        )
        self._wrote(made)
        return inode


def main(mount: str, trace: str) -> None:
    """Serve until the mount is taken away."""
    with Path(trace).open("wb") as file:
        operations = Forgetful(TraceWriter(file))
        mfusepy.FUSE(operations, mount, foreground=True, nothreads=True, hard_remove=True, attr_timeout=0)


if __name__ == "__main__":
    main(*sys.argv[1:])
