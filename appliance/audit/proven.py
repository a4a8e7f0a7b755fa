"""The time that is proven (I9), as the audit finds it: what the newest published entry says that headquarters signed.

The recorder verifies what headquarters signs (releases, receipts, cosignatures) and writes the latest such time into
every statement, as its lower bound. The audit reads that of the newest entry, in the tree that the log key signed; the
box's own clocks are not asked. So it lags behind by one entry, and is never ahead of what headquarters signed.
"""

import logging

from appliance.audit.published import Published
from appliance.clock import BUILT_AT_MS
from appliance.errors import LandlinkError, StorageFault, Untrusted
from appliance.formats.merkle import inclusion_proof, leaf_hash, verify_inclusion
from appliance.formats.statement import parse_statement
from appliance.formats.tiles import BUNDLE_BYTES_MAX, TILE_WIDTH, TileNodes, entries_path, parse_entries

_journal = logging.getLogger("landlink.audit")


class ProvenTime:
    """The latest such time that this process has seen; it never goes back.

    Args:
        published: The box's log.
    """

    def __init__(self, published: Published) -> None:
        self._published = published
        self._at_ms = BUILT_AT_MS

    def later_than_ms(self) -> int:
        """It is later than this, milliseconds since 1970; where the log cannot be read, what was known before."""
        try:
            self._at_ms = max(self._at_ms, self._of_newest())
        except LandlinkError as error:
            _journal.warning("audit: the newest entry says no time: %s", error)
        return self._at_ms

    def _of_newest(self) -> int:
        """Lower bound of the newest published entry, 0 for none. Raises StorageFault, Malformed, Untrusted."""
        head = self._published.head()
        if head is None or not head.size:
            return 0

        def read(path: str) -> bytes:
            return self._file(f"/log/{head.origin}/{path}")

        n, at = divmod(head.size - 1, TILE_WIDTH)
        leaf = parse_entries(read(entries_path(n, at + 1)), at + 1)[at]
        proof = inclusion_proof(head.size - 1, head.size, TileNodes(head.size, read))
        verify_inclusion(leaf_hash(leaf), index=head.size - 1, size=head.size, root=head.root, proof=proof)
        return parse_statement(leaf).unverified.at.lower_bound_ms

    def _file(self, address: str) -> bytes:
        file = self._published.open(address)
        if file is None:
            raise Untrusted(f"{address}: not there, though the checkpoint covers it")
        with file:
            try:
                return file.read(BUNDLE_BYTES_MAX)
            except OSError as error:
                raise StorageFault(f"{address}: {error.strerror}") from error
