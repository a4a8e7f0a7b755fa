"""Signing with the key files of this home: what two persons sign whose media are both in, and what is signed online.

A key that follows another one online lies beside it as `<name>.next.pem`. While both are here both sign, so that what
is published holds before and after boxes learn of the new one; `online_keys.py` puts it in place.
"""

from collections.abc import Collection
from pathlib import Path
from typing import Any

from securesystemslib.signer import CryptoSigner
from tuf.api.metadata import Metadata

from appliance.errors import ConfigError
from provisioning.authority.holders import absent, of_another_role
from provisioning.authority.keys import load_ed25519
from provisioning.authority.proposal import Proposal
from provisioning.authority.roles import SIGNERS, threshold


def signer_of(path: Path) -> CryptoSigner:
    """The key in that file. Raises ConfigError."""
    return CryptoSigner(load_ed25519(path))


def next_key(path: Path) -> Path:
    """Where the key lies that will follow the one at `path`."""
    return path.with_name(f"{path.stem}.next.pem")


def sign_here(proposal: Proposal, keys: Path, *, lost: Collection[str] = ()) -> None:
    """Sign every draft with as many keys of its role as it needs, from the folder `keys`.

    Args:
        proposal: The drafts.
        keys: Where key files lie, or links to media that are in.
        lost: Names of keys that are replaced: nobody is asked to bring them, what lies in their places is not used.

    Raises:
        ConfigError: Fewer are here than its threshold, or one is not the key that boxes know in this role.
    """
    for role, draft in proposal.drafts.items():
        counting = proposal.signers(role)
        paths = {name: keys / f"{name}.pem" for name in SIGNERS[role] if name not in lost}
        there = {name: signer_of(path) for name, path in paths.items() if path.exists()}
        known = set[str]().union(*counting)
        if strange := next((name for name, each in there.items() if each.public_key.keyid not in known), ""):
            raise of_another_role(keys / f"{strange}.pem", role)
        fit = [each for each in there.values() if all(each.public_key.keyid in keyids for keyids in counting)]
        if len(fit) < threshold(role):
            named = SIGNERS[role]
            missing = next((name for name in named if name not in there and name not in lost), named[-1])
            raise ConfigError(
                f"{role} is signed by {threshold(role)} of {', '.join(named)}, here are {len(fit)}; "
                f"{absent(keys / f'{missing}.pem')}"
            )
        for signer in fit[: threshold(role)]:
            draft.sign(signer, append=True)


def sign_online(metadata: Metadata[Any], role: str, known: Collection[str], keys: Path) -> bytes:
    """Sign with the online key of a role, and with the one that follows it, if it is here; the metadata file.

    Args:
        metadata: What is signed.
        role: Of one key.
        known: Identifiers of the keys that boxes believe in this role.
        keys: Where key files lie.

    Raises:
        ConfigError: It is not here, or is none that boxes know in this role.
    """
    path = keys / f"{role}.pem"
    signers = [signer_of(each) for each in (path, next_key(path)) if each.exists()]
    if not signers:
        raise ConfigError(f"{role} is signed by a key of its own; {absent(path)}")
    if not any(signer.public_key.keyid in known for signer in signers):
        raise of_another_role(path, role)
    following = signers[-1]
    for signer in signers:
        if signer.public_key.keyid in known or (signer is following and next_key(path).exists()):
            metadata.sign(signer, append=True)
    return metadata.to_bytes()
