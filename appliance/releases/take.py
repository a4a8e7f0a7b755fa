"""Take the mirror's newest release onto the shelf, or refuse it by name; the old one stays until the last step.

1. python-tuf's client follows the mirror from the release in service: signatures, thresholds, versions that never go
   back, lengths and hashes, and expiry against the proven lower bound of time (I9), never against the clock.
2. What it gathered lies in a new folder and is verified again as at every load (formats/release.py), and the documents
   list page by page: a damaged list takes a list out of service, but it puts none into service.
3. The version is higher than the one in service, and that of its rules is not lower.
4. The lists are opened and answer what is known beforehand (canaries of issuer UTO). That needs their key: a release
   whose key has not reached the box yet waits, unless none is in service. The first one brings the keys by which the
   recorder knows headquarters' messages, the list key among them, so it is taken untested.
5. Everything is on the disk; the folder gets its name; `current` is replaced in one step. The previous one is kept.
"""

import contextlib
import os
import shutil
from collections.abc import Generator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from tuf.api.exceptions import (
    BadVersionNumberError,
    DownloadError,
    DownloadHTTPError,
    DownloadLengthMismatchError,
    ExpiredMetadataError,
    LengthOrHashMismatchError,
    RepositoryError,
    UnsignedMetadataError,
)
from tuf.api.metadata import TargetFile
from tuf.api.serialization import DeserializationError
from tuf.ngclient import Updater, UpdaterConfig

from appliance.errors import Malformed, StorageFault, Untrusted
from appliance.files import OpenFile, storage, sync_folder
from appliance.formats.pages import PageFile, Source
from appliance.formats.release import (
    DELTA_NAME,
    DOCUMENTS_TARGET,
    RULES_TARGET,
    TARGET_BYTES_MAX,
    Damaged,
    Release,
    check_tail,
    target_bytes_max,
)
from appliance.formats.tuf_chain import (
    DELEGATED,
    ROOT_BYTES_MAX,
    ROOTS_MAX,
    SNAPSHOT_BYTES_MAX,
    TARGETS_BYTES_MAX,
    TIMESTAMP_BYTES_MAX,
)
from appliance.releases.mirror_folder import ADDRESS, MirrorFolder
from appliance.screen.lists import Lists
from appliance.shelf import AGAIN, DOCUMENTS, METADATA, Shelf, load_release, version_of

_NEW: Final = ".new"
_ROOTS: Final = "root_history"
"""Where python-tuf's client keeps the roots it followed."""

_WHY: Final = (
    (ExpiredMetadataError, "expired"),
    (BadVersionNumberError, "older than what is in service"),
    (UnsignedMetadataError, "not signed by enough keys of its role"),
    (LengthOrHashMismatchError, "not the file that was signed"),
    (DownloadLengthMismatchError, "longer than was signed"),
    (DownloadHTTPError, "incomplete"),
    (DownloadError, "unreadable"),
    (DeserializationError, "not in its format"),
    (RepositoryError, "inconsistent"),
    (ValueError, "inconsistent"),
)
"""How python-tuf's errors are named in the status; the first that fits."""


class WaitingForKey(Untrusted):
    """The newest release holds, and cannot be tested yet.

    Attributes:
        lacking: Identifiers of the list keys that it is under and that are not here.
    """

    def __init__(self, version: int, lacking: frozenset[bytes]) -> None:
        self.lacking = lacking
        super().__init__(f"release {version} is waiting for its key, which has not reached this box yet")


