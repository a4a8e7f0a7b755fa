"""landlink-hq's verbs of the auditor: what is pulled is verified, opened, searched, counted and, on order, erased."""

import argparse
from pathlib import Path
from typing import Final

from appliance.command import Verbs, whole_number
from provisioning.audit.disk_verb import run_disk
from provisioning.audit.erase_verb import run_erase
from provisioning.audit.fingerprint_verb import run_fingerprint
from provisioning.audit.log_verb import run_log
from provisioning.audit.opened.reading import run_find, run_open, run_report
from provisioning.audit.opened.replay_verb import run_replay
from provisioning.audit.pull_verb import run_pull
from provisioning.audit.verify_verb import run_verify
from provisioning.audit.when_verb import run_when
from provisioning.audit.witness_verb import add_witness_verb

PULL: Final = """\
Fetch what is new of every box's log and its sealed bodies, and verify it on the way: the signature of each checkpoint,
that the log only grew, every entry under the key valid at its place, every body's hash.

SOURCE is a folder (a box's state folder or its card, a stick with any number of boxes, a mirror: any tlog-tiles tree)
or an https address of a collector, or of a box that serves its log. Without it, the collector of this home is asked for
every box. A pull that broke off goes on where it was. What held is cosigned; a box that was asked itself keeps that,
and `landlink-hq stick` carries it to the others.

What contradicts what was seen before is refused by name (rollback, clone, re-signed, reset, fork, foreign key), and
both signed checkpoints are kept in a folder that proves it to anybody. Where a policy (C2SP tlog-policy) names
witnesses, those with an address are asked, and a checkpoint without the quorum is named.
Exit code 1: something is not as it should be, and is named. 76: a log contradicts itself.
Example: landlink-hq pull /media/stick            next: landlink-hq verify, landlink-hq open
"""

VERIFY: Final = """\
Verify everything that was pulled, from nothing and without a network: every tile, entry, certificate, body and kept
proof. Writes nothing.

Exit code 0: all of it holds. 1: something does not, and is named.
Example: landlink-hq verify --box LA-0001
"""

OPEN: Final = """\
Open the sealed bodies with record.identity and write one JSON line a document, in the order of the log, with what was
done with the person folded in. The lines hold personal data: FILE is made readable for its owner alone.
How far each log could be opened is written to FOLDER/opened, which the collector tells the boxes; who opened, to
headquarters' own log.

Exit code 1: something of a log does not hold, or did not open.
Example: landlink-hq open --out opened.jsonl --why "case 17"
"""

FIND: Final = """\
Search the opened records; every part that is given must hold. Bodies are opened for the search and not kept; who
searched for what is sealed into headquarters' own log.

Exit code 1: something of a log does not hold, and is named.
Example: landlink-hq find --name "phommasack" --from 2026-11-01 --to 2026-11-30
"""

LOG: Final = """\
Print every entry of the logs that were pulled, in order: when its box claims that it was made and what is proven of
that, and what it says. What is sealed stays sealed. Times of --from and --to are claimed times, moved into what is
proven. EVENT is one of those that --events explains.

Exit code 1: an entry does not hold, and is named.
Example: landlink-hq log --box LA-0001 --from 2026-11-03 --event lid_changed --event clock_stepped
"""

WHEN: Final = """\
Print what is proven of the time of one entry, by which of headquarters' own signatures, and what its box claims: wall
time with who vouches for it, boot, distance in milliseconds to its neighbours by the boot-time clock.

RECORD is a record's identifier, or how it begins (bodies are opened to find it); or LOG:INDEX, with LOG as la-0001.1.
Exit code 1: what is proven contradicts itself.
Example: landlink-hq when la-0001.1:17
"""

ERASE: Final = """\
Destroy the sealed bodies of a record and of all that belongs to it, or of every record that is proven older than DAYS
(--routine: only of those where nothing was found). The log stays whole: that something was recorded then, and where,
stays provable; what it was does not. The order is an entry of headquarters' own log before anything goes, `verify` says
"erased on order of", and no pull fetches a body again. --dry-run counts and destroys nothing, but opens bodies for it,
which headquarters' own log says. An order that was interrupted goes on at the next call.

Not destroyed: lines that `open` wrote, exhibits that were made, blocks that a storage keeps after a file is removed,
the canaries, a note of a hand-over that other records share. Run it at the collector too, with --finish --data DIR.
Example: landlink-hq erase --older-than 365 --routine --why "retention rule of 2026" --data /var/lib/landlink-collector
"""

DISK: Final = """\
What takes how much here: logs, bodies, releases; each log by itself; and how long there is room at the rate of the last
days, in bytes and days. What is too old is destroyed by `landlink-hq erase`.

Example: landlink-hq disk --box LA-0001
"""

FINGERPRINT: Final = """\
Hold a line of the paper register against the logs that were pulled: how many entries the written fingerprint stands
for, and when the last of them was made. A slip of the pen is told from a contradiction by the check symbol.

Exit code 1: no log that was pulled ever had this fingerprint, or not with so many entries.
Example: landlink-hq fingerprint K7Q2-M9TX-3FJH-W0C5 --entries 812 --box LA-0001
"""

REPORT: Final = """\
Count what was pulled, per box and day: documents, referrals, hits, what was done, what nobody has answered yet, and
what headquarters does not have. A report holds nothing personal.

Exit code 1: something of a log does not hold, and is named.
Example: landlink-hq report --json
"""

REPLAY: Final = """\
Work the hits of a record out again, from the record alone and with the code that boxes screen with, and print band and
verdicts as recorded beside what they come to. RECORD is the record's identifier, or how it begins.

Without --opened the records that were pulled are opened for it. With --all only what differs is printed.
Exit code 1: something differs.
Example: landlink-hq replay --all --opened opened.jsonl
"""


