"""A negative exhibit: that nothing was recorded in a stretch of time, or no crossing with one document.

Its `evidence/` is a tlog-tiles folder: every hash tile, and the entry bundles that have the leaves of the interval. The
signed roots follow from the hashes, so no leaf is missing between them. What sealed entries say is headquarters' word.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Final

from appliance.errors import Malformed, Refused
from appliance.formats.event import check_event
from appliance.formats.identity import EpochCertificate
from appliance.formats.merkle import HASH_BYTES, Frontier, complete_root, leaf_hash
from appliance.formats.statement import (
    EpochStart,
    EventEntry,
    Statement,
    parse_statement,
    verify_epoch_start,
    verify_statement,
)
from appliance.formats.tiles import LEVELS_MAX, TILE_HEIGHT, TILE_WIDTH, TileName, entries_path, parse_entries, tiles_of
from appliance.recorded import CarrierCheck, Screened
from provisioning.audit.opened.find import plain_number
from provisioning.audit.opened.opening import Entry, NotOpened, Opened, entries
from provisioning.audit.opened.search import Openers, Seen
from provisioning.audit.progress import Advance
from provisioning.audit.store import PulledLog
from provisioning.exhibit.contents import Nothing
from provisioning.exhibit.entry import EPOCH_PROOF, LogTree, epoch_pieces, kind_of, read_epoch
from provisioning.exhibit.interval import AWAITED, CLOSED, EPOCH, EVENT, SEALED, Cover, Passed
from provisioning.exhibit.pieces import EVIDENCE, Pieces, demand, naming, take
from provisioning.exhibit.times import cosigned
from provisioning.exhibit.trust import Trusted

START: Final = f"{EVIDENCE}/start.checkpoint"
AFTER: Final = f"{EVIDENCE}/after.checkpoint"


# --- making ----------------------------------------------------------------------------------------------------------


def pass_over(kept: PulledLog, keys: Openers, number: str, advance: Advance) -> list[Passed]:
    """Every entry of a log, and which of them are a crossing, or one with this document number.

    Raises:
        Refused: An entry does not hold, so nothing can be said of its place.
        Untrusted, Malformed, StorageFault: As `entries`.
    """
    seen, passed = Seen(kept=kept), list[Passed]()
    for entry in entries(kept, keys.first, advance):
        if isinstance(entry, NotOpened) and entry.statement is None:
            raise Refused(f"{entry.problem}; no negative exhibit can be made of a log with such an entry")
        passed.append(_passed(entry, seen.take(entry, keys), number))
    return passed


def _passed(entry: Entry, opened: Opened | None, number: str) -> Passed:
    statement = entry.statement
    assert statement is not None, "an entry without one was refused"
    kind = statement.kind
    leaf = EPOCH if isinstance(kind, EpochStart) else EVENT if isinstance(kind, EventEntry) else SEALED
    record, made, answers, unread = "", None, False, False
    if leaf == SEALED:
        record = CLOSED if isinstance(entry, NotOpened) else AWAITED
    if opened is not None:
        record, made = kind_of(opened.record), opened.record.at
        answers, unread = _answers(opened, number)
    return Passed(
        index=entry.index,
        leaf=leaf,
        record=record,
        epoch=statement.epoch,
        at=statement.at,
        cosigned=statement.cosigned,
        made=made,
        answers=answers,
        unread=unread,
        event=_known(kind) if isinstance(kind, EventEntry) else None,
    )


def _known(event: EventEntry) -> EventEntry | None:
    """An event as this software declares it; None for one of another version, which says nothing here."""
    try:
        check_event(event.event, event.fields)
    except Malformed:
        return None
    return event


def _answers(opened: Opened, number: str) -> tuple[bool, bool]:
    """Whether it is what was asked about, and whether it is a document that was not read."""
    match opened.record.body:
        case Screened(document=None):
            return not number, True
        case Screened(document=document) if document is not None:
            return not number or plain_number(document.document_number) == plain_number(number), False
        case CarrierCheck(document_number=asked):
            return bool(number) and plain_number(asked) == plain_number(number), False
        case _:
            return False, False


def nothing_pieces(
    kept: PulledLog, covered: Cover, passed: Sequence[Passed], tree: LogTree, trusted: Trusted
) -> dict[str, bytes]:
    """The tiles, the leaves of the interval, and what bounds it."""
    pieces: dict[str, bytes] = {}
    last = min(covered.end, trusted.checkpoint.size - 1)
    for tile in tiles_of(trusted.checkpoint.size):
        covers = tile.n * TILE_WIDTH <= last and (tile.n + 1) * TILE_WIDTH > covered.first
        if tile.level is not None or covers:
            pieces[f"{EVIDENCE}/{tile.path}"] = kept.tile(tile.path)
    starts = (entry.index for entry in reversed(passed[: covered.first + 1]) if entry.leaf == EPOCH)
    for name, content in epoch_pieces(next(starts), tree, trusted).items():
        pieces[f"{EVIDENCE}/{name}"] = content
    if covered.start is not None:
        pieces[START] = covered.start.note
    if covered.after is not None:
        pieces[AFTER] = covered.after.note
    return pieces


def count(passed: Sequence[Passed], covered: Cover) -> tuple[dict[str, int], dict[str, int], tuple[int, ...]]:
    """Leaves by kind, opened records by kind, and the places of those that nobody opened."""
    inside = passed[covered.first : covered.end]
    closed = (AWAITED, CLOSED)
    leaves = dict.fromkeys((EPOCH, EVENT, SEALED), 0) | Counter(entry.leaf for entry in inside)
    opened = Counter(entry.record for entry in inside if entry.record and entry.record not in closed)
    return leaves, dict(sorted(opened.items())), tuple(entry.index for entry in inside if entry.record in closed)


# --- reading ---------------------------------------------------------------------------------------------------------


def check_nothing(pieces: Pieces, said: Nothing, trusted: Trusted) -> None:
    """Verify what a negative exhibit proves: that these are all leaves of its interval, and what they are.

    Raises:
        Broken: Something of it does not hold; it names the file.
    """
    hashes = _hashes(pieces, trusted)
    _check_start(pieces, said, hashes, trusted)
    leaves = list(_leaves(pieces, said, hashes))
    statements = list(_statements(pieces, said, leaves, trusted))
    path = f"{EVIDENCE}/exhibit.json"
    found = Counter(_kind(statement) for statement in statements[: said.end - said.first])
    demand(said.entries == {kind: found[kind] for kind in (EPOCH, EVENT, SEALED)}, path, "other leaves than it counts")
    sealed = sum(said.opened.values()) + len(said.awaited)
    demand(sealed == found[SEALED], path, "accounts for another number of sealed entries than there are")
    demand(said.found == 0, path, "says that a record answers: no negative exhibit")
    if AFTER not in pieces:
        demand(said.end == trusted.checkpoint.size, AFTER, "missing, though the interval ends before the log")
        return
    with naming(AFTER):
        head = cosigned(pieces[AFTER], trusted)
    named = statements[-1].cosigned if said.end < trusted.checkpoint.size else None
    demand(head.checkpoint.digest() == named, AFTER, "not the checkpoint that the leaf after the interval names")
    demand(head.first_ms >= said.to_ms, AFTER, "cosigned before the end of the interval")


def _hashes(pieces: Pieces, trusted: Trusted) -> list[bytes]:
    """Every leaf's hash; from them follow all higher tiles and the signed root."""
    size = trusted.checkpoint.size
    leaves = hashes = _level(pieces, 0, size)
    for level in range(1, LEVELS_MAX):
        above = _level(pieces, level, size >> TILE_HEIGHT * level)
        full = range(0, len(above) * TILE_WIDTH, TILE_WIDTH)
        path = f"{EVIDENCE}/tile/{level}"
        demand(above == [complete_root(hashes[at : at + TILE_WIDTH]) for at in full], path, "not what those below give")
        hashes = above
    demand(_root(leaves, size) == trusted.checkpoint.root, f"{EVIDENCE}/tile/0", "does not give the signed root")
    return leaves


