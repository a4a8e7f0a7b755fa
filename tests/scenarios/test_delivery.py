"""From the box's folder to headquarters' signed receipt: the real uplink, the real collector, real TLS on loopback."""

import hashlib
import os
import random
import shutil
import signal
import socket
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from appliance.formats.mirror import wanted_files
from appliance.formats.status import UplinkStatus, parse_status
from appliance.model import Priority
from tests.delivery_post import Box, Headquarters, LogWriter, Process, RecorderDoor, wait_until


@pytest.fixture
def headquarters(tmp_path: Path) -> Iterator[Headquarters]:
    made = Headquarters(tmp_path)
    yield made
    made.stop()


@pytest.fixture
def box(tmp_path: Path, headquarters: Headquarters) -> Box:
    return Box(tmp_path / "b", headquarters)


@pytest.fixture
def recorder(box: Box) -> Iterator[RecorderDoor]:
    door = RecorderDoor(box.runtime / "uplink.sock")
    yield door
    door.close()


@pytest.fixture
def uplink() -> Iterator[list[Process]]:
    """Processes that the test starts; ended with it."""
    running: list[Process] = []
    yield running
    for process in running:
        process.stop()


def status(box: Box) -> UplinkStatus:
    return parse_status((box.runtime / "uplink.status").read_bytes(), UplinkStatus)


def says(box: Box, wanted: Callable[[UplinkStatus], bool]) -> bool:
    """Whether the uplink has said anything yet, and what is wanted."""
    return (box.runtime / "uplink.status").exists() and wanted(status(box))


def test_bodies_arrive_with_their_log_and_the_recorder_gets_a_receipt_for_each(
    headquarters: Headquarters, box: Box, recorder: RecorderDoor, uplink: list[Process]
) -> None:
    small = [box.seal(os.urandom(9_000)) for _ in range(40)]
    large = box.seal(os.urandom(400_000), Priority.BULK)
    box.publish()
    headquarters.start()
    uplink.append(box.start())
    receipts = [headquarters.receipt(receipt) for receipt in recorder.wait_receipts(41)]
    assert {receipt.index for receipt in receipts} == {*small, large}
    for receipt in receipts:
        body = box.bodies[receipt.index]
        assert (receipt.origin, receipt.sha256, receipt.size) == (box.origin, hashlib.sha256(body).digest(), len(body))
        assert headquarters.body(box, receipt.index).read_bytes() == body
    recorder.wait_note(box.log.edge.size)
    wait_until(lambda: status(box).connected and status(box).not_sent == 0, "the status")


# --- lost links, lost answers, killed processes -----------------------------------------------------------------------


def test_without_headquarters_everything_waits_and_the_page_is_told(
    headquarters: Headquarters, box: Box, recorder: RecorderDoor, uplink: list[Process]
) -> None:
    for _ in range(3):
        box.seal(os.urandom(1_000))
    box.publish()
    uplink.append(box.start())
    wait_until(lambda: says(box, lambda said: said.not_sent == 3 and "no connection" in said.why), "the status")
    assert not status(box).connected
    headquarters.start()
    recorder.wait_receipts(3)
    wait_until(lambda: status(box).connected and status(box).not_sent == 0, "the status")
    assert status(box).why == ""


def test_what_is_published_later_goes_up_by_itself_and_an_alert_first(
    headquarters: Headquarters, box: Box, recorder: RecorderDoor, uplink: list[Process]
) -> None:
    headquarters.start()
    box.publish()
    uplink.append(box.start())
    recorder.wait_note(1)
    bulk = box.seal(os.urandom(2_000_000), Priority.BULK)
    alert = box.seal(os.urandom(9_000), Priority.ALERT)
    box.publish()
    receipts = [headquarters.receipt(receipt) for receipt in recorder.wait_receipts(2)]
    assert [receipt.index for receipt in sorted(receipts, key=lambda receipt: receipt.ledger_position)] == [alert, bulk]


@pytest.mark.parametrize("kills", range(6))
def test_a_killed_collector_loses_nothing_and_gives_no_second_receipt(
    headquarters: Headquarters, box: Box, recorder: RecorderDoor, uplink: list[Process], kills: int
) -> None:
    chance = random.Random(kills)
    expected = {box.seal(os.urandom(chance.randrange(100, 60_000))) for _ in range(60)}
    expected |= {box.seal(os.urandom(500_000), Priority.BULK) for _ in range(2)}
    box.publish()
    headquarters.start()
    uplink.append(box.start())
    for receipts in (1, chance.randrange(2, 30), chance.randrange(30, 62)):
        recorder.wait_receipts(receipts)
        assert headquarters.collector is not None
        headquarters.collector.kill()
        headquarters.start()
    check_all_receipted(headquarters, box, recorder.wait_receipts(62), expected)


