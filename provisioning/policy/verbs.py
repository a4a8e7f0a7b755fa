"""landlink-hq policy: show, test and set the rules by which boxes decide."""

import argparse
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from rich.console import Console
from rich.table import Table

from appliance.command import Verbs
from appliance.formats.release import RULES_TARGET
from appliance.formats.rules import DEFAULT_RULES, Rules, encode_rules, parse_rules
from provisioning.audit.opened.records import RecordLine
from provisioning.authority.home import Home
from provisioning.authority.repository import Repository
from provisioning.command import json_line, now_ms, say
from provisioning.policy.change import next_rules, without_defaults
from provisioning.policy.recorded_cases import opened_cases, pulled_cases
from provisioning.policy.rules_file import read_rules_file
from provisioning.policy.trial import WEIGHTS, Trial, try_rules

CHANGES_SHOWN_MAX: Final = 200

POLICY: Final = """\
The rules by which every box decides: which band of a hit alerts, refers or is only noted, which finding refers, how
long a confirmation is waited for and what happens then, and from which age a list is remarked on.

  landlink-hq policy show > rules.json      take the rules in force
  (edit rules.json; the words are in appliance/formats/README.md, "Rules")
  landlink-hq policy test rules.json        what would they have done with the records that were pulled?
  landlink-hq policy set rules.json         sign and publish; boxes switch with the release

Some things no rule can lower: a page that was not read, a list that was not searched and a document whose number is
listed always refer.

Example: landlink-hq policy show
"""

SHOW: Final = """\
Print the rules in force as JSON, to edit and to give to `policy set`. Before any were set, these are the ones that
boxes are delivered with (number 1).

Example: landlink-hq policy show > rules.json
"""

SET: Final = """\
Check FILE, count its number up, sign it and publish it as the next release. FILE is an edit of the rules in force, and
carries their number: one of older rules is refused, so that two people do not undo each other's changes.

What is wrong is named with its line. Nothing is published before everything holds.

Example: landlink-hq policy set rules.json
"""

TEST: Final = """\
Judge recorded cases again by the rules in FILE, with the code that runs on the boxes, and say what would change: how
many alert, refer, are only noted, or are clear, as recorded and with FILE; then each record that changes, by its
identifier alone. Nothing is published, nothing is written.

The cases are the pulled copies of this home (landlink-hq pull), or with --over what `landlink-hq open` wrote: a file,
or a folder with opened.jsonl (as a rehearsal leaves it). They are judged by the hits that the boxes had then.

Exit code 1, with --strict: a record that referred would now pass.
Example: landlink-hq policy test rules.json --over rehearsal --strict
"""


def add_verbs(verbs: Verbs) -> None:
    """Add `policy` to landlink-hq."""
    policy = verbs.add_parser("policy", help="the rules by which boxes decide", description=POLICY).add_subparsers(
        dest="what", required=True, metavar="WHAT"
    )
    verb = policy.add_parser("show", help="print the rules in force", description=SHOW)
    verb.set_defaults(run=_show)
    verb = policy.add_parser("test", help="try rules on recorded cases", description=TEST)
    verb.add_argument("file", type=Path, metavar="FILE", help="rules, as `policy show` prints them")
    verb.add_argument("--over", type=Path, metavar="PATH", help="a file of `landlink-hq open`, or a folder with one")
    verb.add_argument("--strict", action="store_true", help="exit code 1 when a record that referred would now pass")
    verb.add_argument("--json", action="store_true", help="for scripts")
    verb.set_defaults(run=_test)
    verb = policy.add_parser("set", help="sign and publish rules", description=SET)
    verb.add_argument("file", type=Path, metavar="FILE", help="rules, as `policy show` prints them")
    verb.set_defaults(run=_set)


def _in_force(home: Home) -> Rules:
    data = Repository(home.folder).target(RULES_TARGET)
    return DEFAULT_RULES if data is None else parse_rules(data)


def _show(arguments: argparse.Namespace) -> int:
    print(without_defaults(_in_force(Home.open(arguments.home))))
    return 0


def _set(arguments: argparse.Namespace) -> int:
    home = Home.open(arguments.home)
    rules = next_rules(read_rules_file(arguments.file), _in_force(home))
    policy = Repository(home.folder).publish({RULES_TARGET: encode_rules(rules)}, at_ms=now_ms())
    print(f"Rules {rules.version} ({rules.title}) are published with release {policy.version}.")
    print("Boxes switch with that release; `landlink-hq policy show` prints them with their new number.")
    return 0


def _test(arguments: argparse.Namespace) -> int:
    rules = read_rules_file(arguments.file)
    trial = try_rules(rules, _cases(arguments))
    if arguments.json:
        print(json_line(trial))
    else:
        _print(trial)
    return int(arguments.strict and bool(trial.passes))


def _cases(arguments: argparse.Namespace) -> Iterator[RecordLine]:
    return pulled_cases(Home.open(arguments.home)) if arguments.over is None else opened_cases(arguments.over)


def _print(trial: Trial) -> None:
    table = Table("", "as recorded", "with these rules", title=f"{trial.records} records", title_justify="left")
    for weight in WEIGHTS:
        table.add_row(weight, str(trial.was[weight]), str(trial.now[weight]))
    Console().print(table)
    for change in trial.changes[:CHANGES_SHOWN_MAX]:
        say(f"{change.record_id}  {change.was} -> {change.now}  {change.why}")
    if len(trial.changes) > CHANGES_SHOWN_MAX:
        print(f"and {len(trial.changes) - CHANGES_SHOWN_MAX} more; --json has all of them")
    if trial.passes:
        print(f"Records that referred and would now pass: {len(trial.passes)}.")
    elif trial.changes:
        print("No record that referred would now pass.")
    else:
        print("Nothing would change.")
