"""An enrolled box that was taken over turns on the collector: it harms itself, and nobody else waits for it."""

import contextlib
import os
import socket
import ssl
import threading
from collections import Counter
from pathlib import Path

from appliance.formats.upload import LogUpload, encode_log_upload
from appliance.model import Origin
from appliance.uplink.collector import Collector, Cosigned, LogRefused
from appliance.uplink.link import Link, tls_context
from provisioning.audit.log import SUCCESSIONS_MAX
from provisioning.collector.turns import REQUESTS_MAX
from tests.collector_bed import HOST, SERIALS, Links, upload_of
from tests.delivery_post import DOMAIN, Box, Headquarters, LogWriter

CONNECTIONS = 60
PATIENCE_S = 30


def damaged_upload(box: Box, leaves: int) -> bytes:
    """Many statements that verify, then one that is none: as much work as a refusal can cost."""
    for _ in range(leaves):
        box.seal(os.urandom(40))
    box.log.append_leaf(b"no statement")
    return encode_log_upload(upload_of(box))


def test_sixty_connections_of_one_box_leave_the_collector_to_the_others(
    tmp_path: Path, headquarters: Headquarters, box: Box, links: Links
) -> None:
    upload = damaged_upload(box, 500)
    statuses: list[int] = []

    def attack(link: Link) -> None:
        statuses.append(link.request("POST", f"/v1/log/{box.origin}", body=upload).status)

    attackers = [threading.Thread(target=attack, args=(links(box),)) for _ in range(CONNECTIONS)]
    other = Box(tmp_path / "o", headquarters, next(SERIALS))
    served = Collector(links(other), Origin(other.origin))
    assert isinstance(served.send_log(upload_of(other)), Cosigned)
    for attacker in attackers:
        attacker.start()
    rounds = 0
    while any(attacker.is_alive() for attacker in attackers):
        other.seal(b"meanwhile")
        assert isinstance(served.send_log(upload_of(other, start=rounds + 1)), Cosigned)
        rounds += 1
    for attacker in attackers:
        attacker.join()
    assert rounds >= 3
    answered = Counter(statuses)
    assert answered.total() == CONNECTIONS
    assert set(answered) <= {422, 503}
    assert answered[422] >= 1


def test_requests_that_never_end_fill_only_their_own_boxs_places(
    tmp_path: Path, headquarters: Headquarters, box: Box, client: Collector, links: Links
) -> None:
    context = tls_context(box.state / "uplink")
    head = f"POST /v1/log/{box.origin} HTTP/1.1\r\nHost: {HOST}\r\nContent-Length: 1000000\r\n\r\n".encode()
    with contextlib.ExitStack() as closing:

        def begin() -> ssl.SSLSocket:
            plain = closing.enter_context(socket.create_connection((HOST, headquarters.port), timeout=PATIENCE_S))
            connection = closing.enter_context(context.wrap_socket(plain, server_hostname=HOST))
            connection.sendall(head + b"a part")
            return connection

        hostile = [begin() for _ in range(CONNECTIONS)]
        other = Box(tmp_path / "o", headquarters, next(SERIALS))
        assert isinstance(Collector(links(other), Origin(other.origin)).send_log(upload_of(other)), Cosigned)
        answers = [connection.recv(1_000).lower() for connection in hostile]
    refused = [answer for answer in answers if answer.startswith(b"http/1.1 503 ")]
    assert len(refused) == CONNECTIONS - REQUESTS_MAX
    assert all(b"retry-after: 5" in answer for answer in refused)
    cut = [answer for answer in answers if answer.startswith(b"http/1.1 408 ")]
    assert len(cut) == REQUESTS_MAX
    assert client.have().size == 0


def test_a_refused_part_reads_nothing_of_the_copy_again_and_what_is_good_goes_on(
    headquarters: Headquarters, box: Box, client: Collector
) -> None:
    for _ in range(5):
        box.seal(b"good")
    assert isinstance(client.send_log(upload_of(box)), Cosigned)
    size = box.log.edge.size
    bad = LogWriter.like(box, box.log.leaves)
    bad.append_leaf(b"no statement")
    refused = LogUpload(from_index=size, leaves=(bad.leaves[-1],), checkpoint=bad.note())
    copy = headquarters.data / "log" / box.origin
    away = copy.rename(copy.with_suffix(".away"))  # who reads it now falls over
    for _ in range(3):
        answer = client.send_log(refused)
        assert isinstance(answer, LogRefused)
        assert answer.why.startswith(f"entry {size}:")
    away.rename(copy)
    box.seal(b"good")
    assert isinstance(client.send_log(upload_of(box, start=size)), Cosigned)


def test_no_box_fills_the_collector_with_logs_of_made_up_names(box: Box, links: Links) -> None:
    link = links(box)
    stem = f"{DOMAIN}/{box.serial.lower()}"
    last = 1 + SUCCESSIONS_MAX
    assert link.request("GET", f"/v1/have/{stem}.{last}").status == 200
    for number in (0, last + 1, 999_999):
        assert link.request("GET", f"/v1/have/{stem}.{number}").status == 403
