"""Stage 6 of 8: record - the row of journals: the one in use, and one before it until all it published is synced.

A journal that has grown long is followed by a new one, which begins where the published tree ends. The old one stays
until every file that was published from it is synced, a few at a time, so that no light ever waits for a hundred
syncs; then it goes. So everything that is not in a journal is on the disk for certain.
"""

from pathlib import Path
from typing import Final

from appliance.errors import StorageFault
from appliance.files import storage, sync_folder
from appliance.record.journal import Contents, Header, Journal, parse_journal
from appliance.record.publish import Drain, Publisher

JOURNAL_FILE_BYTES_MAX: Final = 128 * 1024 * 1024
ROTATE_BYTES: Final = 8 * 1024 * 1024
ROTATE_CRAMPED_BYTES: Final = 1024 * 1024
ROTATE_FRAMES: Final = 2_048


def journal_paths(folder: Path) -> list[Path]:
    """The journals on the disk, oldest first."""
    return sorted(folder.glob("journal.[0-9]*"))


def next_path(folder: Path) -> Path:
    """Where the next journal goes."""
    last = max((int(path.suffix[1:]) for path in journal_paths(folder)), default=0)
    return folder / f"journal.{last + 1:010d}"


def read_journals(folder: Path) -> tuple[list[Contents], int]:
    """Read all journals, oldest first, and how many bytes at the end of the last one a power cut has torn.

    Raises:
        StorageFault: One is damaged, or they do not follow one another.
    """
    contents: list[Contents] = []
    torn = 0
    for path in journal_paths(folder):
        with storage("reading the journal"), path.open("rb") as file:
            data = file.read(JOURNAL_FILE_BYTES_MAX + 1)
        if len(data) > JOURNAL_FILE_BYTES_MAX:  # read to the bound it would look torn, and entries would be cut off
            raise StorageFault(f"{path.name} has more than {JOURNAL_FILE_BYTES_MAX} bytes: no recorder wrote that")
        found = parse_journal(data)
        if contents and found.header.size <= contents[0].header.size:
            contents.clear()  # recovery wrote all earlier ones into this one, and was cut off while removing them
        elif contents and (torn or not _follows(found.header, contents[-1])):
            raise StorageFault(f"{path.name} does not follow the journal before it")
        contents.append(found)
        torn = max(0, len(data.rstrip(b"\x00")) - found.end)  # zeros are the room of frames that nobody wrote
    return contents, torn


def _follows(header: Header, before: Contents) -> bool:
    return header.origin == before.header.origin and header.size == before.header.size + len(before.frames)


class Rotation:
    """Turns from one journal to the next.

    Args:
        folder: Where journals lie.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._old: Journal | None = None
        self._drain = Drain((), ())

    @property
    def draining(self) -> bool:
        """Whether an old journal waits for its files to be synced."""
        return self._old is not None

    @property
    def first(self) -> tuple[int, ...]:
        """Size of the tree that the old journal begins at, () when there is none: recovery reads its tiles."""
        return () if self._old is None else (self._old.first,)

    def due(self, journal: Journal, *, cramped: bool) -> bool:
        """Whether it is time for a new journal: this one is long, and the one before is gone.

        Args:
            journal: The one in use.
            cramped: Records take from the reserve: then a short one is long, since turning it makes its room free.
        """
        long = ROTATE_CRAMPED_BYTES if cramped else ROTATE_BYTES
        return not self.draining and (journal.size >= long or journal.frames >= ROTATE_FRAMES)

    def turn(self, old: Journal, header: Header, publisher: Publisher) -> Journal:
        """Begin a new journal.

        Args:
            old: The journal so far; everything in it is published.
            header: The published tree.
            publisher: Knows what was published from it.

        Raises:
            StorageFull, StorageFault: The old one stays in use.
        """
        assert not publisher.news, "a journal goes only after all of it is published"
        journal = Journal.create(next_path(self._folder), header)
        journal.syncs, journal.sync_us = old.syncs, old.sync_us
        self._old, self._drain = old, publisher.take_unsynced()
        return journal

    def drain(self, *, seconds: float) -> None:
        """Sync for about this long; when all is synced, remove the old journal. Raises StorageFault."""
        self._drain.sync(seconds=seconds)
        if self._old is not None and self._drain.done:
            self._old.close()
            with storage("removing an old journal"):
                self._old.path.unlink()
                sync_folder(self._folder)
            self._old = None
