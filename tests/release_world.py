"""A headquarters' repository and a box's shelf in one folder, for tests of releases; keys are made for each."""

import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from securesystemslib.signer import CryptoSigner
from tuf.api.metadata import Metadata

from appliance.formats.list_key import seal_persons
from appliance.formats.release import DOCUMENTS_TARGET, PERSONS_TARGET, Recipients, Release, Roster
from appliance.model import Mode
from appliance.releases.take import take_release
from appliance.shelf import Shelf
from provisioning.authority.home import Home, Settings
from provisioning.authority.keys import load_ed25519, write_private_key
from provisioning.authority.list_files import documents_list
from provisioning.authority.person_index import person_index
from provisioning.authority.repository import Repository
from provisioning.authority.roles import KEY_NAMES, SIGNERS

LIST_KEY = bytes(range(32))
NEXT_KEY = bytes(range(1, 33))
"""The list key that follows."""
NOW_MS = 1_795_000_000_000
"""2026-11-18, after the software was built."""
DAY_MS = 86_400_000
AGE = "age1pq1" + "q" * 1_952


def recipients(version: int = 1) -> Recipients:
    return Recipients(version=version, general=AGE, escrow=AGE, protection=AGE)


def roster(version: int = 1) -> Roster:
    return Roster(version=version, keys=(), boxes=())


@dataclass(frozen=True)
class World:
    """Headquarters at `home`, and a box with its mirror and shelf; the mirror is carried by `carry`."""

    home: Path
    mirror: Path
    shelf: Shelf
    repository: Repository

    def carry(self) -> None:
        """Make the mirror what headquarters has."""
        shutil.rmtree(self.mirror, ignore_errors=True)
        shutil.copytree(self.home / "tuf", self.mirror)

    def take(self, *, lower_bound_ms: int = NOW_MS, keys: Sequence[bytes] = (LIST_KEY,)) -> Release | None:
        return take_release(self.shelf, self.mirror, lower_bound_ms=lower_bound_ms, keys=keys)

    def carry_and_take(self, *, keys: Sequence[bytes] = (LIST_KEY,)) -> Release:
        self.carry()
        release = self.take(keys=keys)
        assert release is not None
        return release

    def signer(self, name: str) -> CryptoSigner:
        return CryptoSigner(load_ed25519(self.home / "keys" / f"{name}.pem"))

    def forge(self, name: str, change: Callable[[Any], None], *signers: CryptoSigner) -> bytes:
        """Change one metadata file of the mirror and sign it with these keys, or leave its signatures as they were."""
        path = self.mirror / "metadata" / name
        metadata: Any = Metadata.from_bytes(path.read_bytes())
        change(metadata.signed)
        if signers:
            metadata.signatures.clear()
            for signer in signers:
                metadata.sign(signer, append=True)
        data = bytes(metadata.to_bytes())
        path.write_bytes(data)
        return data

    def keys_of(self, role: str) -> list[CryptoSigner]:
        return [self.signer(name) for name in SIGNERS[role]]


def make_world(folder: Path, *, at_ms: int = NOW_MS) -> World:
    home, box = folder / "hq", folder / "box"
    (home / "keys").mkdir(parents=True)
    for name in KEY_NAMES:
        write_private_key(home / "keys" / f"{name}.pem", Ed25519PrivateKey.generate())
    (home / "keys" / "list-key").write_bytes(LIST_KEY)
    repository = Repository.create(home, recipients=recipients(), roster=roster(), list_key=LIST_KEY, at_ms=at_ms)
    shelf = Shelf(box / "releases")
    (shelf.folder / "root").mkdir(parents=True)
    (shelf.folder / "root" / "1.root.json").write_bytes(repository.root())
    return World(home=home, mirror=box / "mirror", shelf=shelf, repository=repository)


def world_in_service(folder: Path) -> World:
    """The box has taken release 1."""
    world = make_world(folder)
    assert world.carry_and_take().version == 1
    return world


def home_of(folder: Path) -> Home:
    """Headquarters' folder of a world, for what works on a whole home."""
    settings = Settings(domain="landlink.example", mode=Mode.LIVE, collector_host="localhost", collector_port=8443)
    return Home(folder, settings)


def stranger() -> CryptoSigner:
    """A key that no role has."""
    return CryptoSigner(Ed25519PrivateKey.generate())


def under_next_key(world: World, *, at_ms: int) -> None:
    """Publish both lists anew under NEXT_KEY, as `landlink-hq publish` does after `rekey`."""
    day = datetime.fromtimestamp(at_ms // 1000, UTC).date()
    targets = {
        DOCUMENTS_TARGET: documents_list({}, dated=day, list_key=NEXT_KEY),
        PERSONS_TARGET: seal_persons(person_index((), dated=day), NEXT_KEY),
    }
    world.repository.publish(targets, at_ms=at_ms)
