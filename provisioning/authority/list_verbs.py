"""landlink-hq's verbs of lists: import (lists in) and publish (releases out)."""

import argparse
import time
from typing import Final

from appliance.formats.lists import CANARY_ENTRY, parse_documents
from appliance.formats.person_index import PersonIndex
from appliance.formats.release import DOCUMENTS_TARGET, PERSONS_TARGET
from provisioning.authority.home import Home
from provisioning.authority.import_verb import add_import
from provisioning.authority.person_index import person_index
from provisioning.authority.repository import Repository
from provisioning.authority.staging import Staging
from provisioning.command import Verbs

LINKS: Final = (("20 kbit/s", 2_500), ("256 kbit/s", 32_000), ("4 Mbit/s", 500_000))
"""Link classes of posts, bytes per second, for the time that a release takes to arrive."""

PUBLISH = """\
Make the next release of what is staged, and sign it. Boxes fetch it from the collector and switch by themselves.

Works before any list was imported, too: boxes then have an empty list and say its date.
"""


def add_verbs(verbs: Verbs) -> None:
    """Add the verbs of lists to landlink-hq."""
    raw = argparse.RawDescriptionHelpFormatter
    add_import(verbs)
    verb = verbs.add_parser("publish", help="sign and publish a release", description=PUBLISH, formatter_class=raw)
    verb.set_defaults(run=_publish)


def _publish(arguments: argparse.Namespace) -> int:
    home = Home.open(arguments.home)
    staging, repository = Staging(home.lists), Repository(home.folder)
    staged = {DOCUMENTS_TARGET: staging.documents(), PERSONS_TARGET: _indexed(staging)}
    targets = {path: content for path, content in staged.items() if content is not None}
    policy = repository.publish(targets, at_ms=time.time_ns() // 1_000_000)
    print(f"Release {policy.version} of {policy.dated:%Y-%m-%d} is published.")
    for title, path in (("documents", DOCUMENTS_TARGET), ("persons", PERSONS_TARGET)):
        content = repository.target(path) or b""
        dated, entries = _content(path, content)
        arrives = ", ".join(f"{_duration(len(content) / rate)} at {link}" for link, rate in LINKS)
        print(f"  {title}: {entries} entries of {dated}, {len(content)} bytes: {arrives}")
    for source in staging.sources():
        print(f"  {source.title}: last import on {source.taken_in}")
    for report in sorted(home.lists.glob("*.report.txt")):
        with report.open(encoding="utf-8") as file:
            print(f"  last import of {file.readline().strip()}")
    return 0


def _indexed(staging: Staging) -> bytes | None:
    """The staged persons as boxes search them, None when none were imported."""
    dated = staging.persons_dated()
    return None if dated is None else person_index(staging.people(), dated=dated)


def _content(path: str, content: bytes) -> tuple[str, int]:
    if path == DOCUMENTS_TARGET:
        documents = parse_documents(content)
        return str(documents.dated), sum(listed.entry != CANARY_ENTRY for listed in documents.entries.values())
    index = PersonIndex(content)
    return str(index.header.dated), len(index) - 1  # without the canary


def _duration(seconds: float) -> str:
    if seconds < 120:
        return f"{max(1, round(seconds))} s"
    return f"{round(seconds / 60)} min" if seconds < 7_200 else f"{seconds / 3_600:.1f} h"
