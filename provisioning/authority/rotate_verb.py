"""landlink-hq rotate: the key that follows: of what records are sealed to, an online key, one of TLS."""

import argparse
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from appliance.command import Verbs
from appliance.errors import ConfigError, Misuse
from appliance.files import write_durably
from appliance.formats.enrolment import fingerprint
from provisioning.authority.box_keys import rotate_voice
from provisioning.authority.ceremony import ROTATE as ROTATE_ACT
from provisioning.authority.ceremony import act_here
from provisioning.authority.certificates import AUDITOR, PEERS, Authority, make_peer
from provisioning.authority.home import Home
from provisioning.authority.identities import identity_file
from provisioning.authority.keys import CUSTODY
from provisioning.authority.next_authority import refuse_early, rotate_authority
from provisioning.authority.online_keys import ONLINE_KEYS, settle
from provisioning.authority.recipients import FIELDS, next_recipient, publish_recipient, read_recipient
from provisioning.authority.repository import Repository
from provisioning.authority.signings import last_signing
from provisioning.command import now_ms

ROTATE: Final = """\
Begin the next key that records are sealed to. Boxes seal to it from the release on that this makes; each says so in
its log and seals a canary, and deletes nothing of its time before headquarters has opened that. The former key stays
beside it (record.identity.1 and so on): it opens what was sealed until then, on boxes without a link weeks later still.

  rotate record                     where record.identity and two offline keys are both here
  rotate record --out FILE          where record.identity belongs: make the next one, write its public half
  rotate record --recipient FILE    where the offline keys are brought: publish that public half

Both of the latter print a fingerprint, which the two people compare. An interrupted `rotate` is simply done again.

  rotate snapshot                   an online key (timestamp, lists, policy, receipts, cosign-ed25519, cosign-mldsa44,
                                    answers, directives, custody): a new one takes its place, the former is deleted

Snapshot and timestamp need two root keys, the others two offline keys. Where these are on other machines: ceremony.

  rotate voice-master               what voice codes follow from: every box is sent its new key, by link or stick; for a
                                    box that has not got it, `voice --former 1`

  rotate auditor                    the auditor's TLS key and certificate (collector: the collector's), where the
                                    authority's key (ca/ca.key) is; before it ends, or when the key is lost
  rotate ca                         the authority of TLS itself: then every box joins again, then rotate collector and
                                    auditor; until these, nobody is locked out

Example: landlink-hq rotate record
"""
AUTHORITY: Final = "ca"
VOICE: Final = "voice-master"
BELONGS: Final = {
    "record": "on the auditor's desk",
    "escrow": "split and locked away; join-escrow makes it",
    "protection": "with the protection unit",
}


def add_rotate(verbs: Verbs) -> None:
    """Add the verb to landlink-hq."""
    verb = verbs.add_parser(
        "rotate", help="begin the next key: of records, or of headquarters itself", description=ROTATE
    )
    verb.add_argument(
        "key",
        choices=(*FIELDS, *ONLINE_KEYS, VOICE, *PEERS, AUTHORITY),
        metavar="KEY",
        help=f"{', '.join(FIELDS)}: what records are sealed to; "
        f"{', '.join(ONLINE_KEYS)}: what headquarters signs with; {VOICE}: voice codes; "
        f"{', '.join((*PEERS, AUTHORITY))}: TLS",
    )
    half = verb.add_mutually_exclusive_group()
    half.add_argument("--out", type=Path, metavar="FILE", help="make it here, publish nothing")
    half.add_argument("--recipient", type=Path, metavar="FILE", help="publish the public half that was carried here")
    verb.set_defaults(run=_rotate)


def _rotate(arguments: argparse.Namespace) -> int:
    home, name = Home.open(arguments.home), arguments.key
    if name not in FIELDS and (arguments.out, arguments.recipient) != (None, None):
        raise Misuse(f"--out and --recipient are for {', '.join(FIELDS)}; {name} is made and used here")
    if name in ONLINE_KEYS:
        return _rotate_online(home, name)
    if name == AUTHORITY:
        return _rotate_authority(home)
    if name == VOICE:
        return _rotate_voice(home)
    if name in PEERS:
        return _rotate_peer(home, name)
    if arguments.recipient is not None:
        recipient = read_recipient(arguments.recipient)
    else:
        path = identity_file(home.folder, name)
        if not path.exists():
            raise ConfigError(
                f"{path.name} is not here; it belongs {BELONGS[name]}. There: landlink-hq rotate {name} --out FILE; "
                f"then here: landlink-hq rotate {name} --recipient FILE"
            )
        recipient = next_recipient(home, name)
        print(f"{path.name} is a new key; the former ones beside it open what was sealed before.")
    print(f"Fingerprint of its public half: {fingerprint(recipient.encode('ascii'))}")
    if arguments.out is not None:
        write_durably(arguments.out, f"{recipient}\n".encode("ascii"), mode=0o644)
        print(f"Next: carry {arguments.out} to the offline keys: landlink-hq rotate {name} --recipient FILE,")
        print("  and compare the fingerprint there.")
        return 0
    published = publish_recipient(home, name, recipient, at_ms=now_ms())
    print(f"Recipients {published.version} are published; boxes seal to them when they have that release.")
    print(f"Signed: {last_signing(home, 'recipients')}")
    print("Keep every former key: it alone opens what was sealed in its time.")
    return 0


def _rotate_authority(home: Home) -> int:
    left = rotate_authority(home, now=datetime.fromtimestamp(now_ms() / 1000, UTC))
    print(f"ca.key in {home.ca} is a new authority; it and the one before are trusted. Start the collector anew.")
    if left:
        print(f"Next: each box joins again (landlink-box request, issue, accept): {', '.join(left)}.")
    print("Then: landlink-hq rotate collector, landlink-hq rotate auditor.")
    return 0


def _rotate_voice(home: Home) -> int:
    told = rotate_voice(home, at_ms=now_ms())
    print(f"{VOICE} is a new secret; its key is on its way to {', '.join(told) or 'no box: there is none'}.")
    print("Next: landlink-hq stick, for boxes without a link; until a box has it: landlink-hq voice --former 1.")
    print("A desk that has a copy of its own needs the new one, and the former ones.")
    return 0


def _rotate_peer(home: Home, name: str) -> int:
    now = datetime.fromtimestamp(now_ms() / 1000, UTC)
    refuse_early(home, name)
    host = home.settings.collector_host
    made = make_peer(home.ca, Authority.open(home.ca), name, collector_host=host, now=now)
    print(f"{name}.key and {name}.crt in {home.ca} are new, valid until {made.not_valid_after_utc:%Y-%m-%d}.")
    print("A collector that runs goes on with it when it is started anew; it lets the former one in no more.")
    if name == AUDITOR:
        print(
            "Next: carry both to the auditor's desk. Boxes serve the former one, too, until its end is proven to them."
        )
    return 0


def _rotate_online(home: Home, name: str) -> int:
    if name in settle(home):
        Repository(home.folder).publish({}, at_ms=now_ms())
        print(f"{name}.pem is the new key now: what an interrupted `rotate` had published is complete.")
        return 0
    proposal = act_here(home, ROTATE_ACT, name, at_ms=now_ms())
    print(f"{name}.pem is a new key; the former one is deleted, and boxes refuse it from the next mirror on.")
    for role in proposal.drafts:
        print(f"Signed: {last_signing(home, role)}")
    if name == CUSTODY:
        print(
            "Headquarters' own log goes on under it with the next act; former exhibits hold by the key of their time."
        )
    else:
        print("A collector or duty desk that runs goes on with it when it is started anew.")
    return 0