@pytest.mark.parametrize("kills", range(6))
def test_a_killed_uplink_goes_on_where_it_was(
    headquarters: Headquarters, box: Box, recorder: RecorderDoor, uplink: list[Process], kills: int
) -> None:
    chance = random.Random(100 + kills)
    expected = {box.seal(os.urandom(chance.randrange(100, 60_000))) for _ in range(60)}
    expected |= {box.seal(os.urandom(500_000), Priority.BULK) for _ in range(2)}
    box.publish()
    headquarters.start()
    for receipts in (1, chance.randrange(2, 30), chance.randrange(30, 62)):
        uplink.append(box.start())
        recorder.wait_receipts(receipts)
        uplink[-1].kill()
    uplink.append(box.start())
    check_all_receipted(headquarters, box, recorder.wait_receipts(62), expected)


def check_all_receipted(headquarters: Headquarters, box: Box, handed: list[bytes], expected: set[int]) -> None:
    """One receipt a body, the same however often it was handed over; each body whole at headquarters."""
    by_leaf: dict[int, set[bytes]] = {}
    for data in handed:
        by_leaf.setdefault(headquarters.receipt(data).index, set()).add(data)
    assert set(by_leaf) == expected
    assert all(len(different) == 1 for different in by_leaf.values())
    for leaf in expected:
        assert headquarters.body(box, leaf).read_bytes() == box.bodies[leaf]


def test_the_uplink_ends_at_once_although_headquarters_hangs(
    headquarters: Headquarters, box: Box, recorder: RecorderDoor, uplink: list[Process]
) -> None:
    headquarters.start()
    box.publish()
    uplink.append(box.start())
    recorder.wait_note(1)
    assert headquarters.collector is not None
    headquarters.collector.popen.send_signal(signal.SIGSTOP)
    try:
        box.seal(os.urandom(1_000))
        box.publish()
        wait_until(lambda: says(box, lambda said: said.not_sent == 1), "the status")
        uplink[-1].popen.terminate()
        assert uplink[-1].popen.wait(10) == -signal.SIGTERM  # the link's own limit is 30 s
    finally:
        headquarters.collector.popen.send_signal(signal.SIGCONT)


def test_receipts_wait_for_a_recorder_that_is_away(headquarters: Headquarters, box: Box, uplink: list[Process]) -> None:
    leaf = box.seal(b"sealed")
    box.publish()
    headquarters.start()
    uplink.append(box.start())
    wait_until(lambda: headquarters.body(box, leaf).exists(), "the body at headquarters")
    door = RecorderDoor(box.runtime / "uplink.sock")
    assert headquarters.receipt(door.wait_receipts(1)[0]).index == leaf
    door.close()


def test_a_damaged_index_is_rebuilt_and_what_arrived_is_asked_for_not_sent_again(
    headquarters: Headquarters, box: Box, recorder: RecorderDoor, uplink: list[Process]
) -> None:
    arrived = {box.seal(os.urandom(20_000)) for _ in range(30)}
    box.publish()
    headquarters.start()
    uplink.append(box.start())
    first = set(recorder.wait_receipts(30))
    wait_until(lambda: status(box).not_sent == 0, "the status")
    uplink[-1].stop()
    for part in (box.state / "uplink").glob("index.db*"):  # SQLite's journal beside it alone would bring it back
        part.write_bytes(b"nothing of a database" * 1_000)
    new = {box.seal(os.urandom(20_000)) for _ in range(5)}
    box.publish()
    uplink.append(box.start())
    wait_until(lambda: len(recorder.told.receipts) >= 65, "35 receipts more")
    assert first < set(recorder.told.receipts)
    check_all_receipted(headquarters, box, recorder.told.receipts, arrived | new)
    assert (box.state / "uplink" / "index.db.aside").exists()


# --- one bad item, one bad log ----------------------------------------------------------------------------------------


def test_refused_items_are_set_aside_aloud_and_the_others_go_on(
    headquarters: Headquarters, box: Box, recorder: RecorderDoor, uplink: list[Process]
) -> None:
    swapped, good = box.seal(os.urandom(5_000)), [box.seal(os.urandom(5_000)) for _ in range(5)]
    swapped_large = box.seal(os.urandom(100_000), Priority.BULK)
    (box.state / "bodies" / f"{swapped}.2.age").write_bytes(b"another body than the log names")
    (box.state / "bodies" / f"{swapped_large}.3.age").write_bytes(os.urandom(100_000))
    (box.state / "bodies" / "0.2.age").write_bytes(b"a body where the log names none")
    box.publish()
    headquarters.start()
    uplink.append(box.start())
    receipts = {headquarters.receipt(receipt).index for receipt in recorder.wait_receipts(5)}
    assert receipts == set(good)
    wait_until(lambda: status(box).parked == 3, "the status")
    assert (status(box).connected, status(box).not_sent) == (True, 3)
    said = uplink[-1].said()
    assert f"entry {swapped} set aside: conflict" in said
    assert f"entry {swapped_large} set aside: conflict" in said
    assert "entry 0 set aside: its statement names no body" in said


