"""What a publication sends of the documents list: the changes since the last one, or the whole list anew.

A delta is to the base that boxes have, under its key. When deltas have piled up, the base merged with them becomes the
new one: boxes that have them make it themselves, and what changed since is its first delta. When the changes are no
small thing beside the base, as with every list of a few pages, a new base goes out, under a new key.
"""

import os
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


@dataclass(frozen=True, slots=True)
class DocumentsOut:
    """Prepares what is published of the documents.

    Args:
        staging: What is imported.
        repository: What is published.
        scratch: A folder of this publication alone.
    """

    staging: Staging
    repository: Repository
    scratch: Path

    def publish(self, others: Mapping[str, bytes], *, at_ms: int) -> tuple[Policy, frozenset[str]]:
        """Publish the documents and `others`; returns the release, and which targets are new in it.

        Raises:
            Malformed, Untrusted: What was published does not hold.
            StorageFull, StorageFault: Reading, writing.
        """
        targets, made_of = self._targets()
        sources = [source.stated() for source in self.staging.sources()]
        policy = self.repository.publish({**others, **targets}, at_ms=at_ms, made_of=made_of, sources=sources)
        return policy, frozenset(path for path, content in {**others, **targets}.items() if content is not None)

    def _targets(self) -> tuple[dict[str, Path | None], tuple[str, ...]]:
        """Targets to publish, None for those that end, and what a new base is the merge of."""
        dated = self.staging.documents_dated()
        if dated is None:
            return {}, ()
        base_place = self.repository.place(DOCUMENTS_TARGET)
        deltas = self.repository.names(DELTA_NAME)
        if base_place is not None:
            delta = self._delta(PageFile(OpenFile(base_place)), deltas, dated)
            room = min(base_place.stat().st_size // DELTA_SHARE, DELTAS_BYTES_MAX)
            size = delta.stat().st_size
            if sum(self._size(name) for name in deltas) + size <= room and len(deltas) < DELTAS_MAX:
                return {f"{_DELTA}{len(deltas) + 1:04}": delta}, ()
            if size <= room and deltas:
                merged = {DOCUMENTS_TARGET: self.scratch / "published", f"{_DELTA}0001": delta}
                return {**dict.fromkeys(deltas), **merged}, (DOCUMENTS_TARGET, *deltas)
        return {**dict.fromkeys(deltas), DOCUMENTS_TARGET: self._built("whole", os.urandom(32), dated, ())}, ()

    def _delta(self, base: PageFile, deltas: list[str], dated: date) -> Path:
        """What turns the published list into the staged one."""
        published = base
        if deltas:
            with self._written("published") as file:
                merge_deltas(base, [self._opened(name) for name in deltas], file.write)
            published = PageFile(OpenFile(self.scratch / "published"))
        staged = self._built("staged", base.key, dated, published.details)
        with self._written("delta") as file:
            write_delta(published, PageFile(OpenFile(staged)), file.write)
        return self.scratch / "delta"

    def _built(self, name: str, key: bytes, dated: date, details: tuple[bytes, ...]) -> Path:
        sort = self.scratch / f"{name}.sort"
        with storage("sorting documents"):
            sort.mkdir()
        quiet = not sys.stderr.isatty()
        with Progress(console=Console(stderr=True), disable=quiet) as progress, PageBuild(sort, details) as build:
            build.put(CANARY_DOCUMENT.digest(key), build.number(CANARY))
            for document, listed in progress.track(
                self.staging.listed_documents(), total=self.staging.count_documents(), description="documents"
            ):
                build.put(document.digest(key), build.number(listed))
            sorting = progress.add_task("sorting", total=BUCKETS)
            with self._written(name) as file:
                build.write(file.write, key=key, dated=dated, advanced=lambda: progress.advance(sorting))
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
def documents_out(staging: Staging, repository: Repository) -> Generator[DocumentsOut]:
    """Prepare in a scratch folder beside what is staged, which ends with it."""
    with storage("making room for the documents list"):
        staging.folder.mkdir(parents=True, exist_ok=True)
        folder = TemporaryDirectory(prefix=".publish-", dir=staging.folder)
    with folder as name:
        yield DocumentsOut(staging, repository, Path(name))
