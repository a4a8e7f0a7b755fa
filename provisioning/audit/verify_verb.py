"""What `landlink-hq verify` does, and how it tells it."""

import argparse
import sys
from collections import Counter

from provisioning.audit.erased import read_erased, without_order
from provisioning.audit.ledger_chain import broken_links
from provisioning.audit.log import logs_of, policy_of, print_problems, pulled_logs, trust_of
from provisioning.audit.progress import bars
from provisioning.audit.store import PulledLog
from provisioning.audit.verify import verify
from provisioning.authority.home import Home
from provisioning.authority.roster import read_roster
from provisioning.command import say
from provisioning.custody.log import CustodyLog


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
