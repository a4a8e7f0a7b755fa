"""Roles of releases (TUF specification 1.0), whose keys sign for them, and how long what they sign lives.

Root 2 of 3 and top-level targets 2 of 3, offline; below targets `recipients` and `roster`, offline 2 of 3, and `lists`
and `policy`, online; snapshot and timestamp online.
"""

from datetime import timedelta
from typing import Final

from tuf.api.metadata import Root, Targets

ROOT_KEYS: Final = ("root-1", "root-2", "root-3")
OFFLINE_KEYS: Final = ("offline-1", "offline-2", "offline-3")
KEY_NAMES: Final = (*ROOT_KEYS, *OFFLINE_KEYS, "lists", "policy", "snapshot", "timestamp")
"""Private keys that lie in `hq/keys/<name>.pem`, Ed25519."""

SIGNERS: Final = {
    "root": ROOT_KEYS,
    "targets": OFFLINE_KEYS,
    "recipients": OFFLINE_KEYS,
    "roster": OFFLINE_KEYS,
    "lists": ("lists",),
    "policy": ("policy",),
    "snapshot": ("snapshot",),
    "timestamp": ("timestamp",),
}
OF_PERSONS: Final = (Root.type, Targets.type, "recipients", "roster")
"""Roles that two of three persons sign, in the order in which one vouches for the next."""
LIFE: Final = {
    "root": timedelta(days=5 * 365),
    "targets": timedelta(days=3 * 365),
    "recipients": timedelta(days=3 * 365),
    "roster": timedelta(days=3 * 365),
    "lists": timedelta(days=180),
    "policy": timedelta(days=180),
    "snapshot": timedelta(days=90),
    "timestamp": timedelta(days=30),
}


def threshold(role: str) -> int:
    """How many of a role's keys must sign: 2 of the three offline ones, the one online."""
    return 2 if len(SIGNERS[role]) == 3 else 1
