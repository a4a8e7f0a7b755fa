"""What an auditor does with a made box, for tests that look at the result."""

import argparse
from pathlib import Path

from provisioning.audit import verbs
from provisioning.audit.log import Problem, logs_of, trust_of
from provisioning.audit.opened.logs import OpenedLog, read_log
from provisioning.audit.opened.opening import record_identity
from provisioning.audit.pull import Pulled, pull
from provisioning.audit.source import folder_sources
from provisioning.audit.store import PulledLog
from provisioning.audit.verify import Verified, verify
from provisioning.authority.home import Home
from provisioning.authority.roster import read_roster
from tests.scenarios.made_headquarters import Box


def silent(_what: str, _done: int, _total: int) -> None:
    """Nobody watches the bar."""


def kept(box: Box) -> PulledLog:
    return kept_of(box.home, box.origin)


def kept_of(home: Home, origin: str) -> PulledLog:
    log = next(log for log in logs_of(home, read_roster(home), None) if log.origin == origin)
    return PulledLog(log, home.pulled_log(origin))


def pull_from(box: Box, folder: Path | None = None) -> Pulled:
    source = folder_sources(folder or box.state)[box.origin]
    return pull(kept(box), source, trust_of(read_roster(box.home)), silent)


def verify_of(box: Box) -> Verified:
    return verify(kept(box), trust_of(read_roster(box.home)), silent)


def open_of(box: Box) -> OpenedLog:
    return read_log(kept(box), record_identity(box.home), silent)


def flip(path: Path, at: int = -1) -> None:
    content = bytearray(path.read_bytes())
    content[at] ^= 1
    path.write_bytes(content)


def words(problems: list[Problem]) -> str:
    return "\n".join(map(str, problems))


def run(home: Home, *arguments: str) -> int:
    parser = argparse.ArgumentParser()
    verbs.add_verbs(parser.add_subparsers(dest="verb"))
    parsed = parser.parse_args(arguments, argparse.Namespace(home=home.folder))
    return int(parsed.run(parsed))
