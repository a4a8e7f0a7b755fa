"""The process `releases`: switches, tells the recorder over its socket, and says in its status what is in service."""

import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from appliance.formats.release import DOCUMENTS_TARGET
from appliance.formats.status import ReleasesStatus, parse_status
from appliance.formats.wire import (
    Cosigned,
    Done,
    Keys,
    LastCosigned,
    ListKeys,
    RefusedReply,
    Switched,
    encode,
    parse_releases_request,
)
from appliance.line import RecorderLine
from appliance.releases.proven import ProvenTime
from appliance.releases.service import AGAIN_S, LOOK_S, Places, Releases
from tests.page_files import page_bytes
from tests.release_world import LIST_KEY, NEXT_KEY, NOW_MS, World, make_world, under_next_key


class Recorder:
    """The far end of the socket: takes what it is told and answers as told to."""

    def __init__(self, path: Path) -> None:
        self.told: list[int] = []
        self.cosigned = b""
        self.keys: tuple[bytes, ...] = (LIST_KEY,)
        self.answer: Done | RefusedReply = Done()
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._socket.bind(str(path))
        self._socket.listen(1)
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def _serve(self) -> None:
        connection, _ = self._socket.accept()
        with connection:
            while packet := connection.recv(65_536):
                request = parse_releases_request(packet)
                if isinstance(request, LastCosigned):
                    connection.send(encode(Cosigned(note=self.cosigned)))
                    continue
                if isinstance(request, ListKeys):
                    connection.send(encode(Keys(keys=self.keys)))
                    continue
                assert isinstance(request, Switched)
                self.told.append(request.version)
                connection.send(encode(self.answer))

    def close(self) -> None:
        self._socket.close()


@pytest.fixture
def world(tmp_path: Path) -> World:
    return make_world(tmp_path)


@pytest.fixture
def recorder(tmp_path: Path) -> Iterator[Recorder]:
    made = Recorder(tmp_path / "r.sock")
    yield made
    made.close()


@pytest.fixture
def line(tmp_path: Path) -> Iterator[RecorderLine]:
    made = RecorderLine(tmp_path / "r.sock", timeout_s=30.0)
    yield made
    made.close()


def process(world: World, line: RecorderLine, tmp_path: Path, journal: list[str]) -> Releases:
    places = Places(mirror=world.mirror, shelf=world.shelf, status=tmp_path / "releases.status")
    return Releases(places, line, ProvenTime(world.shelf), journal.append)


def status(tmp_path: Path) -> ReleasesStatus:
    return parse_status((tmp_path / "releases.status").read_bytes(), ReleasesStatus)


def test_a_new_release_is_taken_told_and_shown(
    world: World, recorder: Recorder, line: RecorderLine, tmp_path: Path
) -> None:
    journal: list[str] = []
    releases = process(world, line, tmp_path, journal)
    releases.start()
    assert status(tmp_path) == ReleasesStatus(version=0)
    releases.look()
    world.carry()
    releases.look()
    assert recorder.told == [1]
    assert (status(tmp_path).version, str(status(tmp_path).dated), status(tmp_path).why) == (1, "2026-11-18", "")
    assert journal == ["release 1 of 2026-11-18 with rules 1 is in service"]


def test_looking_again_at_the_same_mirror_does_nothing(
    world: World, recorder: Recorder, line: RecorderLine, tmp_path: Path
) -> None:
    journal: list[str] = []
    releases = process(world, line, tmp_path, journal)
    world.carry()
    for _ in range(5):
        releases.look()
    assert recorder.told == [1]
    assert len(journal) == 1


def test_a_refused_release_is_named_and_the_old_one_serves_until_an_honest_one_comes(
    world: World, recorder: Recorder, line: RecorderLine, tmp_path: Path
) -> None:
    journal: list[str] = []
    releases = process(world, line, tmp_path, journal)
    world.carry()
    releases.look()
    world.repository.publish({}, at_ms=NOW_MS + 1)
    world.carry()
    (world.mirror / "metadata" / "2.snapshot.json").write_bytes(b"{}")
    releases.look()
    assert status(tmp_path).version == 1
    assert "the newest release is not the file that was signed" in status(tmp_path).why
    world.repository.publish({}, at_ms=NOW_MS + 2)
    world.carry()
    releases.look()
    assert (status(tmp_path).version, status(tmp_path).why) == (3, "")
    assert recorder.told == [1, 3]


def test_an_incomplete_mirror_is_looked_at_again_after_a_minute(
    world: World, recorder: Recorder, line: RecorderLine, tmp_path: Path
) -> None:
    releases = process(world, line, tmp_path, [])
    world.carry()
    timestamp = world.mirror / "metadata" / "timestamp.json"
    snapshot = world.mirror / "metadata" / "1.snapshot.json"
    late = snapshot.read_bytes()
    snapshot.unlink()
    releases.look()
    before = timestamp.stat()
    snapshot.write_bytes(late)
    for _ in range(int(AGAIN_S / LOOK_S)):
        releases.look()
    assert timestamp.stat().st_mtime_ns == before.st_mtime_ns
    assert status(tmp_path).version == 1
    assert recorder.told == [1]


