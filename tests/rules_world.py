"""Hits, answers of lists and rules for tests of what rules do."""

from msgspec import structs

from appliance.formats.rules import DEFAULT_RULES, HitRule, Rules
from appliance.judged import Band, Hit, ListAnswer
from appliance.model import ListName
from tests.screen_world import DATED

SEARCHED: tuple[ListAnswer, ...] = (
    ListAnswer(list_name="documents", searched=True, version=3, dated=DATED),
    ListAnswer(list_name="persons", searched=True, version=3, dated=DATED),
)


def hit(list_name: ListName = "persons", band: Band = Band.STRONG, *, entry: str = "E-1", **fields: object) -> Hit:
    made = Hit(
        list_name=list_name,
        list_version=3,
        list_date=DATED,
        entry=entry,
        source="Source A",
        band=band,
        matcher="names 1",
        fields=(),
        instruction="Compare.",
        revision="0" * 16,
    )
    return structs.replace(made, **fields)


def rules(*hits: HitRule, **fields: object) -> Rules:
    return structs.replace(DEFAULT_RULES, hits=hits, **fields)
