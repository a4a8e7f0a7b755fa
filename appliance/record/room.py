"""Stage 6 of 8: record - room on the disk: pictures are refused first, and records still find room for days.

Three thresholds, from roomy to full: below the configured share, pictures are refused. When nothing else is left,
records take the reserve: a file that holds blocks on the disk against everybody else (mirrors, logs, other programs)
and is shortened step by step. Its last part serves only what makes room again: deletion, and a start.
"""

import contextlib
import enum
import os
from pathlib import Path
from typing import Final

from appliance.errors import StorageFull
from appliance.files import storage

RESERVE_BYTES: Final = 24 * 1024 * 1024
"""Room for 500 records of 16 KB (journal, body, tiles) and as much again."""

STEP_BYTES: Final = 1024 * 1024
MARGIN_BYTES: Final = 512 * 1024
"""What publishing an entry may take beside its own bytes: tiles, a bundle, a case."""


class Purpose(enum.Enum):
    """What room is asked for."""

    PICTURE = "picture"
    RECORD = "record"
    UPKEEP = "upkeep"  # deletions, receipts, the beginning of an epoch: what makes room or cannot wait


class Room:
    """The disk that `reserve` lies on.

    Args:
        reserve: The file that holds the reserve.
        picture_share: Pictures are refused when less than this share of the disk is free, 0 to 1.

    Attributes:
        held: Bytes that the reserve still holds.
    """

    def __init__(self, reserve: Path, picture_share: float) -> None:
        self._reserve = reserve
        self._picture_share = picture_share
        self.held = reserve.stat().st_size if reserve.exists() else 0
        disk = os.statvfs(reserve.parent)
        self._total = disk.f_blocks * disk.f_frsize
        self._target = int(min(RESERVE_BYTES, self._total * picture_share / 2))
        self._floor = self._target // 4

    @property
    def free_share(self) -> float:
        """Free share of the disk, the reserve counted as used, 0 to 1."""
        return min(1.0, self._free() / max(self._total, 1))

    def take(self, size: int, purpose: Purpose) -> None:
        """Make sure of room for `size` bytes and their publication.

        Raises:
            StorageFull: There is none for this purpose; in plain words.
        """
        if purpose is Purpose.PICTURE:
            if self._free() - size < self._total * self._picture_share:
                raise StorageFull("The disk is filling up: no more pictures are kept. Records still are.")
            return
        floor = 0 if purpose is Purpose.UPKEEP else self._floor
        while self._free() < size + MARGIN_BYTES:
            if self.held <= floor:
                raise StorageFull("The disk is full: nothing more can be recorded until room is made.")
            self._give_up(max(floor, self.held - STEP_BYTES))

    def refill(self) -> bool:
        """Take back one step of the reserve when the disk has room again; call it when idle.

        Returns:
            Whether there is a further step to take at once.
        """
        if self.held >= self._target or self._free() - STEP_BYTES <= self._total * self._picture_share / 2:
            return False
        grown = min(self._target, self.held + STEP_BYTES)
        with contextlib.suppress(StorageFull), storage("keeping a reserve"):
            fd = os.open(self._reserve, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            try:
                os.posix_fallocate(fd, 0, grown)
                self.held = grown
            finally:
                os.close(fd)
            return self.held < self._target
        return False

    @property
    def taken_from(self) -> bool:
        """Whether the reserve is not whole."""
        return self.held < self._target

    @property
    def spent(self) -> bool:
        """Whether all of the reserve that records may take is gone."""
        return self.held <= self._floor

    def _give_up(self, held: int) -> None:
        with storage("giving up the reserve"):
            os.truncate(self._reserve, held)
        self.held = held

    def _free(self) -> int:
        disk = os.statvfs(self._reserve.parent)
        return disk.f_bavail * disk.f_frsize
