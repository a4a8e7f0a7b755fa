"""Pull one log: fetch what is new, believe nothing, keep what holds.

The steps, in this order; each one's failure is named and the copy stays as it was:

1. our own copy gives the root of the checkpoint that we kept;
2. the source's checkpoint is signed by the log's key, and headquarters' cosignatures hold where there are any;
3. it does not contradict what we kept: not shorter (rollback), not another tree of the same size (fork);
4. the new leaves, appended to ours, give its root (else: a fork, proven, or damage at the source, located);
5. each new leaf is a statement under the epoch key valid at its index: a leaf that is not is kept, since the box signed
   for it, and is named;
6. the source's hash tiles are what the leaves give: they are not needed here, but whoever reads that source needs them;
7. bodies that are awaited are fetched and kept when their hash is the one in the statement.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from typing import Final

from appliance.errors import Malformed, Refused, Untrusted
from appliance.formats.age import BLOB_BYTES_MAX
from appliance.formats.checkpoint import Checkpoint, open_checkpoint
from appliance.formats.edge import Edge
from appliance.formats.merkle import EMPTY_ROOT, root_hash
from appliance.formats.note import NOTE_BYTES_MAX, Verifier
from appliance.formats.statement import EpochStart, Sealed, parse_statement
from appliance.formats.tiles import TILE_WIDTH, TileNodes, parse_path, read_entries
from provisioning.audit.log import Problem, Trust, problem
from provisioning.audit.progress import Advance
from provisioning.audit.source import Source
from provisioning.audit.store import TILE_BYTES_MAX, PulledLog, check_body
from provisioning.audit.walk import Walk

ENTRIES: Final = "entries"
BODIES: Final = "bodies"


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
        problems: What is not as it should be, in the order of discovery.
    """

    origin: str
    size: int = 0
    entries: int = 0
    bodies: int = 0
    awaited: int = 0
    cosigned: int = 0
    problems: list[Problem] = field(default_factory=list[Problem])


def pull(kept: PulledLog, source: Source, trust: Trust, advance: Advance) -> Pulled:
    """Pull what `source` has of the log beyond what is kept.

    Raises:
        Refused: It is a log of the other mode.
        Untrusted, Malformed: The source's checkpoint or tree does not hold; nothing of it was kept but the proof.
        UplinkFault, StorageFault, StorageFull: It could not be read or kept.
    """
    result = Pulled(origin=kept.log.origin)
    note = source.read("checkpoint", bytes_max=NOTE_BYTES_MAX)
    old = _kept_checkpoint(kept)
    result.size = old.size
    if note is None:
        if old.size:
            raise Untrusted(f"rollback: {source.name} has no checkpoint, headquarters has {old.size} entries")
        return result
    new, opened = open_checkpoint(note, kept.log.verifier, *trust.cosigners)
    result.cosigned = sum(signature.verifier in trust.cosigners for signature in opened.signatures)
    _compare(kept, old, new, note, source)
    if new.size > old.size or kept.note() is None:
        _take_entries(kept, old, new, note, source, result, advance)
    elif result.cosigned > _cosigned(kept, trust.cosigners):
        kept.keep_tiles([], note)  # the same tree, with headquarters' word on it
    _take_bodies(kept, new.size, source, result, advance)
    return result


def _kept_checkpoint(kept: PulledLog) -> Checkpoint:
    if kept.note() is None:
        return Checkpoint(origin=kept.log.origin, size=0, root=EMPTY_ROOT)
    return kept.checkpoint()


def _cosigned(kept: PulledLog, cosigners: tuple[Verifier, ...]) -> int:
    _, opened = kept.open_checkpoint(*cosigners)
    return sum(signature.verifier in cosigners for signature in opened.signatures)


def _compare(kept: PulledLog, old: Checkpoint, new: Checkpoint, note: bytes, source: Source) -> None:
    """Step 3. Raises Untrusted."""
    if new.size > old.size:
        return
    if new.size == old.size:
        if new.root == old.root:
            return
        proof = kept.keep_proof(note, new)
        raise Untrusted(
            f"fork: {source.name} shows another tree of the same {new.size} entries, signed by the same key; "
            f"both checkpoints are kept as proof in {proof}"
        )
    proof = kept.keep_proof(note, new)
    ours = root_hash(new.size, TileNodes(old.size, kept.tile))
    if ours == new.root:
        raise Untrusted(
            f"rollback: {source.name} has {new.size} entries, headquarters already has {old.size}; the box was set "
            f"back to an old copy, or this mirror is behind; both checkpoints are kept in {proof}"
        )
    raise Untrusted(
        f"fork: {source.name} has {new.size} entries that are not the first {new.size} of the {old.size} that "
        f"headquarters has; both checkpoints are kept as proof in {proof}"
    )


