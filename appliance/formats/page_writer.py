"""Writing page files: pages of records that arrive in order, and the merge of a list with changes to it.

Both run in the memory of a few pages and of the foot, and give the same bytes wherever they run: a box that merges its
base with the deltas it was given has the file that headquarters signed, and need not fetch it. Neither needs the list
key: digests and details are taken as they are.
"""

import hashlib
import io
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import date
from typing import Final

from appliance.errors import Malformed
from appliance.formats.pages import (
    COUNT_BYTES,
    DETAIL_BYTES,
    DETAILS_MAX,
    DIGEST_BYTES,
    FENCE_BYTES,
    HASH_BYTES,
    PAGE_BYTES,
    PAGE_RECORDS,
    PAGES_MAX,
    RECORD_BYTES,
    TOMBSTONE,
    Foot,
    HeldBytes,
    PageFile,
    encode_tail,
)

Write = Callable[[bytes], object]
_FULL: Final = PAGE_RECORDS * RECORD_BYTES
_TOMBSTONE: Final = TOMBSTONE.to_bytes(DETAIL_BYTES)


class PageWriter:
    """Packs records into pages.

    Args:
        write: Appends to the file.
        key_id: Of the list key, 8 bytes.
        dated: The day headquarters took its content in.
    """

    def __init__(self, write: Write, *, key_id: bytes, dated: date) -> None:
        self._write = write
        self._key_id = key_id
        self._dated = dated
        self._rest = b""
        self._fences = bytearray()
        self._hashes = bytearray()
        self.records = 0

    def add(self, records: bytes) -> None:
        """Append packed records, whose digests rise and are all above those before.

        Raises:
            Malformed: The records of two pages are not in order, more of them begin alike than a page holds, or there
                are more pages than a file has.
            OSError: As `write`.
        """
        rest = self._rest + records if self._rest else records
        start = 0
        while len(rest) - start > _FULL:
            end = start + _FULL
            while _begins_alike(rest, end):
                end -= RECORD_BYTES
                if end == start:
                    raise Malformed("page file", f"more than {PAGE_RECORDS} digests begin alike")
            self._page(rest[start:end])
            start = end
        self._rest = rest[start:]

    def finish(self, details: Sequence[bytes]) -> bytes:
        """Write what is left and the foot.

        Args:
            details: Each sealed (list_key.DocumentsKey), by number.

        Returns:
            SHA-256 of the tail, which is signed with the file.

        Raises:
            OSError: As `write`.
        """
        if self._rest:
            self._page(self._rest)
        tail = encode_tail(
            Foot(
                schema=2,
                dated=self._dated,
                key_id=self._key_id,
                records=self.records,
                fences=bytes(self._fences),
                hashes=bytes(self._hashes),
                details=tuple(details),
            )
        )
        self._write(tail)
        return hashlib.sha256(tail).digest()

    def _page(self, records: bytes) -> None:
        count = len(records) // RECORD_BYTES
        fence = records[:FENCE_BYTES]
        if self._fences and fence <= self._fences[-FENCE_BYTES:]:
            raise Malformed("page file", "its records are not in order")
        if len(self._fences) == PAGES_MAX * FENCE_BYTES:
            raise Malformed("page file", f"more than {PAGES_MAX} pages")
        page = (count.to_bytes(COUNT_BYTES) + records).ljust(PAGE_BYTES, b"\0")
        self._write(page)
        self._fences += fence
        self._hashes += hashlib.sha256(page).digest()[:HASH_BYTES]
        self.records += count


