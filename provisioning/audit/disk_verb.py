"""What `landlink-hq disk` does: what headquarters' home takes, how much of it each log, and how long there is room."""

import argparse
import time
from typing import Final

from appliance.disk import DAYS, Usage, amount, days_left, free_and_total, in_words, usage
from provisioning.audit.log import logs_of, pulled_logs
from provisioning.audit.store import PulledLog
from provisioning.authority.home import Home
from provisioning.authority.roster import read_roster

PARTS: Final = {"logs": "pulled", "releases": "tuf", "lists": "lists", "to boxes": "down", "own log": "custody"}


def run_disk(arguments: argparse.Namespace) -> int:
    """The verb; returns its exit code."""
    home, now_s = Home.open(arguments.home), time.time()
    uses = {name: usage(home.folder / folder, now_s=now_s) for name, folder in PARTS.items()}
    free, _ = free_and_total(home.folder)
    print(f"{home.folder}: {in_words(uses, free=free)}")
    for log in pulled_logs(home, logs_of(home, read_roster(home), arguments.box)):
        kept = PulledLog(log, home.pulled_log(log.origin))
        bodies = usage(kept.folder / "bodies", now_s=now_s)
        whole = usage(kept.folder, now_s=now_s)
        count = sum(1 for _ in kept.body_indices())
        print(
            f"{log.origin}: {kept.checkpoint().size} entries in {amount(whole.bytes - bodies.bytes)}, "
            f"{count} bodies in {amount(bodies.bytes)}; {amount(whole.a_day)} a day"
        )
    print(_until_full(uses["logs"], free))
    return 0


def _until_full(logs: Usage, free: int) -> str:
    days = days_left(free, logs.a_day)
    if days is None:
        return f"nothing was pulled in the last {DAYS} days"
    return f"at {amount(logs.a_day)} a day, as in the last {DAYS} days, there is room for {days} days"
