"""Merkle trees (RFC 6962 §2.1, SHA-256): hashes, roots, inclusion and consistency proofs, and growing by one leaf.

A tree of n leaves is a row of complete subtrees ("peaks"), one for each binary digit of n, the largest first. Whoever
can read the hash of any complete subtree (a NodeReader) can make every proof.
"""

import hashlib
from collections.abc import Callable, Iterator, Sequence
from functools import reduce
from typing import Final

from appliance.errors import Malformed, Untrusted

HASH_BYTES: Final = 32
EMPTY_ROOT: Final = hashlib.sha256(b"").digest()
PROOF_HASHES_MAX: Final = 64

NodeReader = Callable[[int, int], bytes]
"""(level, index) to the hash of the complete subtree over the leaves index * 2**level up to (index + 1) * 2**level."""
Proof = tuple[bytes, ...]


def leaf_hash(entry: bytes) -> bytes:
    """SHA-256(00 || entry)."""
    return hashlib.sha256(b"\x00" + entry).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """SHA-256(01 || left || right)."""
    return hashlib.sha256(b"\x01" + left + right).digest()


def complete_root(hashes: Sequence[bytes]) -> bytes:
    """Root of a complete subtree over a power of two of hashes."""
    row = list(hashes)
    while len(row) > 1:
        row = [node_hash(left, right) for left, right in zip(row[::2], row[1::2], strict=True)]
    return row[0]


def peaks_of(size: int) -> tuple[tuple[int, int], ...]:
    """The complete subtrees of a tree, left to right, as (level, index)."""
    return tuple((level, (size >> level) - 1) for level in reversed(range(size.bit_length())) if size >> level & 1)


def _fold(peaks: Sequence[bytes]) -> bytes:
    """The root over peaks, left to right."""
    return reduce(lambda right, left: node_hash(left, right), reversed(peaks)) if peaks else EMPTY_ROOT


class Frontier:
    """A growing tree reduced to its peaks: O(log n) memory, O(log n) work a leaf.

    The peaks before a leaf are exactly that leaf's inclusion proof in the tree that it ends, smallest first, for all
    that is in such a tree stands to its left.
    """

    def __init__(self, size: int = 0, peaks: Sequence[bytes] = ()) -> None:
        assert len(peaks) == size.bit_count(), "one peak a binary digit"
        self._size = size
        self._peaks = list(peaks)

    @classmethod
    def of(cls, size: int, nodes: NodeReader) -> "Frontier":
        """The frontier of a tree that exists."""
        return cls(size, [nodes(level, index) for level, index in peaks_of(size)])

    def copy(self) -> "Frontier":
        """Another one, which grows by itself."""
        return Frontier(self._size, self._peaks)

    @property
    def size(self) -> int:
        """Leaves so far."""
        return self._size

    def append(self, leaf: bytes) -> Proof:
        """Add a leaf hash; returns its inclusion proof in the tree of the new size."""
        proof = tuple(reversed(self._peaks))
        self.append_complete(leaf, 0)
        return proof

    def append_complete(self, hashed: bytes, level: int) -> None:
        """Add a complete subtree of 2**level leaves by its root; the leaves so far are a multiple of that."""
        assert self._size % (1 << level) == 0, "a subtree stands at a multiple of its size"
        count = self._size >> level
        while count & 1:
            hashed = node_hash(self._peaks.pop(), hashed)
            count >>= 1
        self._peaks.append(hashed)
        self._size += 1 << level

    def root(self) -> bytes:
        """Root hash of the tree so far."""
        return _fold(self._peaks)


def root_hash(size: int, nodes: NodeReader) -> bytes:
    """MTH of the first `size` leaves (RFC 6962 §2.1)."""
    return _range_hash(0, size, nodes)


def _range_hash(start: int, end: int, nodes: NodeReader) -> bytes:
    """MTH(D[start:end]) of a range that the tree's own splits make: `start` is a multiple of its largest subtree."""
    return _fold([nodes(level, (start >> level) + index) for level, index in peaks_of(end - start)])


def _split(width: int) -> int:
    """The k of RFC 6962: the largest power of two smaller than `width`."""
    return 1 << (width - 1).bit_length() - 1


def inclusion_proof(index: int, size: int, nodes: NodeReader) -> Proof:
    """PATH(index, D[size]) (RFC 6962 §2.1.1), the leaf's sibling first."""
    assert 0 <= index < size, "a leaf of the tree"
    proof: list[bytes] = []
    start, end = 0, size
    while end - start > 1:
        middle = start + _split(end - start)
        if index < middle:
            proof.append(_range_hash(middle, end, nodes))
            end = middle
        else:
            proof.append(_range_hash(start, middle, nodes))
            start = middle
    return tuple(reversed(proof))


