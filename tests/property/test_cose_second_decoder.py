"""The one-pass parser of COSE_Sign1 takes exactly what a general CBOR decoder finds to be our one encoding of it."""

from typing import Any, Final

import cbor2
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from appliance.errors import Malformed, Untrusted
from appliance.formats import cose

KEY: Final = Ed25519PrivateKey.from_private_bytes(b"\x05" * 32)
PUBLIC: Final = KEY.public_key().public_bytes_raw()
TAG: Final = 18
CONTEXT: Final = st.recursive(
    st.booleans() | st.integers(-(2**64), 2**64 - 1) | st.text(max_size=30) | st.binary(max_size=300),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=5,
)
HEADERS: Final = st.fixed_dictionaries(
    {},
    optional={
        cose.LABEL_ALG: st.sampled_from([cose.ALG_EDDSA, cose.ALG_ES256]),
        cose.LABEL_KID: st.binary(max_size=30),
        cose.LABEL_TYP: st.text(max_size=300),
        cose.LABEL_CONTEXT: CONTEXT,
    },
)


def signed(header: dict[int, object], payload: bytes) -> bytes:
    return cose.sign1(payload, protected=header, sign=KEY.sign)


MESSAGES: Final = st.builds(signed, HEADERS, st.binary(max_size=300))


def by_general_decoder(data: bytes) -> tuple[object, ...] | None:
    """Header, its bytes, payload and signature; None for whatever is not our one encoding of them."""
    try:
        tagged = cbor2.loads(data)
        if not isinstance(tagged, cbor2.CBORTag) or tagged.tag != TAG or cbor2.dumps(tagged, canonical=True) != data:
            return None
        message: Any = tagged.value
        raw, unprotected, payload, signature = message
        if not all(isinstance(each, bytes) for each in (raw, payload, signature)) or unprotected != {}:
            return None
        header: Any = cbor2.loads(raw)
        if not isinstance(header, dict) or cbor2.dumps(header, canonical=True) != raw:
            return None
    except (cbor2.CBORError, ValueError, TypeError, OverflowError):
        return None
    ours = len(signature) == cose.SIGNATURE_BYTES and all(map(_has_a_value, header.items()))
    return (header, raw, payload, signature) if ours else None


def _has_a_value(pair: tuple[object, object]) -> bool:
    label, value = pair
    if isinstance(label, bool):
        return False
    if label == cose.LABEL_ALG:
        return not isinstance(value, bool) and value in (cose.ALG_EDDSA, cose.ALG_ES256)
    if label == cose.LABEL_KID:
        return isinstance(value, bytes)
    if label == cose.LABEL_TYP:
        return isinstance(value, str)
    return label == cose.LABEL_CONTEXT and value is not None


def by_ours(data: bytes) -> tuple[object, ...] | None:
    try:
        message = cose.parse_sign1(data)
    except Malformed:
        return None
    return message.protected, message.protected_raw, message.payload, message.signature


@st.composite
def altered(draw: st.DrawFn) -> bytes:
    """A message in which something was cut out, put in or changed, inside and outside of its header."""
    data = bytearray(draw(MESSAGES))
    for _ in range(draw(st.integers(1, 2))):
        at = draw(st.integers(0, min(len(data), 40)) | st.integers(0, len(data)))
        much = draw(st.integers(0, 2))
        data[at : at + much] = draw(st.binary(max_size=2) | st.sampled_from([b"\x18", b"\x58", b"\x59\x00", b"\xf6"]))
    return bytes(data)


@st.composite
def respelled(draw: st.DrawFn) -> bytes:
    """The same four values, each length and number in some spelling that CBOR has for it, the header's order turned."""
    header, payload = draw(HEADERS), draw(st.binary(max_size=40))
    pairs = draw(st.permutations(list(header.items())))
    raw = head(draw, 5, len(pairs)) + b"".join(spelled(draw, label) + spelled(draw, value) for label, value in pairs)
    parts = [spelled(draw, raw), head(draw, 5, 0), spelled(draw, payload), spelled(draw, bytes(64))]
    return head(draw, 6, TAG) + head(draw, 4, 4) + b"".join(parts)


def head(draw: st.DrawFn, major: int, number: int) -> bytes:
    """A head in the shortest spelling, mostly, or in a longer one."""
    least = next(size for size in (0, 1, 2, 4, 8) if number < (24 if size == 0 else 1 << 8 * size))
    sizes = [size for size in (0, 1, 2, 4, 8) if size >= least]
    size = draw(st.sampled_from([least] * 20 + sizes))
    if size == 0:
        return bytes([major << 5 | number])
    return bytes([major << 5 | 23 + (1, 2, 4, 8).index(size) + 1]) + number.to_bytes(size, "big")


def spelled(draw: st.DrawFn, value: object) -> bytes:
    if isinstance(value, bytes):
        return head(draw, 2, len(value)) + value
    if isinstance(value, str):
        return head(draw, 3, len(value.encode())) + value.encode()
    if isinstance(value, int) and not isinstance(value, bool) and -(2**32) < value < 2**32:
        return head(draw, 1, -1 - value) if value < 0 else head(draw, 0, value)
    return cbor2.dumps(value, canonical=True)


@given(data=MESSAGES | altered() | respelled() | st.binary(max_size=100))
def test_it_takes_what_the_general_decoder_takes_and_reads_the_same(data: bytes) -> None:
    assert by_ours(data) == by_general_decoder(data)


@given(data=MESSAGES, altered_at=st.integers(0), bit=st.integers(0, 7))
def test_no_changed_bit_of_a_message_leaves_its_signature_whole(data: bytes, altered_at: int, bit: int) -> None:
    changed = bytearray(data)
    changed[altered_at % len(data)] ^= 1 << bit
    try:
        cose.verify_ed25519(cose.parse_sign1(bytes(changed)), PUBLIC)
    except (Malformed, Untrusted):
        return
    raise AssertionError(bytes(changed).hex())


@given(header=HEADERS, payload=st.binary(max_size=100))
def test_a_signature_of_one_algorithm_is_none_of_another_and_s_has_one_value(
    header: dict[int, object], payload: bytes
) -> None:
    order = 2**252 + 27742317777372353535851937790883648493
    data = signed(header | {cose.LABEL_ALG: cose.ALG_EDDSA, cose.LABEL_KID: cose.kid(PUBLIC)}, payload)
    cose.verify_ed25519(cose.parse_sign1(data), PUBLIC)
    s = int.from_bytes(data[-32:], "little") + order
    for other in (data[:-32] + s.to_bytes(32, "little"), data.replace(b"\x01\x27", b"\x01\x26", 1)):
        try:
            cose.verify_ed25519(cose.parse_sign1(other), PUBLIC)
        except Untrusted:
            continue
        raise AssertionError(other.hex())
