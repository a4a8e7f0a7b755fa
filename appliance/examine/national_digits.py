"""Stage 3 of 8: examine - check digits of national numbers, one function a number.

Each takes the whole number, digits and letters only, of the length that its row of national.py has matched, and says
whether the number keeps its own rule. Sources stand with the rows.
"""

from collections.abc import Iterable
from typing import Final

SPANISH_LETTERS: Final = "TRWAGMYFPDXBNJZSQVHLCKE"
FINNISH_LETTERS: Final = "0123456789ABCDEFHJKLMNPRSTUVWXY"
CHINESE_DIGITS: Final = "10X98765432"


def _weigh(number: str, weights: Iterable[int]) -> int:
    return sum(weight * int(digit) for weight, digit in zip(weights, number, strict=False))


def belgian(number: str) -> bool:
    """97 less the first nine digits modulo 97; for births from 2000 on with a 2 before them."""
    remainder = int(number[9:])
    return remainder in {97 - int(number[:9]) % 97, 97 - int(f"2{number[:9]}") % 97}


def dutch(number: str) -> bool:
    """The eleven-test: weights 9 to 2, the last digit counts -1."""
    return int(number) > 0 and _weigh(number, (9, 8, 7, 6, 5, 4, 3, 2, -1)) % 11 == 0


def polish(number: str) -> bool:
    """PESEL: weights 1, 3, 7, 9 repeated, modulo 10; the last digit brings it to zero."""
    return _weigh(number, (1, 3, 7, 9, 1, 3, 7, 9, 1, 3, 1)) % 10 == 0


def spanish(number: str) -> bool:
    """DNI and NIE: a letter by the number modulo 23; X, Y and Z count as 0, 1 and 2."""
    digits = number[:-1].replace("X", "0").replace("Y", "1").replace("Z", "2")
    return number[-1] == SPANISH_LETTERS[int(digits) % 23]


def thai(number: str) -> bool:
    """Weights 13 to 2, modulo 11."""
    return int(number[-1]) == (11 - _weigh(number[:12], range(13, 1, -1)) % 11) % 10


def chinese(number: str) -> bool:
    """ISO 7064, MOD 11-2."""
    return number[-1] == CHINESE_DIGITS[_weigh(number[:17], (2**place for place in range(17, 0, -1))) % 11]


def finnish(number: str) -> bool:
    """A character by the nine digits modulo 31."""
    return number[-1] == FINNISH_LETTERS[int(number[:9]) % 31]


def swedish(number: str) -> bool:
    """Luhn's over ten digits."""
    doubled = (int(digit) * (2 - place % 2) for place, digit in enumerate(number))
    return sum(value // 10 + value % 10 for value in doubled) % 10 == 0


def turkish(number: str) -> bool:
    """The tenth digit over odd and even places, the eleventh over the ten before it."""
    digits = [int(digit) for digit in number]
    tenth = (7 * sum(digits[0:9:2]) - sum(digits[1:8:2])) % 10
    return digits[9] == tenth and digits[10] == sum(digits[:10]) % 10


def korean(number: str) -> bool:
    """Weights 2 to 9, then 2 to 5, modulo 11."""
    return int(number[-1]) == (11 - _weigh(number[:12], (2, 3, 4, 5, 6, 7, 8, 9, 2, 3, 4, 5)) % 11) % 10


def bulgarian(number: str) -> bool:
    """EGN: powers of two modulo 11; ten counts as zero."""
    return int(number[-1]) == _weigh(number[:9], (2, 4, 8, 5, 10, 9, 7, 3, 6)) % 11 % 10


def baltic(number: str) -> bool:
    """Estonia's and Lithuania's: modulo 11 with two sets of weights; ten in both counts as zero."""
    first = _weigh(number[:10], (1, 2, 3, 4, 5, 6, 7, 8, 9, 1)) % 11
    second = _weigh(number[:10], (3, 4, 5, 6, 7, 8, 9, 1, 2, 3)) % 11
    return int(number[-1]) == (first if first < 10 else second % 10)


def croatian(number: str) -> bool:
    """OIB: ISO 7064, MOD 11,10."""
    check = 10
    for digit in number[:10]:
        check = ((int(digit) + check) % 10 or 10) * 2 % 11
    return int(number[-1]) == (11 - check) % 10


def no_check_digit(number: str) -> bool:
    """A number without a check digit; its date of birth still speaks."""
    return bool(number)
