"""What headquarters erased on order, beside the copy of a log: `erased.json`, so that nobody fetches or misses it.

The order itself is an entry of headquarters' own log (provisioning/custody/log.py), durable before anything goes.
The log of the box stays whole: statement, commitment and hash of the body are in its leaves, the body never was.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Final

import msgspec

from appliance.errors import Malformed, StorageFault
from appliance.files import storage, sync_folder, write_durably
from appliance.formats.refusal import refusal
from provisioning.audit.chronology import moment
from provisioning.audit.log import Problem
from provisioning.audit.store import PulledLog
from provisioning.custody.act import Act, Did

FILE: Final = "erased.json"


class Erased(msgspec.Struct, frozen=True, kw_only=True):
    """One body that was erased.

    Attributes:
        act: Entry of headquarters' own log that orders it.
        at_ms: When it was ordered, headquarters' clock, milliseconds since 1970.
        by: Who ordered it.
    """

    act: int
    at_ms: int
    by: str

    def __str__(self) -> str:
        return f"erased on {moment(self.at_ms)} on order of {self.by} (entry {self.act} of headquarters' own log)"


def read_erased(kept: PulledLog) -> dict[int, Erased]:
    """What was erased of a log, by entry. Raises StorageFault, Malformed."""
    try:
        text = (kept.folder / FILE).read_bytes()
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise StorageFault(f"reading {kept.folder / FILE}: {error.strerror}") from None
    try:
        return msgspec.json.decode(text, type=dict[int, Erased])
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Malformed(str(kept.folder / FILE), refusal(error)) from None


def keep_erased(kept: PulledLog, erased: Mapping[int, Erased]) -> None:
    """Note what is to go, durably, before it goes. Raises StorageFull, StorageFault, Malformed."""
    both = {**read_erased(kept), **erased}
    write_durably(kept.folder / FILE, msgspec.json.encode(dict(sorted(both.items()))), mode=0o644)


def destroy(kept: PulledLog, collector: Path | None) -> int:
    """Remove every body that is noted and still here, and the collector's copy; repeating it does nothing.

    Args:
        kept: The copy.
        collector: The collector's data folder, where it is on this machine.

    Returns:
        How many files went.
    """
    folders = [kept.folder / "bodies"]
    if collector is not None:
        folders.append(collector / "bodies" / kept.log.origin)
    gone = 0
    with storage(f"erasing bodies of {kept.log.origin}"):
        for folder in filter(Path.is_dir, folders):
            for index in read_erased(kept):
                path = folder / f"{index}.age"
                gone += path.exists()
                path.unlink(missing_ok=True)
            sync_folder(folder)
    return gone


def without_order(kept: PulledLog, acts: list[Act]) -> list[Problem]:
    """What `erased.json` says without an order in headquarters' own log, and what was ordered and is still here."""
    ordered = [reach for act in acts if act.did is Did.ERASED for reach in act.reaches]
    here = set(kept.body_indices())
    problems: list[Problem] = []
    for index in read_erased(kept):
        if not any(one.origin == kept.log.origin and one.first <= index < one.end for one in ordered):
            words = "its body is said to be erased on order, and headquarters' own log has no such order"
            problems.append(Problem(origin=kept.log.origin, index=index, words=words))
        if index in here:
            words = "it was ordered to erase its body, which is still here; next: landlink-hq erase --finish"
            problems.append(Problem(origin=kept.log.origin, index=index, words=words))
    return problems