def _take_entries(
    kept: PulledLog, old: Checkpoint, new: Checkpoint, note: bytes, source: Source, result: Pulled, advance: Advance
) -> None:
    """Steps 1, 4, 5 and 6."""
    edge = Edge.resume(old.size, kept.tile) if old.size else Edge()
    if edge.root() != old.root:
        raise Untrusted(
            f"headquarters' own copy in {kept.folder} was altered: its tiles do not give the root that was kept; "
            "`landlink-hq verify` says where; move the folder away and pull again"
        )
    walk = _walk_at(kept, old.size)
    read = _reader(source)
    for index, leaf in enumerate(read_entries(new.size, read, old.size), old.size):
        edge.append(leaf)
        if index == 0:
            _admit(kept, leaf)
        try:
            walk.take(leaf)
        except (Malformed, Untrusted) as error:
            result.problems.append(problem(kept.log, index, error))
        if index % TILE_WIDTH == 0 or index == new.size - 1:
            advance(ENTRIES, index + 1 - old.size, new.size - old.size)
    if edge.root() != new.root:
        _explain(kept, old, new, note, source)
    tiles = edge.publish()
    kept.keep_tiles(tiles, note)
    result.entries = new.size - old.size
    result.size = new.size
    for path, content in tiles:
        if source.read(path, bytes_max=TILE_BYTES_MAX) != content:
            words = f"{source.name}: {path} is not what the log's entries give; the entries themselves hold"
            result.problems.append(Problem(origin=kept.log.origin, index=None, words=words))


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


def _walk_at(kept: PulledLog, size: int) -> Walk:
    """A walk that stands before entry `size`, having taken the current epoch's kept leaves again."""
    if size == 0:
        return Walk(kept.log)
    for bundle in range((size - 1) // TILE_WIDTH, -1, -1):
        first = bundle * TILE_WIDTH
        for index, leaf in reversed(list(enumerate(islice(kept.leaves(size, first), TILE_WIDTH), first))):
            if _starts_epoch(leaf):
                return _retake(kept, index, size)
    return _retake(kept, 0, size)


def _starts_epoch(leaf: bytes) -> bool:
    try:
        return isinstance(parse_statement(leaf).unverified.kind, EpochStart)
    except Malformed:  # named when it was pulled, and by `verify`
        return False


def _retake(kept: PulledLog, start: int, size: int) -> Walk:
    walk = Walk(kept.log, start=start)
    for leaf in kept.leaves(size, start):
        try:
            walk.take(leaf)
        except (Malformed, Untrusted):  # named when it was pulled, and by `verify`
            continue
    return walk


def _reader(source: Source) -> Callable[[str], bytes]:
    def read(path: str) -> bytes:
        content = source.read(path, bytes_max=TILE_BYTES_MAX)
        if content is None:
            raise Untrusted(f"{source.name}: {path} is missing, though its checkpoint covers it")
        return content

    return read


def _explain(kept: PulledLog, old: Checkpoint, new: Checkpoint, note: bytes, source: Source) -> None:
    """Say why step 4 failed: the source's whole tree holds and is another one, or its bytes are damaged, and where."""
    read = _reader(source)
    edge = Edge()
    differs: int | None = None
    ours: Iterator[bytes] = kept.leaves(old.size)
    for index, leaf in enumerate(read_entries(new.size, read)):
        edge.append(leaf)
        if index < old.size and differs is None and next(ours) != leaf:
            differs = index
    if edge.root() == new.root:
        proof = kept.keep_proof(note, new)
        raise Untrusted(
            f"fork: {source.name} signed its past again: entry {differs} is not the one that headquarters has; "
            f"both checkpoints are kept as proof in {proof}"
        )
    for path, content in edge.publish():
        if not path.startswith("tile/0/"):
            continue
        theirs = read(path)
        for at in range(0, len(content), 32):
            if theirs[at : at + 32] != content[at : at + 32]:
                raise Untrusted(f"{source.name}: entry {_first(path) + at // 32} was altered; nothing was kept")
    raise Untrusted(
        f"{source.name}: its {new.size} entries do not give the root that its checkpoint signs; nothing was kept"
    )


def _first(path: str) -> int:
    tile = parse_path(path)
    return tile.n * TILE_WIDTH


def _take_bodies(kept: PulledLog, size: int, source: Source, result: Pulled, advance: Advance) -> None:
    """Step 7."""
    here = kept.body_indices()
    awaited = [
        (index, sealed)
        for index, leaf in enumerate(kept.leaves(size))
        if index not in here and (sealed := _sealed(leaf)) is not None
    ]
    for done, (index, sealed) in enumerate(awaited, 1):
        try:
            blob = source.body(index, bytes_max=BLOB_BYTES_MAX)
            if blob is not None:
                check_body(blob, sealed)
                kept.keep_body(index, blob)
                result.bodies += 1
                continue
        except Untrusted as error:
            result.problems.append(problem(kept.log, index, error))
        finally:
            advance(BODIES, done, len(awaited))
        result.awaited += 1


def _sealed(leaf: bytes) -> Sealed | None:
    try:
        kind = parse_statement(leaf).unverified.kind
    except Malformed:  # named by step 5
        return None
    return kind if isinstance(kind, Sealed) else None
