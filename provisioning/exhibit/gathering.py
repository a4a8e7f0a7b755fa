"""The entries that belong to a record, of whichever log of the box: those of its own, and of those before and after.

A box that loses what it published goes on in another log, in the middle of a crossing: the record is in one log, its
outcome in the next. `logs/<n>/` has of each other log, by its number, the signed `checkpoint` and `entries/<index>/`,
with the same files and proofs as the exhibit's own; its key is the box's, under its own name. What was carried over is
there once: as it stands in the record's own log, else as the earliest other one has it.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Final

from appliance.formats.record import commitment
from appliance.formats.tiles import TileNodes
from provisioning.audit.log import number_of
from provisioning.audit.opened.opening import Opened
from provisioning.audit.opened.search import Seen, concerned
from provisioning.audit.store import PulledLog
from provisioning.exhibit.entry import STATEMENT, LogTree
from provisioning.exhibit.pieces import EVIDENCE, Pieces, demand, naming, take
from provisioning.exhibit.times import Shown
from provisioning.exhibit.trust import Trusted, of_other_log

_RELATED: Final = re.compile(
    rf"({EVIDENCE}(?:/logs/([1-9][0-9]{{0,5}}))?/entries/(0|[1-9][0-9]*))/{re.escape(STATEMENT)}", re.ASCII
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Gathered:
    """One pass over a log, and headquarters' signatures on that log."""

    seen: Seen
    shown: Shown


@dataclass(frozen=True, slots=True, kw_only=True)
class Belonging:
    """An entry that belongs to the record, and the log that it stands in.

    Attributes:
        folder: Where its files go.
        trusted, tree: Of that log.
    """

    opened: Opened
    gathered: Gathered
    folder: str
    trusted: Trusted
    tree: LogTree


def tree_of(kept: PulledLog, size: int) -> LogTree:
    """The log behind its checkpoint."""

    def leaf(index: int) -> bytes:
        return next(islice(kept.leaves(size, index), 1))

    return LogTree(leaf=leaf, nodes=TileNodes(size, kept.tile))


def belonging(
    main: Opened, own: Gathered, others: Iterable[Gathered], trusted: Trusted, tree: LogTree
) -> list[Belonging]:
    """The record and all that belongs to it: its own log first, then the others by their number.

    Args:
        main: The record.
        own: The log that has it.
        others: The other logs of the box.
        trusted: Keys and tree of its own log.
        tree: Its leaves and proofs.

    Raises:
        Malformed, Untrusted, StorageFault: Another log has no checkpoint that holds.
    """
    record_id, folder = main.record.record_id, f"{EVIDENCE}/entries"
    found = [
        Belonging(
            opened=each,
            gathered=own,
            folder=EVIDENCE if each is main else f"{folder}/{each.index}",
            trusted=trusted,
            tree=tree,
        )
        for each in _of(record_id, own.seen)
    ]
    told = {_commitment(each.opened) for each in found}
    for other in sorted(others, key=lambda each: number_of(trusted.box, each.seen.kept.log.origin)):
        rest = [each for each in _of(record_id, other.seen) if _commitment(each) not in told]
        if not rest:
            continue
        kept = other.seen.kept
        path = _checkpoint(number_of(trusted.box, kept.log.origin))
        there = of_other_log(trusted, kept.log.origin, kept.note() or b"", path)
        place, its = path.rpartition("/")[0], tree_of(kept, there.checkpoint.size)
        for each in rest:
            told.add(_commitment(each))
            folder = f"{place}/entries/{each.index}"
            found.append(Belonging(opened=each, gathered=other, folder=folder, trusted=there, tree=its))
    return found


def _of(record_id: str, seen: Seen) -> Sequence[Opened]:
    return [each for _, each in sorted(seen.opened.items()) if record_id in concerned(each.record)]


def _commitment(opened: Opened) -> bytes:
    return commitment(opened.encoded)


def _checkpoint(number: int) -> str:
    return f"{EVIDENCE}/logs/{number}/checkpoint"


# --- reading ----------------------------------------------------------------------------------------------------------


def related_folders(pieces: Pieces, trusted: Trusted) -> list[tuple[str, int, Trusted]]:
    """Folders of what belongs to the record, its own log first, each with its index and the log that proves it.

    Raises:
        Broken: Another log's checkpoint is missing, or does not hold.
    """
    found = [match for match in map(_RELATED.fullmatch, pieces) if match]
    logs = {number: _other(pieces, int(number), trusted) for number in sorted({match[2] for match in found} - {None})}
    ordered = sorted((int(match[2] or 0), int(match[3]), match[1], match[2]) for match in found)
    return [(folder, index, logs.get(number, trusted)) for _, index, folder, number in ordered]


def _other(pieces: Pieces, number: int, trusted: Trusted) -> Trusted:
    path = _checkpoint(number)
    note = take(pieces, path)
    origin = f"{trusted.log.origin.rpartition('.')[0]}.{number}"
    demand(origin != trusted.log.origin, path, "of the log that the exhibit is of")
    with naming(path):
        return of_other_log(trusted, origin, note, path)
