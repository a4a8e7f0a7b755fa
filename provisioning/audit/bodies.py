"""Fetching the sealed bodies that a pulled log names and that are not here.

Which those are is known from a byte an entry (sealed_note.py) and the names of the files that are here, not by parsing
entries; an entry is parsed once more when its body may be had.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import chain
from typing import Final

from appliance.errors import Untrusted
from appliance.files import remove_partial
from appliance.formats.age import BLOB_BYTES_MAX
from appliance.formats.statement import Sealed
from appliance.formats.tiles import TILE_WIDTH
from provisioning.audit.acknowledged import check_receipt, missing_body
from provisioning.audit.erased import read_erased
from provisioning.audit.log import Problem, problem
from provisioning.audit.progress import Advance
from provisioning.audit.sealed_note import sealed_of
from provisioning.audit.source import Source
from provisioning.audit.store import PulledLog, check_body
from provisioning.audit.testimony import Testimony

BODIES: Final = "bodies"


@dataclass(slots=True, kw_only=True)
class Taken:
    """What became of the bodies that were awaited.

    Attributes:
        bodies: Fetched and kept.
        awaited: Still not here.
        problems: What is not as it should be.
    """

    bodies: int = 0
    awaited: int = 0
    problems: list[Problem] = field(default_factory=list[Problem])


class Bodies:
    """Fetches the bodies of one log.

    Args:
        kept: The copy, its entries verified.
        source: Where they are fetched.
        testimony: What headquarters signed.
        from_collector: The source is headquarters' collector: what it acknowledged has to be there.
        all_receipts: It has shown all its receipts, and they hold; it gives one for every body that it takes.
    """

    def __init__(
        self, kept: PulledLog, source: Source, testimony: Testimony, *, from_collector: bool, all_receipts: bool
    ) -> None:
        self._kept = kept
        self._source = source
        self._testimony = testimony
        self._from_collector = from_collector
        self._all_receipts = from_collector and all_receipts

    def take(self, sealed: bytes, advance: Advance) -> Taken:
        """Fetch what is awaited and may be had.

        Args:
            sealed: A byte for each entry kept, 1 where it has a body.
            advance: Told how far it is.

        Raises:
            UplinkFault, StorageFault, StorageFull: It could not be read or kept; what was kept stays.
        """
        awaited = bytearray(sealed)
        for index in chain(self._kept.body_indices(), read_erased(self._kept)):  # what was erased is not fetched again
            if index < len(awaited):
                awaited[index] = 0
        taken = Taken(awaited=awaited.count(1))
        wanted = self._wanted(awaited)
        if wanted:
            remove_partial(self._kept.body_path(0).parent)
        for done, (index, body) in enumerate(self._named(wanted, len(sealed)), 1):
            try:
                self._fetch(index, body, taken)
            except Untrusted as error:
                taken.problems.append(problem(self._kept.log, index, error))
            finally:
                advance(BODIES, done, len(wanted))
        return taken

    def _wanted(self, awaited: bytearray) -> list[int]:
        """Awaited entries whose body may be there, or for which headquarters signed a receipt, in order."""
        offered = () if self._all_receipts else self._source.bodies()
        if offered is None:
            return [index for index, waits in enumerate(awaited) if waits]
        candidates = chain(offered, self._testimony.receipts)
        return sorted({index for index in candidates if index < len(awaited) and awaited[index]})

    def _named(self, indices: Iterable[int], size: int) -> Iterator[tuple[int, Sealed]]:
        """What the entries at these indices, ascending, say of their bodies."""
        n, bundle = -1, tuple[bytes, ...]()
        for index in indices:
            if index // TILE_WIDTH != n:
                n = index // TILE_WIDTH
                bundle = next(self._kept.bundles(size, n * TILE_WIDTH))
            body = sealed_of(bundle[index % TILE_WIDTH])
            if body is not None:  # else the note is wrong: `verify` says so
                yield index, body

    def _fetch(self, index: int, body: Sealed, taken: Taken) -> None:
        """Fetch one. Raises Untrusted, and as `take`."""
        check_receipt(index, body, self._testimony)
        blob = self._source.body(index, bytes_max=BLOB_BYTES_MAX)
        if blob is not None:
            check_body(blob, body)
            self._kept.keep_body(index, blob)
            taken.bodies += 1
            taken.awaited -= 1
            return
        words = missing_body(index, self._testimony)
        if words and self._from_collector:  # another source need not have it
            taken.problems.append(Problem(origin=self._kept.log.origin, index=index, words=words))
