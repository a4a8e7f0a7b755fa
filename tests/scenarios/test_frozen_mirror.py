"""A mirror that somebody holds back is noticed by what headquarters signs meanwhile; the release stays in service."""

import socket
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA44PrivateKey

from appliance.errors import Untrusted
from appliance.formats.checkpoint import Checkpoint, sign_checkpoint
from appliance.formats.lists import CANARY_DOCUMENT
from appliance.formats.note import Ed25519Cosigner, LogSigner, MlDsa44Cosigner, Signer
from appliance.formats.release import (
    COSIGN_ED25519,
    COSIGN_MLDSA44,
    ROSTER_TARGET,
    Roster,
    RosterKey,
    encode_roster,
)
from appliance.formats.status import ReleasesStatus, parse_status
from appliance.formats.wire import Cosigned, Done, Keys, LastCosigned, ListKeys, encode, parse_releases_request
from appliance.line import RecorderLine
from appliance.releases.proven import ProvenTime
from appliance.releases.service import AGAIN_S, LOOK_S, Places, Releases
from appliance.screen.lists import Lists
from provisioning.authority.roles import LIFE
from tests.release_world import DAY_MS, LIST_KEY, NOW_MS, World, make_world

LIFE_MS = int(LIFE["timestamp"].total_seconds()) * 1_000
ORIGIN = "landlink.example/la-0001.1"


@dataclass(frozen=True)
class Cosigning:
    """Headquarters' two keys for logs."""

    ed25519: Ed25519PrivateKey
    mldsa44: MLDSA44PrivateKey

    def signers(self, at_ms: int) -> list[Signer]:
        at_s = at_ms // 1_000
        return [
            Ed25519Cosigner("landlink.example/hq", self.ed25519, at_s=at_s),
            MlDsa44Cosigner("landlink.example/hq-pq", self.mldsa44, at_s=at_s),
        ]

    def roster(self) -> Roster:
        both = zip((COSIGN_ED25519, COSIGN_MLDSA44), self.signers(0), strict=True)
        keys = tuple(RosterKey(role=role, public=by.verifier.public, vkey=by.verifier.vkey()) for role, by in both)
        return Roster(version=2, keys=keys, boxes=())

    def note(self, at_ms: int) -> bytes:
        """What comes back with a log: a checkpoint that headquarters cosigned at this time."""
        return note([LogSigner(ORIGIN, Ed25519PrivateKey.generate()), *self.signers(at_ms)])


def note(signers: list[Signer]) -> bytes:
    return sign_checkpoint(Checkpoint(origin=ORIGIN, size=7, root=bytes(32)), signers)


@pytest.fixture
def cosigning() -> Cosigning:
    return Cosigning(Ed25519PrivateKey.generate(), MLDSA44PrivateKey.generate())


@pytest.fixture
def world(tmp_path: Path, cosigning: Cosigning) -> World:
    """Release 2, whose roster names the cosigners, is in service."""
    made = make_world(tmp_path)
    made.repository.publish({ROSTER_TARGET: encode_roster(cosigning.roster())}, at_ms=NOW_MS)
    made.carry_and_take()
    return made


def learned(world: World, *notes: bytes) -> ProvenTime:
    proven = ProvenTime(world.shelf)
    proven.look()
    for each in notes:
        proven.hear(each)
    return proven


def test_what_headquarters_cosigned_proves_the_time(world: World, cosigning: Cosigning) -> None:
    assert learned(world).at_ms == NOW_MS
    assert learned(world, cosigning.note(NOW_MS + 5_000)).at_ms == NOW_MS + 5_000


def test_proven_time_never_goes_back(world: World, cosigning: Cosigning) -> None:
    later, earlier = cosigning.note(NOW_MS + 9_000), cosigning.note(NOW_MS - DAY_MS)
    assert learned(world, later, earlier).at_ms == NOW_MS + 9_000


def test_a_strangers_cosignature_proves_nothing(world: World) -> None:
    stranger = Cosigning(Ed25519PrivateKey.generate(), MLDSA44PrivateKey.generate())
    proven = learned(world)
    with pytest.raises(Untrusted):
        proven.hear(stranger.note(NOW_MS + LIFE_MS * 2))
    assert proven.at_ms == NOW_MS


