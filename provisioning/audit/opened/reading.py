"""What `landlink-hq open`, `find` and `report` do, and how they tell it."""

import argparse
import contextlib
import os
import sys
from collections.abc import Generator, Iterable, Sequence
from pathlib import Path
from typing import TextIO

from appliance.errors import Malformed, Untrusted
from appliance.files import storage
from appliance.formats.age import Identity
from provisioning.audit.log import logs_of, print_problems, pulled_logs
from provisioning.audit.opened.carrier_checks import CarrierLine
from provisioning.audit.opened.find import Question, asked_name, asked_number, find, nearly, parse_range
from provisioning.audit.opened.logs import OpenedLog, keep_opened_through, read_log
from provisioning.audit.opened.opening import record_identity
from provisioning.audit.opened.records import RecordLine
from provisioning.audit.opened.report import BoxReport, report
from provisioning.audit.progress import bars
from provisioning.audit.store import PulledLog
from provisioning.authority.home import Home
from provisioning.authority.roster import read_roster
from provisioning.command import json_line, now_ms, say, tidied_when_ended
from provisioning.custody.act import Did, Reach
from provisioning.custody.log import CustodyLog, Use, Words, operator


def opened_logs(home: Home, identity: Identity, serial: str | None, use: Use) -> Generator[OpenedLog]:
    """Each pulled log, or those of one box, opened; its problems are named on standard error.

    Who opens them, and for what, is durable in headquarters' own log before the first body is opened.
    """
    logs = [
        PulledLog(log, home.pulled_log(log.origin))
        for log in pulled_logs(home, logs_of(home, read_roster(home), serial))
    ]
    note_use(home, logs, use)
    with bars() as shown:
        for log in logs:
            opened = read_log(log, identity, shown.bar(log.log.origin))
            print_problems(opened.problems, sys.stderr)
            yield opened


def note_use(home: Home, logs: Sequence[PulledLog], use: Use) -> None:
    """Write to headquarters' own log, durably, that all bodies of these logs are opened; call it before the first is.

    Raises:
        StorageFault, StorageFull: Nothing was written; open nothing.
        Untrusted, Malformed: Headquarters' own log does not hold.
    """
    CustodyLog(home).write(use.did, use.by, reaches=[reach for log in logs for reach in _reach(log)], words=use.words)


def _reach(kept: PulledLog) -> Generator[Reach]:
    """The entries that will be opened: all of it, or none when it does not hold, which opening then names."""
    with contextlib.suppress(Malformed, Untrusted):
        yield Reach(origin=kept.log.origin, first=0, end=kept.checkpoint().size)


def use_of(arguments: argparse.Namespace, did: Did, asked: str = "") -> Use:
    """Who opens bodies and for what, as the verb was called."""
    return Use(did, operator(arguments.operator), Words(why=arguments.why, asked=asked))


def run_open(arguments: argparse.Namespace) -> int:
    """The verb; returns its exit code."""
    home = Home.open(arguments.home)
    identity = record_identity(home)
    code = 0
    with _output(arguments.out) as out:
        for opened in opened_logs(home, identity, arguments.box, use_of(arguments, Did.OPENED)):
            lines = in_log_order(opened)
            _write_lines(out, lines)
            keep_opened_through(home, opened, at_ms=now_ms())
            code = code or int(bool(opened.problems))
            print(
                f"{opened.origin}: {len(lines)} records opened, {len(opened.awaited)} bodies awaited"
                f"{', NOT all as it should be (see above)' if opened.problems else ''}",
                file=sys.stderr,
            )
    return code


@contextlib.contextmanager
def _output(path: Path | None) -> Generator[TextIO]:
    """Standard output, or a file that its owner alone may read, in place when it is whole."""
    if path is None:
        yield sys.stdout
        return
    partial = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    with tidied_when_ended():
        with storage(f"writing {path}"):
            fd = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)  # nobody else's file
        try:
            with os.fdopen(fd, "w", encoding="utf-8") as out:
                yield out
            with storage(f"writing {path}"):
                partial.replace(path)
        finally:
            partial.unlink(missing_ok=True)


def _write_lines(out: TextIO, lines: Iterable[RecordLine | CarrierLine]) -> None:
    with storage("writing records"):
        out.writelines(f"{json_line(line)}\n" for line in lines)


