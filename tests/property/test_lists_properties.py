"""Whatever bytes come from outside, the parsers of releases and lists answer with a value or Malformed/Untrusted."""

import io
from functools import cache
from pathlib import Path
from tempfile import mkdtemp

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from appliance.errors import Malformed, Untrusted
from appliance.formats.lists import (
    DocumentKey,
    ListedBirth,
    ListedName,
    ListedPerson,
    canonical_number,
)
from appliance.formats.release import PERSONS_TARGET, Damaged, verify_release
from appliance.screen.comparison import compare
from appliance.screen.names import shipped_reader
from appliance.shelf import DOCUMENTS, read_release
from provisioning.authority.sources.document_csv import DocumentRow, read_documents
from provisioning.authority.sources.reading import ReadPerson, Rejected, Remark
from provisioning.authority.sources.un_xml import read_un
from tests.release_world import make_world
from tests.screen_world import laid, persons

WORDS = st.text(alphabet="ABCDEFGHIJKLMNOPQRSTUVWXYZ", min_size=1, max_size=12)
NAMES = st.lists(WORDS, min_size=1, max_size=5).map(" ".join)
NUMBERS = st.text(alphabet="0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ", min_size=1, max_size=32)


@given(st.text(alphabet=st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=600))
def test_every_line_of_a_csv_is_a_row_or_a_reason(text: str) -> None:
    lines = io.BytesIO(b"din,issuing_country,doc_type,op\n" + text.encode() + b"\n")
    for row in read_documents(lines):
        assert isinstance(row, DocumentRow | Rejected)


@given(NUMBERS, st.sampled_from(["LAO", "D", "UTO"]), st.sampled_from(["P", "V"]))
def test_a_written_line_is_read_back(number: str, issuer: str, document_type: str) -> None:
    text = f"din,issuing_country,doc_type\n{number},{issuer},{document_type}\n".encode()
    (row,) = read_documents(io.BytesIO(text))
    assert isinstance(row, DocumentRow)
    assert row.keys == (DocumentKey(issuer=issuer, document_type=document_type, number=number),)


XML = (Path(__file__).parents[1] / "vectors" / "lists" / "un_traps.xml").read_bytes()


@given(st.integers(0, len(XML) - 1), st.binary(min_size=0, max_size=4))
def test_a_damaged_un_list_is_read_or_refused(place: int, instead: bytes) -> None:
    damaged = XML[:place] + instead + XML[place + len(instead) :]
    try:
        for read in read_un([io.BytesIO(damaged)]):
            assert isinstance(read, ReadPerson | Rejected | Remark)
    except Malformed:
        pass


@given(st.integers(0, len(XML) - 30))
def test_a_truncated_un_list_is_refused(length: int) -> None:
    with pytest.raises(Malformed):
        list(read_un([io.BytesIO(XML[:length])]))


@given(st.text(max_size=60))
def test_a_canonical_number_is_canonical(text: str) -> None:
    once = canonical_number(text)
    assert canonical_number(once) == once
    assert once.isascii()


# --- names ------------------------------------------------------------------------------------------------------------


@given(st.text(max_size=80), st.text(max_size=80), st.booleans())
def test_any_two_texts_compare_to_a_share(one: str, other: str, cut: bool) -> None:
    assert 0.0 <= compare(shipped_reader().read(one, cut=cut), shipped_reader().read(other)) <= 1.0


@given(NAMES)
def test_a_name_is_like_itself_in_any_order(name: str) -> None:
    backwards = " ".join(reversed(name.split()))
    assert compare(shipped_reader().read(name), shipped_reader().read(backwards)) == pytest.approx(1.0)


TELLING = st.lists(WORDS.filter(lambda word: len(word) > 1), min_size=1, max_size=5).map(" ".join)
"""An initial may stand for the very word that is more, and then it costs what another initial loses."""


@given(TELLING, TELLING)
def test_more_names_on_the_list_cost_less_than_more_names_of_the_traveller(name: str, more: str) -> None:
    base, longer = shipped_reader().read(name), shipped_reader().read(f"{name} {more}")
    assert compare(base, longer) >= compare(longer, base) - 1e-9


@given(NAMES)
@settings(max_examples=50)
def test_whoever_is_listed_under_a_telling_name_is_found_by_it(name: str) -> None:
    listed = ListedPerson(
        entry="1",
        source="s",
        names=(ListedName(text=name, quality="primary"),),
        births=(ListedBirth(year_from=1978, year_to=1978, month=4, day=12),),
    )
    assert [match.entry for match in persons(listed).match(laid(name.replace(" ", "<")))] == ["1"]


# --- releases ---------------------------------------------------------------------------------------------------------


@cache
def release() -> tuple[dict[str, bytes], bytes]:
    """A whole release and its root, made once."""
    world = make_world(Path(mkdtemp()))
    world.carry_and_take()
    folder = world.shelf.folder / "1"
    return {**read_release(folder), DOCUMENTS: (folder / DOCUMENTS).read_bytes()}, world.repository.root()


@given(st.data())
@settings(max_examples=60, deadline=None)
def test_any_flipped_bit_of_a_release_is_noticed(data: st.DataObject) -> None:
    files, root = release()
    path = data.draw(st.sampled_from(sorted(files)))
    place = data.draw(st.integers(0, len(files[path]) * 8 - 1))
    flipped = bytearray(files[path])
    flipped[place // 8] ^= 1 << place % 8
    try:
        taken = verify_release({**files, path: bytes(flipped)}, root)
    except (Malformed, Untrusted):
        return
    # Only a list may be damaged alone, and JSON of a timestamp may differ in bytes that no signature is over.
    damaged = {
        DOCUMENTS: isinstance(taken.documents, Damaged),
        f"targets/{PERSONS_TARGET}": isinstance(taken.persons, Damaged),
    }
    assert [name for name, is_damaged in damaged.items() if is_damaged] == [path] or path == "metadata/timestamp.json"


@given(st.binary(max_size=200), st.sampled_from(["timestamp", "snapshot", "targets", "lists", "2.root"]))
@settings(max_examples=60, deadline=None)
def test_metadata_of_any_bytes_is_refused(content: bytes, name: str) -> None:
    files, root = release()
    with pytest.raises((Malformed, Untrusted)):
        verify_release({**files, f"metadata/{name}.json": content}, root)
    with pytest.raises((Malformed, Untrusted)):
        verify_release(files, content)
