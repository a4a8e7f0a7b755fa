"""Delivery on loopback: records in batches, one by one, and a raw TLS copy of the same bytes; one run, one machine.

The collector is the real process on a disk: each answer waits until bodies, ledger and receipts are synced. The raw
copy is what the same TLS and the same processor carry when nobody keeps anything: the limit.
"""

import hashlib
import os
import socket
import ssl
import tempfile
import threading
import time
from collections.abc import Sequence
from pathlib import Path

from appliance.formats.upload import BatchItem
from appliance.model import Origin, Priority
from appliance.uplink.collector import Collector, Cosigned, Taken
from appliance.uplink.link import Link, tls_context
from appliance.uplink.published import PublishedLog
from tests.delivery_post import Box, Headquarters

RECORDS = int(os.environ.get("LANDLINK_BENCH_RECORDS", "600"))
RECORD_BYTES = 9_000  # a sealed record: 4 KiB padded, two post-quantum stanzas of 1.6 KB, base64 included
BATCH = 25  # as many as 256 KiB hold with their frames
DISK = Path(os.environ.get("LANDLINK_BENCH_DISK", "/var/tmp"))


def seal(box: Box, count: int) -> list[BatchItem]:
    """Entries in the box's log, and their bodies as batch items."""
    items: list[BatchItem] = []
    for _ in range(count):
        body = os.urandom(RECORD_BYTES)
        leaf = box.seal(body)
        sha256 = hashlib.sha256(body).digest()
        items.append(BatchItem(origin=box.origin, index=leaf, priority=Priority.RECORD, sha256=sha256, body=body))
    return items


def send(client: Collector, items: Sequence[BatchItem], together: int) -> float:
    """Deliver all, so many in a request; records a second."""
    began = time.perf_counter()
    for start in range(0, len(items), together):
        results = client.send_batch(items[start : start + together])
        assert all(result.status == 200 for result in results)
    return len(items) / (time.perf_counter() - began)


def send_log(client: Collector, box: Box) -> float:
    """Deliver the whole log in parts; leaves a second."""
    published = PublishedLog(box.state / "log", box.state / "log.vkey")
    head = published.head()
    assert head is not None
    began = time.perf_counter()
    start = 0
    while isinstance(answer := client.send_log(published.part(head, start, bytes_max=262_144)), Taken):
        start = answer.size
    assert isinstance(answer, Cosigned)
    return head.checkpoint.size / (time.perf_counter() - began)


def raw_copy(headquarters: Headquarters, box: Box, items: Sequence[BatchItem]) -> float:
    """The same bytes over the same kind of TLS connection to somebody who reads and forgets; records a second."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(headquarters.home.ca / "collector.crt", headquarters.home.ca / "collector.key")
    total = sum(len(item.body) for item in items)
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def swallow() -> None:
            plain, _ = listening.accept()
            with plain, context.wrap_socket(plain, server_side=True) as connection:
                left = total
                while left:
                    left -= len(connection.recv(65_536))
                connection.sendall(b".")

        thread = threading.Thread(target=swallow)
        thread.start()
        client = tls_context(box.state / "uplink")
        plain = socket.create_connection(("localhost", listening.getsockname()[1]))
        with plain, client.wrap_socket(plain, server_hostname="localhost") as connection:
            began = time.perf_counter()
            for item in items:
                connection.sendall(item.body)
            assert connection.recv(1) == b"."
            took = time.perf_counter() - began
        thread.join()
    return len(items) / took


def main() -> None:
    """Run and print."""
    with tempfile.TemporaryDirectory(dir=DISK) as folder:
        headquarters = Headquarters(Path(folder))
        headquarters.start()
        box = Box(Path(folder) / "b", headquarters)
        items = seal(box, 2 * RECORDS)
        link = Link("localhost", headquarters.port, tls_context(box.state / "uplink"), rate_bytes_per_s=1e6)
        client = Collector(link, Origin(box.origin))
        box.publish()
        log_rate = send_log(client, box)
        batched = send(client, items[:RECORDS], BATCH)
        single = send(client, items[RECORDS:], 1)
        raw = raw_copy(headquarters, box, items[:RECORDS])
        link.close()
        headquarters.stop()
    print(f"log leaves, verified and cosigned       {log_rate:8.0f} leaves/s")
    print(f"records of {RECORD_BYTES} B, batches of {BATCH}, durable {batched:8.0f} records/s")
    print(f"records one by one, durable             {single:8.0f} records/s")
    print(f"limit: raw TLS copy, nothing kept       {raw:8.0f} records/s")


if __name__ == "__main__":
    main()
