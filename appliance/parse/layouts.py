"""Stage 2 of 8: parse - where each data element stands, one table a format.

Positions count from zero over the lines joined together. Sources: Doc 9303-4 §4.2 (TD3), 9303-5 §4.2 (TD1), 9303-6 §4.2
(TD2), 9303-7 §4.2 and §5.2 (MRV-A, MRV-B); the French identity card of 1988 to 2021, whose layout is its own.
"""

import functools
from typing import Final

from msgspec import Struct

from appliance.model import CheckedField, DocumentFormat
from appliance.parse.characters import PositionClass

Span = tuple[int, int]
"""First position, and the one after the last."""


class CheckRule(Struct, frozen=True, kw_only=True):
    """One check digit of a format.

    Attributes:
        covers: The spans whose characters are weighed, in order.
        at: Position of the digit itself.
        blank_when_empty: A filler may stand there when the field holds fillers only (Doc 9303-4 §4.2.2, personal
            number).
    """

    field: CheckedField
    covers: tuple[Span, ...]
    at: int
    blank_when_empty: bool = False


class Layout(Struct, frozen=True, kw_only=True):
    """One format's data elements.

    Attributes:
        names: One span with both identifiers, or (French card) one for each.
        nationality, date_of_expiry: None where the format has none.
        long_number: A document number may go on in the first optional data element (Doc 9303-5 §4.2.4 note j).
    """

    format: DocumentFormat
    line_count: int
    width: int
    names: tuple[Span, ...]
    number: Span
    nationality: Span | None
    date_of_birth: Span
    sex: int
    date_of_expiry: Span | None
    optional: tuple[Span, ...]
    checks: tuple[CheckRule, ...]
    long_number: bool = False
    document_code: Span = (0, 2)
    issuing_state: Span = (2, 5)

    @property
    def position_classes(self) -> tuple[PositionClass, ...]:
        """What the format allows at each position."""
        return _position_classes(self)


@functools.cache
def _position_classes(layout: Layout) -> tuple[PositionClass, ...]:
    classes = [PositionClass.ANY] * (layout.line_count * layout.width)
    # The second character of the document code is the issuer's own: residence cards of the USA print "C1".
    letters = [(0, 1), layout.issuing_state, layout.nationality, *layout.names]
    digits = [layout.date_of_birth, layout.date_of_expiry, *((check.at, check.at + 1) for check in layout.checks)]
    for spans, kind in ((letters, PositionClass.LETTER), (digits, PositionClass.DIGIT)):
        for start, end in (span for span in spans if span is not None):
            classes[start:end] = [kind] * (end - start)
    return tuple(classes)


def _number_birth_expiry(number: Span, birth: Span, expiry: Span) -> tuple[CheckRule, ...]:
    """The three check digits that all formats of Doc 9303 have, each right after its field."""
    return (
        CheckRule(field="document_number", covers=(number,), at=number[1]),
        CheckRule(field="date_of_birth", covers=(birth,), at=birth[1]),
        CheckRule(field="date_of_expiry", covers=(expiry,), at=expiry[1]),
    )


TD1: Final = Layout(
    format=DocumentFormat.TD1,
    line_count=3,
    width=30,
    names=((60, 90),),
    number=(5, 14),
    nationality=(45, 48),
    date_of_birth=(30, 36),
    sex=37,
    date_of_expiry=(38, 44),
    optional=((15, 30), (48, 59)),
    checks=(
        *_number_birth_expiry((5, 14), (30, 36), (38, 44)),
        CheckRule(field="composite", covers=((5, 30), (30, 37), (38, 45), (48, 59)), at=59),
    ),
    long_number=True,
)
TD2: Final = Layout(
    format=DocumentFormat.TD2,
    line_count=2,
    width=36,
    names=((5, 36),),
    number=(36, 45),
    nationality=(46, 49),
    date_of_birth=(49, 55),
    sex=56,
    date_of_expiry=(57, 63),
    optional=((64, 71),),
    checks=(
        *_number_birth_expiry((36, 45), (49, 55), (57, 63)),
        CheckRule(field="composite", covers=((36, 46), (49, 56), (57, 71)), at=71),
    ),
    long_number=True,
)
TD3: Final = Layout(
    format=DocumentFormat.TD3,
    line_count=2,
    width=44,
    names=((5, 44),),
    number=(44, 53),
    nationality=(54, 57),
    date_of_birth=(57, 63),
    sex=64,
    date_of_expiry=(65, 71),
    optional=((72, 86),),
    checks=(
        *_number_birth_expiry((44, 53), (57, 63), (65, 71)),
        CheckRule(field="optional_data", covers=((72, 86),), at=86, blank_when_empty=True),
        CheckRule(field="composite", covers=((44, 54), (57, 64), (65, 87)), at=87),
    ),
)
MRVA: Final = Layout(
    format=DocumentFormat.MRVA,
    line_count=2,
    width=44,
    names=((5, 44),),
    number=(44, 53),
    nationality=(54, 57),
    date_of_birth=(57, 63),
    sex=64,
    date_of_expiry=(65, 71),
    optional=((72, 88),),
    checks=_number_birth_expiry((44, 53), (57, 63), (65, 71)),
)
MRVB: Final = Layout(
    format=DocumentFormat.MRVB,
    line_count=2,
    width=36,
    names=((5, 36),),
    number=(36, 45),
    nationality=(46, 49),
    date_of_birth=(49, 55),
    sex=56,
    date_of_expiry=(57, 63),
    optional=((64, 72),),
    checks=_number_birth_expiry((36, 45), (49, 55), (57, 63)),
)
FRA_ID: Final = Layout(
    format=DocumentFormat.FRA_ID,
    line_count=2,
    width=36,
    names=((5, 30), (49, 63)),
    number=(36, 48),
    nationality=None,
    date_of_birth=(63, 69),
    sex=70,
    date_of_expiry=None,
    optional=((30, 36),),
    checks=(
        CheckRule(field="document_number", covers=((36, 48),), at=48),
        CheckRule(field="date_of_birth", covers=((63, 69),), at=69),
        CheckRule(field="composite", covers=((0, 71),), at=71),
    ),
)


def layout_of(line_count: int, width: int, heading: str) -> Layout | None:
    """The layout for this many lines of this width, told apart by the first five characters; None for no format."""
    visa = heading.startswith("V")
    match line_count, width:
        case 3, 30:
            return TD1
        case 2, 44:
            return MRVA if visa else TD3
        case 2, 36 if heading == "IDFRA":
            return FRA_ID
        case 2, 36:
            return MRVB if visa else TD2
        case _:
            return None
