"""What takes how much of a disk, and how long there is room: for `disk` on a box and at headquarters.

Sizes are what the disk gives up (blocks), not what files say. The rate is of files that are still there, by when they
were written: what was deleted in between is not counted, and the times are this machine's claims.
"""

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

BLOCK_BYTES: Final = 512
DAY_S: Final = 86_400
DAYS: Final = 7
"""Over which the rate is taken."""
UNITS: Final = ((1_000_000_000_000, "TB"), (1_000_000_000, "GB"), (1_000_000, "MB"), (1_000, "kB"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """What lies below one folder.

    Attributes:
        bytes: On the disk.
        a_day: Bytes a day, of the last DAYS days or of as many as there are; 0 where nothing was written.
    """

    bytes: int
    a_day: int


def usage(folder: Path, *, now_s: float, without: frozenset[str] = frozenset()) -> Usage:
    """What lies below a folder; what may not be looked into, or goes while one looks, is not counted.

    Args:
        folder: Where.
        now_s: This machine's time, seconds since 1970.
        without: Names of files that are not counted.
    """
    total = recent = 0
    oldest_s = now_s
    for path, found in _files(folder):
        if path.name in without:
            continue
        size = found.st_blocks * BLOCK_BYTES
        total += size
        if 0 <= now_s - found.st_mtime < DAYS * DAY_S:
            recent += size
            oldest_s = min(oldest_s, found.st_mtime)
    days = max(1.0, (now_s - oldest_s) / DAY_S)
    return Usage(bytes=total, a_day=int(recent / days))


def _files(folder: Path) -> Iterator[tuple[Path, os.stat_result]]:
    waiting = [os.fspath(folder)]  # no call a level: whoever may write there makes as many as a path has room for
    while waiting:
        try:
            with os.scandir(waiting.pop()) as entries:
                for entry in entries:
                    if entry.is_dir(follow_symlinks=False):
                        waiting.append(entry.path)
                        continue
                    try:
                        found = entry.stat(follow_symlinks=False)
                    except OSError:  # deleted since its folder was read
                        continue
                    yield Path(entry.path), found
        except OSError:  # not to be looked into, or gone
            continue


def in_words(uses: Mapping[str, Usage], *, free: int) -> str:
    """What takes how much, the largest first, and what is free."""
    parts = [f"{name} {amount(use.bytes)}" for name, use in sorted(uses.items(), key=lambda item: -item[1].bytes)]
    return f"{', '.join(parts)}; {amount(free)} free"


def days_left(room: int, a_day: int) -> int | None:
    """Whole days until `room` bytes are full; None at no rate."""
    return max(0, room) // a_day if a_day > 0 else None


def amount(count: int) -> str:
    """Bytes for a person: "340 MB"."""
    for unit, name in UNITS:
        if count >= unit:
            return f"{count / unit:.3g} {name}"
    return f"{count} bytes"


def free_and_total(folder: Path) -> tuple[int, int]:
    """Bytes free to others than root, and in all, of the disk that a folder lies on."""
    disk = os.statvfs(folder)
    return disk.f_bavail * disk.f_frsize, disk.f_blocks * disk.f_frsize
