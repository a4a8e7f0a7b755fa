"""What `landlink-hq exhibit` does, and how it tells it."""

import argparse
from pathlib import Path

from appliance.errors import Refused
from provisioning.audit.checking import pulled_logs
from provisioning.audit.log import logs_of, trust_of
from provisioning.audit.progress import bars
from provisioning.audit.store import PulledLog
from provisioning.authority.home import Home
from provisioning.authority.roster import read_roster
from provisioning.command import now_ms, say
from provisioning.exhibit.act import Did
from provisioning.exhibit.assembling import Order
from provisioning.exhibit.checking import check_exhibit
from provisioning.exhibit.custody import CustodyLog, Words, operator
from provisioning.exhibit.entry import whole
from provisioning.exhibit.folder import refuse_existing, write_folder
from provisioning.exhibit.making import record_exhibit
from provisioning.exhibit.redacting import redacting
from provisioning.exhibit.search import look, missing, openers, pick
from provisioning.exhibit.signatures import shown_by_headquarters

PREFIX_MIN = 4


def run_exhibit(arguments: argparse.Namespace) -> int:
    """The verb; returns its exit code."""
    if arguments.check is not None:
        return _check(arguments.check)
    if arguments.out is None:
        raise Refused("say where to write it: --out DIR")
    prefix = arguments.record.lower()
    if len(prefix) < PREFIX_MIN or any(digit not in "0123456789abcdef" for digit in prefix):
        raise Refused(
            "RECORD is an identifier in hexadecimal, or at least its first 4 digits; `landlink-hq find` prints it"
        )
    refuse_existing(arguments.out)
    shape = redacting(arguments.keep) if arguments.redact else whole
    if arguments.keep and not arguments.redact:
        raise Refused("--keep says what a redacted copy keeps; it goes with --redact")
    home = Home.open(arguments.home)
    keys, roster = openers(home), read_roster(home)
    logs = pulled_logs(home, logs_of(home, roster, arguments.box))
    custody, by = CustodyLog(home), operator(arguments.operator)
    with bars() as shown:
        seen = [look(PulledLog(log, home.pulled_log(log.origin)), keys, prefix, shown.bar(log.origin)) for log in logs]
    where, main = pick(prefix, seen, keys)
    signed, problems = shown_by_headquarters(where.kept, trust_of(roster))
    problems += missing(where)
    custody.write(Did.EXPORTED, by, records=[main.record.record_id], words=Words(why=arguments.case))
    order = Order(
        made_ms=now_ms(),
        made_by=by,
        case=arguments.case,
        domain=home.settings.domain,
        mode=home.settings.mode,
        serial=where.kept.log.box.serial,
        origin=where.kept.log.origin,
        redacted=arguments.redact,
        problems=tuple(problems),
    )
    exhibit, pieces = record_exhibit(home, where, main, keys, signed, order, shape)
    write_folder(arguments.out, exhibit, pieces)
    _tell(arguments.out, main.record.record_id, len(exhibit.related))
    return 0


def _tell(out: Path, record_id: str, related: int) -> None:
    print(f"{out}: record {record_id} with {related} entries that belong to it")
    print(f"  next: open {out / 'verify.html'}; landlink-hq custody handover {out} --to NAME")


def _check(folder: Path) -> int:
    exhibit, problems = check_exhibit(folder)
    for problem in problems:
        say(f"  {problem}")
    if exhibit is None or problems:
        print(f"{folder}: NOT all as it should be")
        return 1
    entry = exhibit.entry
    what = "" if entry is None else f": entry {entry.index} of {exhibit.origin}"
    print(f"{folder}{what}; all of it holds, from this root of headquarters: {exhibit.trust.root_sha256}")
    return 0
