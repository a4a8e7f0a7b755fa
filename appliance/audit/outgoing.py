"""What a stick for headquarters carries: every log of this box whole, and sealed bodies of it.

```
log/<domain>/<log>/checkpoint, tile/...     as published: any tool for tlog-tiles verifies it
bodies/<domain>/<log>/<thousands>xxx/<index>.age
```
That is a collector's layout, with bodies by the thousand, since a folder of a FAT file system holds some 30,000 names.
Several boxes may use one stick. Every name is one that FAT keeps apart.
"""

import os
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from appliance.errors import StorageFault
from appliance.files import names_beneath
from appliance.formats.checkpoint import Checkpoint, open_checkpoint
from appliance.formats.note import NOTE_BYTES_MAX, Verifier, parse_vkey
from appliance.formats.tiles import tiles_of

VKEY_BYTES_MAX: Final = 1_024
FORMER_MAX: Final = 64
NAMES_MAX: Final = 1_000_000
_BODY: Final = re.compile(r"(0|[1-9][0-9]{0,11})\.[0-3]\.age")


@dataclass(frozen=True, slots=True)
class Copy:
    """One file: its name below the box's folder, and below the stick's."""

    source: str
    target: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OutgoingLog:
    """One log with what of it goes out.

    Attributes:
        checkpoint: Verified; the last file to be written.
        note: The same, signed.
        tiles, bodies: In the order of writing.
    """

    checkpoint: Checkpoint
    note: bytes
    tiles: tuple[Copy, ...]
    bodies: tuple[Copy, ...]

    @property
    def target(self) -> str:
        """Where its checkpoint goes."""
        return f"log/{self.checkpoint.origin}/checkpoint"


Read = Callable[[str, int], bytes]
"""Reads a file below the box's folder, of at most so many bytes. Raises FileNotFoundError, StorageFault."""


def outgoing(state: Path, read: Read, *, since: int, everything: bool) -> tuple[OutgoingLog, ...]:
    """Every log of this box, the one that it appends to first.

    Args:
        state: The box's folder.
        read: Reads there.
        since: Of the current log, no bodies of entries before this one.
        everything: Bodies that headquarters has acknowledged, too, as long as they are here.

    Raises:
        StorageFault: The card does not give it, or the box has no log yet.
        Malformed, Untrusted: A checkpoint is not what the log's key signed.
    """
    try:
        current = parse_vkey(read("log.vkey", VKEY_BYTES_MAX).decode("ascii", "replace").strip())
    except FileNotFoundError:
        raise StorageFault("log.vkey: this box has no log yet") from None
    domain = current.name.partition("/")[0]
    verifiers = [("", current)]
    verifiers += [
        (f"former/{log}/", Verifier(f"{domain}/{log}", current.type, current.public)) for log in _names(state, "former")
    ]
    found: list[OutgoingLog] = []
    for folder, verifier in verifiers:
        try:
            note = read(f"{folder}log/checkpoint", NOTE_BYTES_MAX)
        except FileNotFoundError:  # enrolled, and nothing published yet
            continue
        checkpoint, _ = open_checkpoint(note, verifier)
        bodies = _bodies(state, folder, checkpoint, since=0 if folder else since, everything=everything)
        tiles = (tile.path for tile in tiles_of(checkpoint.size))
        found.append(
            OutgoingLog(
                checkpoint=checkpoint,
                note=note,
                tiles=tuple(Copy(f"{folder}log/{path}", f"log/{checkpoint.origin}/{path}") for path in tiles),
                bodies=tuple(bodies),
            )
        )
    return tuple(found)


def _bodies(state: Path, folder: str, checkpoint: Checkpoint, *, since: int, everything: bool) -> Iterator[Copy]:
    acknowledged = set() if everything else set(_names(state, f"{folder}receipts"))
    here = {int(match[1]): name for name in _names(state, f"{folder}bodies") if (match := _BODY.fullmatch(name))}
    for index in sorted(here):
        if since <= index < checkpoint.size and str(index) not in acknowledged:
            target = f"bodies/{checkpoint.origin}/{index // 1_000:03d}xxx/{index}.age"
            yield Copy(f"{folder}bodies/{here[index]}", target)


def _names(state: Path, folder: str) -> list[str]:
    """What lies in a folder; nothing where there is none. Raises StorageFault."""
    count_max = FORMER_MAX if folder == "former" else NAMES_MAX
    try:
        return sorted(names_beneath(state, folder, count_max=count_max))
    except FileNotFoundError:
        return []
    except OSError as error:
        raise StorageFault(f"{folder}: {os.strerror(error.errno or 0)}") from error
