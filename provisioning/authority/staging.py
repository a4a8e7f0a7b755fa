"""Imported lists that wait for publication, and the rules by which an import changes what is staged.

- Documents come as changes (add, update, delete) on what is staged.
- A source that publishes its whole list is replaced by it: who is no longer on it is withdrawn, and so are the
  documents that it named. One that shrinks to less than half is refused: it is half a file until somebody says no.
- A source that is seen in extracts only (INTERPOL's pages) adds and updates; parts of one entry are merged.
- Different sources are kept apart, even for the same person: each has its own reference, date and instruction.

All is in `hq/lists/staged.db`; each import leaves `hq/lists/<source>.report.txt`.
"""

import contextlib
from collections.abc import Generator, Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Final

from msgspec.structs import replace

from appliance.errors import Malformed, Refused
from appliance.files import write_durably
from appliance.formats.lists import DocumentKey, ListedDocument, ListedPerson
from provisioning.authority.import_report import ImportReport
from provisioning.authority.sources import document_csv
from provisioning.authority.sources.document_csv import DocumentRow
from provisioning.authority.sources.reading import (
    BIRTHS_MAX,
    NAMES_MAX,
    NATIONALITIES_MAX,
    HeldDocument,
    Item,
    ReadPerson,
    Rejected,
    Remark,
)
from provisioning.authority.staged_store import DOCUMENTS, Change, StagedSource, StagedStore