def take_release(shelf: Shelf, mirror: Path, *, lower_bound_ms: int, keys: Sequence[bytes]) -> Release | None:
    """Put the mirror's newest release into service.

    Args:
        shelf: Where releases lie; this process alone writes there.
        mirror: `state/mirror`.
        lower_bound_ms: It is later than this, milliseconds since 1970; what expired before is refused.
        keys: List keys that have reached this box.

    Returns:
        The release now in service, None when the one that was is the newest.

    Raises:
        WaitingForKey: The mirror's newest is under a list key that is not here; the shelf is as it was.
        Untrusted, Malformed: It is refused, and why; the shelf is as it was.
        StorageFull, StorageFault: It could not be written; the shelf is as it was.
    """
    pinned = shelf.pinned_root()
    new = shelf.folder / _NEW
    with storage("making room for a release"):
        shutil.rmtree(new, ignore_errors=True)
        (new / "metadata" / _ROOTS).mkdir(parents=True)
        (new / "targets" / "lists").mkdir(parents=True)
        _seed(shelf, new / "metadata")
    with _refused():
        _gather(shelf, new, mirror, lower_bound_ms)
    _tidy(new / "metadata")
    release = load_release(new, pinned)
    in_service = shelf.version()
    if release.version == in_service and _whole(shelf):
        shutil.rmtree(new, ignore_errors=True)
        return None
    _check(release, in_service, keys)
    _check_rules(release, shelf)
    _switch(shelf, new, release.version)
    return release


def _whole(shelf: Shelf) -> bool:
    """Whether the release in service still holds; a damaged one is replaced by the same one from the mirror."""
    try:
        _check_whole(shelf.load())
    except (Untrusted, Malformed, StorageFault):
        return False
    return True


def _seed(shelf: Shelf, metadata: Path) -> None:
    """Lay the metadata of the release in service before the client: what it may never fall behind."""
    place = shelf.place()
    for path in (place / "metadata").glob("*.json") if place else ():
        root = path.name.endswith(".root.json")
        with contextlib.suppress(OSError):  # a bad sector costs the client what it knew, and rule 3 still holds
            shutil.copyfile(path, metadata / _ROOTS / path.name if root else metadata / path.name)


def _gather(shelf: Shelf, new: Path, mirror: Path, lower_bound_ms: int) -> None:
    updater = Updater(
        metadata_dir=str(new / "metadata"),
        metadata_base_url=f"{ADDRESS}metadata",
        target_base_url=f"{ADDRESS}targets",
        fetcher=MirrorFolder(mirror),
        config=UpdaterConfig(
            max_root_rotations=ROOTS_MAX,
            max_delegations=len(DELEGATED) + 1,
            root_max_length=ROOT_BYTES_MAX,
            timestamp_max_length=TIMESTAMP_BYTES_MAX,
            snapshot_max_length=SNAPSHOT_BYTES_MAX,
            targets_max_length=TARGETS_BYTES_MAX,
        ),
        bootstrap=shelf.pinned_root(),
    )
    # python-tuf takes the clock for the reference time and offers no argument for another. A box's clock may be
    # years off, so the client gets the time that is proven (a scenario signs in 2020 and notices if that stops).
    updater._trusted_set.reference_time = datetime.fromtimestamp(lower_bound_ms / 1000, UTC)  # noqa: SLF001  # pyright: ignore[reportPrivateUsage]
    updater.refresh()
    for path in (*TARGET_BYTES_MAX, *_deltas(updater)):
        info = updater.get_targetinfo(path)
        if info is None and path == RULES_TARGET:
            continue  # then those hold that every box is delivered with
        if info is None:
            raise Untrusted(f"the release is incomplete: it has no {path}")
        if info.length > target_bytes_max(path):
            raise Untrusted(f"{path} has {info.length} bytes, at most {target_bytes_max(path)} are taken")
        if path != DOCUMENTS_TARGET:
            updater.download_target(info, str(new / "targets" / path))
        elif not _linked(shelf.place(), new / DOCUMENTS, info):
            _copy(MirrorFolder(mirror), info, new / DOCUMENTS)


def _deltas(updater: Updater) -> list[str]:
    """Deltas that the role `lists` names, once its metadata is loaded."""
    updater.get_targetinfo(DOCUMENTS_TARGET)
    lists: Any = updater._trusted_set["lists"]  # noqa: SLF001  # pyright: ignore[reportPrivateUsage]
    return sorted(path for path in lists.targets if DELTA_NAME.fullmatch(path))


