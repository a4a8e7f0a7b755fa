"""The page file: the document list on disk, searched by reading one page of 4 KiB (README, "Page file").

A file is its pages, one after the other, and a foot. A page holds sorted records; a record is a keyed digest of a
document's name and the number of a detail. The foot holds the first key and the hash of every page, and the details,
each once. Whoever has verified the foot verifies each page when it is read: the foot's hash is the root of a hash tree
of one level. So 100 million records are ready as soon as their foot is read, and no byte of them is believed unseen.

The foot names the list key and does not hold it (list_key.py): without that key the file says how long it is and how
often which detail stands in it, and neither what is listed nor what the details say.

Deltas have the same format: records of what is new, and tombstones for what is no longer listed.
"""

import hashlib
import operator
import sys
from array import array
from bisect import bisect_right
from collections.abc import Iterator
from datetime import date
from typing import Annotated, Final, Protocol

from msgspec import Meta

from appliance.errors import Malformed, Untrusted
from appliance.formats import cbor
from appliance.formats.list_key import KEY_ID_BYTES
from appliance.model import Noun

PAGE_BYTES: Final = 4_096
COUNT_BYTES: Final = 2
DIGEST_BYTES: Final = 16
DETAIL_BYTES: Final = 3
RECORD_BYTES: Final = DIGEST_BYTES + DETAIL_BYTES
PAGE_RECORDS: Final = (PAGE_BYTES - COUNT_BYTES) // RECORD_BYTES
FENCE_BYTES: Final = 8
"""How much of a page's first digest the foot keeps; records that begin alike are never parted between two pages."""
HASH_BYTES: Final = 16
"""How much of a page's SHA-256 the foot keeps: 128 bits against a second page with the same hash."""

TOMBSTONE: Final = 2**24 - 1
"""In place of a detail's number: this document is no longer listed."""
DETAILS_MAX: Final = 65_536
"""Details of one file, each kept in memory."""
PAGES_MAX: Final = 2**20
"""225 million records, 4 GiB."""
DETAIL_BYTES_MAX: Final = 384
"""Of one detail, sealed."""
FOOT_BYTES_MAX: Final = PAGES_MAX * (FENCE_BYTES + HASH_BYTES) + DETAILS_MAX * (DETAIL_BYTES_MAX + 3)
TRAILER: Final = b"landlink pages 2"
TRAILER_BYTES: Final = 4 + len(TRAILER)
"""After the foot: its length as uint32, and what kind of file this is."""
FILE_BYTES_MAX: Final = PAGES_MAX * PAGE_BYTES + FOOT_BYTES_MAX + TRAILER_BYTES


class Source(Protocol):
    """Bytes that lie somewhere and are read in places."""

    @property
    def length(self) -> int:
        """How many there are."""
        ...

    def read_at(self, offset: int, size: int) -> bytes:
        """`size` bytes from `offset` on, fewer where they end. Raises StorageFault."""
        ...


class HeldBytes:
    """A source in memory."""

    def __init__(self, content: bytes) -> None:
        self._content = content

    @property
    def length(self) -> int:
        """How many bytes there are."""
        return len(self._content)

    def read_at(self, offset: int, size: int) -> bytes:
        """`size` bytes from `offset` on, fewer where they end."""
        return self._content[offset : offset + size]


class Foot(Noun, frozen=True, kw_only=True):
    """What is known of a file before any page of it is read.

    Attributes:
        schema: 2.
        dated: The day headquarters took its content in.
        key_id: Of the list key that digests and details are under.
        records: In all pages.
        fences: Of each page, the first 8 bytes of its first digest.
        hashes: Of each page, the first 16 bytes of its SHA-256.
        details: Each a `ListedDocument`, sealed; with an empty `entry` where the document itself is the entry.
    """

    schema: Annotated[int, Meta(ge=2, le=2)]
    dated: date
    key_id: Annotated[bytes, Meta(min_length=KEY_ID_BYTES, max_length=KEY_ID_BYTES)]
    records: Annotated[int, Meta(ge=0, le=PAGES_MAX * PAGE_RECORDS)]
    fences: Annotated[bytes, Meta(max_length=PAGES_MAX * FENCE_BYTES)]
    hashes: Annotated[bytes, Meta(max_length=PAGES_MAX * HASH_BYTES)]
    details: Annotated[tuple[Annotated[bytes, Meta(max_length=DETAIL_BYTES_MAX)], ...], Meta(max_length=DETAILS_MAX)]


