"""What may be fetched, and under which address. Nothing else has one.

| address | file |
|---|---|
| `/log/<origin>/checkpoint` | `log/checkpoint` |
| `/log/<origin>/tile/...` | `log/tile/...`, as far as the checkpoint reaches |
| `/bodies/<origin>/<index>.age` | `bodies/<index>.<priority>.age`, the same |
| `/receipts/<origin>/<index>` | `receipts/<index>`, the same |
| `/cosigned/<origin>` | `cosigned` |

An address is what the format says letter by letter: no escapes, no dots that lead elsewhere, one spelling a file. Every
file is opened beneath the box's folder without following a link. Of a former log of this box, the files lie below
`former/<log>/`.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final

from appliance.errors import Malformed, StorageFault
from appliance.files import open_beneath
from appliance.formats.checkpoint import Checkpoint, open_checkpoint
from appliance.formats.note import NOTE_BYTES_MAX, Verifier, parse_vkey
from appliance.formats.tiles import TILE_HEIGHT, TILE_WIDTH, parse_path
from appliance.model import Priority

VKEY_BYTES_MAX: Final = 1_024
_ADDRESS: Final = re.compile(
    r"/(log|bodies|receipts|cosigned)/([a-z0-9.-]{1,64}/[a-z0-9.-]{1,64})(?:/([a-z0-9/.]{1,96}))?"
)
_BODY: Final = re.compile(r"(0|[1-9][0-9]{0,11})\.age")
_INDEX: Final = re.compile(r"0|[1-9][0-9]{0,11}")


@dataclass(frozen=True, slots=True)
class _Log:
    """One log of this box: its folder below the box's, "" or with "/" at its end, and how far it is published."""

    folder: str
    head: Checkpoint


class Published:
    """The box's folder, as far as the auditor may see it.

    Args:
        state: The box's durable folder.
    """

    def __init__(self, state: Path) -> None:
        self._state = state

    def open(self, address: str) -> BinaryIO | None:
        """The file at an address, for reading bytes; None where there is none.

        Raises:
            StorageFault: The card does not give it.
            Malformed, Untrusted: The checkpoint is not what this log's key signed: nothing is published.
        """
        match = _ADDRESS.fullmatch(address)
        if match is None:
            return None
        log = self._log(match[2])
        if log is None:
            return None
        for name in _names(match[1], match[3] or "", log.head.size):
            file = self._open(f"{log.folder}{name}")
            if file is not None:
                return file
        return None

    def origin(self) -> str:
        """Name of the log that the box appends to now; "" before it has one. Raises as `open`."""
        current = self._current()
        return "" if current is None else current.name

    def head(self) -> Checkpoint | None:
        """The checkpoint of that log; None before its first. Raises as `open`."""
        log = self._log(self.origin())
        return None if log is None else log.head

    def _log(self, origin: str) -> _Log | None:
        """The log of this name with a checkpoint, which is verified; None where there is none."""
        current = self._current()
        if current is None:
            return None
        folder = "" if origin == current.name else f"former/{origin.partition('/')[2]}/"
        note = self._read(f"{folder}log/checkpoint", NOTE_BYTES_MAX)
        if note is None:
            return None
        checkpoint, _ = open_checkpoint(note, Verifier(origin, current.type, current.public))
        return _Log(folder, checkpoint)

    def _current(self) -> Verifier | None:
        text = self._read("log.vkey", VKEY_BYTES_MAX)
        return None if text is None else parse_vkey(text.decode("ascii", "replace").strip())

    def _read(self, name: str, bytes_max: int) -> bytes | None:
        file = self._open(name)
        if file is None:
            return None
        with file:
            try:
                content = file.read(bytes_max + 1)
            except OSError as error:
                raise StorageFault(f"{name}: {error.strerror}") from error
        if len(content) > bytes_max:
            raise Malformed(name, f"more than {bytes_max} bytes")
        return content

    def _open(self, name: str) -> BinaryIO | None:
        try:
            return open_beneath(self._state, name)
        except (FileNotFoundError, NotADirectoryError):
            return None
        except OSError as error:  # a link or a device in its place is one, too: nobody is told more than that
            raise StorageFault(f"{name}: {error.strerror}") from error


def _names(kind: str, rest: str, size: int) -> Iterator[str]:
    """Where the file of an address may lie below its log's folder; none where it is past the checkpoint."""
    match kind:
        case "log" if rest == "checkpoint" or _is_tile(rest, size):
            yield f"log/{rest}"
        case "bodies" if (body := _BODY.fullmatch(rest)) and int(body[1]) < size:
            yield from (f"bodies/{body[1]}.{priority.value}.age" for priority in Priority)
        case "receipts" if _INDEX.fullmatch(rest) and int(rest) < size:
            yield f"receipts/{rest}"
        case "cosigned" if not rest:
            yield "cosigned"
        case _:
            return


def _is_tile(path: str, size: int) -> bool:
    """Whether it is a tile, or entry bundle, of this tree or of one that it has grown from."""
    try:
        tile = parse_path(path)
    except Malformed:
        return False
    return tile.n * TILE_WIDTH + tile.width <= size >> TILE_HEIGHT * (tile.level or 0)
