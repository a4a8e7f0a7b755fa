"""Listed documents become the list file of a release, with the canary that boxes look up before they switch to it."""

import io
from collections.abc import Mapping
from datetime import date

from appliance.formats.list_key import DocumentsKey
from appliance.formats.lists import (
    CANARY_DOCUMENT,
    CANARY_ENTRY,
    CANARY_SOURCE,
    DocumentKey,
    ListedDocument,
)
from appliance.formats.page_writer import PageWriter
from appliance.formats.pages import DETAIL_BYTES

CANARY = ListedDocument(entry=CANARY_ENTRY, source=CANARY_SOURCE, fraud="listed")


def documents_list(documents: Mapping[DocumentKey, ListedDocument], *, dated: date, list_key: bytes) -> bytes:
    """`lists/documents.pages` of a list that fits into memory; longer ones are built by pages_build.py.

    Args:
        documents: What is listed; the canary is added.
        dated: The day headquarters took it in.
        list_key: Headquarters' list key, 32 bytes.
    """
    key = DocumentsKey(list_key)
    listed = {CANARY_DOCUMENT: CANARY, **documents}
    numbers = {detail: number for number, detail in enumerate(dict.fromkeys(listed.values()))}
    records = sorted(key.digest(name) + numbers[detail].to_bytes(DETAIL_BYTES) for name, detail in listed.items())
    content = io.BytesIO()
    writer = PageWriter(content.write, key_id=key.key_id, dated=dated)
    writer.add(b"".join(records))
    writer.finish([key.seal(detail) for detail in numbers])
    return content.getvalue()
