"""Put a verified release into service, durably and in one step; the one before it is kept."""

import os
import shutil
from pathlib import Path

from appliance.files import storage, sync_folder
from appliance.shelf import AGAIN, Shelf, version_of


def switch_release(shelf: Shelf, new: Path, version: int) -> None:
    """Put `new` into service. Whatever lies at `current` is not touched before `current` names another folder.

    Raises:
        StorageFull, StorageFault: It could not be written; what was in service is, still.
    """
    folder, in_service = shelf.folder, shelf.place()
    place = folder / str(version)
    if place == in_service:
        place = folder / f"{version}{AGAIN}"
    with storage("switching the release"):
        for path in (*sorted(new.rglob("*"), reverse=True), new):
            _sync(path)
        shutil.rmtree(place, ignore_errors=True)  # what a power cut left of the same release, never in service
        new.rename(place)
        sync_folder(folder)
        link = folder / ".current"
        link.unlink(missing_ok=True)
        link.symlink_to(place.name)
        link.replace(folder / "current")
        sync_folder(folder)
        kept = {place, _previous(folder, version, in_service)}
        for old in folder.iterdir():
            if version_of(old) and old not in kept:
                shutil.rmtree(old, ignore_errors=True)


def _previous(folder: Path, version: int, in_service: Path | None) -> Path | None:
    """The release before: what was in service, or the newest older one when that was the same, rotten."""
    if version_of(in_service) != version:
        return in_service
    return max((old for old in folder.iterdir() if 0 < version_of(old) < version), key=version_of, default=None)


def _sync(path: Path) -> None:
    """Make it durable, and readable by the processes that read the shelf under other uids."""
    fd = os.open(path, os.O_RDONLY | os.O_NOFOLLOW)
    try:
        os.fchmod(fd, 0o755 if path.is_dir() else 0o644)
        os.fsync(fd)
    finally:
        os.close(fd)
