"""What `landlink-hq replay` does, and how it tells it."""

import argparse
from collections.abc import Generator, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from appliance.errors import Malformed, Misuse, Refused
from provisioning.audit.opened.find import record_prefix
from provisioning.audit.opened.lines import opened_lines
from provisioning.audit.opened.opening import record_identity
from provisioning.audit.opened.reading import opened_logs, use_of
from provisioning.audit.opened.replay import RecordedHits, Replayed, parse_line, replay
from provisioning.audit.progress import bars
from provisioning.authority.home import Home
from provisioning.command import say
from provisioning.custody.act import Did

EXIT_DIFFERS: Final = 1


def run_replay(arguments: argparse.Namespace) -> int:
    """The verb; returns its exit code."""
    if arguments.all == bool(arguments.record):
        raise Misuse("name one RECORD, or ask for --all")
    prefix = record_prefix(arguments.record) if arguments.record else ""
    records = hits = differing = 0
    with _recorded(arguments) as lines:
        for recorded in lines:
            if not (arguments.all or recorded.record_id.startswith(prefix)):
                continue
            replayed = replay(recorded)
            records, hits = records + 1, hits + len(replayed)
            differing += sum(hit.differs for hit in replayed)
            for hit in replayed:
                if hit.differs or not arguments.all:
                    _print_hit(recorded, hit)
    if not records and not arguments.all:
        raise Refused(f"no record begins with {prefix}; `landlink-hq find` prints identifiers")
    say(f"{hits} hits of {records} records worked out again, {differing} differ")
    return EXIT_DIFFERS if differing else 0


@contextmanager
def _recorded(arguments: argparse.Namespace) -> Generator[Iterable[RecordedHits]]:
    """What was opened into FILE, or what opens now."""
    if arguments.opened is None:
        home = Home.open(arguments.home)
        yield (
            RecordedHits(
                origin=line.origin, index=line.index, record_id=line.record_id, document=line.document, hits=line.hits
            )
            for opened in opened_logs(home, record_identity(home), arguments.box, use_of(arguments, Did.REPLAYED))
            for line in opened.lines
        )
        return
    yield _lines(arguments.opened)


def _lines(path: Path) -> Iterator[RecordedHits]:
    """Raises NoInput for the file, Malformed with the line's number."""
    with bars() as shown:
        for what, line in opened_lines(path, shown.bar(path.name)):
            try:
                recorded = parse_line(line)
            except Malformed as error:
                raise Malformed(what, str(error)) from None
            yield recorded


def _print_hit(recorded: RecordedHits, replayed: Replayed) -> None:
    hit = replayed.hit
    say(f"{recorded.origin} entry {recorded.index}: {hit.list_name} list {hit.list_version}, {hit.source} {hit.entry}")
    if replayed.version:
        say(f"  recorded by another version ({replayed.version}): a difference may be the version's")
    for row in replayed.rows:
        say(f"  {'same   ' if row.recorded == row.now else 'DIFFERS'} {row.what}: {row.recorded}")
        if row.recorded != row.now:
            say(f"          now: {row.now or 'nothing'}")
