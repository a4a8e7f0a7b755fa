"""The page file: what it holds, what it refuses, how much of it a lookup reads, and what a merge makes of it."""

import hashlib
import io
from datetime import date
from pathlib import Path

import msgspec
import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESSIV

from appliance.errors import Malformed, StorageFault, Untrusted
from appliance.files import OpenFile
from appliance.formats import cbor
from appliance.formats.list_key import DocumentsKey
from appliance.formats.lists import CANARY_DOCUMENT, DocumentKey
from appliance.formats.page_writer import PageWriter, merge_deltas, merge_pages
from appliance.formats.pages import (
    HASH_BYTES,
    PAGE_BYTES,
    PAGE_RECORDS,
    TRAILER_BYTES,
    Foot,
    HeldBytes,
    PageFile,
    encode_tail,
    read_tail,
)
from appliance.screen.documents import ListDamaged
from appliance.screen.page_list import PageList
from provisioning.authority.list_files import documents_list
from tests.page_files import DAY, KEY, REMOVED, CountingSource, found, listed, page_bytes, page_file


def digest(number: int) -> bytes:
    return hashlib.sha256(number.to_bytes(4)).digest()[:16]


def digests(count: int) -> list[bytes]:
    return sorted(digest(number) for number in range(count))


def test_every_listed_document_is_found_and_no_other() -> None:
    entries = {digest(number): listed(f"LAO-{number % 7}") for number in range(2_000)}
    file = page_file(entries)
    assert (file.records, file.pages) == (2_000, -(-2_000 // PAGE_RECORDS))
    assert found(file, [digest(number) for number in range(4_000)]) == entries


def test_the_bytes_of_a_file_are_those_of_the_specification() -> None:
    """Built here by hand from formats/README, "Page file"."""
    first, second = bytes(15) + b"\x01", b"\xff" * 16
    line = b'{"entry":"S-1","source":"stolen and lost documents","fraud":"stolen","reported_by":"LAO"}'
    prefix = b"landlink.example/list-key/v1\0"
    details_key = hashlib.blake2b(prefix + b"details", key=bytes(range(32)), digest_size=64).digest()
    key_id = hashlib.blake2b(prefix + b"id", key=bytes(range(32)), digest_size=32).digest()[:8]
    page = (b"\x00\x02" + first + b"\x00\x00\x00" + second + b"\xff\xff\xff").ljust(4_096, b"\x00")
    foot = cbor.encode(
        {
            "schema": 2,
            "dated": "2026-11-03",
            "key_id": key_id,
            "records": 2,
            "fences": first[:8],
            "hashes": hashlib.sha256(page).digest()[:16],
            "details": [AESSIV(details_key).encrypt(line, None)],
        }
    )
    expected = page + foot + len(foot).to_bytes(4) + b"landlink pages 2"
    assert page_bytes({first: listed("S-1"), second: REMOVED}) == expected
    assert PageFile(HeldBytes(expected)).foot_sha256 == hashlib.sha256(expected[4_096:]).digest()


def test_a_lookup_reads_one_page_whether_it_hits_or_not() -> None:
    entries = {digest(number): listed("S-1") for number in range(5_000)}
    source = CountingSource(page_bytes(entries))
    file = PageFile(source)
    for asked in (*digests(300), bytes(16), b"\xff" * 16, digest(9_999)):
        source.reads.clear()
        file.find(asked)
        ((offset, size),) = source.reads
        assert (offset % PAGE_BYTES, size) == (0, PAGE_BYTES)


def test_a_million_documents_take_less_than_twenty_bytes_each() -> None:
    """PAGE_RECORDS to a page, 24 bytes of the foot for each page: 4,120 / 215."""
    per_record = (PAGE_BYTES + 24) / PAGE_RECORDS
    assert per_record == pytest.approx(19.163, abs=0.001)


def test_an_entry_without_a_reference_of_its_own_goes_by_its_digest() -> None:
    file = page_file({digest(1): listed("")})
    assert found(file, [digest(1)])[digest(1)].entry == digest(1).hex()


def test_an_empty_file_finds_nothing() -> None:
    file = page_file({})
    assert (file.pages, file.find(digest(1)), list(file.parts())) == (0, None, [])


def test_a_page_of_zeros_at_its_end_is_no_listed_document() -> None:
    assert page_file({b"\x01" * 16: listed("S-1")}).find(bytes(16)) is None


def test_digests_that_begin_alike_stay_on_one_page() -> None:
    """Pages are told apart by 8 bytes; 215 records would end in the middle of these."""
    ordinary = [number.to_bytes(8) + bytes(8) for number in range(1, PAGE_RECORDS - 3)]
    alike = [b"\x77" * 8 + number.to_bytes(8) for number in range(20)]
    entries = dict.fromkeys(ordinary + alike, listed("S-1"))
    file = page_file(entries)
    assert [len(part) // 19 for part in file.parts()] == [PAGE_RECORDS - 4, 20]
    assert found(file, entries) == entries


def test_more_digests_that_begin_alike_than_a_page_holds_are_refused() -> None:
    with pytest.raises(Malformed, match="begin alike"):
        page_bytes({b"\x77" * 8 + number.to_bytes(8): listed("S-1") for number in range(PAGE_RECORDS + 1)})


@pytest.mark.parametrize("change", [-1, 1, PAGE_BYTES, -PAGE_BYTES])
def test_a_file_shorter_or_longer_than_its_foot_says_is_refused(change: int) -> None:
    whole = page_bytes(dict.fromkeys(digests(500), listed("S-1")))
    tail = whole[3 * PAGE_BYTES :]
    pages = whole[: 3 * PAGE_BYTES]
    with pytest.raises(Malformed, match="its foot says"):
        PageFile(HeldBytes((pages + bytes(max(change, 0)))[: len(pages) + change] + tail))


@pytest.mark.parametrize(
    ("foot", "words"),
    [
        ({"records": 216}, "216 records in 1 pages"),
        ({"records": 0}, "0 records in 1 pages"),
        ({"hashes": bytes(15)}, "not of the same pages"),
        ({"fences": bytes(9)}, "not of the same pages"),
        ({"fences": bytes(16), "hashes": bytes(32), "records": 2}, "do not rise"),
        ({"details": [bytes(385)]}, "details"),
        ({"key_id": bytes(7)}, "key_id"),
        ({"schema": 1}, "schema"),
    ],
)
def test_a_foot_that_contradicts_itself_is_refused(foot: dict[str, object], words: str) -> None:
    fields = {
        "schema": 2, "dated": "2026-11-03", "key_id": KEY.key_id, "records": 1, "fences": bytes(8), "hashes": bytes(16),
        "details": [],
    }  # fmt: skip
    packed = cbor.encode(fields | foot)
    with pytest.raises(Malformed, match=words):
        PageFile(HeldBytes(bytes(PAGE_BYTES) + packed + len(packed).to_bytes(4) + b"landlink pages 2"))


def test_a_detail_that_is_not_there_is_malformed() -> None:
    with pytest.raises(Malformed, match="detail 3 of 0"):
        page_file({}).detail(3)


def test_a_page_that_the_disk_does_not_give_back_is_a_storage_fault(tmp_path: Path) -> None:
    path = tmp_path / "documents.pages"
    path.write_bytes(page_bytes({digest(1): listed("S-1")}))
    file = PageFile(OpenFile(path))
    assert file.find(digest(1)) == 0
    path.write_bytes(b"")
    with pytest.raises(Untrusted, match="page 0 of 1 is not the one that was signed"):
        file.find(digest(1))
    (tmp_path / "folder").mkdir()
    with pytest.raises(StorageFault, match="no regular file"):
        OpenFile(tmp_path / "folder")


# --- merge ------------------------------------------------------------------------------------------------------------


def merged(base: PageFile, changes: PageFile, *, is_delta: bool = False) -> bytes:
    content = io.BytesIO()
    merge_pages(base, changes, content.write, is_delta=is_delta)
    return content.getvalue()


def test_a_merge_takes_in_what_is_new_changed_and_ended_wherever_it_stands() -> None:
    all_of_them = digests(2_000)
    base = {one: listed("old") for one in all_of_them[500:1_500]}
    changes = (
        {one: listed("new") for one in all_of_them[:20] + all_of_them[-20:]}
        | {one: listed("changed", "lost") for one in all_of_them[600:1_400:7]}
        | dict.fromkeys(all_of_them[1000:1100] + all_of_them[100:110], REMOVED)
    )
    file = PageFile(HeldBytes(merged(page_file(base), page_file(changes, dated=date(2026, 11, 4)))))
    expected = {one: entry for one, entry in (base | changes).items() if entry != REMOVED}
    assert found(file, all_of_them) == expected
    assert (file.records, file.dated) == (len(expected), date(2026, 11, 4))


def test_a_merge_into_an_empty_list_is_the_changes() -> None:
    changes = {one: listed("new") for one in digests(700)}
    assert merged(page_file({}), page_file(changes | {b"\x00" * 16: REMOVED})) == page_bytes(changes)


def test_deltas_one_after_the_other_and_their_merge_give_the_same_file() -> None:
    some = digests(900)
    base = page_file({one: listed("old") for one in some[:600]})
    deltas = [
        page_file({some[10]: REMOVED, some[700]: listed("one")}),
        page_file({some[10]: listed("back"), some[700]: REMOVED, some[11]: REMOVED}),
        page_file({some[800]: listed("three", "lost")}),
    ]
    at_once = io.BytesIO()
    merge_deltas(base, deltas, at_once.write)
    in_turn = base
    for delta in deltas:
        in_turn = PageFile(HeldBytes(merged(in_turn, delta)))
    asked = PageFile(HeldBytes(at_once.getvalue()))
    assert found(asked, some) == found(in_turn, some)
    assert found(asked, [some[10], some[700], some[11]]) == {some[10]: listed("back")}


def test_a_merge_without_effect_gives_the_same_bytes() -> None:
    base = page_bytes({one: listed("old") for one in digests(1_000)})
    assert merged(PageFile(HeldBytes(base)), page_file({})) == base


def test_a_delta_under_another_key_is_refused() -> None:
    other = page_file({}, key=DocumentsKey(bytes(32)))
    with pytest.raises(Malformed, match="another key"):
        merged(page_file({}), other)
    with pytest.raises(Malformed, match="another key"):
        PageList(page_file({}), KEY).with_deltas(other)


def test_a_merge_of_pages_that_are_not_in_order_is_refused() -> None:
    """Their hashes are right: whoever served them made them so, and a carrier cannot know better."""
    whole = page_bytes({number.to_bytes(16): listed("") for number in range(0, 2**64 * 500, 2**64)})
    foot = cbor.parse(read_tail(HeldBytes(whole))[:-TRAILER_BYTES], Foot, what="foot", bytes_max=10_000)
    pages = [whole[place : place + PAGE_BYTES] for place in range(0, 3 * PAGE_BYTES, PAGE_BYTES)]
    first, second, third = (hashlib.sha256(page).digest()[:HASH_BYTES] for page in pages)
    turned = msgspec.structs.replace(foot, hashes=second + first + third)
    with pytest.raises(Malformed, match="not in order"):
        merged(
            PageFile(HeldBytes(b"".join((pages[1], pages[0], pages[2])) + encode_tail(turned))),
            page_file({bytes(16): listed("1")}),
        )


def test_a_merge_of_a_damaged_base_is_refused() -> None:
    base = bytearray(page_bytes({one: listed("old") for one in digests(1_000)}))
    base[PAGE_BYTES + 5] ^= 1
    with pytest.raises(Untrusted, match="page 1 of 5"):
        merged(PageFile(HeldBytes(bytes(base))), page_file({}))


def test_changes_to_details_that_are_not_there_are_refused() -> None:
    content = io.BytesIO()
    writer = PageWriter(content.write, key_id=KEY.key_id, dated=DAY)
    writer.add(digest(1) + (1).to_bytes(3))
    writer.finish([KEY.seal(listed("S-1"))])
    with pytest.raises(Malformed, match="detail 1 of 1"):
        merged(page_file({}), PageFile(HeldBytes(content.getvalue())))


# --- the list ---------------------------------------------------------------------------------------------------------

STOLEN = DocumentKey(issuer="LAO", document_type="P", number="PA0047113")
LOST = DocumentKey(issuer="D", document_type="P", number="C11T002JM")


def test_deltas_are_asked_before_the_base_the_last_one_first() -> None:
    base = PageFile(HeldBytes(documents_list({STOLEN: listed("S-1")}, dated=DAY, list_key=bytes(range(32)))))
    added = page_file({KEY.digest(LOST): listed("S-2", "lost")}, dated=date(2026, 11, 4))
    ended = page_file({KEY.digest(STOLEN): REMOVED}, dated=date(2026, 11, 5))
    again = page_file({KEY.digest(STOLEN): listed("S-3")}, dated=date(2026, 11, 6))
    known = PageList(base, KEY)
    assert (known.lookup(STOLEN), known.lookup(LOST), known.dated) == (listed("S-1"), None, DAY)
    known = known.with_deltas(added)
    assert (known.lookup(STOLEN), known.lookup(LOST)) == (listed("S-1"), listed("S-2", "lost"))
    known = known.with_deltas(ended)
    assert (known.lookup(STOLEN), known.lookup(LOST)) == (None, listed("S-2", "lost"))
    known = known.with_deltas(again)
    assert (known.lookup(STOLEN), known.dated) == (listed("S-3"), date(2026, 11, 6))


def test_one_damaged_page_is_a_damaged_list_and_the_others_go_on_answering() -> None:
    documents = {
        DocumentKey(issuer="LAO", document_type="P", number=f"PA{number:07}"): listed("S-1") for number in range(600)
    }
    content = bytearray(documents_list(documents, dated=DAY, list_key=bytes(range(32))))
    content[PAGE_BYTES + 100] ^= 1
    known = PageList(PageFile(HeldBytes(bytes(content))), KEY)
    answers = []
    for key in (*documents, CANARY_DOCUMENT):
        try:
            answers.append(known.lookup(key) is not None)
        except ListDamaged as error:
            assert str(error) == "it is damaged or incomplete"  # noqa: PT017 - of some keys
            answers.append(False)
    assert all(isinstance(answer, bool) for answer in answers)
    assert sum(answers) == 601 - PAGE_RECORDS
