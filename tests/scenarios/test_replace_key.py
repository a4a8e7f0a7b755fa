"""A key of one of three persons is lost or stolen: the others replace it, boxes follow, and it signs nothing more."""

import shutil
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from securesystemslib.signer import CryptoSigner
from tuf.api.metadata import Metadata, MetaFile, Snapshot, Timestamp

from appliance.errors import ConfigError, Untrusted
from appliance.formats.release import ROSTER_TARGET, encode_roster
from appliance.formats.tuf_chain import verify_past_chain, verify_roots, verify_without_timestamp
from appliance.shelf import Shelf
from provisioning.authority.home import Home
from provisioning.authority.keys import load_ed25519, write_private_key
from provisioning.authority.replace_key import REPLACEABLE, replace_key
from provisioning.authority.repository import Repository
from provisioning.authority.roles import OFFLINE_KEYS
from provisioning.authority.signings import signings
from provisioning.exhibit.trust import release_metadata
from tests.cut_at_rename import came_through
from tests.release_world import NOW_MS, World, home_of, roster, world_in_service


@pytest.fixture
def world(tmp_path: Path) -> World:
    return world_in_service(tmp_path)


def metadata_files(world: World, version: int) -> dict[str, bytes]:
    """A release as an exhibit has it, with every root."""
    return {f"metadata/{name}": data for name, data in release_metadata(world.home / "tuf", version).items()}


@pytest.mark.parametrize("name", REPLACEABLE)
def test_every_key_is_replaced_without_itself_and_boxes_follow(world: World, name: str) -> None:
    home = home_of(world.home)
    home.key(name).unlink()  # lost
    replace_key(home, name, at_ms=NOW_MS + 1)
    taken = world.carry_and_take()
    assert (world.shelf.folder / str(taken.version) / "metadata" / "2.root.json").exists()
    world.repository.publish({ROSTER_TARGET: encode_roster(roster(2))}, at_ms=NOW_MS + 2)
    assert world.carry_and_take().roster.version == 2
    assert world.shelf.load().version == world.repository.version()


def test_a_box_that_was_away_follows_through_a_change_of_every_key(world: World) -> None:
    home = home_of(world.home)
    for name in REPLACEABLE:
        replace_key(home, name, at_ms=NOW_MS + 1)
    assert world.repository.last_root().version == 1 + len(REPLACEABLE)
    assert world.carry_and_take().version == world.repository.version()
    assert len(signings(home)) == (1 + 6) + (1 + 3) * 3  # each verified


def test_what_was_published_before_holds_under_the_root_of_its_time_and_under_no_later_one(world: World) -> None:
    home, pinned = home_of(world.home), world.repository.root()
    for name in OFFLINE_KEYS[:2]:
        replace_key(home, name, at_ms=NOW_MS + 1)
    past = metadata_files(world, 1)
    assert "metadata/3.root.json" in past
    assert verify_past_chain(past, pinned).version == 1
    with pytest.raises(Untrusted, match="targets is not signed by enough keys"):
        verify_without_timestamp(past, pinned)
    newest = metadata_files(world, world.repository.version())
    assert verify_without_timestamp(newest, pinned).version == world.repository.version()
    forged = dict(past)
    forged["metadata/recipients.json"] = forged["metadata/recipients.json"].replace(b"2029", b"2030")
    with pytest.raises(Untrusted):
        verify_past_chain(forged, pinned)


def test_two_stolen_keys_that_were_replaced_sign_no_release_that_a_box_takes(world: World) -> None:
    """Also with every online key: a thief of two persons' media comes too late."""
    home = home_of(world.home)
    stolen = [CryptoSigner(load_ed25519(home.key(name))) for name in OFFLINE_KEYS[:2]]
    for name in OFFLINE_KEYS[:2]:
        replace_key(home, name, at_ms=NOW_MS + 1)
    world.carry_and_take()
    world.repository.publish({ROSTER_TARGET: encode_roster(roster(2))}, at_ms=NOW_MS + 2)
    world.carry()
    release = world.repository.version()
    version = world.repository.versions()["roster"]
    data = world.forge(f"{version}.roster.json", lambda _: None, *stolen)

    def name_roster(signed: Snapshot) -> None:
        signed.meta["roster.json"] = MetaFile.from_data(version, data, ["sha256"])

    snapshot = world.forge(f"{release}.snapshot.json", name_roster, *world.keys_of("snapshot"))

    def name_snapshot(signed: Timestamp) -> None:
        signed.snapshot_meta = MetaFile.from_data(release, snapshot, ["sha256"])

    world.forge("timestamp.json", name_snapshot, *world.keys_of("timestamp"))
    with pytest.raises(Untrusted, match="not signed by enough keys of its role"):
        world.take()


