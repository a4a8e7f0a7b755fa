"""landlink-hq replace-key: a key of one of three persons that was lost or stolen."""

import argparse
from typing import Final

from appliance.command import Verbs
from provisioning.authority.home import Home
from provisioning.authority.replace_key import REPLACEABLE, replace_key
from provisioning.authority.signings import last_signing
from provisioning.command import now_ms

REPLACE: Final = """\
A root key or an offline key of one of three persons that was lost or stolen: the other two persons sign what names a
new one in its place. A thief of one key could have signed nothing alone, and has a useless one from then on. Boxes
follow with the release that this publishes; one that was away follows through every change that it missed.

  replace-key root-2       needs the other two root keys
  replace-key offline-2    needs two root keys and the other two offline keys

Where they cannot all be brought here: landlink-hq ceremony. An interrupted `replace-key` is simply done again.

Example: landlink-hq replace-key offline-2
"""


def add_replace(verbs: Verbs) -> None:
    """Add the verb to landlink-hq."""
    verb = verbs.add_parser("replace-key", help="a key of three persons that was lost or stolen", description=REPLACE)
    verb.add_argument("key", choices=REPLACEABLE, help="the one that is replaced")
    verb.set_defaults(run=_replace)


def _replace(arguments: argparse.Namespace) -> int:
    home, name = Home.open(arguments.home), arguments.key
    proposal = replace_key(home, name, at_ms=now_ms())
    print(
        f"{home.key(name)} is a new key; the former one signs nothing any more. Published, and signed by two persons:"
    )
    for role in proposal.drafts:
        print(f"  {last_signing(home, role)}")
    print("Move the new key to its holder's medium, and leave no copy here.")
    return 0