def test_a_receipt_that_the_recorder_refuses_is_set_aside_and_the_others_are_handed_over(
    headquarters: Headquarters, box: Box, recorder: RecorderDoor, uplink: list[Process]
) -> None:
    first = box.seal(b"first")
    box.publish()
    headquarters.start()
    uplink.append(box.start())
    receipt = recorder.wait_receipts(1)[0]
    uplink[-1].stop()
    (box.state / "uplink" / "index.db").unlink()  # so it is handed over again, with the others
    recorder.refuse[receipt] = "untrusted"
    others = {box.seal(os.urandom(100)) for _ in range(4)}
    box.publish()
    uplink.append(box.start())
    recorder.wait_receipts(5)
    wait_until(lambda: status(box).parked == 1, "the status")
    assert {headquarters.receipt(data).index for data in recorder.told.receipts} == {first, *others}
    assert f"entry {first} set aside: the recorder refuses its receipt" in uplink[-1].said()


def test_a_box_that_lost_its_log_is_named_and_the_recorder_hears_what_headquarters_has(
    headquarters: Headquarters, box: Box, recorder: RecorderDoor, uplink: list[Process]
) -> None:
    early = box.seal(b"one")
    box.seal(b"two")
    box.publish()
    headquarters.start()
    uplink.append(box.start())
    recorder.wait_receipts(2)
    recorder.wait_note(3)
    uplink[-1].stop()
    heard = len(recorder.told.notes)
    box.log = LogWriter.like(box, box.log.leaves[:2])
    box.publish()
    uplink.append(box.start())
    wait_until(lambda: "rolled back" in status(box).alarm, "the alarm")
    wait_until(lambda: len(recorder.told.notes) > heard, "what headquarters has")
    assert b"\n3\n" in recorder.told.notes[-1]
    assert early in {headquarters.receipt(data).index for data in recorder.told.receipts}


# --- the way ----------------------------------------------------------------------------------------------------------


def test_a_captive_portal_gets_nothing_and_the_page_says_so(box: Box, uplink: list[Process]) -> None:
    heard: list[bytes] = []
    listening = socket.create_server(("127.0.0.1", 0))

    def portal() -> None:
        while True:
            try:
                connection, _ = listening.accept()
            except OSError:
                return
            with connection:
                heard.append(connection.recv(65_536))
                connection.sendall(b"HTTP/1.1 302 Found\r\nLocation: http://login.example/\r\n\r\n")

    thread = threading.Thread(target=portal, daemon=True)
    thread.start()
    body = box.seal(b"age-encryption.org/v1 sealed body")
    box.publish()
    box.configure(listening.getsockname()[1])
    uplink.append(box.start())
    wait_until(lambda: says(box, lambda said: "captive portal" in said.why), "the status")
    listening.shutdown(socket.SHUT_RDWR)
    listening.close()
    thread.join(10)
    assert heard
    assert not any(box.bodies[body] in received for received in heard)


def test_the_mirror_follows_what_headquarters_publishes_and_goes_on_after_a_cut(
    headquarters: Headquarters, box: Box, uplink: list[Process]
) -> None:
    headquarters.start()
    timestamp = box.state / "mirror" / "metadata" / "timestamp.json"
    published = headquarters.home.tuf / "metadata" / "timestamp.json"
    shutil.rmtree(box.state / "mirror")
    uplink.append(box.start())
    wait_until(lambda: timestamp.exists() and timestamp.read_bytes() == published.read_bytes(), "the mirror")

    def copied(path: str) -> bytes | None:
        file = box.state / "mirror" / path
        return file.read_bytes() if file.exists() else None

    assert [wanted.path for wanted in wanted_files(copied, lambda path: copied(path) is not None)] == [
        "metadata/2.root.json"
    ]  # there is no second root
    uplink[-1].stop()
    damaged = next((box.state / "mirror" / "targets").rglob("*.json"))
    whole = damaged.read_bytes()
    damaged.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
    part = damaged.with_name(f".{damaged.name}.part")
    part.write_bytes(whole[: len(whole) // 2])  # what an earlier attempt left
    uplink.append(box.start())
    wait_until(lambda: damaged.exists() and damaged.read_bytes() == whole, "the damaged file to be mended")
    wait_until(timestamp.exists, "the timestamp, last")


def test_the_uplink_of_a_box_that_is_not_enrolled_says_what_to_do(tmp_path: Path, headquarters: Headquarters) -> None:
    box = Box(tmp_path / "n", headquarters, "LA-0009")
    (box.state / "uplink" / "tls.crt").unlink()
    process = box.start()
    assert process.popen.wait(30) == 78
    assert "enrol the box" in process.said()
