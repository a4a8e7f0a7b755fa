"""The shelf: the folder where the verified release lies, read by whoever needs it and verified at every load.

```
root/1.root.json    the root that enrolment pinned
<version>/          metadata/ and targets/ of one release (formats/release.py)
<version>.again/    the same release, taken anew because it rotted
current             -> one of them
```
Only the process `releases` writes here.
"""

import contextlib
import re
from pathlib import Path
from typing import Final

from appliance.errors import LandlinkError, StorageFault, Untrusted
from appliance.files import OpenFile, open_regular
from appliance.formats.release import (
    DELTA_BYTES_MAX,
    DOCUMENTS_TARGET,
    TARGET_BYTES_MAX,
    Release,
    verify_release,
)
from appliance.formats.tuf_chain import DELEGATED, ROOT_BYTES_MAX, ROOTS_MAX, TARGETS_BYTES_MAX

METADATA: Final = ("timestamp", "snapshot", "targets", *DELEGATED)
DOCUMENTS: Final = f"targets/{DOCUMENTS_TARGET}"
DELTAS_MAX: Final = 1_000
PINNED: Final = "root/1.root.json"
AGAIN: Final = ".again"
"""Ends the name of a release's folder when the same version lay in the plain one as it was taken."""
PLACE: Final = re.compile(r"([0-9]{1,9})(\.again)?")
SWITCHED_MAX: Final = 4
"""How often a load begins anew because the release in service was switched meanwhile."""


class Shelf:
    """Verified releases on disk.

    Args:
        folder: `state/releases`.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def place(self) -> Path | None:
        """The folder of the release in service, None for none. Reads one link."""
        try:
            name = (self.folder / "current").readlink().name
        except OSError:
            return None
        return self.folder / name if PLACE.fullmatch(name) else None

    def version(self) -> int:
        """Version of the release in service, 0 for none. Reads one link."""
        return version_of(self.place())

    def stamp(self) -> tuple[int, int] | None:
        """Changes whenever a release is put into service, the same one anew included; None for none. Reads one link."""
        try:
            link = (self.folder / "current").lstat()
        except OSError:
            return None
        return link.st_ino, link.st_ctime_ns

    def pinned_root(self) -> bytes:
        """The root of trust. Raises Untrusted when the box has none, StorageFault."""
        root = _read(self.folder / PINNED, ROOT_BYTES_MAX)
        if root is None:
            raise Untrusted("this box is not enrolled: it has no pinned root")
        return root

    def load(self, *, lists: bool = True) -> Release:
        """Read and verify the release in service.

        Args:
            lists: Read the lists, which may have hundreds of megabytes; without, each counts as damaged.

        Raises:
            Untrusted: There is none, or a signature, version or hash of it does not hold.
            Malformed: A file of it is not in its format.
            StorageFault: A file of it cannot be read.
        """
        for _ in range(SWITCHED_MAX):
            stamp = self.stamp()
            try:
                return self._load(lists=lists)
            except LandlinkError:
                if self.stamp() == stamp:
                    raise  # it is this release, and not that its folder was tidied away while it was read
        return self._load(lists=lists)

    def _load(self, *, lists: bool) -> Release:
        place = self.place()
        if place is None:
            raise Untrusted("no release has been put into service yet")
        release = load_release(place, self.pinned_root(), lists=lists)
        if release.version != version_of(place):
            raise Untrusted(f"release {release.version} lies in the place of {version_of(place)}")
        return release


def version_of(place: Path | None) -> int:
    """The version of the release that lies at `place`, 0 for what is no release's place."""
    named = PLACE.fullmatch(place.name) if place else None
    return int(named[1]) if named else 0


def load_release(folder: Path, pinned_root: bytes, *, lists: bool = True) -> Release:
    """Read and verify the release in `folder`; the pages of its documents list when they are read.

    Raises:
        Untrusted, Malformed, StorageFault: As `Shelf.load`.
    """
    documents: OpenFile | None = None
    if lists:
        with contextlib.suppress(FileNotFoundError, StorageFault):
            documents = OpenFile(folder / DOCUMENTS)
    return verify_release(read_release(folder, lists=lists), pinned_root, documents=documents)


def read_release(folder: Path, *, lists: bool = True) -> dict[str, bytes]:
    """Read the files of one release but the documents list, by path; a file that is not there is left out.

    So is a list that the disk does not give back: a bad sector takes that list out of service, not the box. Without
    `lists` none is read.

    Raises:
        StorageFault: Another file cannot be read.
    """
    paths = {f"metadata/{role}.json": TARGETS_BYTES_MAX for role in METADATA}
    bounds = {f"targets/{target}": bytes_max for target, bytes_max in TARGET_BYTES_MAX.items()}
    bounds |= {f"targets/lists/{path.name}": DELTA_BYTES_MAX for path in _deltas(folder)}
    del bounds[DOCUMENTS]
    paths |= {path: bound for path, bound in bounds.items() if lists or not _is_list(path)}
    for number in range(2, ROOTS_MAX + 2):
        path = f"metadata/{number}.root.json"
        if not (folder / path).exists():
            break
        paths[path] = ROOT_BYTES_MAX
    files: dict[str, bytes] = {}
    for path, bytes_max in paths.items():
        with contextlib.suppress(StorageFault) if _is_list(path) else contextlib.nullcontext():
            data = _read(folder / path, bytes_max)
            if data is not None:
                files[path] = data
    return files


def _is_list(path: str) -> bool:
    return path.startswith("targets/lists/")


def _deltas(folder: Path) -> list[Path]:
    return sorted((folder / "targets" / "lists").glob("documents.delta-*"))[:DELTAS_MAX]


def _read(path: Path, bytes_max: int) -> bytes | None:
    """At most one byte more than the bound, which the verification then refuses; None when there is no such file."""
    try:
        with open_regular(path) as file:
            return file.read(bytes_max + 1)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise StorageFault(f"reading {path.name}: {error.strerror}") from error
