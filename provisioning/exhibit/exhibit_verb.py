"""What `landlink-hq exhibit` does, and how it tells it."""

import argparse
import shlex
from pathlib import Path

from appliance.errors import Misuse, Refused
from appliance.formats.release import Roster
from provisioning.audit.chronology import moment
from provisioning.audit.log import logs_of, pulled_logs, trust_of
from provisioning.audit.opened.find import asked_number, parse_range, record_prefix
from provisioning.audit.opened.reading import note_use
from provisioning.audit.opened.search import look, missing, openers, pick
from provisioning.audit.progress import bars
from provisioning.audit.store import PulledLog
from provisioning.authority.home import Home
from provisioning.authority.roster import read_roster
from provisioning.command import entries_of, now_ms, say
from provisioning.custody.act import Did, Reach
from provisioning.custody.log import CustodyLog, Use, Words, operator
from provisioning.exhibit.assembling import Order
from provisioning.exhibit.checking import check_exhibit
from provisioning.exhibit.contents import Exhibit, Unproven
from provisioning.exhibit.entry import whole
from provisioning.exhibit.folder import refuse_existing, write_folder
from provisioning.exhibit.gathering import Gathered
from provisioning.exhibit.making import record_exhibit
from provisioning.exhibit.making_nothing import Asked, nothing_exhibit, nothing_found
from provisioning.exhibit.nothing import pass_over
from provisioning.exhibit.redacting import redacting
from provisioning.exhibit.signatures import shown_by_headquarters


def run_exhibit(arguments: argparse.Namespace) -> int:
    """The verb; returns its exit code."""
    if arguments.check is not None:
        return _check(arguments.check)
    if arguments.out is None:
        raise Misuse("say where to write it: --out DIR")
    if arguments.keep and not arguments.redact:
        raise Misuse("--keep says what a redacted copy keeps; it goes with --redact")
    if arguments.none and arguments.record:
        raise Misuse("--none says that nothing was recorded: it takes no RECORD")
    if not arguments.none and any((arguments.since, arguments.until, arguments.number, arguments.log)):
        raise Misuse("--from, --to, --number and --log go with --none; one record is an exhibit whole")
    refuse_existing(arguments.out)
    home = Home.open(arguments.home)
    return _nothing(home, arguments) if arguments.none else _record(home, arguments)


def _record(home: Home, arguments: argparse.Namespace) -> int:
    prefix = record_prefix(arguments.record)
    shape = redacting(arguments.keep) if arguments.redact else whole
    keys, roster = openers(home), read_roster(home)
    logs = [
        PulledLog(log, home.pulled_log(log.origin)) for log in pulled_logs(home, logs_of(home, roster, arguments.box))
    ]
    by = operator(arguments.operator)
    note_use(home, logs, Use(Did.SEARCHED, by, Words(why=arguments.case, asked=f"record {prefix}")))
    with bars() as shown:
        seen = [look(log, keys, prefix, shown.bar(log.log.origin)) for log in logs]
    where, main = pick(prefix, seen, keys)
    signed, problems = shown_by_headquarters(where.kept, trust_of(roster))
    others: list[Gathered] = []
    for other in seen:
        if other is not where and other.kept.log.box == where.kept.log.box:
            shown_of, words = shown_by_headquarters(other.kept, trust_of(roster))
            others.append(Gathered(seen=other, shown=shown_of))
            problems += [f"{other.kept.log.origin}: {each}" for each in [*words, *missing(other)]]
    CustodyLog(home).write(Did.EXPORTED, by, records=[main.record.record_id], words=Words(why=arguments.case))
    order = _order(home, arguments, where.kept, by, [*problems, *missing(where)])
    own = Gathered(seen=where, shown=signed)
    exhibit, pieces = record_exhibit(home, own, others, main, keys, order, shape)
    write_folder(arguments.out, exhibit, pieces, readable=not arguments.evidence_only)
    print(f"{arguments.out}: record {main.record.record_id} with {len(exhibit.related)} entries that belong to it")
    _tell(arguments.out, exhibit)
    return 0


