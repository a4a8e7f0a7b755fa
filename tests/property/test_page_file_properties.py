"""Page files under any content and any damage: agreement with a dictionary, and never a silent "not listed"."""

import io
from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from appliance.errors import Malformed, Untrusted
from appliance.formats.lists import ListedDocument
from appliance.formats.page_writer import merge_pages
from appliance.formats.pages import PAGE_BYTES, HeldBytes, PageFile, read_tail
from appliance.screen.page_list import PageList
from provisioning.authority.pages_build import write_delta
from tests.page_files import KEY, REMOVED, found, listed, page_bytes, page_file

# Few first bytes, so that digests meet on the borders of pages and differ in their last bytes only.
DIGESTS = st.builds(
    lambda head, middle, last: head * 7 + bytes([middle]) + bytes(6) + last.to_bytes(2),
    st.sampled_from([b"\x00", b"\x01", b"\x80", b"\xff"]),
    st.integers(0, 255),
    st.integers(0, 3),
)
DETAILS = st.sampled_from([listed("S-1"), listed("S-2", "lost"), listed("", "revoked", "THA")])
ENTRIES = st.dictionaries(DIGESTS, DETAILS, max_size=900)
CHANGES = st.dictionaries(DIGESTS, st.one_of(DETAILS, st.just(REMOVED)), max_size=60)
MANY = {bytes([number % 256, number // 256]) + bytes(14): listed(f"S-{number % 5}") for number in range(700)}
WHOLE = page_bytes(MANY)


def named(entries: dict[bytes, ListedDocument]) -> dict[bytes, ListedDocument]:
    """As a lookup gives them: an entry without reference goes by its digest."""
    return {
        digest: listed(digest.hex(), entry.fraud, entry.reported_by) if not entry.entry else entry
        for digest, entry in entries.items()
    }


@given(ENTRIES, st.lists(DIGESTS, max_size=50))
@settings(max_examples=60, deadline=None)
def test_lookups_agree_with_a_dictionary(entries: dict[bytes, ListedDocument], others: list[bytes]) -> None:
    file = page_file(entries)
    assert found(file, [*entries, *others]) == named(entries)


@given(ENTRIES, CHANGES)
@settings(max_examples=60, deadline=None)
def test_a_merge_agrees_with_a_dictionary(
    entries: dict[bytes, ListedDocument], changes: dict[bytes, ListedDocument]
) -> None:
    content = io.BytesIO()
    merge_pages(page_file(entries), page_file(changes), content.write)
    expected = {digest: entry for digest, entry in (entries | changes).items() if entry != REMOVED}
    file = PageFile(HeldBytes(content.getvalue()))
    assert found(file, [*entries, *changes]) == named(expected)
    assert file.records == len(expected)


@given(ENTRIES, CHANGES)
@settings(max_examples=60, deadline=None)
def test_a_delta_turns_the_old_list_into_the_new_one(
    entries: dict[bytes, ListedDocument], changes: dict[bytes, ListedDocument]
) -> None:
    old = page_file(entries)
    merged, delta = io.BytesIO(), io.BytesIO()
    merge_pages(old, page_file(changes, dated=date(2026, 11, 4)), merged.write)
    new = PageFile(HeldBytes(merged.getvalue()))
    count = write_delta(old, new, delta.write)
    different = {digest for digest in {*entries, *changes} if old.find(digest) != new.find(digest)}
    assert count == len(different)
    applied = io.BytesIO()
    merge_pages(old, PageFile(HeldBytes(delta.getvalue())), applied.write)
    assert found(PageFile(HeldBytes(applied.getvalue())), {*entries, *changes}) == found(new, {*entries, *changes})


@given(st.integers(0, len(WHOLE) * 8 - 1))
@settings(max_examples=300, deadline=None)
def test_any_flipped_bit_is_noticed_and_never_read_as_not_listed(bit: int) -> None:
    damaged = bytearray(WHOLE)
    damaged[bit // 8] ^= 1 << bit % 8
    try:
        file = PageFile(HeldBytes(bytes(damaged)))
    except Malformed:
        return
    if read_tail(HeldBytes(bytes(damaged))) != read_tail(HeldBytes(WHOLE)):
        assert file.foot_sha256 != PageFile(HeldBytes(WHOLE)).foot_sha256  # its hash is signed: the release refuses it
        return
    page = bit // 8 // PAGE_BYTES
    for digest, entry in MANY.items():
        try:
            number = file.find(digest)
        except Untrusted as error:
            assert f"page {page} of" in str(error)  # noqa: PT017 - of the damaged page alone
        else:
            assert number is not None
            assert KEY.open(file.detail(number), digest) == entry


@given(st.integers(0, len(WHOLE) - 1))
@settings(max_examples=150, deadline=None)
def test_a_truncated_file_is_refused(length: int) -> None:
    with pytest.raises(Malformed):
        PageFile(HeldBytes(WHOLE[:length]))


@given(st.binary(min_size=1, max_size=300))
def test_a_file_with_bytes_after_it_is_refused(more: bytes) -> None:
    with pytest.raises(Malformed):
        PageFile(HeldBytes(WHOLE + more))


@given(st.binary(max_size=400), st.booleans())
def test_any_bytes_are_a_file_or_malformed(content: bytes, with_trailer: bool) -> None:
    if with_trailer:
        content += len(content).to_bytes(4) + b"landlink pages 2"
    with pytest.raises(Malformed):
        PageFile(HeldBytes(content))


@given(st.permutations(range(4)), st.lists(CHANGES, min_size=4, max_size=4))
@settings(max_examples=30, deadline=None)
def test_a_list_with_deltas_answers_as_their_last_word(
    order: list[int], changes: list[dict[bytes, ListedDocument]]
) -> None:
    known, expected = PageList(page_file({}), KEY), dict[bytes, ListedDocument]()
    for place in order:
        known = known.with_deltas(page_file(changes[place]))
        expected |= changes[place]
    at_once = PageList(page_file({}), KEY).with_deltas(*(page_file(changes[place]) for place in order))
    for digest, entry in named(expected).items():
        assert known.answer(digest) == at_once.answer(digest) == (None if entry == REMOVED else entry)
