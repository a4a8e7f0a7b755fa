"""Pages of what headquarters signed about one log, as the collector shows them to the auditor.

    cosigned/<n>    64 checkpoints with headquarters' cosignatures, oldest first
    receipts/<n>    256 receipts for bodies, in the order of the ledger

They are asked for like files of the log. A page holds big-endian uint16 length and item, one after the other; a full
one never changes, the last one grows. So whoever kept a page notices a ledger that went back or was written again.
"""

from collections.abc import Sequence
from typing import Final

from appliance.errors import Malformed

COSIGNED: Final = "cosigned"
RECEIPTS: Final = "receipts"
ITEMS_A_PAGE: Final = {COSIGNED: 64, RECEIPTS: 256}
ITEM_BYTES_MAX: Final = 65_535
PAGE_BYTES_MAX: Final = 64 * (2 + ITEM_BYTES_MAX)
"""A receipt has some 300 bytes, so this bounds both kinds."""


def page_path(kind: str, n: int) -> str:
    """Path of a page below the log's address: `receipts/0`."""
    return f"{kind}/{n}"


def encode_page(items: Sequence[bytes]) -> bytes:
    """A page of items of at most 65,535 bytes each."""
    assert all(len(item) <= ITEM_BYTES_MAX for item in items), "an item that no page can hold"
    return b"".join(len(item).to_bytes(2, "big") + item for item in items)


def parse_page(page: bytes, kind: str) -> tuple[bytes, ...]:
    """The items of a page. Raises Malformed."""
    items: list[bytes] = []
    offset = 0
    while offset < len(page):
        end = offset + 2 + int.from_bytes(page[offset : offset + 2], "big")
        if end > len(page):
            raise Malformed(f"page of {kind}", "cut off within an item", offset=offset)
        items.append(page[offset + 2 : end])
        offset = end
    if len(items) > ITEMS_A_PAGE[kind]:
        raise Malformed(f"page of {kind}", f"{len(items)} items, at most {ITEMS_A_PAGE[kind]}")
    return tuple(items)
