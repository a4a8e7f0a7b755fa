"""`stick`: the release in force and the messages to boxes, on a stick for a post that has no link.

```
tuf/            as boxes mirror it: the files of one release, timestamp.json written last
down/<serial>/  sealed messages to that box
cosigned/<domain>/<log>  the last checkpoint of that log that headquarters pulled and cosigned
```
Nothing on it is secret but from whoever holds a box's key, and boxes believe nothing of it. A stick may be pulled out
at any moment of the writing: each file appears whole, and until the last one it carries the release before.
"""

import contextlib
import hashlib
import os
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from appliance.errors import Malformed, Refused, Untrusted
from appliance.files import all_beneath, read_regular, refuse_links, storage, sync_folder
from appliance.formats.checkpoint import open_checkpoint
from appliance.formats.downlink import COSIGNED, FOLDER
from appliance.formats.note import NOTE_BYTES_MAX, Verifier, parse_vkey
from appliance.formats.release import COSIGN_ED25519, COSIGN_MLDSA44, Roster, RosterBox
from provisioning.authority.current_files import current_files
from provisioning.authority.downlink import Down
from provisioning.authority.home import Home
from provisioning.authority.roster import enrolled, read_roster

TUF: Final = "tuf"
PARTS: Final = (TUF, FOLDER, COSIGNED)
PIECE_BYTES: Final = 4 * 1024 * 1024
_HASHED: Final = re.compile(r"([0-9a-f]{64})\.[^/]+")
Advance = Callable[[int], None]
"""Told how many bytes more are on the stick."""


@dataclass(frozen=True, slots=True)
class _Copy:
    """One file to be on the stick: where it lies, and its path there."""

    source: Path
    path: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StickPlan:
    """What goes onto a stick.

    Attributes:
        boxes: For which there are messages, by serial, counted.
        cosigned: Checkpoints that headquarters cosigned, one a log.
        size: Bytes in all.
    """

    release: tuple[_Copy, ...]
    messages: tuple[_Copy, ...]
    cosigned: tuple[_Copy, ...]
    boxes: dict[str, int]
    size: int


def plan_stick(home: Home, serial: str | None) -> StickPlan:
    """What a stick for one box, or for all that are not revoked, carries.

    Raises:
        Refused: No such box is enrolled, or it is revoked.
        ConfigError, Malformed: The repository or the roster cannot be read.
    """
    release = tuple(_Copy(home.tuf / path, f"{TUF}/{path}") for path in current_files(home.tuf))
    roster = read_roster(home)
    boxes = _boxes(roster, serial)
    sealed = {box.serial: Down(home, box).messages() for box in boxes}
    origins = (origin for box in boxes for origin in _pulled(home, box) if _is_cosigned(home, roster, box, origin))
    cosigned = tuple(_Copy(home.pulled_log(origin) / "checkpoint", f"{COSIGNED}/{origin}") for origin in origins)
    messages = tuple(_Copy(path, f"{FOLDER}/{each}/{path.name}") for each, paths in sealed.items() for path in paths)
    return StickPlan(
        release=release,
        messages=messages,
        cosigned=cosigned,
        boxes={each: len(paths) for each, paths in sealed.items()},
        size=sum(copy.source.stat().st_size for copy in (*release, *messages, *cosigned)),
    )


def write_stick(plan: StickPlan, stick: Path, advance: Advance) -> None:
    """Write it, then remove what earlier ones left; on return all of it outlives being pulled out.

    Raises:
        Refused: There are links on the stick: they could lead the writing elsewhere.
        StorageFull, StorageFault: The stick; what it carried before is still whole.
    """
    refuse_links(stick, PARTS, "headquarters")
    copies = (*plan.messages, *plan.cosigned, *plan.release)
    for copy in copies:  # messages first: they are small, and the release's last file ends it
        with storage(f"stick {copy.path}"):
            _write(copy.source, stick / copy.path, advance)
    wanted = {copy.path for copy in copies}
    with storage(f"tidying {stick}"):
        for part in PARTS:
            for entry in all_beneath(stick / part):
                if entry.is_file() and Path(entry.path).relative_to(stick).as_posix() not in wanted:
                    Path(entry.path).unlink()
            if (stick / part).is_dir():
                sync_folder(stick / part)


def _pulled(home: Home, box: RosterBox) -> list[str]:
    """Logs of this box that were pulled: the enrolled ones, and those that it began after a loss."""
    domain = home.settings.domain
    return sorted(f"{domain}/{path.name}" for path in (home.pulled / domain).glob(f"{box.serial.lower()}.*"))


def _is_cosigned(home: Home, roster: Roster, box: RosterBox, origin: str) -> bool:
    """Whether what was pulled of this log has the cosignatures that its box asks for; the box verifies them itself."""
    key = parse_vkey(box.log_vkey)
    cosigners = [parse_vkey(roster.key(role).vkey) for role in (COSIGN_ED25519, COSIGN_MLDSA44)]
    try:
        note = read_regular(home.pulled_log(origin) / "checkpoint", NOTE_BYTES_MAX)
        _, opened = open_checkpoint(note, Verifier(origin, key.type, key.public), *cosigners)
        for cosigner in cosigners:
            opened.require(cosigner)
    except (OSError, Malformed, Untrusted):  # nothing was pulled yet, or nobody cosigned it
        return False
    return True


def _boxes(roster: Roster, serial: str | None) -> tuple[RosterBox, ...]:
    if serial is None:
        return tuple(box for box in roster.boxes if not box.revoked)
    box = enrolled(roster, serial)
    if box.revoked:
        raise Refused(f"box {serial} is revoked; nothing is sent to it")
    return (box,)


def _write(source: Path, path: Path, advance: Advance) -> None:
    """Put a copy there whole, unless it is there. Modes are left to the stick: a FAT file system has none.

    Whatever lies at the temporary name goes first: a pipe there would keep the writing waiting for ever, and a device
    would be written to.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    if _is_there(source, path):
        advance(source.stat().st_size)
        return
    temporary = path.with_name(f".{path.name}.tmp")
    try:
        temporary.unlink(missing_ok=True)
        with source.open("rb") as original, temporary.open("xb") as copy:
            while piece := original.read(PIECE_BYTES):
                copy.write(piece)
                advance(len(piece))
            copy.flush()
            os.fsync(copy.fileno())
        temporary.replace(path)
    except OSError:
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)
        raise
    sync_folder(path.parent)


def _is_there(source: Path, path: Path) -> bool:
    """Whether the stick has this target whole; other files are few and small, and are written again."""
    named = _HASHED.fullmatch(path.name)
    if named is None or not path.is_file() or path.stat().st_size != source.stat().st_size:
        return False
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest() == named[1]
