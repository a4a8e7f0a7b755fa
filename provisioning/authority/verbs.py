"""landlink-hq's verbs of the authority: its home, its boxes, and its keys' way to three persons."""

import argparse
import sys
from pathlib import Path

import msgspec
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from appliance.command import Verbs
from appliance.errors import Misuse
from appliance.model import Mode
from provisioning.authority import ceremony_verbs, escrow_verbs, list_verbs, replace_verb, rotate_verb
from provisioning.authority.distribute import HOLDERS, distribute, same_disk
from provisioning.authority.enrolment import issue, read_request
from provisioning.authority.home import Home, Settings
from provisioning.authority.roster import read_roster, revoke
from provisioning.authority.setup import make_headquarters
from provisioning.authority.signings import last_signing, signings
from provisioning.authority.stick import plan_stick, write_stick
from provisioning.authority.upgrade import upgrade
from provisioning.command import now_ms

INIT = """\
Make headquarters: every key, the certificate authority, and the first release for boxes, in the folder --home.

Afterwards, `distribute` moves root-*.pem and offline-*.pem of FOLDER/keys to the media of three persons, of whom two
come back for `issue`, `revoke` and `rotate`; `split-escrow` shares out escrow.identity. FOLDER/record.identity
opens every record: it belongs on the auditor's desk alone.

Example: landlink-hq init --domain landlink.example --collector collect.landlink.example:8443
"""

ISSUE = """\
Enrol a box. Its technician made REQUEST on the box with `landlink-box request`; carry it here, compare the fingerprint
that is printed with the one that the box showed, and carry the answer back for `landlink-box accept`.

The same box may ask again with the same keys; it gets a new certificate. A serial never passes to another box. Two of
three offline keys sign the roster that has it: here, or before, on their holders' machines (`ceremony begin DIR enrol
--request REQUEST`); then the answer is made without any of them.

Example: landlink-hq issue la-0001.request --out la-0001.answer --serial LA-0001
"""

REVOKE = """\
A box that is lost, stolen or retired: its certificate no longer opens the collector, and every box learns of it with
the next release. What it recorded before stays in its log and stays verifiable.

Example: landlink-hq revoke LA-0001
"""

DISTRIBUTE = """\
After `init`: move the keys that need two of three persons to three media, one root key and one offline key to each.
Here a link stays in the place of each. Whoever needs them (`issue`, `revoke`, `rotate`, `upgrade`) has two of the
three persons put their media in, mounted where they are now, and take them away afterwards; one alone signs nothing.

Flash memory may keep what was removed: destroy the disk that `init` ran on, or have run it on an encrypted one.

Example: landlink-hq distribute /media/anna /media/boun /media/carl
"""

UPGRADE = """\
A home that was made before a key existed gets it: of answers, of keys for boxes (with the secret of voice codes), of
headquarters' own log. Boxes learn of them with the release that this publishes (2 of the 3 offline keys). A home that
has them all is left as it is; so is a key that another desk holds.

Example: landlink-hq upgrade
"""

STICK = """\
Write the release in force, the sealed messages to boxes, and what headquarters cosigned of the logs that it pulled onto
a stick, for posts without a link. What an earlier stick of headquarters carried is replaced; other files on it are
left. A box verifies all of it, so any hand may carry it. At the box: put it in; `landlink-box status` says when it may
be pulled out.

Example: landlink-hq stick /media/stick --box LA-0001
"""


SIGNINGS = """\
Every step that root keys and offline keys signed: what, its version, the fingerprint that two persons compare when
they sign, and whose keys signed it. It is read from the metadata that is kept here: boxes verify that, this
list shows it.

Example: landlink-hq signings
"""

BOXES = """\
Print which boxes are enrolled, the logs of each, and which are revoked. Writes nothing.

Example: landlink-hq boxes --json
"""


def add_verbs(verbs: Verbs) -> None:
    """Add the authority's verbs to landlink-hq."""
    verb = verbs.add_parser("init", help="make headquarters' keys and papers", description=INIT)
    verb.add_argument(
        "--domain", required=True, help="headquarters' name, as landlink.example; half of every log's name"
    )
    verb.add_argument(
        "--collector", default="localhost:8443", metavar="HOST:PORT", help="where boxes deliver (%(default)s)"
    )
    verb.add_argument("--training", action="store_true", help="for training: never mixes with live records")
    verb.set_defaults(run=_init)
    verb = verbs.add_parser("issue", help="enrol a box", description=ISSUE)
    verb.add_argument("request", type=Path, metavar="REQUEST", help="the file that the box wrote")
    verb.add_argument("--out", type=Path, required=True, metavar="FOLDER", help="new folder for the answer")
    verb.add_argument("--serial", help="the serial on the order; a request of another box is then refused")
    verb.set_defaults(run=_issue)
    verb = verbs.add_parser("revoke", help="end a box's trust", description=REVOKE)
    verb.add_argument("serial", metavar="SERIAL", help="as on the label")
    verb.set_defaults(run=_revoke)
    verb = verbs.add_parser("boxes", help="which boxes are enrolled", description=BOXES)
    verb.add_argument("--json", action="store_true", help="for scripts")
    verb.set_defaults(run=_boxes)
    verb = verbs.add_parser("stick", help="lists and messages for a post without a link", description=STICK)
    verb.add_argument("folder", type=Path, metavar="FOLDER", help="where the stick is mounted")
    verb.add_argument("--box", metavar="SERIAL", help="with messages to this box alone (all)")
    verb.set_defaults(run=_stick)
    verb = verbs.add_parser("distribute", help="keys of three persons to their media", description=DISTRIBUTE)
    verb.add_argument("media", type=Path, nargs=HOLDERS, metavar="FOLDER", help="where the three media are mounted")
    verb.set_defaults(run=_distribute)
    verb = verbs.add_parser("upgrade", help="keys that a home from before lacks", description=UPGRADE)
    verb.set_defaults(run=_upgrade)
    verb = verbs.add_parser("signings", help="what the keys of three persons signed", description=SIGNINGS)
    verb.set_defaults(run=_signings)
    list_verbs.add_verbs(verbs)
    rotate_verb.add_rotate(verbs)
    replace_verb.add_replace(verbs)
    ceremony_verbs.add_ceremony(verbs)
    escrow_verbs.add_escrow(verbs)


