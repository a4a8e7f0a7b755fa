"""What of a box's folder has an address, and what goes out on a stick, with a log that was lost and one after it."""

import hashlib
import re
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from appliance.audit.outgoing import outgoing
from appliance.audit.published import Published
from appliance.errors import Malformed, StorageFault, Untrusted
from appliance.formats.checkpoint import Checkpoint, sign_checkpoint
from appliance.formats.edge import Edge
from appliance.formats.note import LogSigner

KEY = Ed25519PrivateKey.from_private_bytes(hashlib.sha256(b"a log").digest())
FORMER, NOW = "landlink.example/la-0001.1", "landlink.example/la-0001.2"


def publish(folder: Path, origin: str, size: int, key: Ed25519PrivateKey = KEY, *, bodies: range | None = None) -> None:
    edge = Edge()
    for index in range(size):
        edge.append(f"{origin} {index}".encode())
    for path, content in edge.publish():
        (folder / "log" / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / "log" / path).write_bytes(content)
    checkpoint = Checkpoint(origin=origin, size=size, root=edge.root())
    (folder / "log" / "checkpoint").write_bytes(sign_checkpoint(checkpoint, [LogSigner(origin, key)]))
    for name in ("bodies", "receipts"):
        (folder / name).mkdir(exist_ok=True)
    for index in range(size) if bodies is None else bodies:
        (folder / "bodies" / f"{index}.{index % 4}.age").write_bytes(f"body {index} of {origin}".encode())


@pytest.fixture
def state(tmp_path: Path) -> Path:
    publish(tmp_path, NOW, 3)
    (tmp_path / "former").mkdir()
    publish(tmp_path / "former" / "la-0001.1", FORMER, 5)
    (tmp_path / "log.vkey").write_text(f"{LogSigner(NOW, KEY).verifier.vkey()}\n")
    return tmp_path


def content(published: Published, address: str) -> bytes | None:
    file = published.open(address)
    if file is None:
        return None
    with file:
        return file.read()


def read(state: Path, name: str, bytes_max: int) -> bytes:
    return (state / name).read_bytes()[:bytes_max]


def test_a_log_that_was_lost_can_be_fetched_beside_the_one_after_it(state: Path) -> None:
    published = Published(state)
    assert published.origin() == NOW
    assert content(published, f"/bodies/{NOW}/2.age") == f"body 2 of {NOW}".encode()
    assert content(published, f"/bodies/{FORMER}/4.age") == f"body 4 of {FORMER}".encode()
    assert content(published, f"/bodies/{NOW}/4.age") is None
    assert content(published, f"/log/{FORMER}/tile/0/000.p/5") is not None
    assert content(published, f"/log/{NOW}/tile/0/000.p/5") is None


def test_a_box_without_a_log_publishes_nothing(tmp_path: Path) -> None:
    published = Published(tmp_path)
    assert (published.origin(), content(published, f"/log/{NOW}/checkpoint")) == ("", None)


def test_a_former_log_under_another_key_is_not_published(state: Path) -> None:
    publish(state / "former" / "la-0001.1", FORMER, 5, Ed25519PrivateKey.generate())
    with pytest.raises(Untrusted):
        content(Published(state), f"/log/{FORMER}/checkpoint")


def test_a_checkpoint_longer_than_a_note_is_not_read(state: Path) -> None:
    (state / "log" / "checkpoint").write_bytes(bytes(100_000))
    with pytest.raises(Malformed, match="more than"):
        content(Published(state), f"/log/{NOW}/checkpoint")


def test_a_stick_carries_both_logs_and_what_headquarters_has_not_acknowledged(state: Path) -> None:
    (state / "receipts" / "1").touch()
    (state / "former" / "la-0001.1" / "receipts" / "0").touch()
    now, former = outgoing(state, lambda name, size: read(state, name, size), since=2, everything=False)
    assert (now.checkpoint.origin, former.checkpoint.origin) == (NOW, FORMER)
    assert [copy.target for copy in now.bodies] == [f"bodies/{NOW}/000xxx/2.age"]
    assert [copy.source for copy in former.bodies] == [
        f"former/la-0001.1/bodies/{index}.{index % 4}.age" for index in range(1, 5)
    ]
    whole = outgoing(state, lambda name, size: read(state, name, size), since=0, everything=True)
    assert [len(log.bodies) for log in whole] == [3, 5]


def test_bodies_that_are_not_published_yet_stay(state: Path) -> None:
    (state / "bodies" / "3.2.age").write_bytes(b"ahead of the checkpoint")
    (now, _) = outgoing(state, lambda name, size: read(state, name, size), since=0, everything=True)
    assert {copy.target for copy in now.bodies} == {f"bodies/{NOW}/000xxx/{index}.age" for index in range(3)}


def test_bodies_go_by_the_thousand(state: Path) -> None:
    publish(state, NOW, 1_200)
    (now, _) = outgoing(state, lambda name, size: read(state, name, size), since=998, everything=True)
    assert [copy.target.split("/")[3] for copy in now.bodies] == ["000xxx"] * 2 + ["001xxx"] * 200


def test_a_box_that_has_no_log_has_nothing_to_give(tmp_path: Path) -> None:
    with pytest.raises(StorageFault, match="no log yet"):
        outgoing(tmp_path, lambda name, size: read(tmp_path, name, size), since=0, everything=True)


def test_every_name_on_a_stick_is_one_that_fat_keeps_apart(state: Path) -> None:
    publish(state, NOW, 66_000, bodies=range(65_990, 66_000))
    logs = outgoing(state, lambda name, size: read(state, name, size), since=0, everything=True)
    targets = [copy.target for log in logs for copy in (*log.tiles, *log.bodies)] + [log.target for log in logs]
    parts = {part for target in targets for part in target.split("/")}
    assert all(re.fullmatch(r"[a-z0-9-](?:[a-z0-9.-]*[a-z0-9-])?", part) for part in parts)
    assert not parts & {"con", "prn", "aux", "nul"}
    assert len({target.lower() for target in targets}) == len(targets)
    files = set(targets)
    assert not any(parent in files for target in targets for parent in map(str, Path(target).parents))
