"""Writing files whole: the one place that knows temporary names, renames and syncs; and reading what others wrote.

A reader sees the old content or the new, never a part. Failing storage is StorageFault, a full one StorageFull.
"""

import contextlib
import errno
import itertools
import os
import shutil
import stat
import weakref
from collections.abc import Generator, Iterable, Iterator
from pathlib import Path
from typing import BinaryIO, Final

from appliance.errors import Refused, StorageFault, StorageFull

DEPTH_MAX: Final = 32
"""Folders within each other that a stranger's folder may have; ours have some ten."""


@contextlib.contextmanager
def storage(what: str) -> Generator[None]:
    """Turn an OSError of the enclosed writing into StorageFull (no room) or StorageFault; `what` names it."""
    try:
        yield
    except OSError as error:
        words = f"{what}: {error.strerror or type(error).__name__}"
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise StorageFull(words) from error
        raise StorageFault(words) from error


def sync_folder(folder: Path) -> None:
    """Make the folder's entries (creations, renames, removals) durable."""
    fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def open_regular(path: Path) -> BinaryIO:
    """Open a file that another process, or a stranger's stick, may have put there, for reading bytes.

    A pipe in its place would make whoever opens it wait for ever; here it is no file, as a device is none.

    Raises:
        FileNotFoundError: There is none.
        OSError: It is no regular file, or cannot be opened.
    """
    fd = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    if not stat.S_ISREG(os.fstat(fd).st_mode):
        os.close(fd)
        raise OSError(errno.EINVAL, "no regular file")
    return os.fdopen(fd, "rb")


def read_regular(path: Path, bytes_max: int) -> bytes:
    """Read a whole file as `open_regular` opens it.

    Raises:
        FileNotFoundError: There is none.
        OSError: It is no regular file, has more than `bytes_max` bytes, or cannot be read.
    """
    with open_regular(path) as file:
        content = file.read(bytes_max + 1)
    if len(content) > bytes_max:
        raise OSError(errno.EFBIG, f"more than {bytes_max} bytes")
    return content


def open_beneath(folder: Path, name: str) -> BinaryIO:
    """Open the regular file at `name` below a folder that a stranger made, for reading bytes.

    No link on the way is followed, so it leads nowhere else, and a pipe or a device in its place is no file.

    Args:
        folder: The stick; itself followed wherever it leads.
        name: Folders and file, apart by "/".

    Raises:
        FileNotFoundError: There is none.
        OSError: Something on the way is a link or no folder, it is no regular file, or cannot be opened.
    """
    inside, _, last = name.rpartition("/")
    with _folder_beneath(folder, inside) as at:
        fd = os.open(_step(last), os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=at)
    if not stat.S_ISREG(os.fstat(fd).st_mode):
        os.close(fd)
        raise OSError(errno.EINVAL, "no regular file")
    return os.fdopen(fd, "rb")


def names_beneath(folder: Path, name: str, *, count_max: int) -> list[str]:
    """What lies in the folder at `name`, as `open_beneath` finds it; no more than `count_max`, in no order.

    Raises:
        FileNotFoundError: There is none.
        OSError: Something on the way is a link or no folder, or cannot be read.
    """
    with _folder_beneath(folder, name) as at, os.scandir(at) as entries:
        return [entry.name for entry in itertools.islice(entries, count_max)]


def all_beneath(folder: Path) -> Iterator[os.DirEntry[str]]:
    """Everything below a folder that a stranger made, in no order; nothing where it is no folder.

    No link below it is followed, and memory does not grow with how deep it goes.

    Raises:
        OSError: Part of it cannot be read, or it goes deeper than DEPTH_MAX.
    """
    if not folder.is_dir():
        return
    waiting = [(os.fspath(folder), 1)]
    while waiting:
        at, depth = waiting.pop()
        if depth > DEPTH_MAX:
            raise OSError(errno.ELOOP, f"more than {DEPTH_MAX} folders within each other")
        with os.scandir(at) as entries:
            for entry in entries:
                if entry.is_dir(follow_symlinks=False):
                    waiting.append((entry.path, depth + 1))
                yield entry


def refuse_links(stick: Path, parts: Iterable[str], whose: str) -> None:
    """Make sure that nothing written to these parts of a stick goes elsewhere: as root it could go anywhere.

    Raises:
        Refused: One is a link, or has one in it; `whose` stick it should be.
        StorageFull, StorageFault: It cannot be read.
    """
    with storage(f"reading {stick}"):
        for part in parts:
            within = (entry.path for entry in all_beneath(stick / part) if entry.is_symlink())
            found = str(stick / part) if (stick / part).is_symlink() else next(within, None)
            if found is not None:
                raise Refused(f"{found} is a link, which no stick of {whose} has; empty the stick first")


