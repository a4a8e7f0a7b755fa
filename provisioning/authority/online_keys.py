"""An online key of headquarters is followed by a new one: persons sign what names it, and the former one is deleted.

The next key lies as `<name>.next.pem` until boxes are told: snapshot and timestamp by the next root, lists and policy
by the next top-level targets, others by the roster, where a role's newest key counts and former ones prove the past.
"""

from datetime import datetime
from typing import Final

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA44PrivateKey

from appliance.files import storage, sync_folder
from appliance.formats.downlink import ANSWERS, DIRECTIVES
from appliance.formats.note import COSIGNATURE_ED25519, COSIGNATURE_MLDSA44, Verifier
from appliance.formats.release import (
    COSIGN_ED25519,
    COSIGN_MLDSA44,
    RECEIPTS,
    ROSTER_TARGET,
    Roster,
    RosterKey,
    encode_roster,
    parse_roster,
)
from provisioning.authority.home import Home
from provisioning.authority.keys import CUSTODY, cosigner_name, load_ed25519, load_mldsa44, write_private_key
from provisioning.authority.proposal import Proposal, keys_of, propose
from provisioning.authority.published import Published
from provisioning.authority.roster import read_roster
from provisioning.authority.signing import next_key, signer_of

OF_RELEASES: Final = ("lists", "policy", "snapshot", "timestamp")
OF_ROSTER: Final = (RECEIPTS, COSIGN_ED25519, COSIGN_MLDSA44, ANSWERS, DIRECTIVES, CUSTODY)
ONLINE_KEYS: Final = (*OF_RELEASES, *OF_ROSTER)
_COSIGNERS: Final = {COSIGN_ED25519: COSIGNATURE_ED25519, COSIGN_MLDSA44: COSIGNATURE_MLDSA44}


def propose_online(home: Home, name: str, *, at: datetime) -> Proposal:
    """Make the next key of that name, unless one is on its way, and draft what names it.

    Raises:
        ConfigError: There is no repository, or no roster.
        StorageFull, StorageFault: The key in use is what it was.
    """
    path, published = next_key(home.key(name)), Published(home.folder)
    settle(home)
    if not path.exists():
        write_private_key(
            path, MLDSA44PrivateKey.generate() if name == COSIGN_MLDSA44 else Ed25519PrivateKey.generate()
        )
    if name in OF_RELEASES:
        return propose(published, replaced={name: signer_of(path).public_key}, at=at)
    roster = read_roster(home)
    public = _public(home, name)
    vkey = Verifier(cosigner_name(home.settings.domain), _COSIGNERS[name], public).vkey() if name in _COSIGNERS else ""
    key = RosterKey(role=name, public=public, vkey=vkey)
    following = msgspec.structs.replace(roster, version=roster.version + 1, keys=(*roster.keys, key))
    return propose(published, contents={ROSTER_TARGET: encode_roster(following)}, at=at)


def settle(home: Home) -> tuple[str, ...]:
    """Put every next key that is published into place, which deletes the former one; names.

    Raises:
        ConfigError, Malformed: What is published cannot be read.
        StorageFull, StorageFault: Do it again.
    """
    waiting = [name for name in ONLINE_KEYS if next_key(home.key(name)).exists()]
    if not waiting:
        return ()
    published = Published(home.folder)
    in_force = published.last_root().keys | keys_of(published.top())
    roster = parse_roster(published.target(ROSTER_TARGET) or b"")
    settled = [name for name in waiting if _is_published(home, name, set(in_force), roster)]
    for name in settled:
        with storage(f"putting {name}.pem into place"):
            next_key(home.key(name)).replace(home.key(name))
            sync_folder(home.keys)
    return tuple(settled)


def _is_published(home: Home, name: str, in_force: set[str], roster: Roster) -> bool:
    if name in OF_RELEASES:
        return signer_of(next_key(home.key(name))).public_key.keyid in in_force
    keys = roster.keys_of(name)
    return bool(keys) and keys[0].public == _public(home, name)


def _public(home: Home, name: str) -> bytes:
    path = next_key(home.key(name))
    key = load_mldsa44(path) if name == COSIGN_MLDSA44 else load_ed25519(path)
    return key.public_key().public_bytes_raw()