def consistency_proof(old_size: int, size: int, nodes: NodeReader) -> Proof:
    """PROOF(old_size, D[size]) (RFC 6962 §2.1.2); () for equal sizes."""
    assert 0 < old_size <= size, "from a tree with leaves to the same or a larger one"
    proof: list[bytes] = []
    start, end, known = 0, size, True
    while old_size != end:
        middle = start + _split(end - start)
        if old_size <= middle:
            proof.append(_range_hash(middle, end, nodes))
            end = middle
        else:
            proof.append(_range_hash(start, middle, nodes))
            start, known = middle, False
    if not known:
        proof.append(_range_hash(start, end, nodes))
    return tuple(reversed(proof))


def verify_inclusion(leaf: bytes, *, index: int, size: int, root: bytes, proof: Sequence[bytes]) -> None:
    """Verify that the leaf hash stands at `index` in the tree (RFC 9162 §2.1.3.2).

    Raises:
        Malformed: A hash is not 32 bytes, or the index is not in a tree of this size.
        Untrusted: The proof does not lead to the root.
    """
    _check_hashes(leaf, root, *proof)
    if not 0 <= index < size:
        raise Malformed("inclusion proof", f"index {index} is not in a tree of {size}")
    hashed = leaf
    for sibling, stands_left in _climb(index, size - 1, proof):
        hashed = node_hash(sibling, hashed) if stands_left else node_hash(hashed, sibling)
    if hashed != root:
        raise Untrusted("inclusion proof: does not lead to the root")


def verify_consistency(*, old_size: int, old_root: bytes, size: int, root: bytes, proof: Sequence[bytes]) -> None:
    """Verify that the larger tree begins with all of the smaller one (RFC 9162 §2.1.4.2).

    Raises:
        Malformed: A hash is not 32 bytes, the old size is 0 (an empty tree proves nothing) or above the new one.
        Untrusted: The proof does not lead to both roots: one of the two trees is a fork.
    """
    _check_hashes(old_root, root, *proof)
    if not 0 < old_size <= size:
        raise Malformed("consistency proof", f"from size {old_size} to {size}")
    if old_size == size:
        if proof or old_root != root:
            raise Untrusted("consistency proof: two trees of one size with different roots")
        return
    complete = old_size & (old_size - 1) == 0  # the old tree is itself a subtree of the new one
    hashes = [old_root, *proof] if complete else list(proof)
    if not hashes:
        raise Untrusted("consistency proof: empty")
    level = (old_size ^ (old_size - 1)).bit_length() - 1  # of the old tree's last peak, where the proof begins
    old_hashed = hashed = hashes[0]
    for sibling, stands_left in _climb((old_size - 1) >> level, (size - 1) >> level, hashes[1:]):
        if stands_left:
            old_hashed = node_hash(sibling, old_hashed)
        hashed = node_hash(sibling, hashed) if stands_left else node_hash(hashed, sibling)
    if old_hashed != old_root or hashed != root:
        raise Untrusted("consistency proof: does not lead to both roots")


def _climb(position: int, last: int, proof: Sequence[bytes]) -> Iterator[tuple[bytes, bool]]:
    """Go up from a node to the root, giving each sibling and whether it stands to the left.

    Args:
        position: The node's index in its level.
        last: Index of the last node in that level; where a level's last node has no sibling, it moves up alone.
        proof: As many siblings as the way needs.

    Raises:
        Untrusted: More or fewer siblings than that.
    """
    for sibling in proof:
        if last == 0:
            raise Untrusted("Merkle proof: too long for this place in the tree")
        stands_left = bool(position & 1) or position == last
        yield sibling, stands_left
        if position == last:
            while not position & 1:
                position, last = position >> 1, last >> 1
        position, last = position >> 1, last >> 1
    if last != 0:
        raise Untrusted("Merkle proof: too short for this place in the tree")


def _check_hashes(*hashes: bytes) -> None:
    if len(hashes) > PROOF_HASHES_MAX + 2:
        raise Malformed("Merkle proof", f"{len(hashes)} hashes, at most {PROOF_HASHES_MAX}")
    if any(len(hashed) != HASH_BYTES for hashed in hashes):
        raise Malformed("Merkle proof", f"a hash that is not {HASH_BYTES} bytes")
