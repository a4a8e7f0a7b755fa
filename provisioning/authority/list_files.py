"""Entries become the list files of a release, each with the canaries that boxes look up before they switch to it."""

from collections.abc import Iterable, Mapping
from datetime import date

from appliance.formats.lists import (
    CANARY_DOCUMENT,
    CANARY_ENTRY,
    CANARY_PERSON,
    CANARY_SOURCE,
    DocumentKey,
    DocumentsFile,
    ListedDocument,
    ListedPerson,
    PersonsFile,
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


def persons_list(persons: Iterable[ListedPerson], *, dated: date) -> bytes:
    """`lists/persons.json`, in the order given, the canary last."""
    return encode_list(PersonsFile(schema=1, dated=dated, entries=(*persons, CANARY_PERSON)))
