"""What `landlink-hq pull` and `landlink-hq verify` do, and how they tell it."""

import argparse
import sys
from collections.abc import Generator
from contextlib import closing
from pathlib import Path
from typing import Final, TextIO

from appliance.errors import LandlinkError, Refused, Untrusted
from provisioning.audit.log import Log, Problem, logs_of, trust_of
from provisioning.audit.progress import bars
from provisioning.audit.pull import Pulled, pull
from provisioning.audit.source import CollectorSource, Source, auditor_tls, folder_sources
from provisioning.audit.store import PulledLog
from provisioning.audit.verify import verify
from provisioning.authority.home import Home
from provisioning.authority.roster import read_roster
from provisioning.command import say

PROBLEMS_SHOWN_MAX: Final = 50


def run_pull(arguments: argparse.Namespace) -> int:
    """The verb; returns its exit code."""
    home = Home.open(arguments.home)
    roster = read_roster(home)
    trust = trust_of(roster)
    code = 0
    with bars() as shown:
        for log, source in _sources(home, logs_of(home, roster, arguments.box), arguments.source):
            try:
                pulled = pull(PulledLog(log, home.pulled_log(log.origin)), source, trust, shown.bar(log.origin))
            except LandlinkError as error:
                print(f"{log.origin}: refused: {error}", file=sys.stderr)
                code = code or error.exit_code
                continue
            _print_pulled(pulled)
            code = code or int(bool(pulled.problems))
    return code


def _sources(home: Home, logs: tuple[Log, ...], where: str | None) -> Generator[tuple[Log, Source]]:
    """Each log with where it is pulled from.

    Raises:
        ConfigError: The source cannot be one.
        Untrusted: A folder holds logs, but of no enrolled box.
    """
    if where is None or "://" in where:
        address = where or f"https://{home.settings.collector_host}:{home.settings.collector_port}"
        tls = auditor_tls(home)
        for log in logs:
            with closing(CollectorSource(address, log.origin, tls)) as source:
                yield log, source
        return
    found = folder_sources(Path(where))
    known = [(log, found[log.origin]) for log in logs if log.origin in found]
    if not known:
        named = ", ".join(sorted(found))[:200]
        raise Untrusted(f"{where}: holds the log {named!r}, which is none of the enrolled boxes that were asked for")
    yield from known


def _print_pulled(pulled: Pulled) -> None:
    if pulled.size == 0:
        print(f"{pulled.origin}: nothing has arrived yet")
        return
    print(
        f"{pulled.origin}: {pulled.size} entries, {pulled.entries} of them new, all signed and in place; "
        f"{pulled.bodies} new bodies, {pulled.awaited} awaited; "
        f"{'cosigned by headquarters' if pulled.cosigned else 'not cosigned by headquarters'}"
        if not pulled.problems
        else f"{pulled.origin}: {pulled.size} entries, {pulled.entries} of them new; NOT all as it should be:"
    )
    print_problems(pulled.problems, sys.stdout)


def run_verify(arguments: argparse.Namespace) -> int:
    """The verb; returns its exit code."""
    home = Home.open(arguments.home)
    roster = read_roster(home)
    trust = trust_of(roster)
    code = 0
    with bars() as shown:
        for log in pulled_logs(home, logs_of(home, roster, arguments.box)):
            found = verify(PulledLog(log, home.pulled_log(log.origin)), trust, shown.bar(log.origin))
            if found.problems:
                code = 1
                print(f"{found.origin}: {found.size} entries; NOT all as it should be:")
                print_problems(found.problems, sys.stdout)
            else:
                print(f"{found.origin}: {found.size} entries and {found.bodies} bodies, all of it holds")
    return code


def pulled_logs(home: Home, logs: tuple[Log, ...]) -> tuple[Log, ...]:
    """Those of which something was pulled. Raises Refused when there is none."""
    there = tuple(log for log in logs if home.pulled_log(log.origin).is_dir())
    if not there:
        raise Refused("nothing has been pulled yet; next: landlink-hq pull [SOURCE]")
    return there


def print_problems(problems: list[Problem], file: TextIO) -> None:
    """Print them a line each, no more than an auditor reads."""
    for problem in problems[:PROBLEMS_SHOWN_MAX]:
        say(f"  {problem}", file)
    if len(problems) > PROBLEMS_SHOWN_MAX:
        print(f"  and {len(problems) - PROBLEMS_SHOWN_MAX} more", file=file)
