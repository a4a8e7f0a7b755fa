"""Deterministic CBOR: examples of RFC 8949, and what is refused."""

from datetime import date
from typing import Annotated

import pytest
from msgspec import Meta

from appliance.errors import Malformed
from appliance.formats import cbor
from appliance.model import Mode, Noun


class Thing(Noun, frozen=True, kw_only=True):
    """One field of each type."""

    mode: Mode
    number: Annotated[int, Meta(ge=0, le=9)] = 0
    words: dict[str, int] | None = None
    content: bytes = b""
    day: date | None = None


def decoded(hexadecimal: str) -> object:
    return cbor.decode(bytes.fromhex(hexadecimal), what="example", bytes_max=64)


@pytest.mark.parametrize(
    ("hexadecimal", "value"),
    [  # RFC 8949 appendix A
        ("00", 0),
        ("1818", 24),
        ("1b000000e8d4a51000", 1_000_000_000_000),
        ("1bffffffffffffffff", 2**64 - 1),
        ("3903e7", -1000),
        ("f93c00", 1.0),
        ("fb3ff199999999999a", 1.1),
        ("f4", False),
        ("f6", None),
        ("4401020304", b"\x01\x02\x03\x04"),
        ("62c3bc", "ü"),
        ("8301820203820405", [1, [2, 3], [4, 5]]),
        ("a26161016162820203", {"a": 1, "b": [2, 3]}),
    ],
)
def test_an_example_of_the_standard_decodes_and_encodes(hexadecimal: str, value: object) -> None:
    assert decoded(hexadecimal) == value
    assert cbor.encode(value).hex() == hexadecimal


@pytest.mark.parametrize(
    ("hexadecimal", "why"),
    [
        ("1817", "23 in two bytes"),
        ("1900ff", "255 in three bytes"),
        ("5f42010243030405ff", "indefinite length"),
        ("a2616201616102", "keys out of order"),
        ("a2616101616102", "a key twice"),
        ("a10102", "an integer key"),
        ("a1410102", "a bytes key"),
        ("c074323031332d30332d32315432303a30343a30305a", "a date"),
        ("c249010000000000000000", "a large integer"),
        ("d8236161", "a regular expression"),
        ("d81c81d81d00", "an array that holds itself"),
        ("f7", "undefined"),
        ("f0", "a simple value"),
        ("f97e00", "NaN"),
        ("f97c00", "infinity"),
        ("fa3f800000", "1.0 in five bytes"),
        ("81811817", "23 in two bytes, two arrays deep"),
        ("a161611817", "23 in two bytes, the only item of a map"),
        ("8201a2616201616102", "keys out of order, in an array"),
        ("8201fa3f800000", "1.0 in five bytes, in an array"),
        ("a1616181f7", "undefined, in a map's array"),
        ("8201a10102", "an integer key, in an array"),
        ("0000", "a second item"),
        ("", "nothing"),
        ("61ff", "text that is not UTF-8"),
        ("81" * 40 + "00", "too deep"),
    ],
)
def test_what_has_another_spelling_or_type_is_refused(hexadecimal: str, why: str) -> None:
    with pytest.raises(Malformed):
        decoded(hexadecimal)
    assert why


def test_an_item_above_its_bound_is_refused() -> None:
    assert cbor.decode(b"\x58\x3e" + bytes(62), what="example", bytes_max=64) == bytes(62)
    with pytest.raises(Malformed, match="65 bytes, at most 64"):
        cbor.decode(b"\x58\x3f" + bytes(63), what="example", bytes_max=64)


@pytest.mark.parametrize(
    ("size", "head"),
    [(0, "40"), (23, "57"), (24, "5818"), (255, "58ff"), (256, "590100"), (65_535, "59ffff")],  # RFC 8949 §3
)
def test_a_string_is_taken_out_of_the_middle_and_its_head_is_what_stands_before_it(size: int, head: str) -> None:
    content = b"a" * size
    assert cbor.bytes_head(size).hex() == head
    assert cbor.take_bytes(b"\xff" + bytes.fromhex(head) + content + b"\xff", 1, what="example") == (
        content,
        1 + len(head) // 2 + size,
    )
    text = bytes((int(head[:2], 16) + 0x20,)) + bytes.fromhex(head[2:])
    assert cbor.take_text(text + content, 0, what="example") == (content.decode(), len(text) + size)


@pytest.mark.parametrize(
    ("hexadecimal", "why"),
    [
        ("", "nothing"),
        ("43aabb", "cut off in its content"),
        ("58", "cut off in its length"),
        ("5901", "cut off in the middle of its length"),
        ("5817" + "00" * 23, "23 in two bytes"),
        ("5900ff" + "00" * 255, "255 in three bytes"),
        ("5a00010000" + "00" * 65_536, "longer than 65,535"),
        ("5f4100ff", "indefinite length"),
        ("6161", "a text"),
        ("01", "a number"),
        ("80", "an array"),
    ],
)
def test_what_is_no_short_byte_string_is_not_taken(hexadecimal: str, why: str) -> None:
    with pytest.raises(Malformed):
        cbor.take_bytes(bytes.fromhex(hexadecimal), 0, what="example")
    assert why


@pytest.mark.parametrize("hexadecimal", ["61ff", "63eda080", "62c3", "4161"])
def test_what_is_no_text_in_utf_8_is_not_taken(hexadecimal: str) -> None:
    with pytest.raises(Malformed):
        cbor.take_text(bytes.fromhex(hexadecimal), 0, what="example")


def test_a_struct_packs_and_parses() -> None:
    thing = Thing(mode=Mode.LIVE, number=3, words={"a": 1}, content=b"\x00\xff", day=date(2026, 11, 3))
    assert cbor.parse(cbor.pack(thing), Thing, what="thing", bytes_max=256) == thing


@pytest.mark.parametrize(
    "secret",
    [
        {"mode": "SOUKSAVANH"},
        {"mode": "live", "SOUKSAVANH": 1},
        {"mode": "live", "words": {"SOUKSAVANH": "x"}},
        {"mode": "live", "words": {"a": "SOUKSAVANH"}},
        {"mode": "live", "day": "SOUKSAVANH"},
        {"mode": "live", "number": "SOUKSAVANH"},
        {"mode": "live", "content": "SOUKSAVANH"},
        ["SOUKSAVANH"],
        "SOUKSAVANH",
    ],
)
def test_an_error_names_the_field_and_never_its_content(secret: object) -> None:
    with pytest.raises(Malformed) as refused:
        cbor.parse(cbor.encode(secret), Thing, what="thing", bytes_max=256)
    assert "SOUKSAVANH" not in str(refused.value)
    assert refused.value.__cause__ is None


def test_an_error_says_where_and_what_the_format_expects() -> None:
    with pytest.raises(Malformed, match=r"thing: Expected `int` <= 9 - at `\$\.number`"):
        cbor.parse(cbor.encode({"mode": "live", "number": 10}), Thing, what="thing", bytes_max=256)
    with pytest.raises(Malformed, match=r"thing: Value not allowed - at `\$\.mode`"):
        cbor.parse(cbor.encode({"mode": "x"}), Thing, what="thing", bytes_max=256)
