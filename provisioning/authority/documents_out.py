"""What a publication sends of the documents list: the changes since the last one, or the whole list anew.

A delta is to the base that boxes have, under its key. When deltas have piled up, the base merged with them becomes the
new one: boxes that have them make it themselves, and what changed since is its first delta. When the changes are no
small thing beside the base, as with every list of a few pages, or when headquarters has begun a new list key, a new
base goes out.
"""

import sys
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import IO, Final

from rich.console import Console
from rich.progress import Progress

from appliance.files import OpenFile, storage
from appliance.formats.list_key import DocumentsKey
from appliance.formats.lists import CANARY_DOCUMENT
from appliance.formats.page_writer import merge_deltas
from appliance.formats.pages import PageFile
from appliance.formats.release import DELTA_NAME, DOCUMENTS_TARGET, Policy
from provisioning.authority.list_files import CANARY
from provisioning.authority.pages_build import BUCKETS, PageBuild, write_delta
from provisioning.authority.repository import Repository
from provisioning.authority.staging import Staging

DELTA_SHARE: Final = 8
"""All deltas together have at most this fraction of their base's bytes: one eighth."""
DELTAS_MAX: Final = 366
_DELTA: Final = "lists/documents.delta-"
DELTAS_BYTES_MAX: Final = 64 * 1024 * 1024
"""Boxes hold them in memory: 3.3 million changes, three months at 35,000 a day."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Published:
    """A release that is out.

    Attributes:
        new: Targets that are not those of the last release.
        merged: The new documents list is the merge of the last one and its deltas: boxes make it themselves.
    """

    policy: Policy
    new: frozenset[str]
    merged: bool


@dataclass(frozen=True, slots=True)
class DocumentsOut:
    """Prepares what is published of the documents.

    Args:
        staging: What is imported.
        repository: What is published.
        scratch: A folder of this publication alone.
        key: Of the list key to publish under.
    """

    staging: Staging
    repository: Repository
    scratch: Path
    key: DocumentsKey

    def publish(self, others: Mapping[str, bytes], *, at_ms: int) -> Published:
        """Publish the documents and `others`.

        Raises:
            Malformed, Untrusted: What was published does not hold.
            StorageFull, StorageFault: Reading, writing.
        """
        targets, made_of = self._targets()
        contents = {**others, **targets}
        sources = [source.stated() for source in self.staging.sources()]
        policy = self.repository.publish(contents, at_ms=at_ms, made_of=made_of, sources=sources)
        new = frozenset(path for path, content in contents.items() if content is not None)
        return Published(policy=policy, new=new, merged=bool(made_of))

    def _targets(self) -> tuple[dict[str, Path | None], tuple[str, ...]]:
        """Targets to publish, None for those that end, and what a new base is the merge of."""
        dated = self.staging.documents_dated()
        base, deltas = self._opened(DOCUMENTS_TARGET), self.repository.names(DELTA_NAME)
        if base.key_id == self.key.key_id:
            return ({}, ()) if dated is None else self._changes(base, deltas, dated)
        whole = {DOCUMENTS_TARGET: self._built("whole", dated or base.dated, ())}
        return {**dict.fromkeys(deltas), **whole}, ()

    def _changes(
        self, base: PageFile, deltas: list[str], dated: date
    ) -> tuple[dict[str, Path | None], tuple[str, ...]]:
        """As `_targets`, to a base under the same key."""
        delta = self._delta(base, deltas, dated)
        room = min(self._size(DOCUMENTS_TARGET) // DELTA_SHARE, DELTAS_BYTES_MAX)
        size = delta.stat().st_size
        if sum(self._size(name) for name in deltas) + size <= room and len(deltas) < DELTAS_MAX:
            return {f"{_DELTA}{len(deltas) + 1:04}": delta}, ()
        if size <= room and deltas:
            merged = {DOCUMENTS_TARGET: self.scratch / "published", f"{_DELTA}0001": delta}
            return {**dict.fromkeys(deltas), **merged}, (DOCUMENTS_TARGET, *deltas)
        return {**dict.fromkeys(deltas), DOCUMENTS_TARGET: self._built("whole", dated, ())}, ()

    def _delta(self, base: PageFile, deltas: list[str], dated: date) -> Path:
        """What turns the published list into the staged one."""
        published = base
        if deltas:
            with self._written("published") as file:
                merge_deltas(base, [self._opened(name) for name in deltas], file.write)
            published = PageFile(OpenFile(self.scratch / "published"))
        staged = self._built("staged", dated, published.details)
        with self._written("delta") as file:
            write_delta(published, PageFile(OpenFile(staged)), file.write)
        return self.scratch / "delta"

    def _built(self, name: str, dated: date, details: tuple[bytes, ...]) -> Path:
        sort = self.scratch / f"{name}.sort"
        with storage("sorting documents"):
            sort.mkdir()
        bar = Progress(console=Console(stderr=True), disable=not sys.stderr.isatty())
        with bar as progress, PageBuild(sort, self.key, details) as build:
            build.put(self.key.digest(CANARY_DOCUMENT), build.number(CANARY))
            for document, listed in progress.track(
                self.staging.listed_documents(), total=self.staging.count_documents(), description="documents"
            ):
                build.put(self.key.digest(document), build.number(listed))
            sorting = progress.add_task("sorting", total=BUCKETS)
            with self._written(name) as file:
                build.write(file.write, dated=dated, advanced=lambda: progress.advance(sorting))
        return self.scratch / name

    def _opened(self, name: str) -> PageFile:
        place = self.repository.place(name)
        assert place is not None, "the repository has just named it"
        return PageFile(OpenFile(place))

    def _size(self, name: str) -> int:
        place = self.repository.place(name)
        return 0 if place is None else place.stat().st_size

    @contextmanager
    def _written(self, name: str) -> Generator[IO[bytes]]:
        with storage(f"writing {name}"), (self.scratch / name).open("wb") as file:
            yield file


@contextmanager
def documents_out(staging: Staging, repository: Repository, list_key: bytes) -> Generator[DocumentsOut]:
    """Prepare under this list key, in a scratch folder beside what is staged, which ends with it."""
    with storage("making room for the documents list"):
        staging.folder.mkdir(parents=True, exist_ok=True)
        folder = TemporaryDirectory(prefix=".publish-", dir=staging.folder)
    with folder as name:
        yield DocumentsOut(staging, repository, Path(name), DocumentsKey(list_key))