class PageFile:
    """A page file, opened. Its foot is in memory, its pages stay where they are.

    Args:
        source: Of the whole file.

    Raises:
        Malformed: It is not in the format, or shorter or longer than its foot says.
        StorageFault: It cannot be read.
    """

    def __init__(self, source: Source) -> None:
        tail = read_tail(source)
        foot: Foot = cbor.parse(tail[:-TRAILER_BYTES], Foot, what="page file foot", bytes_max=FOOT_BYTES_MAX)
        self._source = source
        self._fences = _fences(foot)
        self._hashes = foot.hashes
        self.pages: Final = len(self._fences)
        self.records: Final = foot.records
        self.key_id: Final = foot.key_id
        self.dated: Final[date] = foot.dated
        self.details: Final = foot.details
        self.foot_sha256: Final = hashlib.sha256(tail).digest()
        if source.length != self.pages * PAGE_BYTES + len(tail):
            raise Malformed("page file", f"{source.length} bytes, its foot says {self.pages} pages of {PAGE_BYTES}")

    def find(self, digest: bytes) -> int | None:
        """The detail's number of this document, TOMBSTONE, or None when the file does not name it. Reads one page.

        Raises:
            Untrusted: The page that holds the answer is not the one that the foot names.
            StorageFault: It cannot be read.
        """
        if not self.pages:
            return None
        after = bisect_right(self._fences, int.from_bytes(digest[:FENCE_BYTES]))
        page = self.page(after - 1 if after else 0)
        place = page.find(digest, COUNT_BYTES)
        while place >= 0 and (place - COUNT_BYTES) % RECORD_BYTES:
            place = page.find(digest, place + 1)
        if place < 0 or place >= COUNT_BYTES + int.from_bytes(page[:COUNT_BYTES]) * RECORD_BYTES:
            return None
        return int.from_bytes(page[place + DIGEST_BYTES : place + RECORD_BYTES])

    def detail(self, number: int) -> bytes:
        """What the list says of a document that was found, sealed. Raises Malformed: there is none of this number."""
        if number >= len(self.details):
            raise Malformed("page file", f"detail {number} of {len(self.details)}")
        return self.details[number]

    def page(self, number: int) -> bytes:
        """One page, verified. Raises Untrusted, StorageFault."""
        page = self._source.read_at(number * PAGE_BYTES, PAGE_BYTES)
        if not self._hashes.startswith(hashlib.sha256(page).digest()[:HASH_BYTES], number * HASH_BYTES):
            raise Untrusted(f"page file: page {number} of {self.pages} is not the one that was signed")
        return page

    def parts(self) -> Iterator[bytes]:
        """The records of each page in turn, packed. Raises Untrusted, Malformed, StorageFault."""
        for number in range(self.pages):
            page = self.page(number)
            count = int.from_bytes(page[:COUNT_BYTES])
            if not 0 < count <= PAGE_RECORDS:
                raise Malformed("page file", f"page {number} holds {count} records")
            yield page[COUNT_BYTES : COUNT_BYTES + count * RECORD_BYTES]


def read_tail(source: Source) -> bytes:
    """Everything after the pages: the foot and its trailer, whose hash is signed with the file.

    Raises:
        Malformed: There is no trailer, or the foot is longer than the file or than its bound.
        StorageFault: It cannot be read.
    """
    trailer = source.read_at(max(source.length - TRAILER_BYTES, 0), TRAILER_BYTES)
    if len(trailer) != TRAILER_BYTES or trailer[4:] != TRAILER:
        raise Malformed("page file", "it does not end as a page file does")
    length = int.from_bytes(trailer[:4]) + TRAILER_BYTES
    if length > min(source.length, FOOT_BYTES_MAX + TRAILER_BYTES):
        raise Malformed("page file", f"a foot of {length} bytes")
    return source.read_at(source.length - length, length)


def encode_tail(foot: Foot) -> bytes:
    """The foot and its trailer."""
    packed = cbor.pack(foot)
    return packed + len(packed).to_bytes(4) + TRAILER


def _fences(foot: Foot) -> "array[int]":
    fences = array("Q")
    pages, rest = divmod(len(foot.fences), FENCE_BYTES)
    if rest or len(foot.hashes) != pages * HASH_BYTES:
        raise Malformed("page file foot", "fences and hashes are not of the same pages")
    if not pages <= foot.records <= pages * PAGE_RECORDS:
        raise Malformed("page file foot", f"{foot.records} records in {pages} pages")
    fences.frombytes(foot.fences)
    if sys.byteorder == "little":
        fences.byteswap()
    if not all(map(operator.lt, fences, fences[1:])):
        raise Malformed("page file foot", "its fences do not rise")
    return fences
