"""landlink-hq's verbs of evidence: exhibit, custody."""

from pathlib import Path
from typing import Final

from provisioning.command import RAW, Verbs
from provisioning.exhibit.exhibit_verb import run_exhibit

EXHIBIT: Final = """\
Write one folder for a court: a record with all that belongs to it, what proves that it is complete and unaltered, when
it was made, who at headquarters had it in their hands, a report to read and a page that verifies all of it offline.
RECORD is the record's identifier, or how it begins, as `find` prints it.

What is written holds personal data: DIR is readable for its owner alone. That it was made is an entry of headquarters'
own log (`landlink-hq custody`) before it appears.

With --check nothing is written: DIR is checked, offline and without this home's keys. Exit code 1 names what broke.
Example: landlink-hq exhibit 4f1d22 --out case-17 --case "District court, case 17"
"""


def add_verbs(verbs: Verbs) -> None:
    """Add the verbs of evidence to landlink-hq."""
    verb = verbs.add_parser("exhibit", help="write a folder for a court", description=EXHIBIT, formatter_class=RAW)
    verb.add_argument("record", nargs="?", default="", metavar="RECORD", help="identifier of the record")
    verb.add_argument("--out", type=Path, metavar="DIR", help="the folder to write; it must not exist")
    verb.add_argument("--case", default="", metavar="TEXT", help="for what case")
    verb.add_argument("--box", metavar="SERIAL", help="only this box (all)")
    verb.add_argument("--as", dest="operator", metavar="NAME", help="who asks (the user of this machine)")
    verb.add_argument("--check", type=Path, metavar="DIR", help="check an exhibit instead")
    verb.set_defaults(run=run_exhibit)
