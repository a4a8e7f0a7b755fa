"""Every vector of the npm package cctv-age, whole, through our decryption: it opens what it must, and nothing else."""

import hashlib
import subprocess
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from appliance.errors import Malformed, Untrusted
from appliance.formats.age import Identity, decrypt, parse_identity
from tests.formats_samples import GENERAL

pytestmark = pytest.mark.interop

Run = Callable[..., subprocess.CompletedProcess[str]]
HYBRID = "AGE-SECRET-KEY-PQ-1"
PLAINTEXT_BYTES_MAX = 17_000_000


@dataclass(frozen=True)
class Vector:
    """One vector.

    Attributes:
        fields: Its header; a field that stands several times has several values.
        file: What is to be opened, or refused.
    """

    name: str
    fields: dict[str, tuple[str, ...]]
    file: bytes

    @property
    def hybrid(self) -> tuple[Identity, ...]:
        return tuple(parse_identity(text) for text in self.fields.get("identity", ()) if text.startswith(HYBRID))

    @property
    def armored(self) -> bool:
        """In text, which none of our files is."""
        return "armored" in self.fields

    @property
    def payload(self) -> str:
        """SHA-256 that the plaintext must have; "" when the vector must be refused."""
        return self.fields["payload"][0] if self.fields["expect"] == ("success",) else ""


def read_vector(path: Path) -> Vector:
    head, _, file = path.read_bytes().partition(b"\n\n")
    fields: dict[str, tuple[str, ...]] = {}
    for line in head.decode().splitlines():
        name, _, value = line.partition(": ")
        fields[name] = (*fields.get(name, ()), value)
    return Vector(path.name, fields, zlib.decompress(file) if "compressed" in fields else file)


@pytest.fixture(scope="module")
def vectors(node: Run, tmp_path_factory: pytest.TempPathFactory) -> list[Vector]:
    folder = tmp_path_factory.mktemp("cctv")
    done = node("age_vectors.mjs", folder)
    assert done.returncode == 0, done.stderr
    found = [read_vector(path) for path in sorted(folder.iterdir())]
    assert len(found) == int(done.stdout) == 143
    return found


def opened(vector: Vector, identity: Identity) -> str:
    """SHA-256 of the plaintext; "" when the file is refused."""
    try:
        return hashlib.sha256(decrypt(vector.file, identity, plaintext_bytes_max=PLAINTEXT_BYTES_MAX)).hexdigest()
    except (Malformed, Untrusted):
        return ""


def test_every_vector_with_a_hybrid_recipient_has_the_outcome_that_it_names(vectors: list[Vector]) -> None:
    ours = [vector for vector in vectors if vector.hybrid and not vector.armored]
    outcomes = {vector.name: opened(vector, vector.hybrid[0]) for vector in ours}
    assert outcomes == {vector.name: vector.payload for vector in ours}
    assert len(ours) == 18
    assert sum(map(bool, outcomes.values())) > 0


def test_what_is_armored_is_refused_though_its_recipient_is_hybrid(vectors: list[Vector]) -> None:
    (vector,) = (vector for vector in vectors if vector.hybrid and vector.armored)
    assert vector.payload
    assert not opened(vector, vector.hybrid[0])


def test_no_vector_of_another_recipient_opens_or_crashes(vectors: list[Vector]) -> None:
    others = [vector for vector in vectors if not vector.hybrid]
    assert len(others) == 143 - 18 - 1
    assert not any(opened(vector, GENERAL) for vector in others)