@contextlib.contextmanager
def _folder_beneath(folder: Path, name: str) -> Generator[int]:
    at = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        for part in name.split("/") if name else ():
            inner = os.open(_step(part), os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=at)
            os.close(at)
            at = inner
        yield at
    finally:
        os.close(at)


def _step(part: str) -> str:
    if part in ("", ".", ".."):
        raise OSError(errno.EINVAL, "leads out of the folder")
    return part


def replace_file(path: Path, content: bytes, *, mode: int = 0o644) -> None:
    """Put `content` at `path` in one step for every reader; durable whenever the system writes it back.

    Raises:
        StorageFull, StorageFault: Nothing at `path` has changed.
    """
    _replace(path, content, mode=mode, sync=False)


def write_durably(path: Path, content: bytes, *, mode: int = 0o600) -> None:
    """Put `content` at `path`; on return it outlives a power cut (write, sync, rename, sync of the folder).

    Raises:
        StorageFull, StorageFault: `path` holds what it held before.
    """
    _replace(path, content, mode=mode, sync=True)
    with storage(f"syncing {path.parent.name}"):
        sync_folder(path.parent)


def write_new(path: Path, content: bytes, *, mode: int = 0o600) -> BinaryIO:
    """Write a file that nobody looks at yet, under its own name; nothing of it is synced.

    Returns:
        The file, open, for its sync.

    Raises:
        StorageFull, StorageFault: There is no file at `path`.
    """
    with storage(f"writing {path.name}"):
        file = _create(path, mode)
        try:
            file.write(content)
            file.flush()
        except OSError:
            with contextlib.suppress(OSError):
                file.close()
            path.unlink(missing_ok=True)
            raise
        return file


def remove_partial(folder: Path) -> None:
    """Remove what killed writers left of files that they never finished; for the folder's only writer, at its start."""
    with storage(f"tidying {folder.name}"):
        for left in folder.glob(".*.tmp"):
            left.unlink(missing_ok=True)


def _replace(path: Path, content: bytes, *, mode: int, sync: bool) -> None:
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    with storage(f"writing {path.name}"):
        try:
            with _create(temporary, mode) as file:
                file.write(content)
                file.flush()
                if sync:
                    os.fsync(file.fileno())
            temporary.replace(path)
        except OSError:
            with contextlib.suppress(OSError):
                temporary.unlink(missing_ok=True)
            raise


def _create(temporary: Path, mode: int) -> BinaryIO:
    """A new file; what a killed writer left there, or an attacker laid there (a link, a pipe), goes. Raises OSError."""
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    try:
        return os.fdopen(os.open(temporary, flags, mode), "wb")
    except FileExistsError:
        temporary.unlink(missing_ok=True)
        return os.fdopen(os.open(temporary, flags, mode), "wb")


def copy_durably(source: Path | BinaryIO, path: Path, *, mode: int = 0o600) -> None:
    """Put a copy of the file `source`, by name or opened, at `path`, of any length; otherwise as `write_durably`.

    Raises:
        StorageFull, StorageFault: `path` holds what it held before.
    """
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    with storage(f"copying {path.name}"):
        try:
            opened = source.open("rb") if isinstance(source, Path) else contextlib.nullcontext(source)
            with opened as original, _create(temporary, mode) as copy:
                os.fchmod(copy.fileno(), mode)
                shutil.copyfileobj(original, copy, 1024 * 1024)
                copy.flush()
                os.fsync(copy.fileno())
            temporary.replace(path)
        except OSError:
            with contextlib.suppress(OSError):
                temporary.unlink(missing_ok=True)
            raise
        sync_folder(path.parent)


class OpenFile:
    """A file that is read in places; it closes with the last reference to it.

    Args:
        path: As `open_regular` takes it.

    Raises:
        FileNotFoundError: There is none.
        StorageFault: It cannot be opened.
    """

    def __init__(self, path: Path) -> None:
        self._name = path.name
        try:
            file = open_regular(path)
        except FileNotFoundError:
            raise
        except OSError as error:
            raise StorageFault(f"opening {self._name}: {error.strerror}") from error
        weakref.finalize(self, file.close)
        self._fd = file.fileno()
        self.length = os.fstat(self._fd).st_size

    def read_at(self, offset: int, size: int) -> bytes:
        """`size` bytes from `offset` on, fewer where they end. Raises StorageFault."""
        try:
            return os.pread(self._fd, size, offset)
        except OSError as error:
            raise StorageFault(f"reading {self._name}: {error.strerror}") from error
