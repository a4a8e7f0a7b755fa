"""Stage 6 of 8: record - recovery: every start of the recorder, after a power cut or not.

1. An interrupted succession of origins is finished. 2. The journals are read; a torn last frame is cut off, damage
stops everything. 3. The published tree that the oldest journal begins at is resumed, and its root compared. 4. The
frames are added, and each signed checkpoint compared with the tree as it grows. 5. Nobody may know a larger or another
tree: not `checkpoint`, not headquarters' cosigned one; otherwise something was lost, and a new origin is opened.
6. All frames are written to a new journal and synced: what a failed sync left in memory only is on the disk now.
7. Publication, by the code that always publishes.
"""

import contextlib
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from appliance.errors import Malformed, StorageFault, StorageFull, Untrusted
from appliance.files import storage, sync_folder
from appliance.formats.checkpoint import Checkpoint, open_checkpoint, parse_checkpoint
from appliance.formats.edge import Edge
from appliance.formats.identity import PreviousOrigin
from appliance.formats.merkle import EMPTY_ROOT, Frontier, leaf_hash, root_hash
from appliance.formats.note import NOTE_BYTES_MAX, Verifier, parse_vkey
from appliance.formats.statement import Sealed, Statement, parse_statement
from appliance.formats.tiles import TileNodes, read_entries
from appliance.record.bodies import Bodies
from appliance.record.cases import CaseStore
from appliance.record.counters import Counters
from appliance.record.journal import Contents, Frame, Header, Journal
from appliance.record.journals import journal_paths, next_path, read_journals
from appliance.record.log import Grown, Log
from appliance.record.not_same import NotSame
from appliance.record.origin import finish_succession, succeed
from appliance.record.places import Places
from appliance.record.publish import Publisher, read_published
from appliance.record.room import Purpose, Room
from appliance.record.signing import Scribe, Signing
from appliance.record.stores import Stores

RECENT_PUBLISHED: Final = 1_024
"""Published entries whose commitments are read at a start, so that a record asked again after it is found."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Recovered:
    """The log, ready to go on.

    Attributes:
        entries: How many the journal held that were not published.
        torn_bytes: What a power cut left of a frame.
        last: The last statement, our own; None in an empty log.
    """

    log: Log
    stores: Stores
    entries: int
    torn_bytes: int
    last: Statement | None


class _Lost(Exception):
    """The tree on this disk is not all that was signed; what is known of it."""

    def __init__(self, previous: PreviousOrigin) -> None:
        self.previous = previous
        super().__init__(previous.origin)


def recover(places: Places, signing: Signing, *, picture_share: float) -> Recovered:
    """Open the log, whatever happened before.

    Raises:
        StorageFault: The journal is damaged, or the storage fails.
        StorageFull: There is no room even to start.
    """
    with storage("making the recorder's folders"):
        places.private.mkdir(mode=0o700, parents=True, exist_ok=True)
    finish_succession(places, signing)
    try:
        return _recover(places, signing, picture_share)
    except _Lost as lost:
        succeed(places, signing, lost.previous)
        return _recover(places, signing, picture_share)


def _recover(places: Places, signing: Signing, picture_share: float) -> Recovered:
    with storage("making the recorder's folders"):
        places.prepare()
    contents, torn_bytes = read_journals(places.private)
    origin = contents[0].header.origin if contents else read_origin(places.log_vkey)
    scribe = Scribe(signing, origin)
    known = _Known.read(places, scribe.verifier)
    header, frames = _journal(contents, origin, known)
    edge = _resume(places, header, frames, known)
    frontier = _grow(header, frames, known, places)
    room = Room(places.reserve, picture_share)
    journal = _renew(places, header, frames, room)
    stores = Stores(
        room=room,
        bodies=Bodies(places),
        cases=CaseStore(places.cases, places.case_keys, places.at_rest),
        counters=Counters(places.counters),
        not_same=NotSame(places.not_same, places.not_same_key, places.at_rest),
    )
    stores.bodies.load(below=frontier.size)
    stores.cases.load(frames)
    stores.counters.load(frame.taken for frame in frames)
    stores.not_same.load(judged for frame in frames for judged in frame.judged)
    base_note = scribe.checkpoint(header.size, header.root) if header.size else b""
    recent, last_leaf = _recent(places, header, frames)
    publisher = Publisher(places, edge, stores, base_note)
    publisher.add(frames)
    if publisher.news:
        with contextlib.suppress(StorageFull):  # the journal keeps it; it is published when there is room
            publisher.publish()
    last = parse_statement(last_leaf).unverified if last_leaf else None
    scribe.recipients_version = last.recipients_version if last else 0
    scribe.cosigned = known.cosigned.digest() if known.cosigned else None
    grown = Grown(frontier=frontier, recent=recent, epoch=last.epoch if last else -1, previous=header.previous)
    published = known.published.size if known.published else 0
    log = Log(scribe, journal, grown, publisher, stores, places.log)
    log.cosigned_size = known.cosigned.size if known.cosigned else 0
    return Recovered(
        log=log,
        stores=stores,
        entries=max(0, frontier.size - published),
        torn_bytes=torn_bytes,
        last=last,
    )


def read_origin(log_vkey: Path) -> str:
    """The origin that enrolment named. Raises StorageFault, Malformed."""
    with storage("reading the log's name"):
        return parse_vkey(log_vkey.read_text(encoding="ascii").strip()).name


@dataclass(frozen=True, slots=True, kw_only=True)
class _Known:
    """What is known of the tree beside the journal.

    Attributes:
        published: What `checkpoint` says; None when it is not there or was torn by a power cut.
        cosigned: What headquarters cosigned last.
        tiles: Whether there is anything published at all.
    """

    origin: str
    published: Checkpoint | None
    cosigned: Checkpoint | None
    tiles: bool

    @classmethod
    def read(cls, places: Places, verifier: Verifier) -> "_Known":
        return cls(
            origin=verifier.name,
            published=_read_checkpoint(places.checkpoint, verifier),
            cosigned=_read_checkpoint(places.cosigned, verifier),
            tiles=(places.log / "tile").exists(),
        )

    def lost(self, size: int, root: bytes) -> _Lost:
        """The tree of this size is all that this box still knows."""
        cosigned = self.cosigned
        return _Lost(
            PreviousOrigin(
                origin=self.origin,
                size=size,
                root=root,
                cosigned_size=cosigned.size if cosigned else 0,
                cosigned_root=cosigned.root if cosigned else None,
            )
        )


def _read_checkpoint(path: Path, verifier: Verifier) -> Checkpoint | None:
    """A checkpoint that this log's own key signed; None when the file is not there or holds none."""
    try:
        with path.open("rb") as file:
            note = file.read(NOTE_BYTES_MAX + 1)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise StorageFault(f"reading {path.name}: {error.strerror}") from error
    try:
        return open_checkpoint(note, verifier)[0]
    except (Malformed, Untrusted):
        return None


