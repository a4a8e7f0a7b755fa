"""What each sync of a trace was of, in words that are the same for every workload: `recorder/journal`, `bodies/`."""

import re
from collections.abc import Sequence
from typing import Final

from tests.crash.trace import Operation

ROOT: Final = 1
TEMPORARY: Final = re.compile(r"\.(.+?)(\.[0-9]+)?\.tmp")
WORDS: Final = (
    (re.compile(r"state/log/tile/entries/.*[^/]"), "log/tile/entries/N"),
    (re.compile(r"state/log/tile/entries/.*/"), "log/tile/entries/.../"),
    (re.compile(r"state/log/tile/[0-9].*[^/]"), "log/tile/L/N"),
    (re.compile(r"state/log/tile/[0-9].*/"), "log/tile/L/.../"),
    (re.compile(r"state/recorder/journal\.[0-9]+"), "recorder/journal"),
    (re.compile(r"state/bodies/.*\.age"), "bodies/I.P.age"),
    (re.compile(r"state/receipts/[0-9]+"), "receipts/I"),
    (re.compile(r"state/recorder/cases/.*\.case"), "recorder/cases/OF.case"),
    (re.compile(r"state/recorder/case-keys/.*\.key"), "recorder/case-keys/K.key"),
    (re.compile(r"state/(releases|mirror)/.*"), "releases"),
    (re.compile(r"state/(.+)"), r"\1"),
)


def synced(operations: Sequence[Operation]) -> dict[int, str]:
    """Of each sync, by the number of its operation: what it was of. A folder ends in `/`."""
    places: dict[int, tuple[int, str]] = {}
    folders = {ROOT}
    found: dict[int, str] = {}
    for number, operation in enumerate(operations):
        match operation.kind:
            case "create" | "mkdir" | "symlink":
                places[operation.inode] = (operation.folder, operation.name)
                if operation.kind == "mkdir":
                    folders.add(operation.inode)
            case "rename":
                places[operation.inode] = (operation.new_folder, operation.new_name)
            case "sync":
                found[number] = _word(_path(places, operation.inode) + "/" * (operation.inode in folders))
            case _:
                pass
    return found


def _path(places: dict[int, tuple[int, str]], inode: int) -> str:
    names: list[str] = []
    while inode != ROOT:
        inode, name = places[inode]
        temporary = TEMPORARY.fullmatch(name)
        names.append(temporary[1] if temporary else name)
    return "/".join(reversed(names))


def _word(path: str) -> str:
    for pattern, word in WORDS:
        if found := pattern.fullmatch(path):
            return found.expand(word)
    return path