def test_a_stolen_key_and_one_other_former_one_make_no_root_after_it(world: World) -> None:
    home = home_of(world.home)
    stolen = [load_ed25519(home.key(name)) for name in ("root-1", "root-2")]
    replace_key(home, "root-1", at_ms=NOW_MS)
    metadata = home.tuf / "metadata"
    forged: Any = Metadata.from_bytes((metadata / "2.root.json").read_bytes())
    forged.signed.version = 3
    forged.signatures.clear()
    for key in stolen:
        forged.sign(CryptoSigner(key), append=True)
    files = {"metadata/2.root.json": (metadata / "2.root.json").read_bytes(), "metadata/3.root.json": forged.to_bytes()}
    with pytest.raises(Untrusted, match="root is not signed by enough keys of its role"):
        verify_roots(files, (metadata / "1.root.json").read_bytes())


@pytest.mark.parametrize(
    ("name", "role", "other"), [("root-1", "root", "root-3"), ("offline-1", "targets", "offline-3")]
)
def test_with_one_other_key_alone_nothing_changes(
    world: World, tmp_path: Path, name: str, role: str, other: str
) -> None:
    home = home_of(world.home)
    before = home.key(name).read_bytes()
    home.key(other).rename(tmp_path / other)
    with pytest.raises(ConfigError, match=rf"{other}\.pem is not here"):
        replace_key(home, name, at_ms=NOW_MS)
    shutil.copyfile(home.key("lists"), home.key(other))
    with pytest.raises(ConfigError, match=rf"{other}\.pem is not the key that boxes know as {role}"):
        replace_key(home, name, at_ms=NOW_MS)
    assert (home.key(name).read_bytes(), world.repository.last_root().version) == (before, 1)


def test_a_key_of_another_role_in_its_place_becomes_no_root_key(world: World) -> None:
    home = home_of(world.home)
    shutil.copyfile(home.key("timestamp"), home.key("root-2"))
    with pytest.raises(ConfigError, match=r"root-2\.pem is not the key that boxes know as root"):
        replace_key(home, "root-2", at_ms=NOW_MS)
    assert world.repository.last_root().version == 1


def test_an_interruption_after_the_key_was_made_goes_on_with_it(world: World) -> None:
    home = home_of(world.home)
    write_private_key(home.key("root-2"), Ed25519PrivateKey.generate())  # as if the power had gone then
    made = home.key("root-2").read_bytes()
    replace_key(home, "root-2", at_ms=NOW_MS)
    assert home.key("root-2").read_bytes() == made
    assert world.repository.last_root().version == 2


def test_a_power_cut_at_any_file_leaves_a_release_that_boxes_take_and_the_next_attempt_ends_it(
    world: World, tmp_path: Path
) -> None:
    name = "offline-2"
    for renames in count():
        home = Home(shutil.copytree(world.home, tmp_path / f"hq-{renames}"), home_of(world.home).settings)
        replaced = came_through(partial(replace_key, home, name, at_ms=NOW_MS + 1), renames)
        box = box_of(home, world, tmp_path / f"box-{renames}")
        box.carry_and_take()
        if replaced:
            assert renames > 5
            return
        replace_key(home, name, at_ms=NOW_MS + 2)
        box.carry_and_take()
        former = CryptoSigner(load_ed25519(world.home / "keys" / f"{name}.pem")).public_key.keyid
        assert former not in box.repository.last_root().keys
        signings(home)


def box_of(home: Home, world: World, folder: Path) -> World:
    """A box as it was before, and this headquarters."""
    shelf = Shelf(shutil.copytree(world.shelf.folder, folder / "releases", symlinks=True))
    shutil.rmtree(shelf.folder / "1")
    (shelf.folder / "current").unlink()  # it joins anew: whatever is published now must hold from the first root on
    return World(home=home.folder, mirror=folder / "mirror", shelf=shelf, repository=Repository(home.folder))
