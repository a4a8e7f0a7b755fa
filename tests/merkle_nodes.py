"""Every complete subtree of a tree, in memory: what the tests hold proofs from tiles and peaks against."""

from appliance.formats.merkle import node_hash


class Nodes:
    """A NodeReader for whoever holds all leaf hashes."""

    def __init__(self) -> None:
        self._levels: list[list[bytes]] = [[]]

    @property
    def size(self) -> int:
        """Leaves so far."""
        return len(self._levels[0])

    def append(self, leaf: bytes) -> None:
        """Add a leaf hash."""
        self._levels[0].append(leaf)
        level = 0
        while len(self._levels[level]) % 2 == 0:
            if level + 1 == len(self._levels):
                self._levels.append([])
            self._levels[level + 1].append(node_hash(*self._levels[level][-2:]))
            level += 1

    def __call__(self, level: int, index: int) -> bytes:
        """Hash of the complete subtree."""
        return self._levels[level][index]
