"""Codes that people read to each other over a telephone when there is no link (README, "Voice codes").

The box shows a short code of the case; headquarters' duty desk answers with a code that only the box's own voice key
gives for that case and that verdict. Both are Crockford's base 32 with a check symbol of the same alphabet, so a
misheard character, or two that changed places, is noticed before it counts as a wrong code. (Crockford's own check
symbol may be `~` or `=`, which nobody can say on a telephone.)
"""

import enum
import hashlib
import hmac
from typing import Final

from appliance.errors import Malformed
from appliance.model import Id

KEY_BYTES: Final = 32
CASE_SYMBOLS: Final = 6
"""30 bits: which of a box's open cases is meant."""
ANSWER_SYMBOLS: Final = 8
"""40 bits, of which an officer may try a handful."""
TYPED_MAX: Final = 64
"""Characters of a code as somebody types it, with whatever stands between."""
_ALPHABET: Final = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_FIELD: Final = 0b100101
"""x^5 + x^2 + 1, primitive: a symbol is an element of GF(2^5), and x has order 31."""
_READ_AS: Final = str.maketrans({"O": "0", "I": "1", "L": "1", "-": None, " ": None, ".": None})


class Verdict(enum.StrEnum):
    """What headquarters says of a possible match."""

    CONFIRMED = "confirmed"
    NOT_CONFIRMED = "not confirmed"


def case_code(of: Id) -> str:
    """The code of the case about this record, as it is read out: `K7Q-2M9-T`."""
    return _spoken(hashlib.sha256(b"landlink.example/case/v1\0" + of.encode("ascii")).digest(), CASE_SYMBOLS)


def answer_code(key: bytes, *, box: str, case: str, verdict: Verdict) -> str:
    """What the duty desk reads out.

    Args:
        key: The box's voice key, 32 bytes.
        box: Its name, `domain/serial` in lower case.
        case: The code of the case, as spoken.
        verdict: What it says.

    Raises:
        Malformed: `case` is no such code.
    """
    parts = ("landlink.example/voice/v1", box, read_code(case, CASE_SYMBOLS), verdict.value)
    return _spoken(hmac.digest(key, "\0".join(parts).encode("ascii"), "sha256"), ANSWER_SYMBOLS)


def heard_verdict(key: bytes, *, box: str, of: Id, code: str) -> Verdict | None:
    """What a code that was read out says of this case; None when it is not one for it.

    Raises:
        Malformed: A character was misheard or mistyped: the check symbol does not fit.
    """
    heard = read_code(code, ANSWER_SYMBOLS)
    said: Verdict | None = None
    for verdict in Verdict:
        expected = read_code(answer_code(key, box=box, case=case_code(of), verdict=verdict), ANSWER_SYMBOLS)
        if hmac.compare_digest(expected.encode(), heard.encode()):
            said = verdict
    return said


def read_code(text: str, symbols: int) -> str:
    """The symbols of a code of this length, without hyphens and check symbol; O, I and L are what they look like.

    Raises:
        Malformed: Another length, another alphabet, or the check symbol does not fit.
    """
    code = text.upper().translate(_READ_AS) if len(text) <= TYPED_MAX else ""
    body, check = code[:-1], code[-1:]
    if len(code) != symbols + 1 or not set(body) <= set(_ALPHABET):
        raise Malformed("code", f"it has {symbols + 1} letters and digits")
    if _check(body) != check:
        raise Malformed("code", "a character of it is wrong: ask for it again, one by one")
    return body


def spoken(body: str) -> str:
    """Symbols as they are read out: in two halves, with the check symbol."""
    half = len(body) // 2
    return f"{body[:half]}-{body[half:]}-{_check(body)}"


def coded(digest: bytes, symbols: int) -> str:
    """The first bits of a hash as so many symbols, at most 25, and the check symbol."""
    number = int.from_bytes(digest[:16], "big") >> (128 - 5 * symbols)
    body = "".join(_ALPHABET[number >> 5 * place & 31] for place in reversed(range(symbols)))
    return body + _check(body)


def _spoken(digest: bytes, symbols: int) -> str:
    return spoken(coded(digest, symbols)[:-1])


def _check(body: str) -> str:
    """Weighs each symbol by its own power of x, the last one by x itself.

    So a whole code, its check symbol weighing 1, sums to zero; one wrong symbol, or two in each other's place,
    do not.
    """
    total = 0
    for symbol in body:
        total = _times_x(total ^ _ALPHABET.index(symbol))
    return _ALPHABET[total]


def _times_x(element: int) -> int:
    doubled = element << 1
    return doubled ^ _FIELD if doubled > 31 else doubled