def add_verbs(verbs: Verbs) -> None:
    """Add the auditor's verbs to landlink-hq."""
    verb = _add(verbs, "pull", "fetch and verify what boxes recorded", PULL)
    verb.add_argument("source", nargs="?", metavar="SOURCE", help="folder or https address (this home's collector)")
    _add_policy(verb)
    verb.set_defaults(run=run_pull)
    verb = _add(verbs, "verify", "verify all that was pulled, offline", VERIFY)
    _add_policy(verb)
    verb.set_defaults(run=run_verify)
    add_witness_verb(verbs)
    verb = _add(verbs, "open", "open the records that were pulled", OPEN)
    verb.add_argument(
        "--out", type=Path, metavar="FILE", help="where to write the lines; is written over (standard output)"
    )
    _add_who(verb)
    verb.set_defaults(run=run_open)
    verb = _add(verbs, "find", "search the records", FIND)
    verb.add_argument("--number", metavar="NUMBER", help="document number; case, blanks and hyphens do not count")
    verb.add_argument("--name", metavar="WORDS", help="words that begin words of the name")
    verb.add_argument("--from", dest="since", metavar="TIME", help="YYYY-MM-DD or YYYY-MM-DDTHH:MM, UTC")
    verb.add_argument("--to", dest="until", metavar="TIME", help="the same; a day is meant with all its hours")
    verb.add_argument("--referred", action="store_true", help="only where the box asked for a person to look")
    verb.add_argument("--json", action="store_true", help="whole records, one a line")
    _add_who(verb)
    verb.set_defaults(run=run_find)
    verb = _add(verbs, "report", "count what happened, per box and day", REPORT)
    verb.add_argument("--json", action="store_true", help="for scripts")
    _add_who(verb)
    verb.set_defaults(run=run_report)
    verb = _add(verbs, "replay", "work hits out again from the record alone", REPLAY)
    verb.add_argument("record", nargs="?", default="", metavar="RECORD", help="identifier of one record")
    verb.add_argument("--all", action="store_true", help="every record")
    verb.add_argument("--opened", type=Path, metavar="FILE", help="lines that `landlink-hq open` wrote")
    _add_who(verb)
    verb.set_defaults(run=run_replay)
    _add_of_logs(verbs)


def _add_of_logs(verbs: Verbs) -> None:
    """Verbs about logs as a whole, and about what is kept of them."""
    verb = _add(verbs, "log", "print the entries of the logs, in plain words", LOG)
    verb.add_argument("--from", dest="since", metavar="TIME", help="YYYY-MM-DD or YYYY-MM-DDTHH:MM, UTC")
    verb.add_argument("--to", dest="until", metavar="TIME", help="the same; a day is meant with all its hours")
    verb.add_argument("--event", action="append", default=[], metavar="EVENT", help="only these; may be repeated (all)")
    verb.add_argument(
        "--events", action="store_true", help="print what events there are and what each may hold; no log"
    )
    verb.add_argument("--json", action="store_true", help="for scripts, an entry a line")
    verb.set_defaults(run=run_log)
    verb = _add(verbs, "when", "when an entry was made: what is proven, what is claimed", WHEN)
    verb.add_argument("record", metavar="RECORD", help="identifier of a record, or LOG:INDEX")
    _add_who(verb)
    verb.set_defaults(run=run_when)
    verb = _add(verbs, "erase", "destroy bodies on order; the log stays whole", ERASE)
    verb.add_argument("record", nargs="?", default="", metavar="RECORD", help="identifier of one record")
    verb.add_argument(
        "--older-than",
        type=whole_number("days", least=1, most=36_500),
        default=0,
        metavar="DAYS",
        help="every record proven older",
    )
    verb.add_argument("--routine", action="store_true", help="of those, only where nothing was found")
    verb.add_argument("--data", type=Path, metavar="DIR", help="the collector's folder, where it is on this machine")
    verb.add_argument("--dry-run", action="store_true", help="count, and destroy nothing")
    verb.add_argument("--finish", action="store_true", help="only finish earlier orders")
    _add_who(verb)
    verb.set_defaults(run=run_erase)
    verb = _add(verbs, "disk", "what takes how much, and how long there is room", DISK)
    verb.set_defaults(run=run_disk)
    verb = _add(verbs, "fingerprint", "check a line of the paper register", FINGERPRINT)
    verb.add_argument("written", metavar="FINGERPRINT", help="as it stands in the book")
    verb.add_argument(
        "--entries",
        type=whole_number("entries", least=1, most=10**12),
        metavar="N",
        help="how many entries the book says",
    )
    verb.set_defaults(run=run_fingerprint)


def _add(verbs: Verbs, name: str, words: str, description: str) -> argparse.ArgumentParser:
    verb = verbs.add_parser(name, help=words, description=description)
    verb.add_argument("--box", metavar="SERIAL", help="only this box (all)")
    return verb


def _add_policy(verb: argparse.ArgumentParser) -> None:
    """Which witnesses must have seen what is pulled."""
    verb.add_argument(
        "--policy",
        type=Path,
        metavar="FILE",
        help="witnesses that must have signed (witness.policy of the home, if any)",
    )


def _add_who(verb: argparse.ArgumentParser) -> None:
    """Who opens bodies, and why: both go into headquarters' own log."""
    verb.add_argument("--as", dest="operator", metavar="NAME", help="who asks (the user of this machine)")
    verb.add_argument("--why", default="", metavar="TEXT", help="for what; sealed in headquarters' own log")
