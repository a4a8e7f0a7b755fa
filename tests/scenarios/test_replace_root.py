"""A root key is lost or stolen: the other two replace it, boxes follow, and the stolen one signs nothing any more."""

import shutil
from pathlib import Path
from typing import Any

import pytest
from securesystemslib.signer import CryptoSigner
from tuf.api.metadata import Metadata

from appliance.errors import ConfigError, Untrusted
from appliance.formats.tuf_chain import verify_roots
from appliance.model import Mode
from provisioning.authority.home import Home, Settings
from provisioning.authority.keys import load_ed25519
from provisioning.authority.root_keys import replace_root_key
from tests.release_world import NOW_MS, World, make_world


@pytest.fixture
def world(tmp_path: Path) -> World:
    made = make_world(tmp_path)
    assert made.carry_and_take().version == 1
    return made


def home_of(world: World) -> Home:
    settings = Settings(domain="landlink.example", mode=Mode.LIVE, collector_host="localhost", collector_port=8443)
    return Home(world.home, settings)


def test_boxes_follow_the_new_root_and_take_what_is_published_under_it(world: World) -> None:
    (world.home / "keys" / "root-2.pem").unlink()  # lost
    assert replace_root_key(home_of(world), "root-2", at_ms=NOW_MS + 1) == 2
    world.repository.publish({}, at_ms=NOW_MS + 2)
    assert world.carry_and_take().version == 2
    assert (world.shelf.folder / "2" / "metadata" / "2.root.json").exists()
    assert world.shelf.load().version == 2


def test_every_key_may_be_replaced_one_after_the_other_and_a_box_that_was_away_follows_the_chain(world: World) -> None:
    home = home_of(world)
    assert [replace_root_key(home, name, at_ms=NOW_MS) for name in ("root-1", "root-2", "root-3")] == [2, 3, 4]
    world.repository.publish({}, at_ms=NOW_MS + 2)
    assert world.carry_and_take().version == 2


def test_a_stolen_key_and_one_other_former_one_make_no_root_after_it(world: World) -> None:
    home = home_of(world)
    stolen = [load_ed25519(home.key(name)) for name in ("root-1", "root-2")]
    replace_root_key(home, "root-1", at_ms=NOW_MS)
    metadata = home.tuf / "metadata"
    forged: Any = Metadata.from_bytes((metadata / "2.root.json").read_bytes())
    forged.signed.version = 3
    forged.signatures.clear()
    for key in stolen:
        forged.sign(CryptoSigner(key), append=True)
    files = {"metadata/2.root.json": (metadata / "2.root.json").read_bytes(), "metadata/3.root.json": forged.to_bytes()}
    with pytest.raises(Untrusted, match="root is not signed by enough keys of its role"):
        verify_roots(files, (metadata / "1.root.json").read_bytes())


def test_with_one_other_key_alone_nothing_changes(world: World, tmp_path: Path) -> None:
    home = home_of(world)
    before = home.key("root-1").read_bytes()
    home.key("root-3").rename(tmp_path / "root-3")
    with pytest.raises(ConfigError, match=r"root-3\.pem is not here"):
        replace_root_key(home, "root-1", at_ms=NOW_MS)
    shutil.copyfile(home.key("offline-1"), home.key("root-3"))
    with pytest.raises(ConfigError, match=r"root-3\.pem is not the key that boxes know as root"):
        replace_root_key(home, "root-1", at_ms=NOW_MS)
    assert (home.key("root-1").read_bytes(), world.repository.last_root().version) == (before, 1)


def test_a_key_of_another_role_in_its_place_becomes_no_root_key(world: World) -> None:
    home = home_of(world)
    shutil.copyfile(home.key("timestamp"), home.key("root-2"))
    with pytest.raises(ConfigError, match=r"root-2\.pem is not the key that boxes know as root"):
        replace_root_key(home, "root-2", at_ms=NOW_MS)
    assert world.repository.last_root().version == 1


def test_an_interruption_after_the_key_was_made_goes_on_with_it(world: World) -> None:
    home = home_of(world)
    replace_root_key(home, "root-2", at_ms=NOW_MS)
    made = home.key("root-2").read_bytes()
    (home.tuf / "metadata" / "2.root.json").unlink()  # as if the power had gone before it was written
    assert replace_root_key(home, "root-2", at_ms=NOW_MS) == 2
    assert home.key("root-2").read_bytes() == made
