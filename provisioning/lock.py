"""One at a time: two commands of one home, or two threads, that would each write what the other has not read."""

import contextlib
import fcntl
import os
from collections.abc import Generator
from pathlib import Path

from appliance.errors import Refused
from appliance.files import storage


@contextlib.contextmanager
def unwritten(lock: Path) -> Generator[None]:
    """Nobody writes as `alone` while the block reads, which writes nothing itself: also of a read-only home.

    Raises:
        StorageFault: The lock is there and cannot be opened.
    """
    with storage(f"locking {lock}"):
        try:
            fd = os.open(lock, os.O_RDONLY | os.O_CLOEXEC)
        except FileNotFoundError:  # nobody has written there yet, or it is a copy
            fd = None
    if fd is None:
        yield
        return
    try:
        fcntl.flock(fd, fcntl.LOCK_SH)
        yield
    finally:
        os.close(fd)


@contextlib.contextmanager
def alone(lock: Path, *, busy: str = "") -> Generator[None]:
    """Nobody else holds `lock` while the block runs.

    Args:
        lock: A file, made where there is none; its folder, too, for its owner alone.
        busy: Why not, where somebody holds it; without it this waits.

    Raises:
        Refused: Somebody holds it; says `busy`.
        StorageFull, StorageFault: The lock cannot be made.
    """
    with storage(f"locking {lock}"):
        lock.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        fd = os.open(lock, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | (fcntl.LOCK_NB if busy else 0))
        except BlockingIOError:
            raise Refused(busy) from None
        yield
    finally:
        os.close(fd)
