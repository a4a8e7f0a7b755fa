"""What is wrong with a file as a whole, for every source: encodings, halves, ranges without end, pipes and devices."""

import io
import itertools
import os
import subprocess
import sys
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest

from appliance.errors import Malformed
from provisioning.authority.import_verb import READERS
from provisioning.authority.sources.document_csv import RANGE_MAX, RANGED_MAX, DocumentRow, read_documents
from provisioning.authority.sources.reading import Files, Item, Rejected
from provisioning.authority.staging import Staging
from tests.lists_world import OFAC, vector

BIN = Path(sys.executable).parent
SOURCES = {
    "un": ("un_traps.xml",),
    "interpol": ("interpol_page.json",),
    "opensanctions-csv": ("opensanctions_targets.simple.csv",),
    "opensanctions-ftm": ("opensanctions_entities.ftm.json",),
    "ofac": OFAC,
    "documents": ("documents_traps.csv",),
}
"""Of each its vector; the first file is what is broken here, the others come with it."""


def read(source: str, first: bytes) -> list[object]:
    files: Files = [io.BytesIO(text) for text in (first, *map(vector, SOURCES[source][1:]))]
    if source == "documents":
        return list(read_documents(files[0]))
    items: list[Item] = list(READERS[source].read(files))
    return list(items)


def text_of(source: str) -> str:
    return vector(SOURCES[source][0]).decode("utf-8").removeprefix("\N{BYTE ORDER MARK}")


def utf_16(text: str) -> bytes:
    return text.encode("utf-16-le")


def utf_16_with_a_mark(text: str) -> bytes:
    return text.encode("utf-16")


def utf_16_big_endian(text: str) -> bytes:
    return text.encode("utf-16-be")


def utf_32(text: str) -> bytes:
    return text.encode("utf-32")


def latin_1(text: str) -> bytes:
    """As an old export writes names: one letter that UTF-8 has not, in the first line that has a name."""
    place = text.rindex("a")
    return text[:place].encode() + b"\xe9" + text[place:].encode()


@pytest.mark.parametrize("source", SOURCES)
@pytest.mark.parametrize("written", [utf_16, utf_16_with_a_mark, utf_16_big_endian, utf_32, latin_1])
def test_another_encoding_is_refused_whole(source: str, written: Callable[[str], bytes]) -> None:
    with pytest.raises(Malformed):
        read(source, written(text_of(source)))


@pytest.mark.parametrize("source", SOURCES)
def test_a_byte_order_mark_of_utf_8_is_no_content(source: str) -> None:
    plain = read(source, text_of(source).encode())
    assert read(source, b"\xef\xbb\xbf" + text_of(source).encode()) == plain
    assert plain


def test_xml_may_say_that_it_is_written_in_another_encoding() -> None:
    """XML names its encoding, so whoever reads it need not guess."""
    text = text_of("un")
    body = text[text.index("<CONSOLIDATED_LIST") :]
    plain = read("un", f'<?xml version="1.0" encoding="UTF-8"?>{body}'.encode())
    assert read("un", f'<?xml version="1.0" encoding="UTF-16"?>{body}'.encode("utf-16")) == plain


@pytest.mark.parametrize("source", SOURCES)
def test_a_file_cut_at_any_byte_is_refused_unless_only_whole_lines_are_missing(source: str) -> None:
    whole = vector(SOURCES[source][0])
    by_lines = source not in ("un", "interpol")
    for length in range(len(whole)):
        cut = whole[:length]
        if (by_lines and cut.endswith(b"\n")) or cut.strip() == whole.strip():
            continue  # whole lines are missing: that is for `Staging`, which knows how long the list was
        with pytest.raises(Malformed):
            read(source, cut)


@pytest.mark.parametrize("source", SOURCES)
def test_nothing_is_no_list(source: str) -> None:
    for empty in (b"", b"\n", b" \r\n\r\n", b"\x00", b"\xef\xbb\xbf"):
        with pytest.raises(Malformed):
            read(source, empty)


# --- documents that lines name by the thousand ------------------------------------------------------------------------

HEADER = b"din_from,din_to,issuing_country,doc_type\n"


def ranges(count: int) -> bytes:
    """So many lines, each a range as long as one may be."""
    first = (number * RANGE_MAX for number in range(count))
    return HEADER + b"".join(b"B%010d,B%010d,LAO,P\n" % (low, low + RANGE_MAX - 1) for low in first)


def test_ranges_are_bounded_in_all_and_not_only_each() -> None:
    lines = RANGED_MAX // RANGE_MAX
    rows = read_documents(io.BytesIO(ranges(lines + 1)))
    assert all(isinstance(row, DocumentRow) for row in itertools.islice(rows, lines))
    with pytest.raises(Malformed, match=f"more than {RANGED_MAX} documents"):
        next(rows)


def test_a_range_that_is_left_out_does_not_count() -> None:
    broken = b"B0000000001,B0000010000,NOWHERE,P\n" * (RANGED_MAX // RANGE_MAX + 1)
    *rejected, taken = read_documents(io.BytesIO(HEADER + broken + b"B1,B2,LAO,P\n"))
    assert all(isinstance(row, Rejected) for row in rejected)
    assert isinstance(taken, DocumentRow)


def test_a_file_with_too_many_ranges_leaves_nothing_staged(tmp_path: Path) -> None:
    staging = Staging(tmp_path / "lists")
    rows = read_documents(io.BytesIO(HEADER + b"A1,A3,LAO,P\n" + ranges(RANGED_MAX // RANGE_MAX).removeprefix(HEADER)))
    with pytest.raises(Malformed, match="its ranges"):  # only short ones, since writing five million takes a minute
        staging.take_documents((row for row in rows if len(getattr(row, "keys", ())) < 10), today=date(2026, 11, 3))
    assert staging.sources() == ()


# --- what is no file --------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("headquarters") / "hq"
    subprocess.run([BIN / "landlink-hq", "--home", folder, "init", "--domain", "landlink.example"], check=True)
    return folder


@pytest.mark.parametrize("source", SOURCES)
def test_a_pipe_is_refused_and_not_waited_for(home: Path, tmp_path: Path, source: str) -> None:
    pipe = tmp_path / "list"
    os.mkfifo(pipe)
    refused = taken(home, source, pipe)
    assert (refused.returncode, "no regular file" in refused.stderr) == (66, True), refused.stderr


@pytest.mark.parametrize("device", ["/dev/zero", "/dev/null", "/dev/tty"])
def test_a_device_is_refused(home: Path, device: str) -> None:
    refused = taken(home, "documents", Path(device))
    assert refused.returncode == 66, refused.stderr
    assert "Traceback" not in refused.stderr


def taken(home: Path, source: str, path: Path) -> subprocess.CompletedProcess[str]:
    command = [BIN / "landlink-hq", "--home", home, "import", source, path]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
