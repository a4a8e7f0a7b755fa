"""Building a documents list of any length in bounded memory, and the delta between two lists.

Digests are evenly spread, so records are dealt into 256 files by their first byte and each file is sorted by itself:
100 million take 80 MB at a time. Building goes on record by record in any case (a row is read, its digest made), so
sorting with numpy would not be felt.
"""

import contextlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import date
from pathlib import Path
from types import TracebackType
from typing import Final, Self

import msgspec

from appliance.errors import Malformed
from appliance.files import storage
from appliance.formats.list_key import DocumentsKey
from appliance.formats.lists import ListedDocument
from appliance.formats.page_writer import PageWriter, Write, split
from appliance.formats.pages import (
    DETAIL_BYTES,
    DETAILS_MAX,
    DIGEST_BYTES,
    FENCE_BYTES,
    TOMBSTONE,
    PageFile,
)

BUCKETS: Final = 256
BUFFER_BYTES: Final = 65_536
KINDS_MAX: Final = 4_096
"""Details kept free for kinds of entry (source, fraud, reporting state) once those with a reference of their own have
taken the rest; an entry then goes by its document's digest, and its source is asked by the document's number."""

_TOMBSTONE: Final = TOMBSTONE.to_bytes(DETAIL_BYTES)


class PageBuild:
    """One list being built: entries in any order, the first of each document counts.

    Args:
        scratch: An empty folder for the files of the sort.
        key: Of the list key that it is built under.
        details: Of the list that was published before, so that what did not change has equal records.
    """

    def __init__(self, scratch: Path, key: DocumentsKey, details: Sequence[bytes] = ()) -> None:
        self._scratch = scratch
        self._key = key
        self._details = list(details)
        self._by_detail = {detail: number for number, detail in enumerate(details)}
        self._numbers: dict[ListedDocument, int] = {}
        self._open = contextlib.ExitStack()
        with storage("sorting documents"):
            self._buckets = [
                self._open.enter_context(self._path(bucket).open("xb", buffering=BUFFER_BYTES))
                for bucket in range(BUCKETS)
            ]

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._open.close()

    def put(self, digest: bytes, number: int) -> None:
        """List a document under the detail of this number. Raises StorageFull, StorageFault."""
        try:
            self._buckets[digest[0]].write(digest + number.to_bytes(DETAIL_BYTES))
        except OSError:
            with storage("sorting documents"):
                raise

    def number(self, listed: ListedDocument) -> int:
        """The number of this detail, or of its kind when there is no room for another reference.

        Raises:
            Malformed: There is no room for another kind either.
        """
        number = self._numbers.get(listed)
        if number is not None:
            return number
        number = self._numbered(self._key.seal(listed), DETAILS_MAX - KINDS_MAX)
        if number is None:
            return self._kind(listed)
        self._numbers[listed] = number
        return number

    def write(self, write: Write, *, dated: date, advanced: Callable[[], object] = lambda: None) -> bytes:
        """Sort, and write the page file.

        Args:
            write: Appends to the file.
            dated: The day headquarters took its content in.
            advanced: Called after each of the 256 parts.

        Returns:
            SHA-256 of the file's tail.

        Raises:
            Malformed: More documents than a file holds.
            StorageFull, StorageFault: Reading what is sorted, writing.
        """
        with storage("sorting documents"):
            self._open.close()
            writer = PageWriter(write, key_id=self._key.key_id, dated=dated)
            for bucket in range(BUCKETS):
                path = self._path(bucket)
                writer.add(_sorted(path.read_bytes()))
                path.unlink()
                advanced()
            return writer.finish(self._details)

    def _path(self, bucket: int) -> Path:
        return self._scratch / f"{bucket:02x}"

    def _kind(self, listed: ListedDocument) -> int:
        number = self._numbered(self._key.seal(msgspec.structs.replace(listed, entry="")), DETAILS_MAX)
        if number is None:
            raise Malformed("documents list", f"more than {DETAILS_MAX} kinds of entries")
        return number

    def _numbered(self, detail: bytes, details_max: int) -> int | None:
        number = self._by_detail.get(detail)
        if number is None and len(self._details) < details_max:
            number = self._by_detail[detail] = len(self._details)
            self._details.append(detail)
        return number


def _sorted(bucket: bytes) -> bytes:
    """The first record of each document, in order, packed."""
    first: dict[bytes, bytes] = {}
    for record in split(bucket):
        first.setdefault(record[:DIGEST_BYTES], record)
    return b"".join([first[digest] for digest in sorted(first)])


def write_delta(old: PageFile, new: PageFile, write: Write) -> int:
    """Write what turns `old` into `new`, both under one key and with the details of `old` first in `new`.

    Args:
        old: The list as it is published, deltas included.
        new: The list as it is staged.
        write: Appends to the file.

    Returns:
        How many records the delta has.

    Raises:
        Untrusted, StorageFault, OSError: Reading, writing.
    """
    writer = PageWriter(write, key_id=new.key_id, dated=new.dated)
    details: dict[bytes, bytes] = {}
    for before, after in _side_by_side(old, new):
        gone = {record[:DIGEST_BYTES] for record in before - after}
        changed = {record[:DIGEST_BYTES]: record[DIGEST_BYTES:] for record in after - before}
        for digest in sorted(gone | changed.keys()):
            number = changed.get(digest)
            if number is not None:
                number = details.setdefault(number, len(details).to_bytes(DETAIL_BYTES))
            writer.add(digest + (number or _TOMBSTONE))
    writer.finish([new.details[int.from_bytes(number)] for number in details])
    return writer.records


def _side_by_side(old: PageFile, new: PageFile) -> Iterator[tuple[set[bytes], set[bytes]]]:
    """Records of both by page of `old`: every document is in the same pair."""
    rest = _Row(new.parts())
    above: bytes | None = None
    last: bytes | None = None
    for page in old.parts():
        if last is not None:
            above = page[:FENCE_BYTES]
            yield set(split(last)), rest.below(above)
        last = page
    yield set(split(last or b"")), rest.below(None)


class _Row:
    """Records in order, taken off its front."""

    def __init__(self, parts: Iterable[bytes]) -> None:
        self._parts = iter(parts)
        self._held: list[bytes] = []

    def below(self, fence: bytes | None) -> set[bytes]:
        """Those that begin below `fence`, all of them for None."""
        taken: set[bytes] = set()
        while True:
            if fence is not None and self._held and self._held[-1] >= fence:
                place = next(place for place, record in enumerate(self._held) if record >= fence)
                taken.update(self._held[:place])
                del self._held[:place]
                return taken
            taken.update(self._held)
            part = next(self._parts, None)
            if part is None:
                self._held = []
                return taken
            self._held = list(split(part))
