"""`upgrade`: a home from before some role existed gets its key, and boxes learn of it with the next release."""

import os
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Final

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from appliance.errors import Refused
from appliance.files import write_durably
from appliance.formats.downlink import ANSWERS, DIRECTIVES
from appliance.formats.release import ROSTER_TARGET, Roster, RosterKey, encode_roster
from provisioning.authority.box_keys import send_keys
from provisioning.authority.home import Home
from provisioning.authority.keys import CUSTODY, SECRET_BYTES, load_ed25519, write_private_key
from provisioning.authority.proposal import Proposal, propose
from provisioning.authority.published import Published
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
    former = read_roster(home)
    roles = _lacking(former)
    if not roles:
        return ()
    following = _following(home, former, roles)
    encoded = encode_roster(following)
    Repository(home.folder).publish({ROSTER_TARGET: encoded}, at_ms=at_ms)
    write_durably(home.roster_file, encoded, mode=0o644)
    tell_boxes(home, former, following, at_ms=at_ms)
    return roles


def propose_upgrade(home: Home, *, at_ms: int) -> Proposal:
    """Make the same keys, and draft the roster that names them, for persons to sign.

    Raises:
        Refused: No role lacks a key.
        StorageFull, StorageFault: The keys that were made stay for the next attempt.
    """
    former = read_roster(home)
    if not (roles := _lacking(former)):
        raise Refused("this home lacks no key: there is nothing to sign")
    encoded = encode_roster(_following(home, former, roles))
    at = datetime.fromtimestamp(at_ms // 1000, UTC)
    return propose(Published(home.folder), contents={ROSTER_TARGET: encoded}, at=at)


def tell_boxes(home: Home, former: Roster, following: Roster, *, at_ms: int) -> None:
    """Send every box its keys where only now there is a key that signs them; a box that is told twice takes no harm.

    Raises:
        ConfigError, StorageFull, StorageFault: Not every box was told; do it again.
    """
    if former.keys_of(DIRECTIVES) or not following.keys_of(DIRECTIVES):
        return
    for box in following.boxes:
        if not box.revoked:
            send_keys(home, box, at_ms=at_ms)


def _lacking(roster: Roster) -> tuple[str, ...]:
    return tuple(role for role in LATER_ROLES if not roster.keys_of(role))


def _following(home: Home, roster: Roster, roles: Sequence[str]) -> Roster:
    """The roster with a key of each of these roles; keys that are not here are made."""
    if DIRECTIVES in roles and not home.voice_master_file.exists():
        write_durably(home.voice_master_file, os.urandom(SECRET_BYTES), mode=0o600)
    made = tuple(RosterKey(role=role, public=_public(home, role)) for role in roles)
    return msgspec.structs.replace(roster, version=roster.version + 1, keys=(*roster.keys, *made))


def _public(home: Home, role: str) -> bytes:
    path = home.key(role)
    if not path.exists():
        write_private_key(path, Ed25519PrivateKey.generate())
    return load_ed25519(path).public_key().public_bytes_raw()
