"""Page files for tests: built from digests, with sources that count or that lie."""

import io
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date

from appliance.formats.list_key import DocumentsKey
from appliance.formats.lists import ListedDocument
from appliance.formats.page_writer import PageWriter
from appliance.formats.pages import DETAIL_BYTES, TOMBSTONE, HeldBytes, PageFile

KEY = DocumentsKey(bytes(range(32)))
DAY = date(2026, 11, 3)
REMOVED = ListedDocument(entry="removed", source="", fraud="")
"""Stands for a tombstone."""


def listed(entry: str, fraud: str = "stolen", reported_by: str = "LAO") -> ListedDocument:
    return ListedDocument(entry=entry, source="stolen and lost documents", fraud=fraud, reported_by=reported_by)


def page_bytes(entries: Mapping[bytes, ListedDocument], *, key: DocumentsKey = KEY, dated: date = DAY) -> bytes:
    """A file of these digests, written by the writer itself."""
    details = [detail for detail in dict.fromkeys(entries.values()) if detail != REMOVED]
    numbers = {detail: number for number, detail in enumerate(details)} | {REMOVED: TOMBSTONE}
    content = io.BytesIO()
    writer = PageWriter(content.write, key_id=key.key_id, dated=dated)
    writer.add(b"".join(digest + numbers[entries[digest]].to_bytes(DETAIL_BYTES) for digest in sorted(entries)))
    writer.finish([key.seal(detail) for detail in details])
    return content.getvalue()


def page_file(entries: Mapping[bytes, ListedDocument], *, key: DocumentsKey = KEY, dated: date = DAY) -> PageFile:
    return PageFile(HeldBytes(page_bytes(entries, key=key, dated=dated)))


def found(file: PageFile, digests: Iterable[bytes]) -> dict[bytes, ListedDocument]:
    """What a file says of each of these digests that it names."""
    answers = {digest: file.find(digest) for digest in digests}
    return {
        digest: REMOVED if number == TOMBSTONE else KEY.open(file.detail(number), digest)
        for digest, number in answers.items()
        if number is not None
    }


@dataclass
class CountingSource:
    """Bytes that say how they were read."""

    content: bytes
    reads: list[tuple[int, int]] = field(default_factory=list)

    @property
    def length(self) -> int:
        return len(self.content)

    def read_at(self, offset: int, size: int) -> bytes:
        self.reads.append((offset, size))
        return self.content[offset : offset + size]
