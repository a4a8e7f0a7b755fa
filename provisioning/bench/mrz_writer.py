"""Writes machine readable zones for the synthetic travellers of the bench (ICAO Doc 9303 parts 3 to 6).

Shares no code with the box's parser on purpose: what one writes and the other reads agrees by the standard alone.
"""

from dataclasses import dataclass
from typing import Final

from appliance.errors import Malformed

ALPHABET: Final = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
WEIGHTS: Final = (7, 3, 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class MrzFields:
    """What stands in a machine readable zone, before it is laid out.

    Attributes:
        document_code: One or two characters ("P", "I", "AC", "PD").
        issuing_state, nationality: Codes of Doc 9303-3 section 5 without fillers.
        document_number: 0-9 and A-Z, a filler inside allowed. More than nine characters: TD1 to 22, TD2 to 14.
        date_of_birth, date_of_expiry: YYMMDD; unknown parts of a birth date as `<<`.
        sex: "M", "F" or "<".
        primary_identifier, secondary_identifier: Latin capitals; spaces and hyphens become fillers, apostrophes go.
        optional_data: TD3: personal number (14); TD2: 7 less a long number's rest; TD1: 15 likewise.
        optional_data_2: TD1 only, 11.
    """

    document_code: str
    issuing_state: str
    document_number: str
    nationality: str
    date_of_birth: str
    sex: str
    date_of_expiry: str
    primary_identifier: str
    secondary_identifier: str = ""
    optional_data: str = ""
    optional_data_2: str = ""


def check_digit(text: str) -> str:
    """The check digit of Doc 9303-3 §4.9: weights 7-3-1 repeated, modulo 10, fillers count nothing."""
    total = sum(
        WEIGHTS[place % 3] * ALPHABET.index(character) for place, character in enumerate(text) if character != "<"
    )
    return str(total % 10)


def write_td3(fields: MrzFields) -> tuple[str, str]:
    """Two lines of 44 (Doc 9303-4). Raises Malformed when a field does not fit."""
    number = _fill("document number", fields.document_number, 9)
    personal = _fill("personal number", fields.optional_data, 14)
    lower = (
        f"{number}{check_digit(number)}{_fill('nationality', fields.nationality, 3)}"
        f"{_dates(fields)}{personal}{check_digit(personal)}"
    )
    composite = check_digit(lower[0:10] + lower[13:20] + lower[21:43])
    return _heading(fields, 44), lower + composite


def write_td2(fields: MrzFields) -> tuple[str, str]:
    """Two lines of 36 (Doc 9303-6), with a long number where it has more than nine characters. Raises Malformed."""
    number, optional = _number_and_optional(fields, 7)
    lower = f"{number}{_fill('nationality', fields.nationality, 3)}{_dates(fields)}{optional}"
    composite = check_digit(lower[0:10] + lower[13:20] + lower[21:35])
    return _heading(fields, 36), lower + composite


def write_td1(fields: MrzFields) -> tuple[str, str, str]:
    """Three lines of 30 (Doc 9303-5), with a long number where it has more than nine characters. Raises Malformed."""
    number, optional = _number_and_optional(fields, 15)
    upper = (
        f"{_fill('document code', fields.document_code, 2)}{_fill('issuing state', fields.issuing_state, 3)}"
        f"{number}{optional}"
    )
    nationality = _fill("nationality", fields.nationality, 3)
    middle = f"{_dates(fields)}{nationality}{_fill('optional data', fields.optional_data_2, 11)}"
    composite = check_digit(upper[5:30] + middle[0:7] + middle[8:15] + middle[18:29])
    return upper, middle + composite, _names(fields, 30)


def _heading(fields: MrzFields, width: int) -> str:
    code = _fill("document code", fields.document_code, 2)
    return f"{code}{_fill('issuing state', fields.issuing_state, 3)}{_names(fields, width - 5)}"


def _dates(fields: MrzFields) -> str:
    birth = _fill("date of birth", fields.date_of_birth, 6)
    expiry = _fill("date of expiry", fields.date_of_expiry, 6)
    return f"{birth}{check_digit(birth)}{_fill('sex', fields.sex, 1)}{expiry}{check_digit(expiry)}"


def _number_and_optional(fields: MrzFields, width: int) -> tuple[str, str]:
    """Number with its check digit position (10), and the optional data element of `width` (Doc 9303-5 §4.2.4)."""
    number = fields.document_number
    if len(number) <= 9:
        number = _fill("document number", number, 9)
        return number + check_digit(number), _fill("optional data", fields.optional_data, width)
    return f"{number[:9]}<", _fill(
        "long number and optional data", f"{number[9:]}{check_digit(number)}<{fields.optional_data}", width
    )


def _names(fields: MrzFields, width: int) -> str:
    """Primary and secondary identifier, truncated where they must be (Doc 9303-4 §4.2.3).

    Something of both remains, and the last place is a letter: by that a reader knows that the name may go on.
    """
    primary, secondary = _latin(fields.primary_identifier), _latin(fields.secondary_identifier)
    if not secondary:
        return _cut(primary, width).ljust(width, "<")
    if len(primary) + 2 + len(secondary) > width:
        primary = _cut(primary, width - 3)
    return _cut(f"{primary}<<{secondary}", width).ljust(width, "<")


def _cut(name: str, width: int) -> str:
    """The first `width` characters; where that would end between two words, the longest word gives up a letter."""
    if len(name) > width and name[width - 1] == "<":
        longest = max(name[:width].split("<"), key=len)
        name = name.replace(longest, longest[:-1], 1)
    return name[:width]


def _latin(name: str) -> str:
    return "<".join(name.upper().replace("'", "").replace("-", " ").split())


def _fill(what: str, text: str, width: int) -> str:
    if len(text) > width or not all(character in ALPHABET or character == "<" for character in text):
        raise Malformed(what, f"at most {width} of 0-9, A-Z and <")
    return text.ljust(width, "<")
