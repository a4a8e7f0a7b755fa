"""Stage 2 of 8: parse - a machine readable zone becomes a TravelDocument: TD1, TD2, TD3, MRV-A, MRV-B, French card.

A total parser: any lines give a TravelDocument or Malformed. What is wrong inside a zone of the right shape (a check
digit, a date, a code) is for examine to find: a forged passport is an ordinary day, not an error.
"""

from collections.abc import Sequence
from typing import Final

from appliance.clock import Instant
from appliance.errors import Malformed
from appliance.model import TravelDocument
from appliance.parse.characters import CHARACTERS, FILLER, LETTERS
from appliance.parse.checks import compare, long_number, resolve_checks
from appliance.parse.dates import parse_birth, parse_expiry
from appliance.parse.layouts import Layout, Span, layout_of
from appliance.parse.names import maybe_truncated, spaced, split_names
from appliance.parse.repair import repair

SHAPES: Final = "two lines of 44 or 36 characters, or three of 30"
SEXES: Final = frozenset("MFX")


def parse_mrz(lines: Sequence[str], now: Instant) -> TravelDocument:
    """Parse the lines of one zone as read.

    Args:
        lines: Two or three lines, top to bottom.
        now: Decides centuries.

    Raises:
        Malformed: Not the shape or the characters of a machine readable zone.
    """
    layout = _shape(lines)
    raw = "".join(lines)
    repaired = repair(raw, layout)
    text = repaired.text
    if text[0] not in LETTERS:
        raise Malformed("MRZ document code", "its first character is a letter", offset=0)
    primary, secondary = _names(text, layout)
    return TravelDocument(
        format=layout.format,
        mrz=tuple(text[start : start + layout.width] for start in range(0, len(text), layout.width)),
        raw=tuple(lines),
        repairs=repaired.repairs,
        document_code=_code(text, layout.document_code),
        issuing_state=_code(text, layout.issuing_state),
        # The French card names no nationality; it was issued to nationals only.
        nationality=_code(text, layout.nationality or layout.issuing_state),
        document_number=_number(text, layout),
        primary_identifier=primary,
        secondary_identifier=secondary,
        name_truncated=any(maybe_truncated(text[slice(*span)]) for span in layout.names),
        date_of_birth=parse_birth(text[slice(*layout.date_of_birth)], now),
        sex=text[layout.sex] if text[layout.sex] in SEXES else "",
        date_of_expiry=parse_expiry(text[slice(*layout.date_of_expiry)], now) if layout.date_of_expiry else None,
        optional_data=_optional(text, layout),
        check_digits=tuple(compare(text, check) for check in resolve_checks(text, layout)),
    )


def _shape(lines: Sequence[str]) -> Layout:
    """Bound and check what came in, before anything is joined or indexed."""
    if len(lines) not in (2, 3) or any(len(line) != len(lines[0]) for line in lines):
        raise Malformed("MRZ", SHAPES)
    layout = layout_of(len(lines), len(lines[0]), lines[0][:5])
    if layout is None:
        raise Malformed("MRZ", SHAPES)
    for line_number, line in enumerate(lines):
        for column, character in enumerate(line):
            if character not in CHARACTERS:
                place = line_number * layout.width + column
                raise Malformed("MRZ", "only 0-9, A-Z and < are allowed", offset=place)
    return layout


def _code(text: str, span: Span) -> str:
    return text[slice(*span)].replace(FILLER, "")


def _number(text: str, layout: Layout) -> str:
    """Without fillers and check digit, a long number joined."""
    number = text[slice(*layout.number)]
    long = long_number(text, layout)
    if long is not None:
        number += text[long.rest_start : long.check_at]
    return number.replace(FILLER, "")


def _optional(text: str, layout: Layout) -> str:
    long = long_number(text, layout)
    first_start, first_end = layout.optional[0]
    if long is not None:
        first_start = min(long.check_at + 2, first_end)  # behind the filler that ends the number
    spans = ((first_start, first_end), *layout.optional[1:])
    return FILLER.join(part for span in spans if (part := text[slice(*span)].rstrip(FILLER)))


def _names(text: str, layout: Layout) -> tuple[str, str]:
    first, *others = (text[slice(*span)] for span in layout.names)
    if others:
        return spaced(first), spaced(others[0])
    return split_names(first)
