"""Verify what was pulled, offline and from nothing: every tile, leaf, statement, certificate, body and kept proof.

It names everything that it finds and stops at nothing that it can pass: an auditor wants the whole list.
"""

from dataclasses import dataclass, field
from typing import Final

from appliance.errors import Malformed, Untrusted
from appliance.formats.checkpoint import Checkpoint
from appliance.formats.edge import Edge
from appliance.formats.statement import Sealed, Statement
from appliance.formats.tiles import TILE_WIDTH, parse_path
from provisioning.audit.acknowledged import check_receipt, missing_body, unfounded_claim
from provisioning.audit.chronology import Chronology
from provisioning.audit.erased import read_erased
from provisioning.audit.growing import grow
from provisioning.audit.log import Problem, Trust, problem
from provisioning.audit.progress import Advance
from provisioning.audit.proof import verify_proof
from provisioning.audit.revocation import after_revocation
from provisioning.audit.sealed_note import NOTE, read_note, sealed_of
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
    edge = Edge()
    try:
        for bundle in kept.bundles(checkpoint.size):
            for size in grow(edge, bundle, cosigned):
                words = f"fork: of {size} entries headquarters has cosigned another tree than this one"
                result.problems.append(Problem(origin=kept.log.origin, index=None, words=words))
            _verify_tiles(kept, edge.take_full(), result)
        _verify_tiles(kept, edge.publish(), result)
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
    walk, entries = Walk(kept.log), _Entries(kept, testimony, result)
    index = 0
    try:
        for bundle in kept.bundles(size):
            for leaf, statement in zip(bundle, walk.take_all(bundle), strict=True):
                entries.take(index, leaf, statement)
                index += 1
                advance("entries", index, size)
    except (Malformed, Untrusted):  # the bundle itself: named with the tree
        return
    entries.end()


class _Entries:
    """What is said of the entries of a log, in their order; its parameters are those of `_verify_entries`."""

    def __init__(self, kept: PulledLog, testimony: Testimony, result: Verified) -> None:
        self._kept = kept
        self._testimony = testimony
        self._result = result
        self._chronology = Chronology(testimony)
        self._strays = set(kept.body_indices())
        self._erased = read_erased(kept)
        self._misnoted = False
        try:
            self._noted = read_note(kept)[1]
        except Untrusted:
            self._noted, self._misnoted = b"", True

    def take(self, index: int, leaf: bytes, statement: Statement | Malformed | Untrusted) -> None:
        """Judge the next entry."""
        if isinstance(statement, (Malformed, Untrusted)):
            self._result.problems.append(problem(self._kept.log, index, statement))
            self._strays.discard(index)
            self._compare_note(index, sealed=sealed_of(leaf) is not None)
            return
        sealed = statement.kind if isinstance(statement.kind, Sealed) else None
        self._compare_note(index, sealed=sealed is not None)
        said = [*self._chronology.take(index, statement), unfounded_claim(index, statement, self._testimony)]
        for words in filter(None, said):
            self._name(index, words)
        if sealed is None:
            return
        self._strays.discard(index)
        try:
            self._verify_body(index, sealed)
        except Untrusted as error:
            self._result.problems.append(problem(self._kept.log, index, error))

    def end(self) -> None:
        """All entries were taken."""
        self._result.unproven = self._chronology.unproven
        for index in sorted(self._strays):
            self._name(index, "a body lies here that no statement names")
        if self._misnoted:
            note = self._kept.folder / NOTE
            self._name(None, f"{note} was altered: a pull may miss bodies by it; remove it, the next pull writes it")

    def _compare_note(self, index: int, *, sealed: bool) -> None:
        if index < len(self._noted) and bool(self._noted[index]) != sealed:
            self._misnoted = True

    def _verify_body(self, index: int, sealed: Sealed) -> None:
        check_receipt(index, sealed, self._testimony)
        blob = self._kept.body(index)
        if blob is None and index in self._erased:
            self._result.erased += 1
            return
        if blob is None:
            words = "its body is not here: it has not been delivered, or it was removed"
            raise Untrusted(missing_body(index, self._testimony) or words)
        check_body(blob, sealed)
        self._result.bodies += 1

    def _name(self, index: int | None, words: str) -> None:
        self._result.problems.append(Problem(origin=self._kept.log.origin, index=index, words=words))


def _verify_proofs(kept: PulledLog, result: Verified) -> None:
    """Kept contradictions, from their files alone: what they prove is named each time."""
    for proof in kept.proofs():
        try:
            words = verify_proof(proof, kept.log.verifier)
        except (Malformed, Untrusted) as error:
            words = f"the proof kept in {proof} does not hold: {error}"
        if words:
            result.problems.append(Problem(origin=kept.log.origin, index=None, words=words))
