"""Imported lists that wait for publication: `hq/lists/documents.json`, `persons.json` and the report of each import.

Documents come in increments (add, update, delete) on what is staged, under one key of digests; persons replace what
was staged, and so do the documents that the same source names for them.
"""

import os
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Final

from appliance.errors import Malformed, StorageFault
from appliance.files import storage, write_durably
from appliance.formats.lists import (
    DocumentsFile,
    ListedDocument,
    ListedPerson,
    encode_list,
    parse_documents,
)
from provisioning.authority import un_xml
from provisioning.authority.document_csv import DocumentRow, RejectedLine
from provisioning.authority.list_files import documents_list, persons_list
from provisioning.authority.rejects import ImportReport
from provisioning.authority.un_xml import ReadPerson, RejectedPerson

DOCUMENTS_MAX: Final = 150_000
"""What the list of a small release holds; more needs the page file."""


@dataclass(frozen=True, slots=True)
class Staging:
    """What is imported and not yet published.

    Args:
        folder: `hq/lists`.
    """

    folder: Path

    def documents(self) -> bytes | None:
        """The staged documents list, None when nothing was imported. Raises StorageFault."""
        return _read(self.folder / "documents.json")

    def persons(self) -> bytes | None:
        """The staged persons list, None when nothing was imported. Raises StorageFault."""
        return _read(self.folder / "persons.json")

    def take_documents(self, rows: Iterable[DocumentRow | RejectedLine], *, today: date) -> ImportReport:
        """Apply a CSV to the staged documents.

        Raises:
            Malformed: The file is broken as a whole, or the list would be too long; what was staged stays.
            StorageFull, StorageFault: It could not be written.
        """
        report = ImportReport()
        staged = self._documents(today)
        entries = dict(staged.entries)
        for row in rows:
            if isinstance(row, RejectedLine):
                report.left_out.append((f"line {row.line}", row.why))
            else:
                _apply(row, staged.key, entries, report)
            if len(entries) > DOCUMENTS_MAX:
                raise Malformed("documents list", f"more than {DOCUMENTS_MAX} documents")
        self._stage("documents.json", encode_list(_with(staged, entries, today)))
        self._report("documents", report)
        return report

    def take_persons(self, people: Iterable[ReadPerson | RejectedPerson], *, today: date) -> ImportReport:
        """Replace the staged persons, and the documents that the same list names for them.

        Raises:
            Malformed: The file is broken as a whole; what was staged stays.
            StorageFull, StorageFault: It could not be written.
        """
        report = ImportReport()
        staged = self._documents(today)
        entries = {digest: held for digest, held in staged.entries.items() if held.source != un_xml.SOURCE}
        persons: dict[str, ListedPerson] = {}
        for read in people:
            if isinstance(read, RejectedPerson):
                report.left_out.append((read.where, read.why))
                continue
            where = f"DATAID {read.person.entry}"
            if read.person.entry in persons:
                report.left_out.append((where, "this DATAID appears twice"))
                continue
            persons[read.person.entry] = read.person
            report.notes.extend((where, why) for why in read.notes)
            for key in read.documents:
                entries.setdefault(key.digest(staged.key), _of_person(read.person))
        report.taken = len(persons)
        self._stage("documents.json", encode_list(_with(staged, entries, today)))
        self._stage("persons.json", persons_list(persons.values(), dated=today))
        self._report("persons", report)
        return report

    def _documents(self, today: date) -> DocumentsFile:
        staged = self.documents()
        return parse_documents(staged or documents_list({}, dated=today, key=os.urandom(32)))

    def _stage(self, name: str, content: bytes) -> None:
        with storage("making hq/lists"):
            self.folder.mkdir(parents=True, exist_ok=True)
        write_durably(self.folder / name, content)

    def _report(self, name: str, report: ImportReport) -> None:
        write_durably(self.folder / f"{name}.report.txt", report.text(name).encode())


def _apply(row: DocumentRow, list_key: bytes, entries: dict[str, ListedDocument], report: ImportReport) -> None:
    for key in row.keys:
        digest = key.digest(list_key)
        if row.op == "D" and entries.pop(digest, None) is None:
            report.left_out.append((f"line {row.line}", "to be deleted, but not on the list"))
            continue
        if row.op != "D":
            entries[digest] = row.listed
        report.taken += 1


def _with(staged: DocumentsFile, entries: dict[str, ListedDocument], today: date) -> DocumentsFile:
    return DocumentsFile(schema=1, dated=today, key=staged.key, entries=entries)


def _of_person(person: ListedPerson) -> ListedDocument:
    return ListedDocument(entry=person.entry, source=person.source, fraud="listed person")


def _read(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise StorageFault(f"reading {path.name}: {error.strerror}") from error
