"""A body that is too long for a frame: durable, with its name, before the frame that names it."""

from pathlib import Path

import pytest

from appliance.model import Priority
from appliance.record.bodies import Bodies
from appliance.record.places import Places


@pytest.fixture
def places(tmp_path: Path) -> Places:
    made = Places(tmp_path / "state", tmp_path / "run")
    made.private.mkdir(parents=True)
    made.prepare()
    return made


def test_a_body_lies_under_its_own_name_whole_and_readable_for_whoever_delivers_it(places: Places) -> None:
    bodies = Bodies(places)
    for index in range(6):
        bodies.write_ahead(index, Priority.BULK, bytes([index]) * 100_000)
    assert bodies.ahead
    bodies.sync_ahead()
    assert not bodies.ahead
    assert [places.body(index, Priority.BULK).read_bytes()[:1] for index in range(6)] == [
        bytes([index]) for index in range(6)
    ]
    assert places.body(5, Priority.BULK).stat().st_mode & 0o777 == 0o644
    assert len([*places.bodies.iterdir()]) == 6


def test_what_a_killed_recorder_left_under_that_name_is_replaced_and_goes_at_a_start(places: Places) -> None:
    places.body(3, Priority.BULK).write_bytes(b"half a bo")
    bodies = Bodies(places)
    bodies.write_ahead(3, Priority.BULK, b"whole")
    bodies.sync_ahead()
    assert places.body(3, Priority.BULK).read_bytes() == b"whole"
    places.body(4, Priority.BULK).write_bytes(b"half a bo")
    Bodies(places).load(below=4)
    assert [path.name for path in places.bodies.iterdir()] == [places.body(3, Priority.BULK).name]


def test_a_body_that_is_refused_before_its_sync_is_gone_after_it(places: Places) -> None:
    bodies = Bodies(places)
    bodies.write_ahead(0, Priority.BULK, bytes(100_000))
    bodies.delete(0)
    bodies.sync_ahead()
    assert not [*places.bodies.iterdir()]