def _nothing(home: Home, arguments: argparse.Namespace) -> int:
    if arguments.since is None or arguments.until is None or arguments.box is None:
        raise Misuse("a negative exhibit is about a box and a time: --none --box SERIAL --from TIME --to TIME")
    since_ms, until_ms = parse_range(arguments.since, arguments.until)
    assert since_ms is not None, "it was given"
    assert until_ms is not None, "it was given"
    asked = Asked(from_ms=since_ms, to_ms=until_ms, number=asked_number(arguments.number))
    if asked.from_ms > now_ms():
        raise Misuse("--from lies in the future: of that time nothing can be said yet")
    keys, roster = openers(home), read_roster(home)
    kept = _log(home, roster, arguments.box, arguments.log)
    signed, problems = shown_by_headquarters(kept, trust_of(roster))
    by = operator(arguments.operator)
    reach = Reach(origin=kept.log.origin, first=0, end=kept.checkpoint().size)
    words = Words(why=arguments.case, asked=f"nothing, number {asked.number}" if asked.number else "nothing")
    CustodyLog(home).write(Did.SEARCHED, by, reaches=[reach], words=words)
    with bars() as shown:
        passed = pass_over(kept, keys, asked.number, shown.bar(kept.log.origin))
    found = nothing_found(home, kept, passed, signed, asked)
    CustodyLog(home).write(Did.EXPORTED, by, reaches=[reach], words=words)
    exhibit, pieces = nothing_exhibit(home, found, keys, _order(home, arguments, kept, by, problems))
    write_folder(arguments.out, exhibit, pieces, readable=not arguments.evidence_only)
    nothing = exhibit.nothing
    assert nothing is not None, "a negative exhibit was made"
    what = f"no crossing of document {asked.number}" if asked.number else "no crossing"
    print(f"{arguments.out}: {what} among {entries_of(nothing.first, nothing.end)} of {exhibit.origin}")
    for part in nothing.unproven:
        say(f"  unproven: {_stretch(part)}{part.why}")
    _tell(arguments.out, exhibit)
    return 0


def _stretch(part: Unproven) -> str:
    """From when to when, as far as it can be said."""
    if part.from_ms is None or part.to_ms is None:
        return ""
    return f"{moment(part.from_ms)} to {moment(part.to_ms)}: "


def _log(home: Home, roster: Roster, serial: str, name: str | None) -> PulledLog:
    """The log of a box that is meant. Raises Refused when it has several and none is named, or not this one."""
    logs = [log for log in pulled_logs(home, logs_of(home, roster, serial)) if name in (None, log.origin)]
    if len(logs) != 1:
        names = ", ".join(log.origin for log in pulled_logs(home, logs_of(home, roster, serial)))
        raise Refused(f"a negative exhibit is about one log; choose with --log: {names}")
    return PulledLog(logs[0], home.pulled_log(logs[0].origin))


def _order(home: Home, arguments: argparse.Namespace, kept: PulledLog, by: str, problems: list[str]) -> Order:
    return Order(
        made_ms=now_ms(),
        made_by=by,
        case=arguments.case,
        domain=home.settings.domain,
        mode=home.settings.mode,
        serial=kept.log.box.serial,
        origin=kept.log.origin,
        redacted=arguments.redact,
        problems=tuple(problems),
    )


def _tell(out: Path, exhibit: Exhibit) -> None:
    for problem in exhibit.problems:
        say(f"  remark: {problem}")
    named = shlex.quote(str(out))  # as a shell takes it: folders have blanks in their names
    look = f"open {out / 'verify.html'}" if (out / "verify.html").exists() else f"landlink-hq exhibit --check {named}"
    print(f"  next: {look}; landlink-hq custody handover {named} --to NAME")


def _check(folder: Path) -> int:
    exhibit, problems = check_exhibit(folder)
    for problem in problems:
        say(f"  {problem}")
    if exhibit is None or problems:
        print(f"{folder}: NOT all as it should be")
        return 1
    entry, nothing = exhibit.entry, exhibit.nothing
    what = f"entry {entry.index}" if entry else entries_of(nothing.first, nothing.end) if nothing else ""
    print(f"{folder}: {what} of {exhibit.origin}; all of it holds, from this root of headquarters:")
    print(f"  {exhibit.trust.root_sha256}")
    if not exhibit.custody.vouched:
        print("  Who had it in their hands rests on a key that the roster does not name:")
        print(f"  {exhibit.trust.custody_vkey}")
    return 0
