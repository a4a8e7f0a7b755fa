"""Deterministic CBOR (RFC 8949 §4.2.1) for msgspec structs: one encoding a value, and a total parser.

What is not the deterministic encoding of a value of the expected type is refused, so equal values have equal bytes and
hashes, and nothing can hide between them. No tags, no indefinite lengths, one spelling of a float, text keys only.
"""

import math
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any, Final, TypeVar, get_args

import cbor2
import msgspec

from appliance.errors import Malformed
from appliance.formats.refusal import refusal

T = TypeVar("T")

DEPTH_MAX: Final = 16
"""Nesting of maps and arrays: a record has nine levels."""

_ATOMS: Final = frozenset({type(None), bool, int, str, bytes})
_TEXT: Final = frozenset({str})
_BYTE_STRING: Final = 0x40
_TEXT_STRING: Final = 0x60
_ONE_BYTE, _TWO_BYTES = 24, 25
"""What stands in place of a length of so many bytes."""
_TAG_FIELD: Final = "type"
"""Where a tagged struct says which one it is."""


class _TagRefused(ValueError):
    """A tag: none of our formats has one, and cbor2 would make dates, patterns or shared references of them."""


def _refuse_tag(*_: object) -> object:
    raise _TagRefused


class _EveryTagRefused(dict[int, Callable[..., object]]):
    """Answers for every tag number, so that none reaches cbor2's own decoders."""

    def __missing__(self, tag: int) -> Callable[..., object]:
        return _refuse_tag


_NO_TAGS: Final = _EveryTagRefused()


def encode(value: object) -> bytes:
    """Encode builtins (None, bool, int, float, str, bytes, list, dict with text keys) deterministically."""
    return cbor2.dumps(value, canonical=True)


def decode(data: bytes, *, what: str, bytes_max: int) -> object:
    """Decode one deterministic item of builtins.

    Args:
        data: The item, nothing before and nothing after it.
        what: Its name for the error.
        bytes_max: Its bound, bytes.

    Raises:
        Malformed: Longer than the bound, not CBOR, not deterministic, duplicate or other keys, tags, too deep.
    """
    if len(data) > bytes_max:
        raise Malformed(what, f"{len(data)} bytes, at most {bytes_max}")
    try:
        value: Any = cbor2.loads(
            data,
            max_depth=DEPTH_MAX,
            allow_indefinite=False,
            allow_duplicate_keys=False,
            strict_hashable_types=True,
            semantic_decoders=_NO_TAGS,
        )
    except (cbor2.CBORError, ValueError, TypeError, OverflowError, RecursionError) as error:
        raise Malformed(what, f"not deterministic CBOR ({type(error).__name__})") from None
    if (cbor2.dumps(value) if _check_types(value, what) else encode(value)) != data:
        raise Malformed(what, "not the deterministic encoding of its value")
    return value


def _check_types(value: object, what: str) -> bool:
    """Refuse what JSON-like structs never hold: undefined, simple values, NaN and infinities, other keys than text.

    Returns whether the order of keys and the width of floats play no part: then every encoder gives the deterministic
    encoding, and the fast one will do. Entries of a log are verified by the million.
    """
    if type(value) in _ATOMS:
        return True
    if isinstance(value, float) and math.isfinite(value):
        return False
    if isinstance(value, dict):
        if not _TEXT.issuperset(map(type, value)):
            raise Malformed(what, "a key that is no text")
        items, one_spelling = list(value.values()), len(value) <= 1
    elif isinstance(value, list):
        items, one_spelling = value, True
    else:
        raise Malformed(what, "a value that is no null, bool, integer, finite float, text, bytes, array or map")
    if _ATOMS.issuperset(map(type, items)):
        return one_spelling
    for item in items:
        if type(item) not in _ATOMS and not _check_types(item, what):
            one_spelling = False
    return one_spelling


def bytes_head(size: int) -> bytes:
    """What stands before a byte string of so many bytes, at most 65,535."""
    if size < _ONE_BYTE:
        return bytes((_BYTE_STRING + size,))
    if size < 1 << 8:
        return bytes((_BYTE_STRING + _ONE_BYTE, size))
    return bytes((_BYTE_STRING + _TWO_BYTES, *size.to_bytes(2, "big")))


def take_bytes(data: bytes, at: int, *, what: str) -> tuple[bytes, int]:
    """The byte string, of at most 65,535 bytes, that begins at `at`, and where it ends. Raises Malformed."""
    start, end = _string(data, at, _BYTE_STRING, what)
    return data[start:end], end


def take_text(data: bytes, at: int, *, what: str) -> tuple[str, int]:
    """The text that begins at `at`, and where it ends; as `take_bytes`."""
    start, end = _string(data, at, _TEXT_STRING, what)
    try:
        return data[start:end].decode(), end
    except UnicodeDecodeError:
        raise Malformed(what, "a text that is not UTF-8", offset=start) from None


def _string(data: bytes, at: int, kind: int, what: str) -> tuple[int, int]:
    """Where the content of a string begins and ends."""
    size = data[at] - kind if at < len(data) else -1
    start, least = at + 1, 0
    if size == _ONE_BYTE:
        start, least = at + 2, _ONE_BYTE
    elif size == _TWO_BYTES:
        start, least = at + 3, 1 << 8
    elif not 0 <= size < _ONE_BYTE:
        raise Malformed(what, "not the deterministic encoding of a short string", offset=at)
    if least:
        size = int.from_bytes(data[at + 1 : start], "big")
    if size < least or start + size > len(data):
        raise Malformed(what, "a string that is cut off, or a length in more bytes than it needs", offset=at)
    return start, start + size


def pack(value: msgspec.Struct) -> bytes:
    """Encode a struct deterministically; byte strings stay byte strings, dates become ISO text."""
    return encode(msgspec.to_builtins(value, builtin_types=(bytes,)))


def parse(data: bytes, kind: type[T] | Any, *, what: str, bytes_max: int) -> T:  # noqa: ANN401 - a union of structs is no type[T]
    """Decode a struct or a union of tagged structs; the inverse of `pack`.

    Raises:
        Malformed: As `decode`, or a field is unknown, missing, of the wrong type or out of its bounds.
    """
    parsed: T = convert(decode(data, what=what, bytes_max=bytes_max), kind, what=what)
    return parsed


def convert(value: object, kind: type[T] | Any, *, what: str) -> T:  # noqa: ANN401 - as parse
    """Make a struct of decoded builtins. Raises Malformed, with the field's path and never its content."""
    one: Any = kind if isinstance(kind, type) else _tagged(value, kind)
    try:
        converted: T = msgspec.convert(value, one, strict=True, builtin_types=(bytes,))
    except msgspec.ValidationError as error:
        raise Malformed(what, refusal(error)) from None
    return converted


def _tagged(value: object, union: Any) -> Any:  # noqa: ANN401 - as parse
    """The struct of a union whose tag the value has, which is ten times as fast; the union, if none, to refuse it."""
    tag = value.get(_TAG_FIELD) if isinstance(value, dict) else None
    return _members(union).get(tag, union) if isinstance(tag, str) else union


@lru_cache(maxsize=64)
def _members(union: Any) -> Mapping[str, type]:  # noqa: ANN401 - as parse
    """The tagged structs of a union, by their tags."""
    structs = (member for member in get_args(union) if isinstance(member, type) and issubclass(member, msgspec.Struct))
    return {member.__struct_config__.tag: member for member in structs if isinstance(member.__struct_config__.tag, str)}
