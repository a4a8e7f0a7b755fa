"""landlink-hq's verbs of evidence: exhibit, custody."""

from pathlib import Path
from typing import Final

from appliance.command import Verbs
from provisioning.exhibit.custody_verb import run_handover, run_show, run_verify
from provisioning.exhibit.exhibit_verb import run_exhibit
from provisioning.exhibit.redacting import KEEPABLE

EXHIBIT: Final = """\
Write one folder for a court: a record with all that belongs to it, what proves that it is complete and unaltered, when
it was made, who at headquarters had it in their hands, a report to read and a page that verifies all of it offline.
RECORD is the record's identifier, or how it begins, as `find` prints it.

What is written holds personal data: DIR is readable for its owner alone. That it was made is an entry of headquarters'
own log (`landlink-hq custody`) before it appears.

With --none it shows that no crossing was recorded at a box between two times, or none with one document: all leaves
that can be of that time, the signed trees around them, how many sealed entries headquarters opened, and for what part
of the time less is proven, and why. It is refused where a record answers.

With --redact the copy has no personal data but the fields that --keep names, and neither the sealed body nor the bytes
of the record; statement, place and time stay and can be verified. Who has the full copy can check by the commitment.

With --check nothing is written: DIR is checked, offline and without this home's keys.

Exit code 1, with --check: a file is not what it was; it is named.
Example: landlink-hq exhibit 4f1d22 --out case-17 --case "District court, case 17"
"""

CUSTODY: Final = """\
Headquarters' own log: who opened, searched, exported and handed over records. Every act is in it before anything is
given out. Entries name records by their identifiers; words that may name people (what was asked for, and why) are
sealed, and may be destroyed without harm to the log.

Example: landlink-hq custody show --record 4f1d22
"""

SHOW: Final = """\
Print it, the oldest first. What was said in words is sealed, and opened with record.identity where it is here.

Example: landlink-hq custody show --record 4f1d22
"""

VERIFY: Final = """\
Verify it from nothing. With --against, also that it still begins as it stood when that exhibit was made: who rewrites
the log contradicts every exhibit that is out of the house. Writes nothing.

Exit code 1: something is wrong, and is named.
Example: landlink-hq custody verify --against case-17
"""

HANDOVER: Final = """\
Write down that an exhibit leaves the house: it is checked, and the hash of its SHA256SUMS becomes part of the entry, so
that the very files can be recognised. Do so before it is given away.

Example: landlink-hq custody handover case-17 --to "District court, registry" --by "K. Sisouk"
"""


def add_verbs(verbs: Verbs) -> None:
    """Add the verbs of evidence to landlink-hq."""
    verb = verbs.add_parser("exhibit", help="write a folder for a court", description=EXHIBIT)
    verb.add_argument("record", nargs="?", default="", metavar="RECORD", help="identifier of the record")
    verb.add_argument("--out", type=Path, metavar="DIR", help="the folder to write; it must not exist")
    verb.add_argument("--case", default="", metavar="TEXT", help="for what case")
    verb.add_argument("--none", action="store_true", help="that nothing was recorded, instead of a record")
    verb.add_argument("--from", dest="since", metavar="TIME", help="with --none: YYYY-MM-DD or YYYY-MM-DDTHH:MM, UTC")
    verb.add_argument("--to", dest="until", metavar="TIME", help="with --none: the same; a day with all its hours")
    verb.add_argument("--number", help="with --none: no crossing with this document")
    verb.add_argument("--log", metavar="ORIGIN", help="with --none: which log, where a box has several")
    verb.add_argument("--redact", action="store_true", help="without personal data, but what --keep names")
    verb.add_argument("--keep", nargs="+", default=[], metavar="FIELD", help=f"of {', '.join(KEEPABLE)}")
    verb.add_argument("--box", metavar="SERIAL", help="only this box (all)")
    verb.add_argument("--as", dest="operator", metavar="NAME", help="who asks (the user of this machine)")
    verb.add_argument("--evidence-only", action="store_true", help="neither report nor page")
    verb.add_argument("--check", type=Path, metavar="DIR", help="check an exhibit instead")
    verb.set_defaults(run=run_exhibit)
    custody = verbs.add_parser(
        "custody", help="who opened, exported and handed over records", description=CUSTODY
    ).add_subparsers(dest="what", required=True, metavar="WHAT")
    verb = custody.add_parser("show", help="print it", description=SHOW)
    verb.add_argument("--record", default="", metavar="RECORD", help="only what was done with this record alone")
    verb.add_argument("--json", action="store_true", help="one JSON line an entry")
    verb.set_defaults(run=run_show)
    verb = custody.add_parser("verify", help="verify it", description=VERIFY)
    verb.add_argument("--against", type=Path, metavar="EXHIBIT", help="an exhibit, or a checkpoint of this log")
    verb.set_defaults(run=run_verify)
    verb = custody.add_parser("handover", help="write down that an exhibit leaves the house", description=HANDOVER)
    verb.add_argument("exhibit", type=Path, metavar="EXHIBIT", help="its folder")
    verb.add_argument("--to", required=True, metavar="WHO", help="who takes it")
    verb.add_argument("--by", default="", metavar="WHO", help="who gives it (the user of this machine)")
    verb.add_argument("--why", default="", metavar="TEXT", help="for what (the exhibit's case)")
    verb.set_defaults(run=run_handover)
