"""What is fuzzed, and the promise each target keeps for any bytes: a value within bounds, or Malformed, never more."""

import contextlib
import io
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final

import msgspec

from appliance.errors import Malformed
from appliance.formats.lists import ListedPerson
from provisioning.authority.import_verb import READERS
from provisioning.authority.sources.document_csv import DocumentRow, read_documents
from provisioning.authority.sources.reading import HeldDocument, ReadPerson, Rejected

LISTS: Final = Path(__file__).parents[1] / "vectors" / "lists"
BETWEEN_FILES: Final = b"\x00\x00FILE\x00\x00"
"""Parts the files of a source that has several."""
WHY_MAX: Final = 400


@dataclass(frozen=True, slots=True)
class Target:
    """One parser.

    Attributes:
        run: Raises when the promise is broken.
        files: Seeds among the list vectors; those of one tuple are read together.
    """

    run: Callable[[bytes], None]
    files: tuple[tuple[str, ...], ...]

    def seeds(self) -> list[bytes]:
        """The vectors, and nothing at all."""
        return [b"", *(BETWEEN_FILES.join((LISTS / name).read_bytes() for name in names) for names in self.files)]


def _read_source(source: str, data: bytes) -> None:
    files = [io.BytesIO(part) for part in data.split(BETWEEN_FILES)][: READERS[source].files_max]
    with contextlib.suppress(Malformed):
        for item in READERS[source].read(files):
            if isinstance(item, ReadPerson):
                written = msgspec.json.encode(item.person)
                assert msgspec.json.decode(written, type=ListedPerson) == item.person
                for key in item.documents:
                    key.digest(bytes(32))
            elif isinstance(item, HeldDocument):
                item.document.digest(bytes(32))
            elif isinstance(item, Rejected):
                assert len(item.why) < WHY_MAX


def _read_documents(data: bytes) -> None:
    with contextlib.suppress(Malformed):
        for row in read_documents(io.BytesIO(data)):
            if isinstance(row, DocumentRow):
                assert row.keys
                for key in row.keys[:10]:
                    key.digest(bytes(32))
                msgspec.json.encode(row.listed)


TARGETS: Final = {
    "un": Target(partial(_read_source, "un"), (("un_traps.xml",),)),
    "interpol": Target(
        partial(_read_source, "interpol"),
        (("interpol_page.json",), ("interpol_detail.json",), ("interpol_page.json", "interpol_detail.json")),
    ),
    "opensanctions-csv": Target(partial(_read_source, "opensanctions-csv"), (("opensanctions_targets.simple.csv",),)),
    "opensanctions-ftm": Target(partial(_read_source, "opensanctions-ftm"), (("opensanctions_entities.ftm.json",),)),
    "ofac": Target(
        partial(_read_source, "ofac"),
        (("ofac_sdn.csv",), ("ofac_sdn.csv", "ofac_alt.csv", "ofac_add.csv", "ofac_sdn_comments.csv")),
    ),
    "documents": Target(_read_documents, (("documents_traps.csv",),)),
}