def run_find(arguments: argparse.Namespace) -> int:
    """The verb; returns its exit code."""
    home = Home.open(arguments.home)
    since_ms, until_ms = parse_range(arguments.since, arguments.until)
    question = Question(
        number=asked_number(arguments.number),
        name=asked_name(arguments.name),
        since_ms=since_ms,
        until_ms=until_ms,
        referred=arguments.referred,
    )
    found: list[RecordLine | CarrierLine] = []
    searched: list[OpenedLog] = []
    use = use_of(arguments, Did.SEARCHED, question.words())
    for opened in opened_logs(home, record_identity(home), arguments.box, use):
        found.extend(find(question, in_log_order(opened)))
        searched.append(opened)
    if found:
        CustodyLog(home).write(use.did, use.by, records=[line.record_id for line in found])
    if arguments.json:
        _write_lines(sys.stdout, found)
    elif found:
        for line in found:
            _print_found(line)
    else:
        _print_nothing_found(question, searched)
    return int(any(opened.problems for opened in searched))


def _print_nothing_found(question: Question, searched: list[OpenedLog]) -> None:
    """That nothing answers, and what may be why."""
    lines = sorted((line for opened in searched for line in in_log_order(opened)), key=lambda line: line.at)
    boxes = len({opened.serial for opened in searched})
    print(f"No record answers this among {len(lines)} of {boxes} {'box' if boxes == 1 else 'boxes'}.")
    if lines:
        first, last = (at[:16].replace("T", " ") for at in (lines[0].at, lines[-1].at))
        print(f"  They are from {first} to {last} UTC, by the boxes' clocks.")
    for part in nearly(question, lines):
        print(f"  {part}")
    erased = sum(len(opened.erased) for opened in searched)
    if erased:
        print(f"  {erased} bodies were erased on order; landlink-hq custody show names the orders")
    awaited = sum(len(opened.awaited) for opened in searched)
    if awaited:
        print(f"  {awaited} bodies have not arrived; next: landlink-hq pull")


def _print_found(line: RecordLine | CarrierLine) -> None:
    if isinstance(line, CarrierLine):
        _print_found_check(line)
        return
    document = line.document
    if document is None:
        what = "not read"
    else:
        name = f"{document.primary_identifier} {document.secondary_identifier}".strip()
        what = f"{document.issuing_state} {document.document_number}  {name}"
    done = "not answered" if line.outcome is None else line.outcome.outcome.value
    done = "looked up, nobody was there" if line.looked_up else f"what was done: {done}"
    say(f"{line.origin.rpartition('/')[2]} entry {line.index}  {line.at[:16].replace('T', ' ')}  {what}")
    reasons = ", ".join(reason.replace("_", " ") for reason in line.reasons)
    say(f"  {reasons or 'nothing found'}; {done}")
    say(f"  RECORD {line.record_id}")


def _print_found_check(line: CarrierLine) -> None:
    what = f"{line.document_type} {line.issuing_state} {line.document_number}".strip() or "not read"
    say(f"{line.origin.rpartition('/')[2]} entry {line.index}  {line.at[:16].replace('T', ' ')}  {what}")
    say(f"  a carrier's desk was told to {f'call ({line.why})' if line.call else 'continue'}")
    say(f"  RECORD {line.record_id}")


def in_log_order(opened: OpenedLog) -> list[RecordLine | CarrierLine]:
    """Screenings and what carriers asked, as they stand in the log."""
    return sorted([*opened.lines, *opened.carrier_checks], key=lambda line: line.index)


def run_report(arguments: argparse.Namespace) -> int:
    """The verb; returns its exit code."""
    home = Home.open(arguments.home)
    use = use_of(arguments, Did.REPORTED)
    reports = [report(opened) for opened in opened_logs(home, record_identity(home), arguments.box, use)]
    if arguments.json:
        print(json_line(reports))
    else:
        for each in reports:
            _print_report(each)
    return int(any(each.problems for each in reports))


def _print_report(box: BoxReport) -> None:
    print(f"{box.serial} ({box.origin}): {box.entries} entries, {box.opened} opened, {box.unsent} not here yet")
    for asked in box.carriers:
        print(f"  {asked.day}: {asked.documents} documents of carriers, {asked.calls} to call")
    for day in box.days:
        read = f"{day.documents} documents, {day.typed} of them typed, {day.unread} not read"
        print(f"  {day.day}: {day.persons} persons, {read}")
        print(f"    {day.referred} referred, {day.hits} possible matches, {day.not_searched} without a list")
        done = ", ".join(f"{count} {outcome}" for outcome, count in sorted(day.outcomes.items())) or "nothing said"
        print(f"    what was done: {done}; not answered: {day.open}")
        if day.looked_up:
            print(f"    {day.looked_up} documents were looked up without a traveller")
    for case in box.open_cases:
        say(f"  not answered: entry {case.index}, {case.at}: {', '.join(case.reasons)}")
