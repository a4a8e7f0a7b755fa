"""A disk that fills: pictures are refused first, records still find room, and all is well when room returns."""

import os
import subprocess
from collections.abc import Generator
from pathlib import Path
from tempfile import mkdtemp

import pytest

from appliance.formats.receipt import LogReceipt
from appliance.formats.statement import EventEntry
from appliance.line import RecorderLine, RecorderRefused
from appliance.recorded import Picture
from tests.scenarios.made_headquarters import PICTURE_SHARE_SHIPPED
from tests.scenarios.recorder_bed import Bed, append, append_long, bed, record, recorded

DISK_MIB = 40
pytestmark = [
    pytest.mark.root,
    pytest.mark.skipif(os.geteuid() != 0, reason="needs root for a disk of its own"),
]


@pytest.fixture
def small_disk() -> Generator[Bed]:
    """A box whose state lies on a file system of 40 MiB."""
    folder = Path(mkdtemp(prefix="f-"))
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={DISK_MIB}m", "tmpfs", str(folder)], check=True)
    try:
        with bed(folder, picture_share=PICTURE_SHARE_SHIPPED) as made:
            yield made
    finally:
        subprocess.run(["umount", str(folder)], check=True)
        folder.rmdir()


def page() -> Picture:
    return Picture(of="0" * 32, media_type="image/jpeg", content=os.urandom(300_000))


def record_until_refused(line: RecorderLine, box: Bed, most: int) -> tuple[list[LogReceipt], str]:
    receipts: list[LogReceipt] = []
    while len(receipts) < most:
        try:
            receipts.append(recorded(line, append(record()), box.verifier))
        except RecorderRefused as refusal:
            return receipts, refusal.code
        if len(receipts) % 50 == 0 and len(receipts) < 500:
            box.settle()  # hundreds a second is no lane's pace: what is published makes room, when there is time for it
    return receipts, ""


def photograph_until_refused(line: RecorderLine) -> tuple[list[LogReceipt], str]:
    receipts: list[LogReceipt] = []
    while True:
        try:
            receipts.append(append_long(line, record(page())))
        except RecorderRefused as refusal:
            return receipts, f"{refusal.code}: {refusal}"


def test_pictures_are_refused_first_then_500_records_succeed_and_all_recovers_when_room_returns(
    small_disk: Bed,
) -> None:
    box = small_disk
    process = box.start()
    line = box.line(timeout_s=30)
    pictures, why = photograph_until_refused(line)
    assert why.startswith("storage_full: The disk is filling up: no more pictures")
    assert len(pictures) > 40
    receipts, code = record_until_refused(line, box, 5_000)
    assert len(receipts) >= 500
    assert code == "storage_full"
    assert process.poll() is None

    # Everything that was acknowledged is there, and a restart on the full disk loses nothing.
    process.kill()
    process.wait()
    process = box.start()
    ballast = sorted((box.state / "bodies").glob("*.3.age"))
    for path in ballast[5:]:
        path.unlink()
    after, _ = record_until_refused(line, box, 50)
    assert len(after) == 50
    append_long(line, record(page()))
    assert box.stop(process) == 0
    leaves = box.leaves()
    for receipt in (*pictures, *receipts, *after):
        assert leaves[receipt.index] == receipt.leaf
    events = [one.kind.event for one in box.statements() if isinstance(one.kind, EventEntry)]
    assert "storage_low" in events
