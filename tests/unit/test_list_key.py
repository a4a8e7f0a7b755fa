"""List keys: what follows from one, by hand from README; nothing sealed opens under another, or when changed."""

import hashlib
import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESSIV, ChaCha20Poly1305
from hypothesis import given, settings
from hypothesis import strategies as st

from appliance.errors import Malformed, Untrusted
from appliance.formats.list_key import (
    CHUNK_BYTES,
    SEALED_BYTES_MAX,
    TAG_BYTES,
    DocumentsKey,
    KeyNotHere,
    documents_key,
    find_key,
    key_id,
    open_persons,
    seal_persons,
    sealed_key_id,
)
from appliance.formats.lists import DocumentKey, ListedDocument
from appliance.formats.person_index import INDEX_BYTES_MAX

README = (Path(__file__).parents[2] / "appliance" / "formats" / "README.md").read_text(encoding="utf-8")
VECTOR: dict[str, Any] = tomllib.loads("\n".join(re.findall(r"```toml\n(.*?)```", README, re.DOTALL)))["list_key"]
KEY = bytes(range(32))
OTHER = bytes(range(1, 33))
STOLEN = DocumentKey(issuer="LAO", document_type="P", number="PA0047113")
LISTED = ListedDocument(entry="S-1", source="stolen and lost documents", fraud="stolen", reported_by="LAO")
HEAD = 48
STEP = CHUNK_BYTES + TAG_BYTES
LONG = bytes(range(256)) * (2 * CHUNK_BYTES // 256) + b"the last chunk"


def derived(purpose: bytes, size: int = 32) -> bytes:
    return hashlib.blake2b(b"landlink.example/list-key/v1\0" + purpose, key=KEY, digest_size=size).digest()


def test_the_vector_is_what_the_specification_says() -> None:
    """By hand, with nothing of the module."""
    assert VECTOR["key"] == KEY.hex()
    assert VECTOR["key_id"] == derived(b"id")[:8].hex()
    assert VECTOR["documents_key"] == derived(b"documents").hex()
    digest = hashlib.blake2b(b"document|LAO|P|PA0047113", key=derived(b"documents"), digest_size=16)
    assert VECTOR["digest"] == digest.hexdigest()
    sealed = AESSIV(derived(b"details", 64)).encrypt(VECTOR["detail"].encode(), None)
    assert VECTOR["sealed_detail"] == sealed.hex()
    salt = hashlib.blake2b(b"index", key=derived(b"persons-salt"), digest_size=32).digest()
    head = b"LLSEAL1\n" + derived(b"id")[:8] + salt
    file_key = hashlib.blake2b(salt, key=derived(b"persons"), digest_size=32).digest()
    chunk = ChaCha20Poly1305(file_key).encrypt(bytes(11) + b"\x01", b"index", head)
    assert VECTOR["sealed_index"] == (head + chunk).hex()


def test_the_module_makes_and_reads_the_vector() -> None:
    key = DocumentsKey(KEY)
    assert (key.key_id.hex(), key_id(KEY).hex()) == (VECTOR["key_id"], VECTOR["key_id"])
    assert documents_key(KEY).hex() == VECTOR["documents_key"]
    assert key.digest(STOLEN).hex() == VECTOR["digest"]
    sealed = bytes.fromhex(VECTOR["sealed_detail"])
    assert (key.seal(LISTED), key.open(sealed, bytes(16))) == (sealed, LISTED)
    index = bytes.fromhex(VECTOR["sealed_index"])
    assert (seal_persons(b"index", KEY), open_persons(index, (OTHER, KEY))) == (index, b"index")


@pytest.mark.parametrize("size", [0, 1, CHUNK_BYTES - 1, CHUNK_BYTES, CHUNK_BYTES + 1, 3 * CHUNK_BYTES])
def test_an_index_of_any_length_comes_back(size: int) -> None:
    index = (LONG * 2)[:size]
    sealed = seal_persons(index, KEY)
    assert len(sealed) == HEAD + size + max(-(-size // CHUNK_BYTES), 1) * TAG_BYTES
    assert open_persons(sealed, (KEY,)) == index


def test_the_longest_index_fits_its_bound() -> None:
    assert SEALED_BYTES_MAX == HEAD + INDEX_BYTES_MAX + INDEX_BYTES_MAX // CHUNK_BYTES * TAG_BYTES


def test_equal_lists_have_equal_bytes_and_others_no_key_in_common() -> None:
    """A list that did not change is not sent again; one that did tells nothing by what it shares with the last."""
    assert seal_persons(LONG, KEY) == seal_persons(LONG, KEY)
    one, other = seal_persons(LONG, KEY), seal_persons(LONG + b".", KEY)
    assert one[16:48] != other[16:48]
    assert one[48:64] != other[48:64]


def test_details_that_differ_in_a_letter_have_nothing_in_common() -> None:
    key = DocumentsKey(KEY)
    one, other = key.seal(LISTED), key.seal(ListedDocument(entry="S-2", source=LISTED.source, fraud="stolen"))
    assert key.seal(LISTED) == one
    assert one[:16] != other[:16]
    assert LISTED.source.encode() not in one


def test_a_detail_without_an_entry_goes_by_the_digest() -> None:
    key = DocumentsKey(KEY)
    assert key.open(key.seal(ListedDocument(entry="", source="x", fraud="lost")), b"\xab" * 16).entry == "ab" * 16


# --- another key ------------------------------------------------------------------------------------------------------


def test_a_list_under_a_key_that_is_not_here_names_it() -> None:
    sealed = seal_persons(b"index", KEY)
    for keys in ((), (OTHER,), (bytes(32), OTHER)):
        with pytest.raises(KeyNotHere, match="its key has not reached this box yet") as told:
            open_persons(sealed, keys)
        assert told.value.key_id == sealed_key_id(sealed) == key_id(KEY)
    assert find_key((OTHER, KEY), key_id(KEY)) == KEY


def test_a_key_of_another_year_under_this_years_name_opens_nothing() -> None:
    """Who renames the key in a file gains nothing: all of the head is authenticated, and the key is another."""
    sealed = bytearray(seal_persons(LONG, KEY))
    sealed[8:16] = key_id(OTHER)
    for keys in ((KEY, OTHER), (OTHER,)):
        with pytest.raises(Untrusted, match="not what headquarters sealed"):
            open_persons(bytes(sealed), keys)
    detail = DocumentsKey(KEY).seal(LISTED)
    with pytest.raises(Untrusted, match="not what headquarters sealed"):
        DocumentsKey(OTHER).open(detail, bytes(16))


def test_digests_under_two_keys_have_nothing_in_common() -> None:
    assert DocumentsKey(KEY).digest(STOLEN) != DocumentsKey(OTHER).digest(STOLEN)


# --- changed on the way -----------------------------------------------------------------------------------------------


def chunks(sealed: bytes) -> list[bytes]:
    return [sealed[place : place + STEP] for place in range(HEAD, len(sealed), STEP)]


@pytest.mark.parametrize(
    "order", [(1, 0, 2), (0, 2, 1), (2, 1, 0), (0, 0, 2), (0, 2), (1, 2), (0, 1), (0,), (0, 1, 2, 2)]
)
def test_chunks_in_another_order_repeated_or_left_out_are_refused(order: tuple[int, ...]) -> None:
    sealed = seal_persons(LONG, KEY)
    parts = chunks(sealed)
    with pytest.raises(Untrusted, match="not what headquarters sealed"):
        open_persons(sealed[:HEAD] + b"".join(parts[number] for number in order), (KEY,))


def test_a_chunk_of_another_list_is_refused() -> None:
    one, other = seal_persons(LONG, KEY), seal_persons(LONG[:-1] + b"X", KEY)
    mixed = one[:HEAD] + b"".join((chunks(one)[0], chunks(other)[1], chunks(one)[2]))
    with pytest.raises(Untrusted):
        open_persons(mixed, (KEY,))


@pytest.mark.parametrize("length", [0, 7, 8, 47, 48, 63, 64, HEAD + STEP, HEAD + STEP + 5, HEAD + STEP + TAG_BYTES])
def test_a_sealed_index_that_is_cut_off_is_refused(length: int) -> None:
    with pytest.raises((Malformed, Untrusted)):
        open_persons(seal_persons(LONG, KEY)[:length], (KEY,))


def test_an_index_longer_than_any_is_refused_before_it_is_opened() -> None:
    with pytest.raises(Malformed, match="longer"):
        open_persons(seal_persons(b"", KEY).ljust(SEALED_BYTES_MAX + 1, b"\0"), (KEY,))


@given(st.data())
@settings(max_examples=80, deadline=None)
def test_any_flipped_bit_of_a_sealed_index_is_noticed(data: st.DataObject) -> None:
    sealed = bytearray(seal_persons(LONG[: CHUNK_BYTES + 50], KEY))
    place = data.draw(st.one_of(st.integers(0, HEAD + 80), st.integers(0, len(sealed) - 1)))
    sealed[place] ^= 1 << data.draw(st.integers(0, 7))
    with pytest.raises((Malformed, Untrusted)):
        open_persons(bytes(sealed), (KEY,))


@given(st.binary(max_size=400))
def test_any_bytes_open_or_are_refused(content: bytes) -> None:
    for sealed in (content, b"LLSEAL1\n" + key_id(KEY) + content):
        with pytest.raises((Malformed, Untrusted)):
            open_persons(sealed, (KEY,))
    with pytest.raises((Malformed, Untrusted)):
        DocumentsKey(KEY).open(content, bytes(16))


@given(st.data())
@settings(max_examples=80)
def test_any_flipped_bit_of_a_detail_is_noticed(data: st.DataObject) -> None:
    sealed = bytearray(DocumentsKey(KEY).seal(LISTED))
    sealed[data.draw(st.integers(0, len(sealed) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    with pytest.raises(Untrusted):
        DocumentsKey(KEY).open(bytes(sealed), bytes(16))


def test_what_was_sealed_and_is_no_detail_is_malformed() -> None:
    for text in (b"", b"{}", b"\xff", b'{"entry":1}', b"[" * 5_000):
        with pytest.raises(Malformed, match="listed document"):
            DocumentsKey(KEY).open(AESSIV(derived(b"details", 64)).encrypt(text, None), bytes(16))
