"""`upgrade`: a home from before some role existed gets its key, and boxes learn of it with the next release."""

import os
from typing import Final

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from appliance.files import write_durably
from appliance.formats.downlink import ANSWERS, DIRECTIVES
from appliance.formats.release import ROSTER_TARGET, RosterKey, encode_roster
from provisioning.authority.box_keys import send_keys
from provisioning.authority.home import Home
from provisioning.authority.keys import CUSTODY, SECRET_BYTES, load_ed25519, write_private_key
from provisioning.authority.repository import Repository
from provisioning.authority.roster import read_roster

LATER_ROLES: Final = (ANSWERS, DIRECTIVES, CUSTODY)
"""Roles of the roster that a home may lack; `init` makes them now."""


def upgrade(home: Home, *, at_ms: int) -> tuple[str, ...]:
    """Make the key of each role that the roster has none for, and publish the roster; the roles.

    A role that the roster has is left alone, though its key is not here: it lies with its holder. A key that is here
    already, of an attempt that was interrupted or of first use, is the one that the roster gets.

    Raises:
        ConfigError: Two offline keys are not here; the keys that were made stay for the next attempt.
        StorageFull, StorageFault: Boxes know what they knew; do it again.
    """
    roster = read_roster(home)
    roles = tuple(role for role in LATER_ROLES if not roster.keys_of(role))
    if not roles:
        return ()
    if DIRECTIVES in roles and not home.voice_master_file.exists():
        write_durably(home.voice_master_file, os.urandom(SECRET_BYTES), mode=0o600)
    made = tuple(RosterKey(role=role, public=_public(home, role)) for role in roles)
    following = encode_roster(msgspec.structs.replace(roster, version=roster.version + 1, keys=(*roster.keys, *made)))
    Repository(home.folder).publish({ROSTER_TARGET: following}, at_ms=at_ms)
    write_durably(home.roster_file, following, mode=0o644)
    if DIRECTIVES in roles:
        for box in roster.boxes:
            if not box.revoked:
                send_keys(home, box, at_ms=at_ms)
    return roles


def _public(home: Home, role: str) -> bytes:
    path = home.key(role)
    if not path.exists():
        write_private_key(path, Ed25519PrivateKey.generate())
    return load_ed25519(path).public_key().public_bytes_raw()
