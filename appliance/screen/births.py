"""Birth dates compared: what a document says against what a list knows, either of which may know only the year."""

import enum
from collections.abc import Sequence

from appliance.formats.lists import ListedBirth
from appliance.model import PartialDate


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


def compare_births(traveller: PartialDate | None, listed: Sequence[ListedBirth]) -> tuple[BirthVerdict, str]:
    """The best verdict over all dates that the list gives for a person, with that date in words."""
    if traveller is None or traveller.year is None or not listed:
        return BirthVerdict.ABSENT, ", ".join(_text(birth) for birth in listed)
    return max((_compare(traveller, traveller.year, birth), _text(birth)) for birth in listed)


def _compare(traveller: PartialDate, year: int, listed: ListedBirth) -> BirthVerdict:
    if not listed.year_from <= year <= listed.year_to:
        return BirthVerdict.CONTRADICTS
    mine, theirs = (traveller.month, traveller.day), (listed.month, listed.day)
    if None in mine or None in theirs or listed.year_from != listed.year_to:
        return BirthVerdict.YEAR
    if mine == theirs:
        return BirthVerdict.EQUAL
    return BirthVerdict.SWAPPED if mine == theirs[::-1] else BirthVerdict.YEAR


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
