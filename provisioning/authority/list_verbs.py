"""landlink-hq's verbs of lists: import (lists in), publish (releases out), rekey (a new key for both lists)."""

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from appliance.command import Verbs
from appliance.files import OpenFile
from appliance.formats.list_key import open_persons, seal_persons
from appliance.formats.pages import PageFile
from appliance.formats.person_index import PersonIndex
from appliance.formats.release import DELTA_NAME, DOCUMENTS_TARGET, PERSONS_TARGET
from appliance.formats.rules import LINK_BYTES_PER_S, LINK_CLASSES
from provisioning.authority.documents_out import Published, documents_out
from provisioning.authority.home import Home
from provisioning.authority.import_verb import add_import
from provisioning.authority.list_keys import LIFE_DAYS, list_key, list_key_days, list_keys, rekey
from provisioning.authority.person_index import person_index
from provisioning.authority.recipients import QUARTER_DAYS, record_key_days
from provisioning.authority.repository import Repository
from provisioning.authority.staging import Staging
from provisioning.command import now_ms

PUBLISH: Final = f"""\
Make the next release of what is staged, and sign it. Boxes fetch it from the collector and switch by themselves.

Works before any list was imported, too: boxes then have an empty list and say its date. A list key older than
{LIFE_DAYS} days ends here: publish says so, and does what `rekey` does before it publishes. Of a record key that is
older than a quarter it says so; `rotate record` begins the next.

Example: landlink-hq publish
"""

REKEY: Final = """\
Begin a new list key. Each box that is not revoked is sent it, sealed to that box alone; the next `publish` makes both
lists anew under it, and a box takes that release as soon as its key is there. A box that was stolen and is revoked
reads no list from then on; what it has, it has. Former keys stay in FOLDER/keys as list-key.1 and so on.

The lists travel whole once: `publish` prints how long that takes, so mind the posts with a narrow link.

Example: landlink-hq rekey && landlink-hq publish
"""


def add_verbs(verbs: Verbs) -> None:
    """Add the verbs of lists to landlink-hq."""
    add_import(verbs)
    verb = verbs.add_parser("publish", help="sign and publish a release", description=PUBLISH)
    verb.set_defaults(run=_publish)
    verb = verbs.add_parser("rekey", help="begin a new key for both lists", description=REKEY)
    verb.set_defaults(run=_rekey)


def _rekey(arguments: argparse.Namespace) -> int:
    home = Home.open(arguments.home)
    _begin_key(home)
    print("Lists in service stay under the former key, which boxes keep. Next: landlink-hq publish.")
    return 0


def _begin_key(home: Home) -> None:
    told = rekey(home, at_ms=now_ms())
    sent = f"Sent to: {', '.join(told)}." if told else "No box is enrolled that could be sent it."
    print(f"A new list key is in use. {sent}")


def _publish(arguments: argparse.Namespace) -> int:
    home = Home.open(arguments.home)
    days = list_key_days(home, at_ms=now_ms())
    if days > LIFE_DAYS:
        print(f"The list key is {days} days old, at most {LIFE_DAYS} are allowed; both lists are made anew.")
        _begin_key(home)
    staging, repository = Staging(home.lists), Repository(home.folder)
    persons = _sealed(staging, repository, list_keys(home))
    with documents_out(staging, repository, list_key(home)) as documents:
        others = {} if persons is None else {PERSONS_TARGET: persons}
        published = documents.publish(others, at_ms=now_ms())
    print(f"Release {published.policy.version} of {published.policy.dated:%Y-%m-%d} is published.")
    if (age := record_key_days(home, at_ms=now_ms())) > QUARTER_DAYS:
        print(f"Boxes seal to the same record key since {age} days, a quarter is its time: landlink-hq rotate record")
    _print_lists(repository, published, list_keys(home))
    for source in published.policy.sources:
        print(
            f"  {source.title}: {source.entries} listed, {source.left_out} left out, last import on {source.taken_in}"
        )
    for report in sorted(home.lists.glob("*.report.txt")):
        with report.open(encoding="utf-8") as file:
            print(f"  last import of {file.readline().strip()}")
    return 0


def _sealed(staging: Staging, repository: Repository, keys: Sequence[bytes]) -> bytes | None:
    """The staged persons as boxes take them, or those published when none were imported; None when nothing changes."""
    dated, published = staging.persons_dated(), repository.target(PERSONS_TARGET)
    assert published is not None, "every release has persons"
    if dated is not None:
        index: bytes | memoryview = person_index(staging.people(), dated=dated)
    else:
        index = open_persons(published, keys)
    sealed = seal_persons(index, keys[0])
    return None if sealed == published else sealed


def _print_lists(repository: Repository, published: Published, keys: Sequence[bytes]) -> None:
    """What is published, and how long it travels: what is new to a box that has the last release, and all of it."""
    sizes = repository.sizes()
    for path in (DOCUMENTS_TARGET, *repository.names(DELTA_NAME), PERSONS_TARGET):
        place = repository.place(path)
        assert place is not None, "every release has these"
        merged = " (boxes make it of what they have)" if published.merged and path == DOCUMENTS_TARGET else ""
        news = merged if path in published.new else " (as before)"
        print(f"  {_content(path, place, keys)}, {sizes[path]} bytes{news}")
    new = sum(sizes[path] for path in published.new if not (published.merged and path == DOCUMENTS_TARGET))
    print(f"  to a box that has the last release: {_arrives(new)}")
    print(f"  to a new box, or by stick to any: {_arrives(sum(sizes.values()))}")


def _arrives(size: int) -> str:
    """How long so many bytes travel, by class of link."""
    times = (f"{_duration(size / LINK_BYTES_PER_S[link])} {link}" for link in LINK_CLASSES if link in LINK_BYTES_PER_S)
    return f"{size} bytes: {', '.join(times)}; courier: by stick"


def _content(path: str, place: Path, keys: Sequence[bytes]) -> str:
    if path == PERSONS_TARGET:
        index = PersonIndex(open_persons(place.read_bytes(), keys))
        return f"persons: {len(index) - 1} entries of {index.header.dated}"  # without the canary
    pages = PageFile(OpenFile(place))
    if path == DOCUMENTS_TARGET:
        return f"documents: {pages.records - 1} entries of {pages.dated}"  # without the canary
    return f"changes to documents: {pages.records} of {pages.dated}"


def _duration(seconds: float) -> str:
    if seconds < 120:
        return f"{max(1, round(seconds))} s"
    return f"{round(seconds / 60)} min" if seconds < 7_200 else f"{seconds / 3_600:.1f} h"
