"""Gather the mirror's newest release into a folder of its own with python-tuf's client; nothing is in service by it.

The client follows the mirror from the release in service: signatures, thresholds, versions that never go back, lengths
and hashes, and expiry against the proven lower bound of time (I9), never against the clock.
"""

import contextlib
import shutil
from collections.abc import Generator
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
from appliance.files import OpenFile, storage
from appliance.formats.release import (
    DELTA_NAME,
    DOCUMENTS_TARGET,
    RULES_TARGET,
    TARGET_BYTES_MAX,
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
from appliance.releases.whole import check_pages
from appliance.shelf import DOCUMENTS, METADATA, Shelf

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


def gather_release(shelf: Shelf, new: Path, mirror: Path, *, lower_bound_ms: int) -> None:
    """Lay the mirror's newest release into the folder `new`, in a release's layout.

    Raises:
        Untrusted: python-tuf refuses it, and why.
        StorageFull, StorageFault: It could not be written.
    """
    with storage("making room for a release"):
        shutil.rmtree(new, ignore_errors=True)
        (new / "metadata" / _ROOTS).mkdir(parents=True)
        (new / "targets" / "lists").mkdir(parents=True)
        _seed(shelf, new / "metadata")
    with _refused():
        _gather(shelf, new, mirror, lower_bound_ms)
    _tidy(new / "metadata")


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
        check_pages(OpenFile(old))
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
