"""Building a list: a million documents in bounded memory, each of them found, in the size that was promised."""

import subprocess
import sys
from collections.abc import Iterable
from datetime import date
from pathlib import Path

from appliance.files import OpenFile
from appliance.formats.lists import DocumentKey, ListedDocument
from appliance.formats.pages import DETAILS_MAX, PageFile
from provisioning.authority.pages_build import KINDS_MAX, PageBuild
from tests.page_files import DAY, KEY, found, listed

ROOT = Path(__file__).parents[2]
RECORDS = 1_000_000
BUILD = """\
import resource, sys
from pathlib import Path
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
from tests.benchmarks.bench_documents import build
build(Path(sys.argv[1]), int(sys.argv[2]))
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
"""


def built(
    folder: Path, entries: Iterable[tuple[bytes, ListedDocument]], *, details: tuple[bytes, ...] = ()
) -> PageFile:
    scratch = folder / "sort"
    scratch.mkdir()
    with PageBuild(scratch, KEY, details) as build, (folder / "documents.pages").open("wb") as file:
        for digest, entry in entries:
            build.put(digest, build.number(entry))
        build.write(file.write, dated=DAY)
    assert not list(scratch.iterdir())
    scratch.rmdir()
    return PageFile(OpenFile(folder / "documents.pages"))


def test_a_million_documents_are_built_in_little_memory_and_all_of_them_are_found(tmp_path: Path) -> None:
    from tests.benchmarks.bench_documents import digests

    path = tmp_path / "documents.pages"
    command = [sys.executable, "-c", BUILD, path, str(RECORDS)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300, check=True)
    assert int(done.stdout) < 128 * 1024  # KiB; as a set of digests it would be 100 MB more
    file = PageFile(OpenFile(path))
    assert file.records == RECORDS
    assert path.stat().st_size <= 20.1 * RECORDS
    assert all(file.find(digest) is not None for digest in list(digests(65_536))[::16])
    assert not any(file.find(digest) is not None for digest in digests(4_096, of=1))


def test_the_first_entry_of_a_document_counts_in_any_order_of_documents(tmp_path: Path) -> None:
    one, other = b"\x01" * 16, b"\x00" * 16
    file = built(tmp_path, [(one, listed("first")), (other, listed("other")), (one, listed("second"))])
    assert found(file, [one, other]) == {one: listed("first"), other: listed("other")}


def test_details_of_the_list_before_keep_their_numbers(tmp_path: Path) -> None:
    (tmp_path / "old").mkdir()
    (tmp_path / "new").mkdir()
    digests = [number.to_bytes(16) for number in range(1, 4)]
    old = built(tmp_path / "old", [(digest, listed(f"S-{place}")) for place, digest in enumerate(digests)])
    changed = [(digests[2], listed("S-9")), (digests[1], listed("S-1")), (digests[0], listed("S-0"))]
    new = built(tmp_path / "new", changed, details=old.details)
    assert [new.find(digest) for digest in digests] == [0, 1, 3]


def test_references_beyond_what_a_file_holds_give_way_to_kinds(tmp_path: Path) -> None:
    """The list goes on telling fraud and reporting state; the entry is then the document itself."""
    room = DETAILS_MAX - KINDS_MAX
    digests = [number.to_bytes(4) + bytes(12) for number in range(room + 10)]
    file = built(tmp_path, [(digest, listed(f"S-{place}", "lost")) for place, digest in enumerate(digests)])
    assert found(file, [digests[room - 1]])[digests[room - 1]] == listed(f"S-{room - 1}", "lost")
    assert found(file, [digests[room]])[digests[room]] == listed(digests[room].hex(), "lost")
    assert len(file.details) == room + 1


def test_an_empty_list_is_a_list(tmp_path: Path) -> None:
    file = built(tmp_path, [])
    assert (file.records, file.pages, file.dated) == (0, 0, date(2026, 11, 3))
    key = DocumentKey(issuer="UTO", document_type="P", number="L898902C3")
    assert file.find(KEY.digest(key)) is None
