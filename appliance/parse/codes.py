"""Stage 2 of 8: parse - the codes that stand for states, organisations and persons in a travel document.

`state_codes.csv` beside this module is the reviewed list: ISO 3166-1 alpha-3, the codes that Doc 9303-3 §5 adds to it,
codes withdrawn by ISO 3166-3 that old papers still carry, and known fantasy issuers. Each row names its source.
"""

import csv
import enum
import functools
from importlib import resources

from msgspec import Struct


class CodeKind(enum.StrEnum):
    """What a code stands for; who may issue follows from it."""

    STATE = "state"
    STATUS = "status"  # a status of British nationality
    ORGANISATION = "organisation"
    PERSON = "person"  # no nationality, or none stated: never an issuer
    SPECIMEN = "specimen"
    HISTORIC = "historic"
    FANTASY = "fantasy"


class CodeEntry(Struct, frozen=True, kw_only=True):
    """One row of the list.

    Attributes:
        code: Without fillers ("D", "LAO").
        name: Short English name.
        source: Where the code comes from.
    """

    code: str
    name: str
    kind: CodeKind
    source: str


@functools.cache
def state_codes() -> dict[str, CodeEntry]:
    """All known codes by code; read once, from a file that ships with the software."""
    text = resources.files("appliance.parse").joinpath("state_codes.csv").read_text(encoding="utf-8")
    rows = csv.DictReader(text.splitlines())
    return {
        row["code"]: CodeEntry(code=row["code"], name=row["name"], kind=CodeKind(row["kind"]), source=row["source"])
        for row in rows
    }
