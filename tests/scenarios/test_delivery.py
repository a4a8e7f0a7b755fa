"""From the box's folder to headquarters' signed receipt: the real uplink, the real collector, real TLS on loopback."""

import hashlib
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from appliance.formats.status import UplinkStatus, parse_status
from appliance.model import Priority
from tests.delivery_post import Box, Headquarters, Process, RecorderDoor, wait_until


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
def uplink(box: Box) -> Iterator[list[Process]]:
    """Processes that the test starts; ended with it."""
    running: list[Process] = []
    yield running
    for process in running:
        process.stop()


def status(box: Box) -> UplinkStatus:
    return parse_status((box.runtime / "uplink.status").read_bytes(), UplinkStatus)


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