PERSONS_MAX: Final = 2_000_000
SHRINK_MAX: Final = 0.5
"""Share of a list that may go at one import, unless whoever imports says that it is meant."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonSource:
    """A list of persons, as far as staging cares.

    Attributes:
        name: As commands and files spell it ("un").
        title: As officers read it ("UN Security Council").
        is_whole: An import has the whole list, not an extract.
    """

    name: str
    title: str
    is_whole: bool


@dataclass(frozen=True, slots=True)
class Staging:
    """What is imported and not yet published.

    Args:
        folder: `hq/lists`.
    """

    folder: Path

    # --- for publication ----------------------------------------------------------------------------------------------

    def sources(self) -> tuple[StagedSource, ...]:
        """All sources that were imported, with the day of the last import of each. Raises StorageFault."""
        if not self._path.exists():
            return ()
        with self._store() as store:
            return store.sources()

    def people(self) -> Iterator[ListedPerson]:
        """Everybody who is staged, one by one. Raises StorageFault."""
        with self._store() as store:
            yield from store.people()

    def listed_documents(self) -> Iterator[tuple[DocumentKey, ListedDocument]]:
        """Every staged document, one by one; those of listed persons too. A document may come twice: the first counts.

        Raises:
            StorageFault: The database cannot be read.
        """
        with self._store() as store:
            yield from store.documents()

    def documents_dated(self) -> date | None:
        """The day from which on the staged documents hold, None when nothing was imported. Raises StorageFault."""
        sources = {source.name: source for source in self.sources()}
        own = sources.get(DOCUMENTS)
        return own.taken_in if own else self.persons_dated()

    def count_documents(self) -> int:
        """How many documents are staged, each time that one is listed. Raises StorageFault."""
        with self._store() as store:
            return store.count_documents()

    def persons_dated(self) -> date | None:
        """The day from which on every staged list of persons holds: the oldest of their last imports; None without any.

        Raises:
            StorageFault: The database cannot be read.
        """
        sources = [source for source in self.sources() if source.name != DOCUMENTS]
        return _oldest(sources) if sources else None

    # --- imports ------------------------------------------------------------------------------------------------------

    def take_documents(
        self, rows: Iterable[DocumentRow | Rejected | Remark], *, today: date, anew: bool = False
    ) -> ImportReport:
        """Apply a CSV to the staged documents; `anew` to none at all, whatever was staged.

        Raises:
            Malformed: The file is broken as a whole; what was staged stays.
            StorageFull, StorageFault: It could not be written; likewise.
        """
        report = ImportReport()
        with self._store() as store, store.importing():
            if anew:
                report.withdrawn = store.strike_all()
            for row in rows:
                if isinstance(row, DocumentRow):
                    _apply(row, store, report)
                else:
                    _tell(row, report)
            store.note(DOCUMENTS, document_csv.SOURCE, today, left_out=report.left_out)
        self._report(DOCUMENTS, report)
        return report

    def take_persons(
        self, source: PersonSource, items: Iterable[Item], *, today: date, anew: bool = False
    ) -> ImportReport:
        """Take what a source says of persons, and of the documents that they hold.

        Args:
            source: Whose list it is.
            items: From its reader.
            today: The day it is taken in.
            anew: Whoever is not among `items` is withdrawn, however many they are and however little the source shows.

        Raises:
            Malformed: A file is broken as a whole, or there are more than PERSONS_MAX persons; what was staged stays.
            Refused: A whole list has less than half of what it had; likewise.
            StorageFull, StorageFault: It could not be written; likewise.
        """
        report = ImportReport()
        with self._store() as store, store.importing():
            intake = _Intake(store, source, report)
            before = store.count(source.name)
            if source.is_whole or anew:
                store.let_go(source.name)
            for item in items:
                intake.take(item)
            if source.is_whole or anew:
                report.withdrawn = store.withdraw(source.name)
                if not anew and store.count(source.name) < before * SHRINK_MAX:
                    raise Refused(
                        f"{source.title}: {report.taken} persons, {before} are staged: less than half; "
                        "is it half a file? If it is meant, import with --anew"
                    )
            if strays := store.drop_strays(source.name):
                report.remarks.append(f"{strays} documents whose holders are not listed are not taken")
            store.note(source.name, source.title, today, left_out=report.left_out)
        self._report(source.name, report)
        return report

    @property
    def _path(self) -> Path:
        return self.folder / "staged.db"

    @contextlib.contextmanager
    def _store(self) -> Generator[StagedStore]:
        store = StagedStore(self._path)
        try:
            yield store
        finally:
            store.close()

    def _report(self, name: str, report: ImportReport) -> None:
        write_durably(self.folder / f"{name}.report.txt", report.text(name).encode())


@dataclass(frozen=True, slots=True)
class _Intake:
    """One import of persons on its way into the store."""

    store: StagedStore
    source: PersonSource
    report: ImportReport

    def take(self, item: Item) -> None:
        """List the person, keep the document, or report what was not taken."""
        if isinstance(item, ReadPerson):
            self._take_person(item)
        elif isinstance(item, HeldDocument):
            self.store.hold(self.source.name, item.holder, [item.document])
        else:
            _tell(item, self.report)

    def _take_person(self, read: ReadPerson) -> None:
        person, name = read.person, self.source.name
        if self.store.name(person.entry):
            self.report.taken += 1
            if not self.source.is_whole:
                self.store.let_go(name, person.entry)
        elif self.source.is_whole:
            self.report.reject(read.place, "this identifier appears twice")
            return
        elif known := self.store.person(name, person.entry):
            person = _merged(known, person)
            self.report.merged += 1
        if self.report.taken > PERSONS_MAX:
            raise Malformed("persons list", f"more than {PERSONS_MAX} persons")
        for why in read.notes:
            self.report.leave(read.place, why)
        change = self.store.put(name, person)
        self.report.new += change is Change.NEW
        self.report.changed += change is Change.CHANGED
        self.store.hold(name, person.entry, read.documents)


def _merged(known: ListedPerson, more: ListedPerson) -> ListedPerson:
    """What both say of the same entry, within the bounds of one."""
    return replace(
        known,
        names=tuple(dict.fromkeys(known.names + more.names))[:NAMES_MAX],
        births=tuple(dict.fromkeys(known.births + more.births))[:BIRTHS_MAX],
        nationalities=tuple(dict.fromkeys(known.nationalities + more.nationalities))[:NATIONALITIES_MAX],
        sex=known.sex or more.sex,
    )


def _tell(item: Rejected | Remark, report: ImportReport) -> None:
    if isinstance(item, Remark):
        report.remarks.append(item.text)
    else:
        report.reject(item.place, item.why)


def _apply(row: DocumentRow, store: StagedStore, report: ImportReport) -> None:
    for key in row.keys:
        if row.op == "D":
            if not store.strike(key):
                report.reject(row.place, "to be deleted, but not on the list")
                continue
            report.withdrawn += 1
        elif store.enter(key, row.listed):
            report.new += 1
        else:
            report.changed += 1
        report.taken += 1


def _oldest(sources: Iterable[StagedSource]) -> date:
    return min(source.taken_in for source in sources)
