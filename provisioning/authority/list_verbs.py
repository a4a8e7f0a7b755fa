"""landlink-hq's verbs of lists: import (lists in) and publish (releases out)."""

import argparse
import sys
import time
from collections.abc import Generator, Iterable
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Final

from rich.console import Console
from rich.progress import open as open_with_progress

from appliance.errors import ConfigError, Malformed
from appliance.formats.lists import CANARY_ENTRY, parse_documents, parse_persons
from appliance.formats.person_index import PersonIndex
from appliance.formats.release import DOCUMENTS_TARGET, PERSONS_TARGET
from provisioning.authority import document_csv, un_xml
from provisioning.authority.document_csv import LINE_BYTES_MAX, read_documents, unknown_columns
from provisioning.authority.home import Home
from provisioning.authority.person_index import person_index
from provisioning.authority.rejects import SHOWN_MAX, ImportReport
from provisioning.authority.repository import Repository
from provisioning.authority.staging import Staging
from provisioning.authority.un_xml import read_persons
from provisioning.command import Verbs

LINKS: Final = (("20 kbit/s", 2_500), ("256 kbit/s", 32_000), ("4 Mbit/s", 500_000))
"""Link classes of posts, bytes per second, for the time that a release takes to arrive."""

IMPORT = """\
Take lists in. They are staged in FOLDER/lists and reach the boxes with `landlink-hq publish`.

A line that cannot be read is left out with its number and the reason, and the rest is taken; the whole report is in
FOLDER/lists/*.report.txt. A file that is broken as a whole is refused, and what was staged stays. Documents come as
changes (column op: A, U, D) on what is staged; persons replace what was staged.
"""

PUBLISH = """\
Make the next release of what is staged, and sign it. Boxes fetch it from the collector and switch by themselves.

Works before any list was imported, too: boxes then have an empty list and say its date.
"""


def add_verbs(verbs: Verbs) -> None:
    """Add the verbs of lists to landlink-hq."""
    raw = argparse.RawDescriptionHelpFormatter
    verb = verbs.add_parser("import", help="take lists in", description=IMPORT, formatter_class=raw)
    verb.add_argument("--documents", type=Path, metavar="FILE.csv", help="stolen and lost documents")
    verb.add_argument("--persons", type=Path, metavar="FILE.xml", help="UN Security Council consolidated list")
    verb.set_defaults(run=_import)
    verb = verbs.add_parser("publish", help="sign and publish a release", description=PUBLISH, formatter_class=raw)
    verb.set_defaults(run=_publish)


def _import(arguments: argparse.Namespace) -> int:
    if arguments.documents is None and arguments.persons is None:
        raise ConfigError("import: name a list with --documents FILE.csv or --persons FILE.xml")
    staging = Staging(Home.open(arguments.home).lists)
    today = datetime.now(UTC).date()
    if arguments.documents is not None:
        with _opened(arguments.documents, "documents", document_csv.FILE_BYTES_MAX) as file:
            unknown = unknown_columns(file.readline(LINE_BYTES_MAX + 1))
            file.seek(0)
            report = staging.take_documents(read_documents(_lines(file)), today=today)
        _show("documents", report, staging)
        if unknown:
            print(f"Columns that are not read: {', '.join(unknown)}.")
    if arguments.persons is not None:
        with _opened(arguments.persons, "persons", un_xml.FILE_BYTES_MAX) as file:
            report = staging.take_persons(read_persons(file), today=today)
        _show("persons", report, staging)
    print("Next: landlink-hq publish.")
    return 0


@contextmanager
def _opened(path: Path, title: str, bytes_max: int) -> Generator[IO[bytes]]:
    """The file, bounded, with a progress bar when somebody looks. Raises ConfigError, Malformed."""
    try:
        size = path.stat().st_size
        if size > bytes_max:
            raise Malformed(str(path), f"{size} bytes, at most {bytes_max}")
        quiet = not sys.stderr.isatty()
        with open_with_progress(path, "rb", description=title, console=Console(stderr=True), disable=quiet) as file:
            yield file
    except OSError as error:
        raise ConfigError(f"{path}: {error.strerror}") from None


def _lines(file: IO[bytes]) -> Iterable[bytes]:
    """Lines of bounded length: what is longer comes in pieces that no row can be read from."""
    while line := file.readline(LINE_BYTES_MAX + 1):
        yield line
        while len(line) > LINE_BYTES_MAX and not line.endswith(b"\n") and (line := file.readline(LINE_BYTES_MAX + 1)):
            pass  # the rest of a line that was rejected for its length


def _show(title: str, report: ImportReport, staging: Staging) -> None:
    print(f"{title}: {report.taken} taken, {len(report.left_out)} left out, {len(report.notes)} parts left out.")
    for where, why in report.left_out[:SHOWN_MAX]:
        print(f"  left out: {where}: {why}")
    if len(report.left_out) + len(report.notes) > min(len(report.left_out), SHOWN_MAX):
        print(f"  all of them: {staging.folder / f'{title}.report.txt'}")


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
    for report in sorted(home.lists.glob("*.report.txt")):
        with report.open(encoding="utf-8") as file:
            print(f"  last import of {file.readline().strip()}")
    return 0


def _indexed(staging: Staging) -> bytes | None:
    """The staged persons as boxes search them, None when none were imported."""
    staged = staging.persons()
    if staged is None:
        return None
    persons = parse_persons(staged)
    listed = (person for person in persons.entries if person.entry != CANARY_ENTRY)
    return person_index(listed, dated=persons.dated)


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
