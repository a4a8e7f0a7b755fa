"""A lost or stolen key of one of three persons is replaced by the other two: they sign what names its successor.

A root key takes a new root. An offline key takes a new root, new top-level targets, and recipients and roster signed
again, since two signatures count that the new root names. Each holds under the former keys and the new ones (two of
three stay), so boxes that were away follow from root to root, and what is past holds under the root of its time.
"""

from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from securesystemslib.signer import CryptoSigner

from provisioning.authority.holders import of_another_role
from provisioning.authority.home import Home
from provisioning.authority.keys import load_ed25519, write_private_key
from provisioning.authority.proposal import Proposal, key_names, propose
from provisioning.authority.repository import Repository
from provisioning.authority.roles import OFFLINE_KEYS, ROOT_KEYS
from provisioning.authority.signing import sign_here

REPLACEABLE: Final = (*ROOT_KEYS, *OFFLINE_KEYS)


def replace_key(home: Home, name: str, *, at_ms: int) -> Proposal:
    """Make a new key in the place of the one of that name and publish what follows from it.

    The key is durable before anything is published; whoever is interrupted in between goes on with the same key.

    Returns:
        What was signed.

    Raises:
        ConfigError: Two other keys that must sign are not here, or are none that boxes know.
        StorageFull, StorageFault: Boxes see what they saw, or all of it; do it again.
    """
    repository, path = Repository(home.folder), home.key(name)
    private = _following(repository, path, name)
    at = datetime.fromtimestamp(at_ms // 1000, UTC)
    proposal = propose(repository, replaced={name: CryptoSigner(private).public_key}, at=at)
    sign_here(proposal, home.keys, lost=(name,))
    write_private_key(path, private)
    repository.enact(proposal, at_ms=at_ms)
    return proposal


def _following(repository: Repository, path: Path, name: str) -> Ed25519PrivateKey:
    """A new key, or the one that an interrupted attempt has left in its place."""
    if not path.exists():
        return Ed25519PrivateKey.generate()
    there = load_ed25519(path)
    known = key_names(repository).get(CryptoSigner(there).public_key.keyid)
    if known is None:
        return there
    if known != name:
        raise of_another_role(path, name.rpartition("-")[0])
    return Ed25519PrivateKey.generate()
