"""A headquarters' repository and a box's shelf in one folder, for tests of releases; keys are made for each."""

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from securesystemslib.signer import CryptoSigner
from tuf.api.metadata import Metadata

from appliance.formats.release import Recipients, Release, Roster
from appliance.releases.take import take_release
from appliance.shelf import Shelf
from provisioning.authority.keys import load_ed25519, write_private_key
from provisioning.authority.repository import KEY_NAMES, SIGNERS, Repository

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

    def take(self, *, lower_bound_ms: int = NOW_MS) -> Release | None:
        return take_release(self.shelf, self.mirror, lower_bound_ms=lower_bound_ms)

    def carry_and_take(self) -> Release:
        self.carry()
        release = self.take()
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
    repository = Repository.create(home, recipients=recipients(), roster=roster(), at_ms=at_ms)
    shelf = Shelf(box / "releases")
    (shelf.folder / "root").mkdir(parents=True)
    (shelf.folder / "root" / "1.root.json").write_bytes(repository.root())
    return World(home=home, mirror=box / "mirror", shelf=shelf, repository=repository)


def stranger() -> CryptoSigner:
    """A key that no role has."""
    return CryptoSigner(Ed25519PrivateKey.generate())
