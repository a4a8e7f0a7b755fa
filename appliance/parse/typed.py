"""Stage 2 of 8: parse - what an officer typed from a page that no device can read; marked by its format, TYPED."""

import unicodedata
from typing import Final

from appliance.errors import Malformed
from appliance.model import DocumentFormat, TravelDocument, TypedReading
from appliance.parse.dates import parse_typed_date

CODE_CHARACTERS_MAX: Final = 3
NUMBER_CHARACTERS_MAX: Final = 24
NAME_CHARACTERS_MAX: Final = 80
KIND_CHARACTERS_MAX: Final = 64
ZERO_WIDTH_SPACE: Final = "\u200b"


def parse_typed(reading: TypedReading) -> TravelDocument:
    """Typed fields become a TravelDocument without zone, check digits or repairs.

    Raises:
        Malformed: A field is too long or holds other characters than it may, or a date is none.
    """
    return TravelDocument(
        format=DocumentFormat.TYPED,
        mrz=(),
        raw=(),
        repairs=(),
        document_code=_word("document kind", reading.document_kind, KIND_CHARACTERS_MAX),
        issuing_state=_word("issuing state", reading.issuing_state, CODE_CHARACTERS_MAX),
        nationality="",
        document_number=_word("document number", reading.document_number, NUMBER_CHARACTERS_MAX),
        primary_identifier=_name("primary identifier", reading.primary_identifier),
        secondary_identifier=_name("secondary identifier", reading.secondary_identifier),
        name_truncated=False,
        date_of_birth=parse_typed_date(reading.date_of_birth),
        sex="",
        date_of_expiry=parse_typed_date(reading.date_of_expiry),
        optional_data="",
        check_digits=(),
    )


def _word(what: str, text: str, characters_max: int) -> str:
    """Capitals and digits of the MRZ, as many as the model holds."""
    if len(text) > characters_max or not (text.isascii() and (text.isalnum() or not text) and text == text.upper()):
        raise Malformed(f"typed {what}", f"at most {characters_max} of 0-9 and A-Z")
    return text


def _name(what: str, text: str) -> str:
    """Any script, capitals where it has them, single spaces; keyboards leave invisible marks between Khmer words."""
    visible = (" " if character == ZERO_WIDTH_SPACE else character for character in text if not _is_mark(character))
    name = " ".join("".join(visible).upper().split())
    if len(name) > NAME_CHARACTERS_MAX or not name.isprintable():
        raise Malformed(f"typed {what}", f"at most {NAME_CHARACTERS_MAX} printable characters")
    return name


def _is_mark(character: str) -> bool:
    return unicodedata.category(character) == "Cf" and character != ZERO_WIDTH_SPACE
