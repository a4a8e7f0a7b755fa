"""Verify what was pulled, offline and from nothing: every tile, leaf, statement, certificate, body and kept proof.

It names everything that it finds and stops at nothing that it can pass: an auditor wants the whole list.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from appliance.errors import Malformed, Untrusted
from appliance.formats.checkpoint import Checkpoint
from appliance.formats.edge import Edge
from appliance.formats.statement import Sealed
from appliance.formats.tiles import TILE_WIDTH, parse_path, tiles_of
from provisioning.audit.acknowledged import check_receipt, missing_body, unfounded_claim
from provisioning.audit.chronology import Chronology
from provisioning.audit.erased import Erased, read_erased
from provisioning.audit.log import Problem, Trust, problem
from provisioning.audit.progress import Advance
from provisioning.audit.proof import verify_proof
from provisioning.audit.revocation import after_revocation
from provisioning.audit.store import PulledLog, check_body
from provisioning.audit.succession import judge_succession
from provisioning.audit.testimony import Testimony, load_testimony
from provisioning.audit.walk import Walk

HASH_BYTES: Final = 32


@dataclass(slots=True, kw_only=True)
class Verified:
    """What verification found.

    Attributes:
        origin: The log.
        size: Entries that its checkpoint covers.
        bodies: Bodies that are here and are the ones that the statements name.
        erased: Bodies that are not here because headquarters ordered it (erased.py).
        cosigned: Headquarters' cosignatures on the checkpoint.
        unproven: Entries that name a cosigned checkpoint of which no signature of headquarters is here.
        problems: Everything that is not as it should be.
    """

    origin: str
    size: int = 0
    bodies: int = 0
    erased: int = 0
    cosigned: int = 0
    unproven: int = 0
    problems: list[Problem] = field(default_factory=list[Problem])


def verify(kept: PulledLog, trust: Trust, advance: Advance) -> Verified:
    """Verify one pulled log; `advance` is told how far it is.

    Raises:
        StorageFault: Something of it cannot be read.
    """
    result = Verified(origin=kept.log.origin)
    try:
        checkpoint, opened = kept.open_checkpoint(*trust.notes)
    except (Malformed, Untrusted) as error:
        result.problems.append(problem(kept.log, None, error))
        return result
    result.size = checkpoint.size
    result.cosigned = sum(signature.verifier in trust.cosigners for signature in opened.signatures)
    if trust.policy is not None:
        try:
            trust.policy.require(kept.log.verifier, (signature.verifier for signature in opened.signatures))
        except Untrusted as error:
            result.problems.append(problem(kept.log, None, error))
    testimony, problems = load_testimony(kept, trust, again=True)
    result.problems += problems
    _verify_tree(kept, checkpoint, testimony, result)
    _verify_entries(kept, checkpoint.size, testimony, result, advance)
    result.problems += judge_succession(kept)
    result.problems += after_revocation(kept.log, checkpoint.size, testimony)
    _verify_proofs(kept, result)
    return result


def _verify_tree(kept: PulledLog, checkpoint: Checkpoint, testimony: Testimony, result: Verified) -> None:
    """Every tile is what the leaves give, and the leaves give the signed root and every root that was cosigned."""
    cosigned = {head.checkpoint.size: head.checkpoint.root for head in testimony.heads}
    expected = {tile.path for tile in tiles_of(checkpoint.size)}
    edge = Edge()
    try:
        for leaf in kept.leaves(checkpoint.size):
            edge.append(leaf)
            root = cosigned.get(edge.size)
            if root is not None and edge.root() != root:
                words = f"fork: of {edge.size} entries headquarters has cosigned another tree than this one"
                result.problems.append(Problem(origin=kept.log.origin, index=None, words=words))
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


def _verify_entries(kept: PulledLog, size: int, testimony: Testimony, result: Verified, advance: Advance) -> None:
    """Every statement under its epoch's key, its times, and every body that a statement names."""
    walk, chronology = Walk(kept.log), Chronology(testimony)
    strays, erased = kept.body_indices(), read_erased(kept)
    try:
        for index, leaf in enumerate(kept.leaves(size)):
            try:
                statement = walk.take(leaf)
                said = [*chronology.take(index, statement), unfounded_claim(index, statement, testimony)]
                result.problems += [Problem(origin=kept.log.origin, index=index, words=each) for each in said if each]
                if isinstance(statement.kind, Sealed):
                    _verify_body(kept, index, statement.kind, testimony, erased, result)
                    strays.discard(index)
            except (Malformed, Untrusted) as error:
                result.problems.append(problem(kept.log, index, error))
                strays.discard(index)
            advance("entries", index + 1, size)
    except (Malformed, Untrusted):  # the bundle itself: named with the tree
        return
    result.unproven = chronology.unproven
    for index in sorted(strays):
        words = "a body lies here that no statement names"
        result.problems.append(Problem(origin=kept.log.origin, index=index, words=words))


def _verify_body(
    kept: PulledLog,
    index: int,
    sealed: Sealed,
    testimony: Testimony,
    erased: Mapping[int, Erased],
    result: Verified,
) -> None:
    check_receipt(index, sealed, testimony)
    blob = kept.body(index)
    if blob is None and index in erased:
        result.erased += 1
        return
    if blob is None:
        words = "its body is not here: it has not been delivered, or it was removed"
        raise Untrusted(missing_body(index, testimony) or words)
    check_body(blob, sealed)
    result.bodies += 1


def _verify_proofs(kept: PulledLog, result: Verified) -> None:
    """Kept contradictions, from their files alone: what they prove is named each time."""
    for proof in kept.proofs():
        try:
            words = verify_proof(proof, kept.log.verifier)
        except (Malformed, Untrusted) as error:
            words = f"the proof kept in {proof} does not hold: {error}"
        if words:
            result.problems.append(Problem(origin=kept.log.origin, index=None, words=words))
