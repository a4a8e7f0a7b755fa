"""The document list over a page file: one page read a lookup, whatever the list's length.

Changes since the base are merged in memory into one file of their own and asked first. A page that is not the one that
headquarters signed is a damaged list, never "not listed" (I5); the other pages go on answering.
"""

from datetime import date

from appliance.errors import Malformed, StorageFault, Untrusted
from appliance.formats.list_key import DocumentsKey
from appliance.formats.lists import DocumentKey, ListedDocument
from appliance.formats.page_writer import together
from appliance.formats.pages import TOMBSTONE, PageFile
from appliance.screen.documents import DAMAGED, ListDamaged


class PageList:
    """Listed documents.

    Args:
        base: The list.
        key: Of the list key that it names.
        changes: What changed since, as one delta in memory.
    """

    def __init__(self, base: PageFile, key: DocumentsKey, changes: PageFile | None = None) -> None:
        self._base = base
        self._key = key
        self._changes = changes

    @property
    def dated(self) -> date:
        """The day headquarters took its content in, the last delta's."""
        return self._base.dated if self._changes is None else self._changes.dated

    def with_deltas(self, *deltas: PageFile) -> "PageList":
        """The same list after more deltas, in their order.

        Raises:
            Malformed: It is under another key, or the deltas have too many details together.
            Untrusted, StorageFault: A page of it does not hold.
        """
        if any(delta.key_id != self._base.key_id for delta in deltas):
            raise Malformed("delta", "it is to a list under another key")
        changes = deltas if self._changes is None else (self._changes, *deltas)
        return PageList(self._base, self._key, together(changes)) if changes else self

    def lookup(self, key: DocumentKey) -> ListedDocument | None:
        """The entry of this document, None when it is not listed. Reads one page of the base at most.

        Raises:
            ListDamaged: The page that would hold the answer cannot be read or is not the one that was signed.
        """
        try:
            return self.answer(self._key.digest(key))
        except (Untrusted, Malformed, StorageFault):
            raise ListDamaged(DAMAGED) from None

    def answer(self, digest: bytes) -> ListedDocument | None:
        """As `lookup`, by digest. Raises Untrusted, Malformed, StorageFault."""
        if self._changes is not None and (number := self._changes.find(digest)) is not None:
            return None if number == TOMBSTONE else self._key.open(self._changes.detail(number), digest)
        number = self._base.find(digest)
        return None if number is None else self._key.open(self._base.detail(number), digest)
