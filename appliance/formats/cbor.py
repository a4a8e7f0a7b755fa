"""Deterministic CBOR (RFC 8949 §4.2.1) for msgspec structs: one encoding a value, and a total parser.

What is not the deterministic encoding of a value of the expected type is refused, so equal values have equal bytes and
hashes, and nothing can hide between them. No tags, no indefinite lengths, one spelling of a float, text keys only.
"""

from typing import Any, Final, TypeVar

import cbor2
import msgspec

from appliance.errors import Malformed

T = TypeVar("T")

DEPTH_MAX: Final = 16
"""Nesting of maps and arrays: a record has nine levels."""


def encode(value: object) -> bytes:
    """Encode builtins (None, bool, int, str, bytes, list, dict with text keys) deterministically."""
    return cbor2.dumps(value, canonical=True)


def decode(data: bytes, *, what: str, bytes_max: int) -> object:
    """Decode one deterministic item of builtins.

    Args:
        data: The item, nothing before and nothing after it.
        what: Its name for the error.
        bytes_max: Its bound, bytes.

    Raises:
        Malformed: Longer than the bound, not CBOR, not deterministic, duplicate keys, tags, too deep.
    """
    if len(data) > bytes_max:
        raise Malformed(what, f"{len(data)} bytes, at most {bytes_max}")
    try:
        value: Any = cbor2.loads(
            data, max_depth=DEPTH_MAX, allow_indefinite=False, allow_duplicate_keys=False, strict_hashable_types=True
        )
        again = cbor2.dumps(value, canonical=True)
    except (cbor2.CBORError, ValueError, TypeError, OverflowError, RecursionError) as error:
        raise Malformed(what, f"not deterministic CBOR ({type(error).__name__})") from None
    if again != data:
        raise Malformed(what, "not the deterministic encoding of its value")
    return value


def pack(value: msgspec.Struct) -> bytes:
    """Encode a struct deterministically; byte strings stay byte strings, dates become ISO text."""
    return encode(msgspec.to_builtins(value, builtin_types=(bytes,)))


def parse(data: bytes, kind: type[T] | Any, *, what: str, bytes_max: int) -> T:  # noqa: ANN401 - a union of structs is no type[T]
    """Decode a struct or a union of tagged structs; the inverse of `pack`.

    Raises:
        Malformed: As `decode`, or a field is unknown, missing, of the wrong type or out of its bounds.
    """
    value = decode(data, what=what, bytes_max=bytes_max)
    try:
        return msgspec.convert(value, kind, strict=True, builtin_types=(bytes,))
    except msgspec.ValidationError as error:
        raise Malformed(what, str(error)) from None
