"""Where a log is pulled from: any tlog-tiles folder (a box's card, a stick, a mirror), or an address (https_source.py).

A source is believed in nothing: it gives bytes, within bounds, and whoever pulls verifies them.
"""

from collections.abc import Collection
from pathlib import Path
from typing import Protocol

from appliance.errors import NoInput, StorageFault, Untrusted
from appliance.files import all_beneath, open_regular, storage
from appliance.formats.note import NOTE_BYTES_MAX


class Source(Protocol):
    """One log and its sealed bodies, somewhere."""

    @property
    def name(self) -> str:
        """How to name this source to a person."""
        ...

    def read(self, path: str, *, bytes_max: int) -> bytes | None:
        """The file at `path` of the tlog-tiles tree; None when there is none.

        Raises:
            Untrusted: It is longer than `bytes_max`.
            StorageFault, UplinkFault: It cannot be read now.
        """
        ...

    def body(self, index: int, *, bytes_max: int) -> bytes | None:
        """The sealed body of entry `index`; None when it is not there. Raises as `read`."""
        ...

    def bodies(self) -> Collection[int] | None:
        """Entries whose body is there; None when that cannot be known without asking for each."""
        ...


class FolderSource:
    """A log in a folder, with the folder of its bodies where there is one.

    Args:
        tree: The tlog-tiles tree; holds `checkpoint`.
        bodies: Holds `<index>.age` (a mirror) or `<index>.<priority>.age` (a box), or folders of them (a stick).
    """

    def __init__(self, tree: Path, bodies: Path) -> None:
        self._tree = tree
        self._bodies = _bodies_in(bodies)

    @property
    def name(self) -> str:
        """How to name this source to a person."""
        return str(self._tree)

    def read(self, path: str, *, bytes_max: int) -> bytes | None:
        """The file at `path` of the tree; None when there is none. Raises as `Source.read`."""
        return _read(self._tree / path, bytes_max)

    def body(self, index: int, *, bytes_max: int) -> bytes | None:
        """The sealed body of entry `index`; None when it is not there. Raises as `Source.read`."""
        path = self._bodies.get(index)
        return None if path is None else _read(path, bytes_max)

    def bodies(self) -> Collection[int]:
        """Entries whose body is there."""
        return self._bodies.keys()


def folder_sources(folder: Path) -> dict[str, FolderSource]:
    """The logs that lie in a folder, by the origin that each checkpoint claims (verified by whoever pulls).

    The folder may be the tree itself, a box's state folder, headquarters' `pulled`, or a collector's data.

    Raises:
        NoInput: There is no such folder, or no log in it.
        Untrusted, StorageFault: A checkpoint is too long, or something cannot be read.
    """
    if not folder.is_dir():
        raise NoInput(f"{folder}: no such folder; is the stick or the card mounted there?")
    found = {
        folder: folder.parent / "bodies" if folder.name == "log" else folder / "bodies",
        folder / "log": folder / "bodies",
        **{path.parent: path.parent / "bodies" for path in folder.glob("*/*/checkpoint")},
        **{
            path.parent: folder / "bodies" / path.parent.relative_to(folder / "log")
            for path in folder.glob("log/*/*/checkpoint")
        },
    }
    sources: dict[str, FolderSource] = {}
    for tree, bodies in found.items():
        checkpoint = _read(tree / "checkpoint", NOTE_BYTES_MAX)
        if checkpoint is not None:
            origin = checkpoint.partition(b"\n")[0].decode("utf-8", "replace")
            sources[origin] = FolderSource(tree, bodies)
    if not sources:
        raise NoInput(
            f"{folder}: no log lies there (no file named checkpoint); name the folder that holds it, "
            "a box's state folder, or a collector's data folder"
        )
    return sources


def _bodies_in(folder: Path) -> dict[int, Path]:
    """Bodies by index; none where there is no such folder. Raises StorageFault."""
    found: dict[int, Path] = {}
    with storage(f"reading {folder}"):
        for entry in all_beneath(folder):
            number = entry.name.partition(".")[0]
            if entry.name.endswith(".age") and number.isascii() and number.isdecimal():
                found[int(number)] = Path(entry.path)
    return found


def _read(path: Path, bytes_max: int) -> bytes | None:
    try:
        with open_regular(path) as file:
            content = file.read(bytes_max + 1)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise StorageFault(f"reading {path}: {error.strerror}") from None
    if len(content) > bytes_max:
        raise Untrusted(f"{path}: longer than {bytes_max} bytes")
    return content
