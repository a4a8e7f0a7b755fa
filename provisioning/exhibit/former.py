"""Where an entry that a box carried over stood before: its place in the log that the box lost, where it is here.

A box that loses what it had signed begins another log, and carries over the bodies that headquarters never received
(formats/README.md). Each such entry names its old statement by its hash. Where headquarters had pulled the lost log up
to there, `former/` beside the entry has that statement, its epoch, its place and the lost log's checkpoint: the record
was there before the log was lost, and headquarters' cosignature of that checkpoint says since when at the latest.
"""

import hashlib
from itertools import islice

from appliance.errors import Malformed, Untrusted
from appliance.formats.statement import Carried, EpochStart, Sealed
from appliance.formats.tiles import TileNodes
from provisioning.audit.log import Log
from provisioning.audit.store import PulledLog
from provisioning.audit.walk import Walk
from provisioning.audit.when import cosigned_head
from provisioning.exhibit.contents import Former
from provisioning.exhibit.entry import LogTree, Proven, read_proven, statement_pieces
from provisioning.exhibit.pieces import Pieces, demand, naming, take
from provisioning.exhibit.trust import Trusted, of_other_log

CHECKPOINT = "checkpoint"


def former_pieces(kept: PulledLog, carried: Carried, trusted: Trusted) -> dict[str, bytes]:
    """The files (`former/...`) of a carried entry's old place; none where headquarters has not got that far.

    Args:
        kept: The log that has the entry now.
        carried: What the entry says.
        trusted: Keys.

    Raises:
        StorageFault: The copy of the lost log cannot be read.
    """
    log = Log(box=kept.log.box, origin=carried.origin, mode=kept.log.mode)
    lost = PulledLog(log, kept.folder.parent / carried.origin.rpartition("/")[2])
    note = lost.note()
    if note is None:
        return {}
    try:
        there = of_other_log(trusted, carried.origin, note, CHECKPOINT)
        size = there.checkpoint.size
        if carried.index >= size:
            return {}
        epoch_index = _epoch_of(lost, carried.index)
        tree = LogTree(leaf=lambda index: next(islice(lost.leaves(size, index), 1)), nodes=TileNodes(size, lost.tile))
        files = statement_pieces(carried.index, epoch_index, tree, there)
    except (Malformed, Untrusted):  # `verify` names what is wrong with the lost log
        return {}
    if hashlib.sha256(files["statement.cose"]).digest() != carried.statement:
        return {}
    return {f"former/{name}": content for name, content in {**files, CHECKPOINT: note}.items()}


def _epoch_of(lost: PulledLog, index: int) -> int:
    """Where the epoch of an entry starts."""
    walk, start = Walk(lost.log), 0
    for at, leaf in enumerate(islice(lost.leaves(lost.checkpoint().size), index + 1)):
        if isinstance(walk.take(leaf).kind, EpochStart):
            start = at
    return start


def read_former(pieces: Pieces, folder: str, proven: Proven, trusted: Trusted) -> Former | None:
    """The old place of a verified entry; None where it has none or it is not here. Raises Broken."""
    old = f"{folder}/former"
    carried = proven.statement.kind
    here = f"{old}/{CHECKPOINT}" in pieces
    demand(here or not any(path.startswith(f"{old}/") for path in pieces), f"{old}/{CHECKPOINT}", "missing")
    if not here:
        return None
    demand(isinstance(carried, Carried), f"{old}/{CHECKPOINT}", "beside an entry that was not carried over")
    assert isinstance(carried, Carried), "demanded"
    note = take(pieces, f"{old}/{CHECKPOINT}")
    with naming(f"{old}/{CHECKPOINT}"):
        there = of_other_log(trusted, carried.origin, note, f"{old}/{CHECKPOINT}")
        head = cosigned_head(note, there.log.verifier, there.cosigners)
    found = read_proven(pieces, old, there)
    path = f"{old}/statement.cose"
    demand(hashlib.sha256(found.leaf).digest() == carried.statement, path, "not the statement that the entry names")
    demand(found.index == carried.index, path, "stands at another place than the entry names")
    sealed = found.statement.kind
    same = isinstance(sealed, Sealed) and (sealed.commitment, sealed.blob_sha256) == (
        carried.commitment,
        carried.blob_sha256,
    )
    demand(same, path, "of another record")
    return Former(
        origin=carried.origin,
        index=carried.index,
        size=there.checkpoint.size,
        claimed=found.statement.at,
        cosigned_ms=None if head is None else head.by_ms,
    )
