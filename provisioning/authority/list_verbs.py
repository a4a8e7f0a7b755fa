"""landlink-hq's verbs of lists: import (lists in) and publish (releases out)."""

import argparse
import time
from pathlib import Path
from typing import Final

from appliance.files import OpenFile
from appliance.formats.pages import PageFile
from appliance.formats.person_index import PersonIndex
from appliance.formats.release import DELTA_NAME, DOCUMENTS_TARGET, PERSONS_TARGET
from provisioning.authority.documents_out import documents_out
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
    persons = _indexed(staging)
    with documents_out(staging, repository) as documents:
        others = {} if persons is None else {PERSONS_TARGET: persons}
        policy, new = documents.publish(others, at_ms=time.time_ns() // 1_000_000)
    print(f"Release {policy.version} of {policy.dated:%Y-%m-%d} is published.")
    for path in (DOCUMENTS_TARGET, *repository.names(DELTA_NAME), PERSONS_TARGET):
        place = repository.place(path)
        assert place is not None, "every release has these"
        arrives = ", ".join(f"{_duration(place.stat().st_size / rate)} at {link}" for link, rate in LINKS)
        news = "" if path in new else " (as before)"
        print(f"  {_content(path, place)}, {place.stat().st_size} bytes{news}: {arrives}")
    for source in policy.sources:
        print(
            f"  {source.title}: {source.entries} listed, {source.left_out} left out, last import on {source.taken_in}"
        )
    for report in sorted(home.lists.glob("*.report.txt")):
        with report.open(encoding="utf-8") as file:
            print(f"  last import of {file.readline().strip()}")
    return 0


def _indexed(staging: Staging) -> bytes | None:
    """The staged persons as boxes search them, None when none were imported."""
    dated = staging.persons_dated()
    return None if dated is None else person_index(staging.people(), dated=dated)


def _content(path: str, place: Path) -> str:
    if path == PERSONS_TARGET:
        index = PersonIndex(place.read_bytes())
        return f"persons: {len(index) - 1} entries of {index.header.dated}"  # without the canary
    pages = PageFile(OpenFile(place))
    if path == DOCUMENTS_TARGET:
        return f"documents: {pages.records - 1} entries of {pages.dated}"  # without the canary
    return f"changes to documents: {pages.records} of {pages.dated}"


def _duration(seconds: float) -> str:
    if seconds < 120:
        return f"{max(1, round(seconds))} s"
    return f"{round(seconds / 60)} min" if seconds < 7_200 else f"{seconds / 3_600:.1f} h"
