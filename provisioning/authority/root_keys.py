"""A lost or stolen root key is replaced by the other two: they sign the next root, which boxes follow from the first.

The new root holds under the former one and under itself, since two of three stay (TUF specification 1.0 §5.3.4).
"""

from datetime import UTC, datetime

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from securesystemslib.signer import CryptoSigner
from tuf.api.metadata import Metadata

from provisioning.authority.holders import of_another_role
from provisioning.authority.home import Home
from provisioning.authority.keys import load_ed25519, write_private_key
from provisioning.authority.repository import LIFE, ROOT_KEYS, Repository

ROLE = "root"


def replace_root_key(home: Home, name: str, *, at_ms: int) -> int:
    """Make a new key in the place of the root key of that name, and publish the root that names it; its version.

    The key is durable before the root is; whoever is interrupted in between goes on with the same key.

    Raises:
        ConfigError: One of the other two keys is not here, or is none that the root in force names.
        StorageFull, StorageFault: The root in force is what it was.
    """
    repository = Repository(home.folder)
    with repository.alone():
        root = repository.last_root()
        stay = [_signer(home, other) for other in ROOT_KEYS if other != name]
        known = list(root.roles[ROLE].keyids)
        for other, signer in zip((each for each in ROOT_KEYS if each != name), stay, strict=True):
            if signer.public_key.keyid not in known:
                raise of_another_role(home.key(other), ROLE)
        if not home.key(name).exists() or _signer(home, name).public_key.keyid in known:
            write_private_key(home.key(name), Ed25519PrivateKey.generate())
        following = _signer(home, name).public_key
        if following.keyid in root.keys:  # a file of another role lies in that place
            raise of_another_role(home.key(name), ROLE)
        (former,) = set(known) - {signer.public_key.keyid for signer in stay}
        root.revoke_key(former, ROLE)
        root.add_key(following, ROLE)
        root.version += 1
        root.expires = datetime.fromtimestamp(at_ms // 1000, UTC) + LIFE[ROLE]
        metadata = Metadata(root)
        for signer in stay:
            metadata.sign(signer, append=True)
        repository.add_root(metadata)
    return root.version


def _signer(home: Home, name: str) -> CryptoSigner:
    return CryptoSigner(load_ed25519(home.key(name)))
