"""What may lie on a disk after a power cut: everything that was synced, and any part of what was not.

The rules are POSIX's, read against the program. A sync of a file makes its bytes durable, and not its name; a sync of a
folder makes its entries durable, and not what they name. Whatever was not synced may be there or not, in any order, and
a write may be there in part, sector by sector. Two things hold: of one name, an entry never comes back before one that
was made durable; a rename is whole or not at all.
"""

import enum
import random
import stat
from collections.abc import Iterable, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from tests.crash.trace import Operation

ROOT: Final = 1
SECTOR: Final = 512


class Luck(enum.Enum):
    """What becomes of that which was not synced."""

    NOTHING = "nothing"
    EVERYTHING = "everything"
    NAMES = "names"  # every entry is there, and no byte of what it names
    ANYTHING = "torn"  # any part of it, in any order, sector by sector


@dataclass
class _File:
    """A file or link on the disk, and what was written since its last sync."""

    mode: int
    folder: bool = False
    link: bool = False
    content: bytearray = field(default_factory=bytearray)
    pending: list[Operation] = field(default_factory=list)


@dataclass
class _Entries:
    """The durable entries of a folder."""

    names: dict[str, int] = field(default_factory=dict)


class Disk:
    """A disk that is told a trace from its beginning, and can be asked at any operation what a cut would leave.

    Args:
        operations: The trace.
        ignores: Numbers of syncs of which it says that they are done, and does nothing: what no program can stand.
    """

    def __init__(self, operations: Iterable[Operation], *, ignores: AbstractSet[int] = frozenset()) -> None:
        self._operations = list(operations)
        self._ignores = ignores
        self._files: dict[int, _File] = {ROOT: _File(stat.S_IFDIR | 0o755, folder=True)}
        self._entries: dict[int, _Entries] = {ROOT: _Entries()}
        self._moves: list[Operation] = []
        self.told = 0

    def __len__(self) -> int:
        return len(self._operations)

    def settle(self) -> None:
        """Everything told until now is durable: a test begins with a whole disk."""
        for move in self._moves:
            self._apply(move)
        self._moves.clear()
        for file in self._files.values():
            _write_all(file.content, file.pending)
            file.pending.clear()

    def tell(self, until: int) -> None:
        """Go on to just before operation `until`."""
        assert until >= self.told, "a disk does not go back"
        for number, operation in enumerate(self._operations[self.told : until], self.told):
            if number not in self._ignores:
                self._tell(operation)
        self.told = until

    def cut(self, folder: Path, luck: Luck, chance: random.Random) -> None:
        """Lay into an empty folder what a power cut now may leave."""
        names = {number: dict(entries.names) for number, entries in self._entries.items()}
        for move in self._lucky_moves(luck, chance):
            _move(names, move)
        self._lay(folder, ROOT, names, luck, chance)

    def _tell(self, operation: Operation) -> None:
        match operation.kind:
            case "create" | "mkdir" | "symlink":
                made = _File(operation.offset, folder=operation.kind == "mkdir", link=operation.kind == "symlink")
                if made.link:
                    made.content[:] = operation.data
                if made.folder:
                    self._entries[operation.inode] = _Entries()
                self._files[operation.inode] = made
                self._moves.append(operation)
            case "link" | "rename" | "unlink":
                self._moves.append(operation)
            case "write" | "truncate":
                self._files[operation.inode].pending.append(operation)
            case "chmod":
                self._files[operation.inode].mode = operation.offset
            case "sync":
                self._sync(operation.inode)
            case _:
                raise AssertionError(operation.kind)

    def _sync(self, number: int) -> None:
        file = self._files[number]
        _write_all(file.content, file.pending)
        file.pending.clear()
        if file.folder:
            self._sync_entries(number)

    def _sync_entries(self, number: int) -> None:
        """A folder's entries become durable, and what they rest on: earlier entries of the same names, wherever."""
        names = set[tuple[int, str]]()
        synced = set[int]()
        for index in reversed(range(len(self._moves))):
            move = self._moves[index]
            if number in (move.folder, move.new_folder) or names & _names(move):
                synced.add(index)
                names |= _names(move)
        for index in sorted(synced):
            self._apply(self._moves[index])
        self._moves = [move for index, move in enumerate(self._moves) if index not in synced]

    def _apply(self, move: Operation) -> None:
        names = {number: entries.names for number, entries in self._entries.items()}
        _move(names, move)

    def _lucky_moves(self, luck: Luck, chance: random.Random) -> Sequence[Operation]:
        if luck is Luck.NOTHING:
            return ()
        if luck in (Luck.EVERYTHING, Luck.NAMES):
            return self._moves
        lost: set[tuple[int, str]] = set()
        kept: list[Operation] = []
        for move in self._moves:
            if lost & _names(move) or chance.random() < 0.5:
                lost |= _names(move)
            else:
                kept.append(move)
        return kept

    def _lay(
        self, folder: Path, number: int, names: dict[int, dict[str, int]], luck: Luck, chance: random.Random
    ) -> None:
        for name, child in sorted(names[number].items()):
            file, place = self._files[child], folder / name
            if file.folder:
                place.mkdir()
                self._lay(place, child, names, luck, chance)
            elif file.link:
                place.symlink_to(file.content.decode())
                continue
            else:
                place.write_bytes(self._content(file, luck, chance))
            place.chmod(stat.S_IMODE(file.mode))

    @staticmethod
    def _content(file: _File, luck: Luck, chance: random.Random) -> bytes:
        if luck in (Luck.NOTHING, Luck.NAMES) or not file.pending:
            return bytes(file.content)
        content = bytearray(file.content)
        if luck is Luck.EVERYTHING:
            _write_all(content, file.pending)
            return bytes(content)
        for operation in file.pending:
            match chance.randrange(4):
                case 0:
                    continue
                case 1 if operation.kind == "write":
                    _tear(content, operation, chance)
                case _:
                    _write(content, operation)
        return bytes(content)


def _names(move: Operation) -> set[tuple[int, str]]:
    """The names that an operation changes."""
    return {(move.folder, move.name)} | ({(move.new_folder, move.new_name)} if move.new_folder else set())


def _move(names: dict[int, dict[str, int]], move: Operation) -> None:
    match move.kind:
        case "rename":
            names[move.folder].pop(move.name, None)
            names[move.new_folder][move.new_name] = move.inode
        case "unlink":
            names[move.folder].pop(move.name, None)
        case _:
            names[move.folder][move.name] = move.inode


def _write_all(content: bytearray, operations: Iterable[Operation]) -> None:
    for operation in operations:
        _write(content, operation)


def _write(content: bytearray, operation: Operation) -> None:
    if operation.kind == "truncate":
        del content[operation.offset :]
        content.extend(bytes(operation.offset - len(content)))
        return
    end = operation.offset + len(operation.data)
    content.extend(bytes(max(0, end - len(content))))
    content[operation.offset : end] = operation.data


def _tear(content: bytearray, operation: Operation, chance: random.Random) -> None:
    """Some sectors of a write are there, the length may be; what is not there reads as zeros or as before."""
    end = operation.offset + len(operation.data)
    if chance.random() < 0.5:
        content.extend(bytes(max(0, end - len(content))))
    first = operation.offset - operation.offset % SECTOR
    for sector in range(first, end, SECTOR):
        if chance.random() < 0.5:
            start, stop = max(sector, operation.offset), min(sector + SECTOR, end)
            if stop <= len(content) or start <= len(content):
                content.extend(bytes(max(0, stop - len(content))))
                content[start:stop] = operation.data[start - operation.offset : stop - operation.offset]
