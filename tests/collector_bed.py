"""What tests of the collector send and look at; headquarters and the box are those of delivery_post.py."""

import base64
import hashlib
import itertools
import socket
import sqlite3
from collections.abc import Callable

from appliance.formats.upload import BatchItem, LogUpload
from appliance.model import Priority
from appliance.uplink.index import Item
from appliance.uplink.link import Link, tls_context
from tests.delivery_post import Box, Headquarters

HOST = "localhost"
SERIALS = (f"LA-{number:04d}" for number in itertools.count(1))
"""Of boxes that were not enrolled before."""
Links = Callable[[Box], Link]


def upload_of(box: Box, start: int = 0) -> LogUpload:
    """The log from `start` on, with its newest checkpoint."""
    return LogUpload(from_index=start, leaves=tuple(box.log.leaves[start:]), checkpoint=box.log.note())


def batch_item(box: Box, leaf: int, body: bytes | None = None, sha256: bytes | None = None) -> BatchItem:
    sent = box.bodies[leaf] if body is None else body
    return BatchItem(
        origin=box.origin,
        index=leaf,
        priority=Priority.RECORD,
        sha256=sha256 or hashlib.sha256(box.bodies[leaf]).digest(),
        body=sent,
    )


def large_item(box: Box, leaf: int) -> Item:
    body = box.bodies[leaf]
    return Item(leaf=leaf, priority=Priority.BULK, size=len(body), sha256=hashlib.sha256(body).digest())


def alarms(headquarters: Headquarters, table: str, origin: str) -> list[tuple[object, ...]]:
    """Rows of the ledger's alarms, read from a copy: the collector holds the ledger for itself."""
    copy = sqlite3.connect(":memory:")
    stopped = headquarters.collector
    assert stopped is not None
    headquarters.stop()
    try:
        with sqlite3.connect(headquarters.data / "ledger.db") as ledger:
            ledger.backup(copy)
        ledger.close()
    finally:
        headquarters.start()
    rows = copy.execute(f"select * from {table} where origin = ?", (origin,)).fetchall()
    copy.close()
    return rows


def patch_head(box: Box, item: Item, offset: int, length: int) -> bytes:
    digest = base64.b64encode(item.sha256).decode()
    return (
        f"PATCH /v1/up/{box.origin}/{item.leaf}/{item.sha256.hex()} HTTP/1.1\r\nHost: {HOST}\r\n"
        f"Content-Type: application/partial-upload\r\nUpload-Offset: {offset}\r\nUpload-Length: {item.size}\r\n"
        f"Upload-Complete: ?1\r\nRepr-Digest: sha-256=:{digest}:\r\nContent-Length: {length}\r\n\r\n"
    ).encode()


def cut_patch(box: Box, item: Item, body: bytes, bytes_sent: int) -> None:
    """Begin a PATCH that promises the whole body, send so many bytes of it, and tear the connection."""
    context = tls_context(box.state / "uplink")
    with socket.create_connection((HOST, box.headquarters.port)) as plain:
        connection = context.wrap_socket(plain, server_hostname=HOST)
        connection.sendall(patch_head(box, item, 0, len(body)) + body[:bytes_sent])
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\0\0\0\0\0\0\0")
        connection.close()
