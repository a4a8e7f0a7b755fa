"""landlink-hq import: lists in, from every source that there is a reader for."""

import argparse
import os
import sys
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Final

from rich.console import Console
from rich.progress import Progress

from appliance.command import Verbs, named
from appliance.errors import Malformed, Misuse, NoInput
from appliance.files import open_regular
from provisioning.authority.home import Home
from provisioning.authority.import_report import ImportReport
from provisioning.authority.sources import interpol, ofac, opensanctions_csv, un_xml
from provisioning.authority.sources.document_csv import read_documents
from provisioning.authority.sources.interpol import read_interpol
from provisioning.authority.sources.ofac import read_ofac
from provisioning.authority.sources.opensanctions_csv import read_simple_csv
from provisioning.authority.sources.opensanctions_ftm import read_ftm
from provisioning.authority.sources.reading import Files, Item
from provisioning.authority.sources.un_xml import read_un
from provisioning.authority.staged_store import DOCUMENTS
from provisioning.authority.staging import PersonSource, Staging
from provisioning.command import say

GIB: Final = 1024**3

IMPORT = """\
Take lists in. They are staged in FOLDER/lists and reach the boxes with `landlink-hq publish`.

  un FILE.xml                    UN Security Council consolidated list
  interpol FILE.json ...         INTERPOL public notices: pages of queries and details, merged
  opensanctions-csv FILE.csv     targets.simple.csv
  opensanctions-ftm FILE.json    entities.ftm.json: nationality, sex and documents, too
  ofac FILE.csv ...              sdn.csv with alt.csv, add.csv and sdn_comments.csv
  documents FILE.csv             stolen and lost documents and vehicles

A line that cannot be read is left out with its number and the reason, and the rest is taken; the whole report is in
FOLDER/lists/SOURCE.report.txt. A file that is broken as a whole is refused, and what was staged stays. Documents come
as changes (column op: A, U, D) on what is staged; a list of persons replaces what its source had, INTERPOL's pages
add to it.

Example: landlink-hq import documents sltd-2026-11-22.csv
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Reader:
    """How one kind of file comes in.

    Attributes:
        source: What it is staged as; two forms of one source replace each other.
        read: Items of open files.
        files_max: That belong together.
        notice: What whoever imports must know of the source, "" when nothing.
    """

    source: PersonSource
    read: Callable[[Files], Iterator[Item]]
    files_max: int = 1
    bytes_max: int = 16 * GIB
    notice: str = ""


_OPENSANCTIONS: Final = PersonSource(name="opensanctions", title=opensanctions_csv.SOURCE, is_whole=True)
_LICENCE: Final = "OpenSanctions' data is licensed for non-commercial use; other use needs an agreement with them."

READERS: Final = {
    "un": _Reader(source=PersonSource(name="un", title=un_xml.SOURCE, is_whole=True), read=read_un),
    "interpol": _Reader(
        source=PersonSource(name="interpol", title=interpol.SOURCE, is_whole=False),
        read=read_interpol,
        files_max=10_000,
        bytes_max=interpol.FILE_BYTES_MAX,
        notice="Public notices are an extract of the police list.",
    ),
    "opensanctions-csv": _Reader(source=_OPENSANCTIONS, read=read_simple_csv, notice=_LICENCE),
    "opensanctions-ftm": _Reader(source=_OPENSANCTIONS, read=read_ftm, notice=_LICENCE),
    "ofac": _Reader(
        source=PersonSource(name="ofac", title=ofac.SOURCE, is_whole=True), read=read_ofac, files_max=4, bytes_max=GIB
    ),
}


def add_import(verbs: Verbs) -> None:
    """Add the verb to landlink-hq."""
    verb = verbs.add_parser("import", help="take lists in", description=IMPORT)
    verb.add_argument("source", nargs="?", choices=(*READERS, DOCUMENTS), metavar="SOURCE", help="one of those above")
    verb.add_argument("files", nargs="*", type=Path, metavar="FILE")
    verb.add_argument("--documents", type=Path, metavar="FILE.csv", help="the same as: documents FILE.csv")
    verb.add_argument("--persons", type=Path, metavar="FILE.xml", help="the same as: un FILE.xml")
    verb.add_argument(
        "--anew", action="store_true", help="withdraw whoever the files do not name, even if that is most of the list"
    )
    verb.set_defaults(run=_import)


def _import(arguments: argparse.Namespace) -> int:
    wanted: list[tuple[str, str, list[Path]]] = []
    if arguments.documents is not None:
        wanted.append((DOCUMENTS, DOCUMENTS, [arguments.documents]))
    if arguments.persons is not None:
        wanted.append(("persons", "un", [arguments.persons]))
    if arguments.source is not None:
        wanted.append((arguments.source, arguments.source, arguments.files))
    if not wanted:
        raise Misuse("name a list with SOURCE FILE..., --documents FILE.csv or --persons FILE.xml")
    staging = Staging(Home.open(arguments.home).lists)
    for label, source, files in wanted:
        _take(staging, label, source, files, anew=arguments.anew)
    print("Next: landlink-hq publish.")
    return 0


def _take(staging: Staging, label: str, source: str, files: Sequence[Path], *, anew: bool) -> None:
    reader = READERS.get(source)
    files_max = reader.files_max if reader else 1
    if not 0 < len(files) <= files_max:
        raise Misuse(f"{source}: {len(files)} files, at least 1 and at most {files_max}")
    today = datetime.now(UTC).date()
    with _opened(files, reader.bytes_max if reader else 16 * GIB) as opened:
        if reader is None:
            report = staging.take_documents(read_documents(opened[0]), today=today, anew=anew)
        else:
            report = staging.take_persons(reader.source, reader.read(opened), today=today, anew=anew)
    _show(label, report, staging.folder / f"{reader.source.name if reader else source}.report.txt")
    if reader and reader.notice:
        print(reader.notice)


@contextmanager
def _opened(paths: Sequence[Path], bytes_max: int) -> Generator[list[IO[bytes]]]:
    """The files, bounded, with a progress bar of bytes read when somebody looks. Raises NoInput, Malformed."""
    with ExitStack() as stack:
        progress = stack.enter_context(Progress(console=Console(stderr=True), disable=not sys.stderr.isatty()))
        opened: list[IO[bytes]] = []
        for path in paths:
            with named(path):
                file = stack.enter_context(open_regular(path))
                size = os.fstat(file.fileno()).st_size
            if size > bytes_max:
                raise Malformed(str(path), f"{size} bytes, at most {bytes_max}")
            opened.append(progress.wrap_file(file, size, description=path.name))
        try:
            yield opened
        except OSError as error:
            raise NoInput(f"the file could not be read to its end: {error.strerror}") from None


def _show(title: str, report: ImportReport, path: Path) -> None:
    say(f"{title}: {report.summary()}.")
    for line in (report.changes(), *(f"remark: {remark}" for remark in report.remarks), *report.shown()):
        say(f"  {line}")
    if report.has_more:
        print(f"  all of them: {path}")
