"""Writing files whole: the one place that knows temporary names, renames and syncs.

A reader sees the old content or the new, never a part. Failing storage is StorageFault, a full one StorageFull.
"""

import contextlib
import errno
import os
from collections.abc import Generator
from pathlib import Path

from appliance.errors import StorageFault, StorageFull


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


def replace_file(path: Path, content: bytes, *, mode: int = 0o644) -> None:
    """Put `content` at `path` in one step for every reader; durable whenever the system writes it back.

    Raises:
        StorageFull, StorageFault: Nothing at `path` has changed.
    """
    _replace(path, content, mode=mode, durable=False)


def write_durably(path: Path, content: bytes, *, mode: int = 0o600) -> None:
    """Put `content` at `path`; on return it outlives a power cut (write, sync, rename, sync of the folder).

    Raises:
        StorageFull, StorageFault: `path` holds what it held before.
    """
    _replace(path, content, mode=mode, durable=True)


def _replace(path: Path, content: bytes, *, mode: int, durable: bool) -> None:
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    with storage(f"writing {path.name}"):
        try:
            fd = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, mode)
            with os.fdopen(fd, "wb") as file:
                file.write(content)
                file.flush()
                if durable:
                    os.fsync(file.fileno())
            temporary.replace(path)
        except OSError:
            with contextlib.suppress(OSError):
                temporary.unlink(missing_ok=True)
            raise
        if durable:
            sync_folder(path.parent)