def merge_pages(base: PageFile, changes: PageFile, write: Write, *, is_delta: bool = False) -> bytes:
    """Write `base` with `changes` applied: what they name is replaced, what they end is left out.

    The details are those of `base`, then those of `changes` that are new; dated as `changes` are.

    Args:
        base: A list, or a delta.
        changes: A delta under the same key.
        write: Appends to the file.
        is_delta: `base` is a delta and so is the result: tombstones stay.

    Returns:
        SHA-256 of the new file's tail.

    Raises:
        Malformed: The two do not belong together, or have more details than a file holds.
        Untrusted: A page of them is not the one that was signed.
        StorageFault, OSError: Reading, writing.
    """
    if base.key_id != changes.key_id:
        raise Malformed("page file", "these changes are to a list under another key")
    details, numbers = _united(base.details, changes.details)
    writer = PageWriter(write, key_id=base.key_id, dated=changes.dated)
    pending = _renumbered(changes, numbers)
    change = next(pending, None)
    for records, above in _with_next(base.parts()):
        mine: dict[bytes, bytes] = {}
        while change is not None and (above is None or change[:FENCE_BYTES] < above[:FENCE_BYTES]):
            mine[change[:DIGEST_BYTES]] = change
            change = next(pending, None)
        writer.add(_applied(records, mine, is_delta=is_delta) if mine else records)
    while change is not None:  # the base had no page at all
        writer.add(_applied(b"", {change[:DIGEST_BYTES]: change}, is_delta=is_delta))
        change = next(pending, None)
    return writer.finish(details)


def merge_deltas(base: PageFile, deltas: Sequence[PageFile], write: Write) -> bytes:
    """Write `base` with all `deltas` applied in turn, as a new base; otherwise as `merge_pages`."""
    return merge_pages(base, together(deltas), write)


def together(deltas: Sequence[PageFile]) -> PageFile:
    """All deltas, one or more in their order, as one in memory; otherwise as `merge_pages`.

    Neighbours are merged two by two, so that each record is written a few times only; any order of merging neighbours
    gives the same bytes.
    """
    while len(deltas) > 1:
        pairs = [deltas[place : place + 2] for place in range(0, len(deltas), 2)]
        deltas = [_later(*pair) if len(pair) == 2 else pair[0] for pair in pairs]
    return deltas[0]


def _later(changes: PageFile, delta: PageFile) -> PageFile:
    merged = io.BytesIO()
    merge_pages(changes, delta, merged.write, is_delta=True)
    return PageFile(HeldBytes(merged.getvalue()))


def split(records: bytes) -> Iterator[bytes]:
    """The single records of a packed row of them."""
    return (records[place : place + RECORD_BYTES] for place in range(0, len(records), RECORD_BYTES))


def _begins_alike(records: bytes, place: int) -> bool:
    """Whether the record at `place` begins like the one before it."""
    before = place - RECORD_BYTES
    return records[place : place + FENCE_BYTES] == records[before : before + FENCE_BYTES]


def _united(base: Sequence[bytes], changes: Sequence[bytes]) -> tuple[list[bytes], list[bytes]]:
    """All details, and for each number in `changes` its number in the union, as three bytes."""
    details = list(base)
    known = {detail: number for number, detail in enumerate(details)}
    for detail in changes:
        if detail not in known:
            known[detail] = len(details)
            details.append(detail)
    if len(details) > DETAILS_MAX:
        raise Malformed("page file", f"{len(details)} details, at most {DETAILS_MAX}")
    return details, [known[detail].to_bytes(DETAIL_BYTES) for detail in changes]


def _renumbered(changes: PageFile, numbers: Sequence[bytes]) -> Iterator[bytes]:
    for records in changes.parts():
        for record in split(records):
            number = int.from_bytes(record[DIGEST_BYTES:])
            if number == TOMBSTONE:
                yield record
            elif number < len(numbers):
                yield record[:DIGEST_BYTES] + numbers[number]
            else:
                raise Malformed("page file", f"detail {number} of {len(numbers)}")


def _with_next(parts: Iterable[bytes]) -> Iterator[tuple[bytes, bytes | None]]:
    """Each part with the one after it, None after the last."""
    last: bytes | None = None
    for part in parts:
        if last is not None:
            yield last, part
        last = part
    if last is not None:
        yield last, None


def _applied(records: bytes, changes: dict[bytes, bytes], *, is_delta: bool) -> bytes:
    """Packed records with changes applied, in order."""
    held = {record[:DIGEST_BYTES]: record for record in split(records)} | changes
    return b"".join(held[digest] for digest in sorted(held) if is_delta or held[digest][DIGEST_BYTES:] != _TOMBSTONE)
