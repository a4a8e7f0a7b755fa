"""Synthetic files in the sources' exact shape, and what their readers say of them."""

import io
from collections.abc import Sequence
from pathlib import Path

from provisioning.authority.import_verb import READERS
from provisioning.authority.sources.reading import Item, ReadPerson, Rejected, Remark

VECTORS = Path(__file__).parent / "vectors" / "lists"
OFAC = ("ofac_sdn.csv", "ofac_alt.csv", "ofac_add.csv", "ofac_sdn_comments.csv")


def vector(name: str) -> bytes:
    return (VECTORS / name).read_bytes()


def read(source: str, *texts: bytes) -> list[Item]:
    return list(READERS[source].read([io.BytesIO(text) for text in texts]))


def persons(items: Sequence[Item]) -> dict[str, ReadPerson]:
    """By entry; the first one counts."""
    found: dict[str, ReadPerson] = {}
    for item in items:
        if isinstance(item, ReadPerson):
            found.setdefault(item.person.entry, item)
    return found


def rejects(items: Sequence[Item]) -> dict[str, str]:
    return {str(item.place): item.why for item in items if isinstance(item, Rejected)}


def remarks(items: Sequence[Item]) -> list[str]:
    return [item.text for item in items if isinstance(item, Remark)]


def names(person: ReadPerson) -> list[tuple[str, str]]:
    return [(name.text, name.quality) for name in person.person.names]