def _level(pieces: Pieces, level: int, count: int) -> list[bytes]:
    """All hashes of the tiles of one level."""
    hashes: list[bytes] = []
    for n in range(-(-count // TILE_WIDTH)):
        width = min(TILE_WIDTH, count - n * TILE_WIDTH)
        path = f"{EVIDENCE}/{TileName(level, n, width).path}"
        content = take(pieces, path)
        demand(len(content) == width * HASH_BYTES, path, "of another length than a tile has")
        hashes += [content[at : at + HASH_BYTES] for at in range(0, len(content), HASH_BYTES)]
    return hashes


def _root(hashes: Sequence[bytes], size: int) -> bytes:
    frontier = Frontier()
    for hashed in hashes[:size]:
        frontier.append(hashed)
    return frontier.root()


def _check_start(pieces: Pieces, said: Nothing, hashes: Sequence[bytes], trusted: Trusted) -> None:
    if START not in pieces:
        demand((said.first, said.before) == (0, 0), START, "missing, though the interval begins after the log")
        return
    with naming(START):
        head = cosigned(pieces[START], trusted)
    tree = head.checkpoint
    demand(said.first == said.before == tree.size <= len(hashes), START, "of another size than the interval begins at")
    demand(_root(hashes, tree.size) == tree.root, START, "not the beginning of this tree")
    demand(head.by_ms <= said.from_ms, START, "cosigned after the beginning of the interval")


def _leaves(pieces: Pieces, said: Nothing, hashes: Sequence[bytes]) -> Iterator[bytes]:
    """The leaves of the interval, and the one after it where there is one."""
    size = len(hashes)
    demand(0 <= said.first <= said.end <= size, f"{EVIDENCE}/exhibit.json", "an interval outside the log")
    last = min(said.end, size - 1)
    for n in range(said.first // TILE_WIDTH, last // TILE_WIDTH + 1):
        path = f"{EVIDENCE}/{entries_path(n, min(TILE_WIDTH, size - n * TILE_WIDTH))}"
        with naming(path):
            bundle = parse_entries(take(pieces, path), min(TILE_WIDTH, size - n * TILE_WIDTH))
        for index, leaf in enumerate(bundle, n * TILE_WIDTH):
            demand(leaf_hash(leaf) == hashes[index], path, f"leaf {index} is not the one of the log")
            if said.first <= index <= last:
                yield leaf


def _statements(pieces: Pieces, said: Nothing, leaves: Sequence[bytes], trusted: Trusted) -> Iterator[Statement]:
    certificate, epoch_index = read_epoch(pieces, EVIDENCE, trusted)
    demand(epoch_index <= said.first, f"{EVIDENCE}/{EPOCH_PROOF}", "an epoch that starts after the first leaf")
    for index, leaf in enumerate(leaves, said.first):
        with naming(f"{EVIDENCE}/tile/entries"):
            signed = parse_statement(leaf)
            if isinstance(signed.unverified.kind, EpochStart):
                certificate = _next_epoch(verify_epoch_start(signed, trusted.box.identity_der), certificate, index)
            statement = verify_statement(signed, certificate.public)
            context = (statement.origin, statement.mode, statement.epoch)
            expected = (trusted.log.origin, trusted.log.mode, certificate.epoch)
            demand(context == expected, f"{EVIDENCE}/tile/entries", f"leaf {index} is of another log, mode or epoch")
        yield statement


def _next_epoch(new: EpochCertificate, old: EpochCertificate, index: int) -> EpochCertificate:
    path = f"{EVIDENCE}/tile/entries"
    demand(new.first_index == index and new.epoch >= old.epoch, path, f"leaf {index} certifies another epoch or place")
    return new


def _kind(statement: Statement) -> str:
    match statement.kind:
        case EpochStart():
            return EPOCH
        case EventEntry():
            return EVENT
        case _:
            return SEALED
