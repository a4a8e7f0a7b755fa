"""The right edge of a growing log: what is needed to append entries and to publish them as tiles, and nothing more.

However long the log is, an edge holds at most 256 entries and 256 hashes a level, and what was not yet published.
"""

from collections.abc import Sequence

from appliance.formats.merkle import Frontier, Proof, complete_root, leaf_hash
from appliance.formats.tiles import (
    LEVELS_MAX,
    TILE_HEIGHT,
    TILE_WIDTH,
    ReadFile,
    TileName,
    TileNodes,
    encode_entries,
    parse_entries,
)


class Edge:
    """A log that grows: append, take the proof and the root, publish.

    Publishing is separate from appending, since an entry is acknowledged from the journal, before any tile is written.
    """

    def __init__(self) -> None:
        self._frontier = Frontier()
        self._entries: list[bytes] = []
        self._levels: list[list[bytes]] = [[] for _ in range(LEVELS_MAX)]
        self._full: list[tuple[TileName, bytes]] = []
        self._published = 0

    @classmethod
    def resume(cls, size: int, read: ReadFile) -> "Edge":
        """The edge of a log that lies published with `size` entries; compare `root()` with its checkpoint.

        Raises:
            Malformed: A tile or bundle of the edge has another length; and what `read` raises.
        """
        edge = cls()
        edge._frontier = Frontier.of(size, TileNodes(size, read))
        edge._published = size
        for level in range(LEVELS_MAX):
            n, width = divmod(size >> TILE_HEIGHT * level, TILE_WIDTH)
            nodes = TileNodes(size, read)
            edge._levels[level] = [nodes(level * TILE_HEIGHT, n * TILE_WIDTH + i) for i in range(width)]
        n, width = divmod(size, TILE_WIDTH)
        if width:
            edge._entries = list(parse_entries(read(TileName(None, n, width).path), width))
        return edge

    @property
    def size(self) -> int:
        """Entries so far."""
        return self._frontier.size

    def root(self) -> bytes:
        """Root hash over all entries so far."""
        return self._frontier.root()

    def append(self, entry: bytes) -> Proof:
        """Add an entry of at most 65,535 bytes; returns its inclusion proof in the tree of the new size."""
        hashed = leaf_hash(entry)
        proof = self._frontier.append(hashed)
        self._entries.append(entry)
        if len(self._entries) == TILE_WIDTH:
            self._full.append((TileName(None, self.size // TILE_WIDTH - 1), encode_entries(self._entries)))
            self._entries = []
        self._grow(hashed)
        return proof

    def extend(self, entries: Sequence[bytes]) -> None:
        """Add entries without their proofs: a full tile of them, where one begins, in a third of the time."""
        if len(entries) != TILE_WIDTH or self.size % TILE_WIDTH:
            for entry in entries:
                self.append(entry)
            return
        hashes = [leaf_hash(entry) for entry in entries]
        n = self.size // TILE_WIDTH
        self._full += [(TileName(None, n), encode_entries(entries)), (TileName(0, n), b"".join(hashes))]
        root = complete_root(hashes)
        self._frontier.append_complete(root, TILE_HEIGHT)
        self._grow(root, 1)

    def _grow(self, hashed: bytes, lowest: int = 0) -> None:
        """Add a hash to the tile of its level; a tile that is full adds its own root to the level above."""
        for level in range(lowest, LEVELS_MAX):
            hashes = self._levels[level]
            hashes.append(hashed)
            if len(hashes) < TILE_WIDTH:
                return
            n = (self.size >> TILE_HEIGHT * (level + 1)) - 1
            self._full.append((TileName(level, n), b"".join(hashes)))
            hashed = complete_root(hashes)
            hashes.clear()

    def take_full(self) -> list[tuple[str, bytes]]:
        """Files (path, content) that are full since the last call of this or of `publish`: no later entry changes them.

        Whoever appends much writes them as they come, and holds no more than an edge.
        """
        files = [(tile.path, content) for tile, content in self._full]
        self._full = []
        return files

    def publish(self) -> list[tuple[str, bytes]]:
        """Files (path, content) that the published log lacks, partial ones included.

        Write them all, then `checkpoint`: readers never look past it. A second call gives only what came since.
        """
        files = self.take_full()
        for place in (None, *range(LEVELS_MAX)):
            before, now = (size >> TILE_HEIGHT * (place or 0) for size in (self._published, self.size))
            n, width = divmod(now, TILE_WIDTH)
            if now > before and width:
                content = encode_entries(self._entries) if place is None else b"".join(self._levels[place])
                files.append((TileName(place, n, width).path, content))
        self._published = self.size
        return files
