"""Pull one log: fetch what is new, believe nothing, keep what holds.

The steps, in this order; each one's failure is named and the copy stays as it was:

1. our own copy gives the root of the checkpoint that we kept;
2. what the collector has cosigned since is fetched and verified (testimony.py); its words bind headquarters;
3. the source's checkpoint is signed by the log's key, and headquarters' cosignatures hold where there are any;
4. it does not contradict what we kept: not shorter (rollback), not another tree of the same size (fork);
5. the new leaves, appended to ours, give its root and, on the way, that of every checkpoint that headquarters cosigned
   (else contradiction.py says what the log did, or where the source is damaged);
6. each new leaf is a statement under the epoch key valid at its index, and its times contradict nothing
   (chronology.py): one that does not hold is kept, since the box signed for it, and is named;
7. the source's hash tiles are what the leaves give: they are not needed here, but whoever reads that source needs them;
8. the collector's receipts are fetched and verified, and held against what the statements name (acknowledged.py);
9. bodies that are awaited are fetched and kept when their hash is the one in the statement.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Final

from appliance.errors import Malformed, Refused, Untrusted
from appliance.formats.checkpoint import Checkpoint, open_checkpoint
from appliance.formats.edge import Edge
from appliance.formats.merkle import EMPTY_ROOT, root_hash
from appliance.formats.note import NOTE_BYTES_MAX, with_signatures_of
from appliance.formats.statement import Sealed, Statement, parse_statement
from appliance.formats.tiles import TileNodes, read_bundles
from provisioning.audit.acknowledged import unfounded_claim
from provisioning.audit.bodies import Bodies
from provisioning.audit.chronology import Chronology
from provisioning.audit.contradiction import Suspect, read_tile, refuse_foreign
from provisioning.audit.growing import grow
from provisioning.audit.log import Problem, Trust, problem
from provisioning.audit.progress import Advance
from provisioning.audit.proof import Contradiction, Fault, consistency_of
from provisioning.audit.resume import walk_at
from provisioning.audit.revocation import after_revocation
from provisioning.audit.sealed_note import keep_sealed, noted_sealed, read_sealed, sealed_of
from provisioning.audit.source import Source
from provisioning.audit.staged import Staged, tidy
from provisioning.audit.store import TILE_BYTES_MAX, PulledLog
from provisioning.audit.succession import judge_succession
from provisioning.audit.testimony import Testimony, count_kept, load_testimony, take_testimony
from provisioning.audit.testimony_pages import COSIGNED, RECEIPTS
from provisioning.audit.walk import Walk
from provisioning.audit.when import CosignedHead

ENTRIES: Final = "entries"


@dataclass(slots=True, kw_only=True)
class Pulled:
    """What one pull gave.

    Attributes:
        origin: The log.
        size: Entries now kept.
        entries: New ones.
        bodies: New bodies.
        awaited: Sealed entries whose body is not here yet.
        cosigned: Headquarters' cosignatures on the checkpoint that held.
        unproven: New entries that name a cosigned checkpoint of which no signature of headquarters is here yet.
        problems: What is not as it should be, in the order of discovery.
    """

    origin: str
    size: int = 0
    entries: int = 0
    bodies: int = 0
    awaited: int = 0
    cosigned: int = 0
    unproven: int = 0
    problems: list[Problem] = field(default_factory=list[Problem])


def pull(kept: PulledLog, source: Source, trust: Trust, advance: Advance, *, collector: Source | None = None) -> Pulled:
    """Pull what `source` has of the log beyond what is kept.

    Args:
        kept: The copy.
        source: Anything that shows the log; believed in nothing.
        trust: Whose signatures count.
        advance: Told how far it is.
        collector: Headquarters' own collector, when it can be asked what headquarters signed; may be the source itself.

    Raises:
        Refused: It is a log of the other mode.
        Untrusted, Malformed: The source's checkpoint or tree does not hold; nothing of it was kept but the proof.
        UplinkFault, StorageFault, StorageFull: It could not be read or kept.
    """
    return _Pulling(kept, source, trust, advance, collector).run()


class _Pulling:
    """One pull; its parameters are those of `pull`."""

    def __init__(
        self, kept: PulledLog, source: Source, trust: Trust, advance: Advance, collector: Source | None
    ) -> None:
        self._kept = kept
        self._source = source
        self._trust = trust
        self._advance = advance
        self._collector = collector
        self._result = Pulled(origin=kept.log.origin)
        self._testimony = Testimony()
        self._claims: list[tuple[int, Statement]] = []

    def run(self) -> Pulled:
        """All steps. Raises as `pull`."""
        kept, result = self._kept, self._result
        tidy(kept.folder)
        judged = count_kept(kept, COSIGNED)
        self._ask_collector(COSIGNED, RECEIPTS)
        old = _kept_checkpoint(kept)
        result.size = old.size
        self._hold_kept_to_cosigned(old, self._testimony.heads[judged:])
        note = self._read_checkpoint()
        if note is None:
            if old.size:
                raise Untrusted(f"rollback: {self._source.name} has no checkpoint, headquarters has {old.size} entries")
            return result
        new, result.cosigned = self._open(note)
        note = with_signatures_of(note, (kept.log.verifier, *self._trust.notes))  # what is kept can be added to
        suspect = Suspect(kept, self._source, note, new)
        suspect.refuse_shorter_or_other(old)
        self._refuse_behind(suspect, new)
        if new.size > old.size or kept.note() is None:
            sealed = self._take_entries(old, new, note, suspect)
        else:
            kept.merge_signatures(note)  # the same tree, maybe with headquarters' word on it, or a witness's
            sealed = self._sealed(new.size)
        self._judge_claims()
        if old.size == 0 < new.size:
            result.problems += judge_succession(kept)
        result.problems += after_revocation(kept.log, new.size, self._testimony)
        self._take_bodies(sealed)
        return result

    def _ask_collector(self, *kinds: str) -> None:
        """Step 2."""
        if self._collector is not None:
            for kind in kinds:
                self._result.problems += take_testimony(self._kept, kind, self._collector, self._trust)
        self._testimony, problems = load_testimony(self._kept, self._trust, again=False)
        self._result.problems += problems

    def _read_checkpoint(self) -> bytes | None:
        """The source's; from the collector once more when it is behind what it has cosigned: it had not written it."""
        note = self._source.read("checkpoint", bytes_max=NOTE_BYTES_MAX)
        if note is not None and self._collector is self._source and self._open(note)[0].size < self._testimony.reaches:
            return self._source.read("checkpoint", bytes_max=NOTE_BYTES_MAX)
        return note

    def _open(self, note: bytes) -> tuple[Checkpoint, int]:
        """Step 3: the checkpoint, and how many cosignatures of headquarters it has."""
        try:
            checkpoint, opened = open_checkpoint(note, self._kept.log.verifier, *self._trust.notes)
        except Untrusted:
            refuse_foreign(self._kept, self._source, note)
            raise
        return checkpoint, sum(signature.verifier in self._trust.cosigners for signature in opened.signatures)

    def _refuse_behind(self, suspect: Suspect, new: Checkpoint) -> None:
        """Step 4, for what was never pulled: the collector shows less than it has cosigned."""
        ahead = max(self._testimony.heads, key=lambda head: head.checkpoint.size, default=None)
        if self._collector is self._source and ahead is not None and ahead.checkpoint.size > new.size:
            suspect.refuse_rollback(ahead.checkpoint, ahead.note)

    def _hold_kept_to_cosigned(self, old: Checkpoint, heads: Sequence[CosignedHead]) -> None:
        """What was kept begins with these trees, which headquarters cosigned; else it is named, with the proof."""
        note = self._kept.note()
        if note is None:
            return
        nodes = TileNodes(old.size, self._kept.tile)
        for head in heads:
            size = head.checkpoint.size
            if 0 < size <= old.size and root_hash(size, nodes) != head.checkpoint.root:
                consistency = consistency_of(size, old.size, nodes)
                found = Contradiction(fault=Fault.FORK, seen=head.note, shown=note, consistency=consistency)
                words = (
                    f"fork: of {size} entries headquarters has cosigned another tree than the one that was pulled; "
                    f"both signed checkpoints are kept as proof in {self._kept.keep_proof(found)}"
                )
                self._name(None, words)

    def _take_entries(self, old: Checkpoint, new: Checkpoint, note: bytes, suspect: Suspect) -> bytes:
        """Steps 1, 5, 6 and 7; a byte for each entry that is now kept, 1 where it has a body."""
        kept, source = self._kept, self._source
        edge = Edge.resume(old.size, kept.tile) if old.size else Edge()
        if edge.root() != old.root:
            raise Untrusted(
                f"headquarters' own copy in {kept.folder} was altered: its tiles do not give the root that was kept; "
                "`landlink-hq verify` says where; move the folder away and pull again"
            )
        known = read_sealed(kept, old.size)
        chronology = Chronology(self._testimony)
        walk = walk_at(kept, old.size, chronology)
        reading = _Reading(edge, walk, chronology, {head.checkpoint.size: head for head in self._testimony.heads})
        with kept.staging() as staged:
            sealed = self._read_entries(new, old.size, reading, staged)
            if edge.root() != new.root:
                suspect.refuse_growth(old)
            if reading.differs is not None:
                suspect.refuse_cosigned(reading.differs)
            staged.add(edge.publish())
            kept.keep_tree(staged, note)
        keep_sealed(kept, known + sealed)
        self._result.entries, self._result.size = new.size - old.size, new.size
        self._result.unproven = chronology.unproven
        for path in staged.paths:
            if source.read(path, bytes_max=TILE_BYTES_MAX) != kept.tile(path):
                words = f"{source.name}: {path} is not what the log's entries give; the entries themselves hold"
                self._name(None, words)
        return known + sealed

    def _read_entries(self, new: Checkpoint, start: int, reading: "_Reading", staged: Staged) -> bytes:
        """The source's entries from `start` on, each judged, each full tile staged; a byte for each, 1 with a body."""
        sealed, roots = bytearray(), {size: head.checkpoint.root for size, head in reading.cosigned.items()}
        for bundle in read_bundles(new.size, partial(read_tile, self._source), start):
            first = reading.edge.size
            for size in grow(reading.edge, bundle, roots):
                reading.differs = reading.differs or reading.cosigned[size]
            staged.add(reading.edge.take_full())
            if first == 0:
                _admit(self._kept, bundle[0])
            for index, statement in enumerate(reading.walk.take_all(bundle), first):
                sealed.append(self._judge_entry(index, bundle[index - first], statement, reading.chronology))
            self._advance(ENTRIES, reading.edge.size - start, new.size - start)
        return bytes(sealed)

    def _judge_entry(
        self, index: int, leaf: bytes, statement: Statement | Malformed | Untrusted, chronology: Chronology
    ) -> bool:
        """Step 6; whether the entry has a body."""
        if isinstance(statement, (Malformed, Untrusted)):
            self._result.problems.append(problem(self._kept.log, index, statement))
            return sealed_of(leaf) is not None
        for words in chronology.take(index, statement):
            self._name(index, words)
        if unfounded_claim(index, statement, self._testimony):
            self._claims.append((index, statement))
        return isinstance(statement.kind, Sealed)

    def _judge_claims(self) -> None:
        """Step 8: a receipt may have been given while entries were read; so the collector is asked once more."""
        if not self._claims:
            return
        self._ask_collector(RECEIPTS)
        for index, statement in self._claims:
            words = unfounded_claim(index, statement, self._testimony)
            if words:
                self._name(index, words)

    def _sealed(self, size: int) -> bytes:
        """A byte for each entry kept, 1 where it has a body; noted where the note was behind or damaged."""
        sealed = read_sealed(self._kept, size)
        if len(noted_sealed(self._kept)) < size:
            keep_sealed(self._kept, sealed)
        return sealed

    def _take_bodies(self, sealed: bytes) -> None:
        """Step 9."""
        from_collector = self._collector is self._source
        whole = self._testimony.asked and not self._result.problems
        bodies = Bodies(
            self._kept, self._source, self._testimony, from_collector=from_collector, all_receipts=whole
        ).take(sealed, self._advance)
        self._result.bodies, self._result.awaited = bodies.bodies, bodies.awaited
        self._result.problems += bodies.problems

    def _name(self, index: int | None, words: str) -> None:
        self._result.problems.append(Problem(origin=self._kept.log.origin, index=index, words=words))


@dataclass(slots=True)
class _Reading:
    """What goes along with the new entries.

    Attributes:
        edge: The tree.
        walk: Whose statements.
        chronology: Their times.
        cosigned: What headquarters cosigned of it, by size.
        differs: The first of those that the entries do not give.
    """

    edge: Edge
    walk: Walk
    chronology: Chronology
    cosigned: dict[int, CosignedHead]
    differs: CosignedHead | None = None


def _kept_checkpoint(kept: PulledLog) -> Checkpoint:
    if kept.note() is None:
        return Checkpoint(origin=kept.log.origin, size=0, root=EMPTY_ROOT)
    return kept.checkpoint()


def _admit(kept: PulledLog, leaf: bytes) -> None:
    """Raise Refused when a log begins in the other mode: nothing of it belongs here, not even as evidence (I7)."""
    try:
        mode = parse_statement(leaf).unverified.mode
    except Malformed:  # named by the walk
        return
    if mode is not kept.log.mode:
        raise Refused(
            f"this log is of mode {mode}, this home is for {kept.log.mode}; "
            f"use the home for {mode} (--home), the two never mix"
        )