def _linked(in_service: Path | None, place: Path, info: TargetFile) -> bool:
    """Take the documents list over from the release in service when it is the same and every page of it holds."""
    if in_service is None:
        return False
    old = in_service / DOCUMENTS
    with contextlib.suppress(OSError, StorageFault, Untrusted, Malformed):
        check_tail(OpenFile(old), info)
        _check_pages(OpenFile(old))
        place.hardlink_to(old)
        return True
    return False


def _copy(mirror: MirrorFolder, info: TargetFile, place: Path) -> None:
    """Copy the documents list part by part: python-tuf's client would put it into a temporary folder first."""
    folder, _, name = info.path.rpartition("/")
    copied = 0
    with place.open("wb") as file:
        for part in mirror.fetch(f"{ADDRESS}targets/{folder}/{info.hashes['sha256']}.{name}"):
            copied += len(part)
            if copied > info.length:
                raise DownloadLengthMismatchError(f"{info.path} has more than {info.length} bytes")
            file.write(part)
    with place.open("rb") as file:
        info.verify_length_and_hashes(file)


@contextlib.contextmanager
def _refused() -> Generator[None]:
    """Name what python-tuf found, in the words of the status. Failing storage stays failing storage."""
    try:
        with storage("writing a release"):
            yield
    except tuple(kind for kind, _ in _WHY) as error:
        words = next(words for kind, words in _WHY if isinstance(error, kind))
        raise Untrusted(f"the newest release is {words}: {error}"[:240]) from None


def _tidy(metadata: Path) -> None:
    """Leave the layout of a release: numbered roots beside the rest, nothing of the client's own."""
    with storage("writing a release"):
        (metadata / "root.json").unlink(missing_ok=True)
        for root in (metadata / _ROOTS).iterdir():
            if root.name != "1.root.json":
                root.rename(metadata / root.name)
        shutil.rmtree(metadata / _ROOTS)
        expected = {f"{role}.json" for role in METADATA}
        for path in metadata.iterdir():
            if path.name not in expected and not path.name.endswith(".root.json"):
                path.unlink()


def _check(release: Release, in_service: int, keys: Sequence[bytes]) -> None:
    if release.version < in_service:
        raise Untrusted(f"release {release.version} is older than {in_service}, which is in service")
    _check_whole(release)
    lists = Lists.from_release(release, keys)
    if not lists.lacking:
        lists.self_test()
    elif in_service not in (0, release.version):
        raise WaitingForKey(release.version, lists.lacking)


def _check_rules(release: Release, shelf: Shelf) -> None:
    """Headquarters counts its rules up: older ones, or others of the same number, were signed by somebody else.

    Raises:
        Untrusted: They are such.
    """
    try:
        known = shelf.load(lists=False).rules
    except (Untrusted, Malformed, StorageFault):
        return  # nothing is in force that they could be compared with
    if release.rules.version < known.version:
        raise Untrusted(f"its rules {release.rules.version} are older than {known.version}, which are in force")
    if release.rules.version == known.version and release.rules != known:
        raise Untrusted(f"its rules differ from those in force, and both have the number {known.version}")


def _check_whole(release: Release) -> None:
    """Every list holds, every page of it. Raises Untrusted, Malformed, StorageFault."""
    if isinstance(release.persons, Damaged):
        raise Untrusted(release.persons.why)
    if isinstance(release.documents, Damaged):
        raise Untrusted(release.documents.why)
    for source in release.documents:
        _check_pages(source)


def _check_pages(source: Source) -> None:
    for _ in PageFile(source).parts():
        pass  # each page is verified as it is read


def _switch(shelf: Shelf, new: Path, version: int) -> None:
    """Put `new` into service. Whatever lies at `current` is not touched before `current` names another folder."""
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