def _init(arguments: argparse.Namespace) -> int:
    host, colon, port = arguments.collector.rpartition(":")
    if not colon or not port.isdecimal():
        raise Misuse(f"--collector {arguments.collector}: give HOST:PORT")
    fields = {
        "domain": arguments.domain,
        "mode": Mode.TRAINING if arguments.training else Mode.LIVE,
        "collector_host": host,
        "collector_port": int(port),
    }
    try:
        settings = msgspec.convert(fields, Settings)
    except msgspec.ValidationError as error:
        raise Misuse(str(error)) from None
    home = make_headquarters(arguments.home, settings, now_ms=now_ms())
    print(f"Headquarters of {home.settings.domain} ({home.settings.mode}) is in {home.folder}.")
    print("Lock away: keys/root-*.pem, keys/offline-*.pem, escrow.identity. record.identity opens every record.")
    print("Next: landlink-hq import, publish; landlink-hq collect; landlink-hq issue REQUEST --out ANSWER.")
    return 0


def _issue(arguments: argparse.Namespace) -> int:
    home = Home.open(arguments.home)
    issued = issue(home, read_request(arguments.request), arguments.out, serial=arguments.serial, now_ms=now_ms())
    done = "answered again; its earlier certificate no longer counts" if issued.again else "enrolled"
    print(f"Box {issued.serial} is {done}. Its log is {issued.origin}.")
    print(f"Signed: {last_signing(home, 'roster')}")
    print(f"Fingerprint of the request: {issued.request_fingerprint}")
    print("  Compare it with the one that the box showed; if it differs: landlink-hq revoke", issued.serial)
    print(f"Fingerprint of headquarters: {issued.root_fingerprint}")
    print("  The box shows it when it accepts; it must be the same.")
    print(f"Its certificate ends on {issued.valid_until:%Y-%m-%d}.")
    print(f"Next: carry {arguments.out} to the box and run there: landlink-box accept {arguments.out.name}")
    return 0


def _revoke(arguments: argparse.Namespace) -> int:
    home = Home.open(arguments.home)
    roster = revoke(home, arguments.serial, at_ms=now_ms())
    print(f"Box {arguments.serial} is revoked (roster {roster.version}, published).")
    print(f"Signed: {last_signing(home, 'roster')}")
    print("The collector refuses it from now on. What it delivered before stays; `landlink-hq pull` still verifies it.")
    return 0


def _distribute(arguments: argparse.Namespace) -> int:
    home = Home.open(arguments.home)
    for place, names in distribute(home, arguments.media).items():
        print(f"{place}: {', '.join(names)}")
    print("None of them is in this home any more. Take the media out, one to each person.")
    if same := same_disk(home, arguments.media):
        print(
            f"But on the same disk as this home: {', '.join(map(str, same))}. Is the medium mounted?", file=sys.stderr
        )
    return 0


def _signings(arguments: argparse.Namespace) -> int:
    for step in signings(Home.open(arguments.home)):
        print(step)
    return 0


def _upgrade(arguments: argparse.Namespace) -> int:
    made = upgrade(Home.open(arguments.home), at_ms=now_ms())
    if not made:
        print("This home lacks no key. Nothing was changed.")
        return 0
    print(f"New keys, which boxes know from the release on that is published now: {', '.join(made)}.")
    print("Bring each to where it belongs (provisioning/authority/README.md, who holds what).")
    return 0


def _stick(arguments: argparse.Namespace) -> int:
    plan = plan_stick(Home.open(arguments.home), arguments.box)
    mounted = arguments.folder.is_dir()
    with Progress(console=Console(stderr=True), disable=not sys.stderr.isatty()) as progress:
        bar = progress.add_task("writing", total=plan.size)
        write_stick(plan, arguments.folder, lambda size: progress.advance(bar, size))
    messages = sum(plan.boxes.values())
    boxes = ", ".join(serial for serial, count in plan.boxes.items() if count) or "no box"
    print(f"The stick in {arguments.folder} carries the release in force and {messages} messages ({boxes}).")
    if plan.cosigned:
        print(f"Checkpoints that headquarters cosigned are on it, too: of {len(plan.cosigned)} logs.")
    print(f"{plan.size / 1_000_000:.1f} MB. Unmount it, carry it to the post, put it into the box.")
    if not mounted:
        print(f"But {arguments.folder} was not there, and was made: is the stick mounted elsewhere?", file=sys.stderr)
    return 0


def _boxes(arguments: argparse.Namespace) -> int:
    boxes = read_roster(Home.open(arguments.home)).boxes
    if arguments.json:
        rows = [{"serial": box.serial, "origins": list(box.origins), "revoked": box.revoked} for box in boxes]
        print(msgspec.json.encode(rows).decode())
        return 0
    if not boxes:
        print("No box is enrolled. Next: landlink-hq issue REQUEST --out ANSWER.")
        return 0
    table = Table("box", "logs", "trust")
    for box in boxes:
        table.add_row(box.serial, "\n".join(box.origins), "revoked" if box.revoked else "trusted")
    Console().print(table)
    return 0
