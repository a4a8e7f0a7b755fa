"""Verify what was pulled, offline and from nothing: every tile, leaf, statement, certificate, body and kept proof.

It names everything that it finds and stops at nothing that it can pass: an auditor wants the whole list.
"""

from dataclasses import dataclass, field
from typing import Final

from appliance.errors import Malformed, Untrusted
from appliance.formats.checkpoint import Checkpoint, open_checkpoint
from appliance.formats.edge import Edge
from appliance.formats.merkle import root_hash
from appliance.formats.statement import Sealed
from appliance.formats.tiles import (
    TILE_WIDTH,
    TileNodes,
    parse_path,
    tiles_of,
)
from provisioning.audit.log import Problem, Trust, problem
from provisioning.audit.progress import Advance
from provisioning.audit.store import PulledLog, check_body
from provisioning.audit.walk import Walk

HASH_BYTES: Final = 32


@dataclass(slots=True, kw_only=True)
class Verified:
    """What verification found.

    Attributes:
        origin: The log.
        size: Entries that its checkpoint covers.
        bodies: Bodies that are here and are the ones that the statements name.
        cosigned: Headquarters' cosignatures on the checkpoint.
        problems: Everything that is not as it should be.
    """

    origin: str
    size: int = 0
    bodies: int = 0
    cosigned: int = 0
    problems: list[Problem] = field(default_factory=list[Problem])


def verify(kept: PulledLog, trust: Trust, advance: Advance) -> Verified:
    """Verify one pulled log; `advance` is told how far it is.

    Raises:
        StorageFault: Something of it cannot be read.
    """
    result = Verified(origin=kept.log.origin)
    try:
        checkpoint, opened = kept.open_checkpoint(*trust.cosigners)
    except (Malformed, Untrusted) as error:
        result.problems.append(problem(kept.log, None, error))
        return result
    result.size = checkpoint.size
    result.cosigned = sum(signature.verifier in trust.cosigners for signature in opened.signatures)
    _verify_tree(kept, checkpoint, result)
    _verify_entries(kept, checkpoint.size, result, advance)
    _verify_proofs(kept, checkpoint, result)
    return result


def _verify_tree(kept: PulledLog, checkpoint: Checkpoint, result: Verified) -> None:
    """Every tile is what the leaves give, and the leaves give the signed root."""
    expected = {tile.path for tile in tiles_of(checkpoint.size)}
    edge = Edge()
    try:
        for leaf in kept.leaves(checkpoint.size):
            edge.append(leaf)
            if edge.size % TILE_WIDTH == 0 or edge.size == checkpoint.size:
                # In between, higher tiles are partial ones that a tree of the final size no longer has.
                _verify_tiles(kept, [tile for tile in edge.publish() if tile[0] in expected], result)
    except (Malformed, Untrusted) as error:
        result.problems.append(problem(kept.log, None, error))
        return
    if edge.root() != checkpoint.root:
        words = f"its {checkpoint.size} entries do not give the root that its checkpoint signs"
        result.problems.append(Problem(origin=kept.log.origin, index=None, words=words))


def _verify_tiles(kept: PulledLog, tiles: list[tuple[str, bytes]], result: Verified) -> None:
    for path, content in tiles:
        try:
            found = kept.tile(path)
        except Untrusted as error:
            result.problems.append(problem(kept.log, None, error))
            continue
        if found == content:
            continue
        name = parse_path(path)
        index = None
        if name.level == 0:
            index = name.n * TILE_WIDTH + _first_difference(found, content) // HASH_BYTES
        words = f"{path} is not what the entries give: the tile or the entry was altered"
        result.problems.append(Problem(origin=kept.log.origin, index=index, words=words))


def _first_difference(one: bytes, other: bytes) -> int:
    pairs = enumerate(zip(one, other, strict=False))
    return next((at for at, (left, right) in pairs if left != right), min(len(one), len(other)))


def _verify_entries(kept: PulledLog, size: int, result: Verified, advance: Advance) -> None:
    """Every statement under its epoch's key, and every body that a statement names."""
    walk = Walk(kept.log)
    strays = kept.body_indices()
    try:
        for index, leaf in enumerate(kept.leaves(size)):
            try:
                statement = walk.take(leaf)
                if isinstance(statement.kind, Sealed):
                    _verify_body(kept, index, statement.kind, result)
                    strays.discard(index)
            except (Malformed, Untrusted) as error:
                result.problems.append(problem(kept.log, index, error))
                strays.discard(index)
            advance("entries", index + 1, size)
    except (Malformed, Untrusted):  # the bundle itself: named with the tree
        return
    for index in sorted(strays):
        words = "a body lies here that no statement names"
        result.problems.append(Problem(origin=kept.log.origin, index=index, words=words))


def _verify_body(kept: PulledLog, index: int, sealed: Sealed, result: Verified) -> None:
    blob = kept.body(index)
    if blob is None:
        raise Untrusted("its body is not here: it has not been delivered, or it was removed")
    check_body(blob, sealed)
    result.bodies += 1


def _verify_proofs(kept: PulledLog, checkpoint: Checkpoint, result: Verified) -> None:
    """Kept contradictions: an older checkpoint of the same tree is history, any other proves a fork."""
    for path in kept.proofs():
        try:
            other, _ = open_checkpoint(path.read_bytes(), kept.log.verifier)
            held = other.size <= checkpoint.size and other.root == root_hash(
                other.size, TileNodes(checkpoint.size, kept.tile)
            )
        except (Malformed, Untrusted) as error:
            result.problems.append(problem(kept.log, None, error))
            continue
        if not held:
            words = f"fork proven: the box's key also signed another tree of {other.size} entries ({path})"
            result.problems.append(Problem(origin=kept.log.origin, index=None, words=words))