def _journal(contents: Sequence[Contents], origin: str, known: _Known) -> tuple[Header, list[Frame]]:
    """Where the journals begin and all their frames; a log that was never begun begins here."""
    if contents:
        return contents[0].header, [frame for one in contents for frame in one.frames]
    if known.published:
        raise known.lost(known.published.size, known.published.root)
    if known.cosigned or known.tiles:
        raise known.lost(0, EMPTY_ROOT)
    return Header(origin=origin, size=0, root=EMPTY_ROOT), []


def _resume(places: Places, header: Header, frames: Sequence[Frame], known: _Known) -> Edge:
    """The published tree that the journals begin at."""
    try:
        edge = Edge.resume(header.size, lambda path: read_published(places.log, path)) if header.size else Edge()
        if edge.root() == header.root:
            return edge
    except (Malformed, StorageFault):
        pass  # the tiles are gone or damaged: the same loss
    if frames:
        signed = Checkpoint(origin=header.origin, size=frames[-1].index + 1, root=_signed_root(frames[-1]))
        raise known.lost(signed.size, signed.root)
    raise known.lost(header.size, header.root)


def _signed_root(frame: Frame) -> bytes:
    text, _, _ = frame.checkpoint.decode().partition("\n\n")
    return parse_checkpoint(f"{text}\n").root


def _grow(header: Header, frames: Sequence[Frame], known: _Known, places: Places) -> Frontier:
    """The tree with all frames; every signed checkpoint is the one that this tree has at its size.

    Raises:
        StorageFault: A frame's checkpoint is of another tree: the journal is not what was written.
        _Lost: Somebody knows a larger tree, or another one.
    """
    base = TileNodes(header.size, lambda path: read_published(places.log, path))
    frontier = Frontier.of(header.size, base) if header.size else Frontier()
    roots = {frontier.size: frontier.root()}
    for frame in frames:
        frontier.append(leaf_hash(frame.leaf))
        roots[frontier.size] = frontier.root()
        text = Checkpoint(origin=header.origin, size=frontier.size, root=frontier.root()).text()
        if not frame.checkpoint.startswith(text.encode() + b"\n"):
            raise StorageFault(f"the journal's entry {frame.index} was signed over another tree")
    for checkpoint in (known.published, known.cosigned):
        if checkpoint is None:
            continue
        root = roots.get(checkpoint.size)
        if root is None and checkpoint.size < header.size:
            root = root_hash(checkpoint.size, base)
        if root != checkpoint.root:
            raise known.lost(frontier.size, frontier.root())
    return frontier


def _renew(places: Places, header: Header, frames: Sequence[Frame], room: Room) -> Journal:
    """All frames in one new journal, durable; then the old ones go."""
    old = journal_paths(places.private)
    room.take(sum(path.stat().st_size for path in old), Purpose.UPKEEP)
    journal = Journal.create(next_path(places.private), header, frames)
    with storage("removing old journals"):
        for path in old:
            path.unlink()
        sync_folder(places.private)
    return journal


def _recent(places: Places, header: Header, frames: Sequence[Frame]) -> tuple["OrderedDict[bytes, int]", bytes]:
    """Commitments of the latest entries and their indices; and the last leaf, b"" for an empty log."""
    start = max(0, header.size - RECENT_PUBLISHED)
    leaves = list(read_entries(header.size, lambda path: read_published(places.log, path), start))
    leaves.extend(frame.leaf for frame in frames)
    recent: OrderedDict[bytes, int] = OrderedDict()
    for index, leaf in enumerate(leaves, start):
        kind = parse_statement(leaf).unverified.kind
        if isinstance(kind, Sealed):
            recent[kind.commitment] = index
    return recent, leaves[-1] if leaves else b""
