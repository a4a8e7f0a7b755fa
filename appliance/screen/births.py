"""Birth dates compared: what a document says against what a list knows, either of which may know only the year."""

import enum
from collections.abc import Sequence

from appliance.formats.lists import ListedBirth
from appliance.formats.person_index import unpack_birth
from appliance.model import PartialDate
from appliance.parse.dates import BUDDHIST_OFFSET, BUDDHIST_YEAR_MIN, THAI_REFORM_YEAR


class BirthVerdict(enum.IntEnum):
    """How two birth dates stand to each other; the higher, the more they agree."""

    CONTRADICTS = 0
    ABSENT = 1  # one side knows none
    YEAR = 2  # the years can be the same, no more is known or agrees
    SWAPPED = 3  # day and month changed places
    EQUAL = 4  # the full dates are the same

    @property
    def words(self) -> str:
        """For the record (FieldVerdict.verdict)."""
        return _WORDS[self]


_WORDS = {
    BirthVerdict.CONTRADICTS: "contradicts",
    BirthVerdict.ABSENT: "absent",
    BirthVerdict.YEAR: "compatible",
    BirthVerdict.SWAPPED: "alike",
    BirthVerdict.EQUAL: "equal",
}


def compare_births(traveller: PartialDate | None, listed: Sequence[int]) -> tuple[BirthVerdict, str]:
    """The best verdict over all dates that the list gives for a person, packed, with that date in words.

    Raises:
        Malformed: A date of no calendar.
    """
    texts = [_text(unpack_birth(packed)) for packed in listed]
    if traveller is None or traveller.year is None or not listed:
        return BirthVerdict.ABSENT, ", ".join(texts)
    year = traveller.year
    return max((_compare(traveller, year, packed), text) for packed, text in zip(listed, texts, strict=True))


def birth_verdict(traveller: PartialDate | None, listed: Sequence[int]) -> BirthVerdict:
    """The verdict alone: of the many bearers of a common name."""
    if traveller is None or traveller.year is None or not listed:
        return BirthVerdict.ABSENT
    year = traveller.year
    return max([_compare(traveller, year, packed) for packed in listed])


def _compare(traveller: PartialDate, year: int, packed: int) -> BirthVerdict:
    year_from, year_to = packed >> 32, packed >> 16 & 0xFFFF
    if not year_from <= year <= year_to:
        # A Buddhist year before 1941 ran from April to March, so its first three months are in the next year of ours.
        next_year = year_from <= year + 1 <= year_to and _ran_from_april(traveller.raw)
        return BirthVerdict.YEAR if next_year else BirthVerdict.CONTRADICTS
    mine, theirs = (traveller.month, traveller.day), (packed >> 8 & 0xFF, packed & 0xFF)
    if None in mine or 0 in theirs or year_from != year_to:
        return BirthVerdict.YEAR
    if mine == theirs:
        return BirthVerdict.EQUAL
    return BirthVerdict.SWAPPED if mine == theirs[::-1] else BirthVerdict.YEAR


def _ran_from_april(raw: str) -> bool:
    """Whether a date was written in a Buddhist year that began in April, and may lie in January to March of it."""
    year, month = raw[:4], raw[5:7]
    typed = len(raw) in (4, 7, 10) and year.isdigit()  # YYYY, YYYY-MM, YYYY-MM-DD; six characters are an MRZ's
    early = typed and BUDDHIST_YEAR_MIN <= int(year) < THAI_REFORM_YEAR + BUDDHIST_OFFSET
    return early and month in ("", "01", "02", "03")


def _text(birth: ListedBirth) -> str:
    if birth.year_from != birth.year_to:
        return f"{birth.year_from} to {birth.year_to}"
    parts = [f"{birth.year_from}"] + [f"{part:02d}" for part in (birth.month, birth.day) if part is not None]
    return "-".join(parts)


def traveller_text(birth: PartialDate | None) -> str:
    """What the document says, for the record: ISO as far as known."""
    if birth is None or birth.year is None:
        return ""
    parts = [f"{birth.year:04d}"]
    for part in (birth.month, birth.day):
        if part is None:
            break
        parts.append(f"{part:02d}")
    return "-".join(parts)
