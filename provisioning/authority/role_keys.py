"""Headquarters' signing keys by the role that the roster gives them: a key of another role signs nothing."""

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA44PrivateKey

from appliance.errors import ConfigError
from appliance.formats.release import COSIGN_MLDSA44
from provisioning.authority.holders import of_another_role
from provisioning.authority.home import Home
from provisioning.authority.keys import load_ed25519, load_mldsa44
from provisioning.authority.roster import read_roster


def role_key(home: Home, role: str) -> Ed25519PrivateKey:
    """The key of an Ed25519 role.

    Raises:
        ConfigError: It is not here, is of another role, or the roster has none of that role yet.
    """
    key = load_ed25519(home.key(role))
    _check(home, role, key.public_key().public_bytes_raw())
    return key


def mldsa44_role_key(home: Home) -> MLDSA44PrivateKey:
    """The cosigner's post-quantum key. Raises ConfigError as `role_key`."""
    key = load_mldsa44(home.key(COSIGN_MLDSA44))
    _check(home, COSIGN_MLDSA44, key.public_key().public_bytes_raw())
    return key


def _check(home: Home, role: str, public: bytes) -> None:
    roster = read_roster(home)
    if not roster.keys_of(role):
        raise ConfigError(f"boxes know no key of headquarters as {role} yet; next: landlink-hq upgrade")
    if public != roster.key(role).public:  # the newest counts
        raise of_another_role(home.key(role), role)
