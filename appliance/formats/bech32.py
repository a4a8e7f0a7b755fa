"""Bech32 (BIP 173) without its length limit, as age spells recipients and identities."""

from typing import Final

from appliance.errors import Malformed

CHARSET: Final = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"
CHECKSUM_CHARACTERS: Final = 6
_GENERATOR: Final = (0x3B6A57B2, 0x26508E6D, 0x1EA119FA, 0x3D4233DD, 0x2A1462B3)
_VALUE_OF: Final = {character: value for value, character in enumerate(CHARSET)}


def encode(prefix: str, data: bytes) -> str:
    """Encode in lower case: `prefix`, "1", the data in groups of five bits, the checksum."""
    values = _regroup(data)
    remainder = _polymod(_expand(prefix) + values + [0] * CHECKSUM_CHARACTERS) ^ 1
    checksum = [(remainder >> 5 * (CHECKSUM_CHARACTERS - 1 - i)) & 31 for i in range(CHECKSUM_CHARACTERS)]
    return f"{prefix}1{''.join(CHARSET[value] for value in values + checksum)}"


def decode(text: str, *, what: str, characters_max: int) -> tuple[str, bytes]:
    """Decode to (prefix in lower case, data); the text is all lower or all upper case.

    Raises:
        Malformed: Longer than the bound, mixed case, a foreign character, a wrong checksum, bits left over. The text
            itself, which may be a secret, is never in the error.
    """
    if len(text) > characters_max:
        raise Malformed(what, f"{len(text)} characters, at most {characters_max}")
    if not text.isascii() or text not in (text.lower(), text.upper()):
        raise Malformed(what, "mixed case or not ASCII")
    prefix, separator, digits = text.lower().rpartition("1")
    if not (prefix and separator) or any(not "!" <= character <= "~" for character in prefix):
        raise Malformed(what, "no Bech32 prefix")
    try:
        values = [_VALUE_OF[digit] for digit in digits]
    except KeyError:
        raise Malformed(what, "a character outside the Bech32 set") from None
    if len(values) < CHECKSUM_CHARACTERS or _polymod(_expand(prefix) + values) != 1:
        raise Malformed(what, "wrong Bech32 checksum")
    return prefix, _join(values[:-CHECKSUM_CHARACTERS], what)


def _polymod(values: list[int]) -> int:
    """The BCH checksum of BIP 173."""
    checksum = 1
    for value in values:
        top = checksum >> 25
        checksum = (checksum & 0x1FFFFFF) << 5 ^ value
        for bit, generator in enumerate(_GENERATOR):
            if top >> bit & 1:
                checksum ^= generator
    return checksum


def _expand(prefix: str) -> list[int]:
    return [ord(character) >> 5 for character in prefix] + [0] + [ord(character) & 31 for character in prefix]


def _regroup(data: bytes) -> list[int]:
    """Bytes to groups of five bits, zeros at the end."""
    groups = -(-len(data) * 8 // 5)
    number = int.from_bytes(data, "big") << groups * 5 - len(data) * 8
    return [number >> 5 * (groups - 1 - i) & 31 for i in range(groups)]


def _join(values: list[int], what: str) -> bytes:
    """Groups of five bits to bytes; what is left over is fewer than five bits, all zero."""
    size, left_over = divmod(len(values) * 5, 8)
    number = 0
    for value in values:
        number = number << 5 | value
    if left_over > 4 or number & (1 << left_over) - 1:
        raise Malformed(what, "bits left over after the last byte")
    return (number >> left_over).to_bytes(size, "big")
