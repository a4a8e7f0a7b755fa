"""An online key of headquarters is stolen: a new one takes its place, boxes follow, the former one is deleted."""

import shutil
from functools import partial
from itertools import count
from pathlib import Path

import pytest
from securesystemslib.signer import CryptoSigner
from tuf.api.metadata import MetaFile, Timestamp

from appliance.errors import ConfigError, Untrusted
from appliance.formats.release import COSIGN_MLDSA44
from appliance.shelf import Shelf
from provisioning.authority.ceremony import act_here
from provisioning.authority.keys import load_ed25519, load_mldsa44
from provisioning.authority.online_keys import OF_RELEASES, OF_ROSTER, settle
from provisioning.authority.repository import Repository
from provisioning.authority.role_keys import mldsa44_role_key, role_key
from provisioning.authority.roster import read_roster
from provisioning.authority.signing import next_key
from tests.cut_at_rename import came_through
from tests.release_world import NOW_MS as WORLD_MS
from tests.release_world import World, home_of, world_in_service
from tests.scenarios.made_headquarters import NOW_MS, headquarters


@pytest.fixture
def world(tmp_path: Path) -> World:
    return world_in_service(tmp_path)


@pytest.mark.parametrize("name", OF_RELEASES)
def test_a_new_key_of_releases_is_followed_and_the_former_one_deleted(world: World, name: str) -> None:
    home = home_of(world.home)
    former = home.key(name).read_bytes()
    act_here(home, "rotate", name, at_ms=WORLD_MS + 1)
    assert not [path for path in world.home.rglob("*.pem") if path.read_bytes() == former]
    assert not next_key(home.key(name)).exists()
    assert world.carry_and_take().version == world.repository.version()
    world.repository.publish({}, at_ms=WORLD_MS + 2)
    assert world.carry_and_take().version == world.repository.version()
    home.key(name).write_bytes(former)
    with pytest.raises(ConfigError, match=f"{name}.pem is not the key that boxes know as {name}"):
        world.repository.publish({}, at_ms=WORLD_MS + 3)


def test_with_every_former_online_key_a_thief_makes_no_release_that_a_box_takes(world: World) -> None:
    home = home_of(world.home)
    stolen = {name: CryptoSigner(load_ed25519(home.key(name))) for name in OF_RELEASES}
    for name in OF_RELEASES:
        act_here(home, "rotate", name, at_ms=WORLD_MS + 1)
    world.carry_and_take()
    world.repository.publish({}, at_ms=WORLD_MS + 2)
    world.carry()
    snapshot = world.forge(f"{world.repository.version()}.snapshot.json", lambda _: None, stolen["snapshot"])

    def name_it(signed: Timestamp) -> None:
        signed.snapshot_meta = MetaFile.from_data(signed.snapshot_meta.version, snapshot, ["sha256"])

    world.forge("timestamp.json", name_it, stolen["timestamp"])
    with pytest.raises(Untrusted, match="not signed by enough keys of its role"):
        world.take()
    world.forge("timestamp.json", name_it, *world.keys_of("timestamp"))  # that one was not stolen
    with pytest.raises(Untrusted, match="not signed by enough keys of its role"):
        world.take()


def test_keys_that_the_roster_names_change_there_and_former_ones_prove_the_past(tmp_path: Path) -> None:
    home = headquarters(tmp_path / "hq")
    for name in OF_ROSTER:
        former = read_roster(home).key(name).public
        act_here(home, "rotate", name, at_ms=NOW_MS + 1)
        present, *past = read_roster(home).keys_of(name)
        here = (load_mldsa44 if name == COSIGN_MLDSA44 else load_ed25519)(home.key(name))
        assert (present.public, [key.public for key in past]) == (here.public_key().public_bytes_raw(), [former])
        _ = mldsa44_role_key(home) if name == COSIGN_MLDSA44 else role_key(home, name)
        assert not next_key(home.key(name)).exists()


def test_a_power_cut_at_any_file_leaves_a_release_that_boxes_take_and_publishing_goes_on(
    world: World, tmp_path: Path
) -> None:
    for renames in count():
        home = home_of(Path(shutil.copytree(world.home, tmp_path / f"hq-{renames}")))
        rotated = came_through(partial(act_here, home, "rotate", "timestamp", at_ms=WORLD_MS + 1), renames)
        shelf = Shelf(Path(shutil.copytree(world.shelf.folder, tmp_path / f"box-{renames}", symlinks=True)))
        repository = Repository(home.folder)
        box = World(home=home.folder, mirror=tmp_path / f"mirror-{renames}", shelf=shelf, repository=repository)
        box.carry()
        box.take()
        settle(home)
        repository.publish({}, at_ms=WORLD_MS + 2)
        box.carry_and_take()
        if rotated:
            assert renames > 5
            return
