"""What `landlink-hq verify` does, and how the auditor's verbs tell what is not as it should be."""

import argparse
import sys
from collections import Counter
from typing import Final, TextIO

from appliance.errors import Refused
from provisioning.audit.erased import read_erased, without_order
from provisioning.audit.ledger_chain import broken_links
from provisioning.audit.log import Log, Problem, logs_of, policy_of, trust_of
from provisioning.audit.progress import bars
from provisioning.audit.store import PulledLog
from provisioning.audit.verify import verify
from provisioning.authority.home import Home
from provisioning.authority.roster import read_roster
from provisioning.command import say
from provisioning.custody.log import CustodyLog

PROBLEMS_SHOWN_MAX: Final = 50


def run_verify(arguments: argparse.Namespace) -> int:
    """The verb; returns its exit code."""
    home = Home.open(arguments.home)
    roster = read_roster(home)
    trust = trust_of(roster, policy_of(home, arguments.policy))
    code = 0
    logs = [
        PulledLog(log, home.pulled_log(log.origin)) for log in pulled_logs(home, logs_of(home, roster, arguments.box))
    ]
    links = broken_links(logs)
    with bars() as shown:
        for kept in logs:
            found = verify(kept, trust, shown.bar(kept.log.origin))
            found.problems += [each for each in links if each.origin == found.origin]
            if read_erased(kept):
                found.problems += without_order(kept, CustodyLog(home).acts())
            if found.problems:
                code = 1
                print(f"{found.origin}: {found.size} entries; NOT all as it should be:")
                print_problems(found.problems, sys.stdout)
            else:
                print(f"{found.origin}: {found.size} entries and {found.bodies} bodies, all of it holds")
            for order, count in Counter(map(str, read_erased(kept).values())).items():
                say(f"  {count} bodies are not here: {order}")
            if found.unproven:
                print(
                    f"  {found.unproven} entries name a checkpoint as cosigned of which headquarters' signature is not "
                    "here; a pull while the collector runs fetches it"
                )
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