def test_a_recorder_that_is_away_is_told_later(world: World, tmp_path: Path) -> None:
    line = RecorderLine(tmp_path / "r.sock", timeout_s=5.0)
    releases = process(world, line, tmp_path, [])
    world.carry()
    releases.look()
    assert status(tmp_path).version == 1
    recorder = Recorder(tmp_path / "r.sock")
    releases.look()
    line.close()
    assert recorder.told == [1]
    recorder.close()


def test_a_recorder_that_refuses_is_reported_and_not_asked_for_ever(
    world: World, recorder: Recorder, line: RecorderLine, tmp_path: Path
) -> None:
    recorder.answer = RefusedReply(code="untrusted", words="This release does not verify here.")
    journal: list[str] = []
    releases = process(world, line, tmp_path, journal)
    world.carry()
    releases.look()
    releases.look()
    assert recorder.told == [1]
    assert journal[-1] == "the recorder does not take release 1: This release does not verify here."


def test_a_release_whose_key_is_not_here_waits_and_is_taken_as_soon_as_the_key_has_come(
    world: World, recorder: Recorder, line: RecorderLine, tmp_path: Path
) -> None:
    journal: list[str] = []
    releases = process(world, line, tmp_path, journal)
    world.carry()
    releases.look()
    under_next_key(world, at_ms=NOW_MS + 1)
    world.carry()
    for _ in range(3):
        releases.look()
    waiting = "release 2 is waiting for its key, which has not reached this box yet"
    assert (status(tmp_path).version, status(tmp_path).why) == (1, waiting)
    assert journal[-1] == f"refused: {waiting}"
    recorder.keys = (NEXT_KEY, LIST_KEY)
    releases.look()
    assert (status(tmp_path).version, status(tmp_path).why) == (2, "")
    assert recorder.told == [1, 2]


def test_a_key_that_is_here_before_its_release_makes_nothing_wait(
    world: World, recorder: Recorder, line: RecorderLine, tmp_path: Path
) -> None:
    releases = process(world, line, tmp_path, [])
    world.carry()
    releases.look()
    recorder.keys = (NEXT_KEY, LIST_KEY)
    releases.look()
    under_next_key(world, at_ms=NOW_MS + 1)
    world.carry()
    releases.look()
    assert (status(tmp_path).version, status(tmp_path).why) == (2, "")


def test_the_first_release_is_taken_before_its_key_and_tested_when_that_has_come(
    world: World, recorder: Recorder, line: RecorderLine, tmp_path: Path
) -> None:
    """It brings the keys by which the recorder knows the message that the list key comes in."""
    recorder.keys = ()
    journal: list[str] = []
    releases = process(world, line, tmp_path, journal)
    world.carry()
    releases.look()
    assert (status(tmp_path).version, recorder.told) == (1, [1])
    recorder.keys = (LIST_KEY,)
    releases.look()
    assert journal[-1] == "the release in service has been tested: its list key is here"
    recorder.keys = ()
    releases.look()
    assert len(journal) == 2


def test_a_first_release_that_fails_its_late_test_is_said(
    world: World, recorder: Recorder, line: RecorderLine, tmp_path: Path
) -> None:
    recorder.keys = ()
    world.repository.publish({DOCUMENTS_TARGET: page_bytes({})}, at_ms=NOW_MS + 1)
    world.carry()
    releases = process(world, line, tmp_path, [])
    releases.look()
    recorder.keys = (LIST_KEY,)
    releases.look()
    assert "self-test: the documents list gives a wrong answer" in status(tmp_path).why


def test_a_release_that_rotted_is_reported_at_the_start_and_taken_again(
    world: World, recorder: Recorder, line: RecorderLine, tmp_path: Path
) -> None:
    journal: list[str] = []
    world.carry_and_take()
    rotten = world.shelf.folder / "1" / "metadata" / "roster.json"
    rotten.write_bytes(b"{}")
    releases = process(world, line, tmp_path, journal)
    releases.start()
    assert "the release in service" in status(tmp_path).why
    releases.look()
    assert (status(tmp_path).version, status(tmp_path).why) == (1, "")
    assert world.shelf.load().version == 1
    assert recorder.told == [1]


def test_it_runs_until_it_is_stopped(world: World, recorder: Recorder, line: RecorderLine, tmp_path: Path) -> None:
    world.carry()
    stop = threading.Event()
    stop.set()
    process(world, line, tmp_path, []).run(stop)
    assert recorder.told == [1]
