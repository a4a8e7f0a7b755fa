"""Bodies come and go in their folder; the queue follows, and never runs ahead of the log."""

import ssl
from pathlib import Path

import pytest

from appliance.model import Origin
from appliance.uplink.bodies import Bodies
from appliance.uplink.body_delivery import BodyDelivery
from appliance.uplink.collector import Collector
from appliance.uplink.index import Index, State
from appliance.uplink.link import Link

ORIGIN = Origin("landlink.example/la-0001.1")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "bodies"
    made.mkdir()
    return made


def delivery(folder: Path) -> tuple[BodyDelivery, Index]:
    index = Index(folder.parent / "index.db", ORIGIN)
    link = Link("localhost", 9, ssl.create_default_context(), rate_bytes_per_s=1_000)  # nothing here uses it
    return BodyDelivery(ORIGIN, Bodies(folder), index, Collector(link, ORIGIN)), index


def test_a_body_ahead_of_its_entry_waits_until_the_log_has_it(folder: Path) -> None:
    queue, index = delivery(folder)
    (folder / "4.2.age").write_bytes(b"sealed")
    (folder / "5.3.age").write_bytes(b"sealed ahead")
    queue.notice(below=5)
    assert index.known() == {4: State.SENDING}, "a new index does not know what was sent"
    queue.notice(below=6)
    assert set(index.known()) == {4, 5}
    index.close()


def test_a_body_that_went_again_before_its_entry_came_was_never_in_the_queue(
    folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    queue, index = delivery(folder)
    (folder / "5.3.age").write_bytes(b"sealed ahead, and then the power went")
    queue.notice(below=5)
    (folder / "5.3.age").unlink()
    (folder / "6.2.age").write_bytes(b"sealed")
    queue.notice(below=7)
    assert set(index.known()) == {6}
    assert caplog.text == ""
    index.close()


def test_a_body_that_goes_without_an_acknowledgement_is_said_and_dropped(
    folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    queue, index = delivery(folder)
    (folder / "4.2.age").write_bytes(b"sealed")
    queue.notice(below=5)
    (folder / "4.2.age").unlink()
    queue.notice(below=5)
    assert index.known() == {}
    assert "entry 4: its body is gone and was never acknowledged" in caplog.text
    index.close()


def test_what_was_known_before_a_restart_is_not_taken_twice_and_what_went_meanwhile_is_dropped(folder: Path) -> None:
    queue, index = delivery(folder)
    for leaf in (3, 4):
        (folder / f"{leaf}.2.age").write_bytes(b"sealed")
    queue.notice(below=5)
    index.acknowledge([(3, b"receipt"), (4, b"receipt")])
    index.handed([3])
    index.close()
    (folder / "3.2.age").unlink()
    queue, index = delivery(folder)
    queue.notice(below=5)
    assert index.known() == {4: State.ACKNOWLEDGED}
    index.close()