@pytest.mark.parametrize("missing", [0, 1])
def test_one_of_both_cosigners_proves_nothing(world: World, cosigning: Cosigning, missing: int) -> None:
    signers = cosigning.signers(NOW_MS + LIFE_MS * 2)
    del signers[missing]
    proven = learned(world)
    with pytest.raises(Untrusted):
        proven.hear(note(signers))
    assert proven.at_ms == NOW_MS


def test_a_mirror_stands_still_once_headquarters_signed_after_its_timestamps_life(
    world: World, cosigning: Cosigning
) -> None:
    assert learned(world, cosigning.note(NOW_MS + LIFE_MS)).still_since is None
    assert learned(world, cosigning.note(NOW_MS + LIFE_MS + 1_000)).still_since == date(2026, 11, 18)


# --- the process ------------------------------------------------------------------------------------------------------


class Recorder:
    """The far end of the socket: knows what headquarters cosigned last."""

    def __init__(self, path: Path) -> None:
        self.cosigned = b""
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._socket.bind(str(path))
        self._socket.listen(1)
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        connection, _ = self._socket.accept()
        with connection:
            while packet := connection.recv(65_536):
                match parse_releases_request(packet):
                    case LastCosigned():
                        connection.send(encode(Cosigned(note=self.cosigned)))
                    case ListKeys():
                        connection.send(encode(Keys(keys=(LIST_KEY,))))
                    case _:
                        connection.send(encode(Done()))

    def close(self) -> None:
        self._socket.close()


@pytest.fixture
def recorder(tmp_path: Path) -> Iterator[Recorder]:
    made = Recorder(tmp_path / "r.sock")
    yield made
    made.close()


def minute(releases: Releases) -> None:
    for _ in range(int(AGAIN_S / LOOK_S) + 1):
        releases.look()


def test_the_status_says_since_when_and_the_release_stays_in_service_until_a_newer_one_comes(
    world: World, cosigning: Cosigning, recorder: Recorder, tmp_path: Path
) -> None:
    line = RecorderLine(tmp_path / "r.sock", timeout_s=30.0)
    journal: list[str] = []
    places = Places(mirror=world.mirror, shelf=world.shelf, status=tmp_path / "releases.status")
    releases = Releases(places, line, ProvenTime(world.shelf), journal.append)

    def status() -> ReleasesStatus:
        return parse_status(places.status.read_bytes(), ReleasesStatus)

    releases.start()
    releases.look()
    assert status().still_since is None
    recorder.cosigned = cosigning.note(NOW_MS + 31 * DAY_MS)
    minute(releases)
    assert status().still_since == date(2026, 11, 18)
    assert journal.count("headquarters' mirror stands still since 2026-11-18") == 1
    assert status().version == 2
    assert Lists.from_release(world.shelf.load(), (LIST_KEY,)).documents.lookup(CANARY_DOCUMENT) is not None
    world.repository.publish({}, at_ms=NOW_MS + 2 * DAY_MS)  # somebody lets an old release through, and no more
    world.carry()
    minute(releases)
    assert status().version == 3
    assert status().still_since is None
    recorder.cosigned = cosigning.note(NOW_MS + 40 * DAY_MS)
    minute(releases)
    assert status().still_since == date(2026, 11, 20)
    world.repository.publish({}, at_ms=NOW_MS + 3 * DAY_MS)
    world.carry()
    minute(releases)
    assert status().version == 3
    assert "the newest release is expired" in status().why
    world.repository.publish({}, at_ms=NOW_MS + 40 * DAY_MS)
    world.carry()
    minute(releases)
    assert (status().version, status().still_since, status().why) == (5, None, "")
    line.close()


def test_a_recorder_that_lies_stops_nothing(world: World, recorder: Recorder, tmp_path: Path) -> None:
    recorder.cosigned = b"it is the year 2100\n"
    line = RecorderLine(tmp_path / "r.sock", timeout_s=30.0)
    places = Places(mirror=world.mirror, shelf=world.shelf, status=tmp_path / "releases.status")
    releases = Releases(places, line, ProvenTime(world.shelf), lambda _: None)
    releases.start()
    world.repository.publish({}, at_ms=NOW_MS + 1)
    world.carry()
    minute(releases)
    assert world.shelf.version() == 3
    line.close()
