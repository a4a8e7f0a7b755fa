"""Stage 2 of 8: parse - the characters of a machine readable zone, their values and what a reader takes for what.

Doc 9303-3 §4.3 (character set) and §4.9 (check digits: weights 7-3-1, modulo 10, filler 0).
"""

import enum
from collections.abc import Sequence
from typing import Final

FILLER: Final = "<"
DIGITS: Final = frozenset("0123456789")
LETTERS: Final = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZ")
CHARACTERS: Final = DIGITS | LETTERS | {FILLER}
VALUES: Final = {**{character: int(character, 36) for character in DIGITS | LETTERS}, FILLER: 0}
WEIGHTS: Final = (7, 3, 1)


class PositionClass(enum.Enum):
    """Which characters the format allows at a position; the value holds them."""

    DIGIT = DIGITS | {FILLER}
    LETTER = LETTERS | {FILLER}
    ANY = CHARACTERS


AS_DIGIT: Final = {"O": "0", "Q": "0", "D": "0", "I": "1", "L": "1", "Z": "2", "S": "5", "G": "6", "B": "8", "A": "4"}
"""The digit that a reader took for this letter."""
AS_LETTER: Final = {"0": "O", "1": "I", "2": "Z", "5": "S", "6": "G", "8": "B", "4": "A"}
"""The letter that a reader took for this digit."""

_LOOKALIKES: Final = ("0OQD", "1IL7", "2Z7", "5S6", "6G8", "8B3", "4A", "08", "MN", "UV", "VY", "KX", "CG", "EF", "PR")
CONFUSABLE: Final[dict[str, frozenset[str]]] = {
    character: frozenset("".join(group for group in _LOOKALIKES if character in group)) - {character}
    for character in DIGITS | LETTERS
}
"""What else a read character may be, in OCR-B under poor light. The filler is in no set: to take it for a letter would
move where a field ends."""


def compute_check_digit(text: str | Sequence[str]) -> str:
    """The check digit over `text`, all of it from CHARACTERS: "520727" gives "3"."""
    return str(sum(VALUES[character] * WEIGHTS[place % 3] for place, character in enumerate(text)) % 10)
