"""Listed documents become the list file of a release, with the canary that boxes look up before they switch to it."""

from collections.abc import Mapping
from datetime import date

from appliance.formats.lists import (
    CANARY_DOCUMENT,
    CANARY_ENTRY,
    CANARY_SOURCE,
    DocumentKey,
    DocumentsFile,
    ListedDocument,
    encode_list,
)

_CANARY = ListedDocument(entry=CANARY_ENTRY, source=CANARY_SOURCE, fraud="listed")


def documents_list(documents: Mapping[DocumentKey, ListedDocument], *, dated: date, key: bytes) -> bytes:
    """`lists/documents.json`.

    Args:
        documents: What is listed.
        dated: The day headquarters took it in.
        key: Key of the digests, 32 bytes; a new one for each base.
    """
    entries = {name.digest(key): listed for name, listed in documents.items()}
    entries[CANARY_DOCUMENT.digest(key)] = _CANARY
    return encode_list(DocumentsFile(schema=1, dated=dated, key=key, entries=entries))
