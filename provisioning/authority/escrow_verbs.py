"""landlink-hq split-escrow, join-escrow: the escrow key in three shares, of which any two make it again."""

import argparse
import sys
from pathlib import Path
from typing import Final

from appliance.command import Verbs
from provisioning.authority.distribute import same_disk
from provisioning.authority.escrow_share import HOLDERS
from provisioning.authority.escrow_split import join_escrow, split_escrow
from provisioning.authority.home import Home

SPLIT: Final = """\
After `init` and after each `rotate escrow`: split the escrow key, with its former ones, into three files on media of
three persons, and remove it here. Any two of them make it again (`join-escrow`); one alone tells nothing of it, to
whatever computer. Each file says in words what it is.

Flash memory may keep what was removed: destroy the disk that `init` ran on, or have run it on an encrypted one.

Example: landlink-hq split-escrow /media/anna/escrow.1 /media/boun/escrow.2 /media/carl/escrow.3
"""
JOIN: Final = """\
Make the escrow key again from two shares, on a machine without a network, and check that it is the one that was split.
It opens every record. When it has served, split it again from a home, or destroy FILE; the shares stay good.

Example: landlink-hq join-escrow /media/anna/escrow.1 /media/carl/escrow.3 --out escrow.identity
"""


def add_escrow(verbs: Verbs) -> None:
    """Add the verbs to landlink-hq."""
    verb = verbs.add_parser("split-escrow", help="the escrow key in three shares", description=SPLIT)
    verb.add_argument("shares", type=Path, nargs=HOLDERS, metavar="SHARE", help="new files, one a person")
    verb.set_defaults(run=_split)
    verb = verbs.add_parser("join-escrow", help="the escrow key from two of its shares", description=JOIN)
    verb.add_argument("shares", type=Path, nargs=2, metavar="SHARE", help="two different ones of one split")
    verb.add_argument("--out", type=Path, required=True, metavar="FILE", help="new file for the key")
    verb.set_defaults(run=_join)


def _split(arguments: argparse.Namespace) -> int:
    home = Home.open(arguments.home)
    present, *former = split_escrow(home, arguments.shares)
    print(f"Shares: {', '.join(map(str, arguments.shares))}. Any two make the key again, and the whole one is removed.")
    print(f"Fingerprint of its public half: {present}")
    print("  It stands in every share; each person writes it down.")
    if former:
        print(f"Former keys are in the shares, too: {len(former)}.")
    print("Take the media out, one to each person. Try `join-escrow` once a year: a medium that fails is one of three.")
    if same := same_disk(home, [path.parent for path in arguments.shares]):
        print(
            f"But on the same disk as this home: {', '.join(map(str, same))}. Is the medium mounted?", file=sys.stderr
        )
    return 0


def _join(arguments: argparse.Namespace) -> int:
    one, other = arguments.shares
    present, *former = join_escrow(one, other, arguments.out)
    print(f"{arguments.out} is the escrow key; its public half is the one that both shares name.")
    print(f"Fingerprint of its public half: {present}")
    if former:
        print(f"Former keys are beside it, the oldest as {arguments.out.name}.1: {len(former)}.")
    print("It opens every record: destroy it when it has served. The shares stay good.")
    return 0
