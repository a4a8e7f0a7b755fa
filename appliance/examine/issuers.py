"""Stage 3 of 8: examine - what issuers publish about validity and numbers: issuers.toml, read strictly, once.

Each row names its public source. A row that is not there makes a check "not applicable", never "failed".
"""

import re
import tomllib
from collections.abc import Sequence
from datetime import date
from importlib import resources
from typing import Annotated, Final

import msgspec
from msgspec import Meta

from appliance.errors import Malformed
from appliance.formats.refusal import refusal
from appliance.model import Line, Noun

ISSUERS_BYTES_MAX: Final = 131_072

Issuer = Annotated[str, Meta(pattern=r"\A[A-Z]{1,3}\Z")]
Codes = Annotated[
    tuple[Annotated[str, Meta(pattern=r"\A[A-Z][A-Z0-9]?\Z")], ...],
    Meta(min_length=1, max_length=16),
]
Years = Annotated[int, Meta(ge=1, le=20)]
NumberPattern = Annotated[
    str, Meta(max_length=64, pattern=r"\A(?:(?:[A-Z0-9]|\[[A-Z0-9-]+\])(?:\{[0-9]{1,2}(?:,[0-9]{1,2})?\})?)+\Z")
]
"""Characters, classes and counts: no pattern of this form takes more than a step a character."""


class IssuerRow(Noun, frozen=True, kw_only=True):
    """What a row is about, and who says so.

    Attributes:
        documents: First field of the printed lines, without fillers.
        source: Public: an address, or a title.
    """

    issuer: Issuer
    documents: Codes
    source: Annotated[Line, Meta(min_length=8)]


class ValidityRule(IssuerRow, frozen=True, kw_only=True):
    """For how long an issuer's document is valid at most.

    Attributes:
        years: For anybody.
        carried_months: What an issuer adds from the document before.
        young_under, young_years: Issued to a holder below this age, at most so many years; None where no source says.
    """

    years: Years
    carried_months: Annotated[int, Meta(ge=0, le=12)] = 0
    young_under: Annotated[int, Meta(ge=1, le=30)] | None = None
    young_years: Years | None = None


class NumberRule(IssuerRow, frozen=True, kw_only=True):
    """What an issuer's document numbers look like, whole."""

    patterns: Annotated[tuple[NumberPattern, ...], Meta(min_length=1, max_length=8)]


class IssuerFacts(Noun, frozen=True, kw_only=True):
    """The whole file.

    Attributes:
        version: Counted up by one with every change.
        reviewed: When somebody last compared it with its sources.
    """

    version: Annotated[int, Meta(ge=1, le=2**31 - 1)]
    reviewed: date
    validity: Annotated[tuple[ValidityRule, ...], Meta(max_length=512)]
    number: Annotated[tuple[NumberRule, ...], Meta(max_length=512)]

    @property
    def evidence(self) -> str:
        """Which data a finding rests on."""
        return f"issuer data {self.version}, reviewed {self.reviewed.isoformat()}"


def parse_issuers(data: bytes) -> IssuerFacts:
    """Parse and check the file.

    Raises:
        Malformed: Not TOML of this shape, a bound is broken, a pattern that means nothing, or a document with two rows.
    """
    if len(data) > ISSUERS_BYTES_MAX:
        raise Malformed("issuer data", f"{len(data)} bytes, at most {ISSUERS_BYTES_MAX}")
    try:
        facts = msgspec.convert(tomllib.loads(data.decode("utf-8")), IssuerFacts)
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Malformed("issuer data", f"not TOML: {type(error).__name__}") from None
    except msgspec.ValidationError as error:
        raise Malformed("issuer data", refusal(error)) from None
    _check_rows("validity", facts.validity)
    _check_rows("number", facts.number)
    for place, rule in enumerate(facts.validity):
        if (rule.young_under is None) != (rule.young_years is None):
            raise Malformed("issuer data", f"validity[{place}]: young_under and young_years stand together")
    for place, row in enumerate(facts.number):
        _check_patterns(place, row)
    return facts


def _check_rows(what: str, rows: Sequence[IssuerRow]) -> None:
    seen: set[tuple[str, str]] = set()
    for place, row in enumerate(rows):
        keys = {(row.issuer, code) for code in row.documents}
        if keys & seen or len(keys) < len(row.documents):
            raise Malformed("issuer data", f"{what}[{place}]: this issuer's document stands there already")
        seen |= keys


def _check_patterns(place: int, row: NumberRule) -> None:
    for pattern in row.patterns:
        try:
            re.compile(pattern)
        except re.error:
            raise Malformed("issuer data", f"number[{place}]: a pattern means nothing") from None


FACTS: Final = parse_issuers(resources.files("appliance.examine").joinpath("issuers.toml").read_bytes())
"""What ships with the software."""
_VALIDITY: Final = {(rule.issuer, code): rule for rule in FACTS.validity for code in rule.documents}
_NUMBER: Final = {(row.issuer, code): row for row in FACTS.number for code in row.documents}


def validity_rule(issuing_state: str, document_code: str) -> ValidityRule | None:
    """The row for this document; None where no source is known."""
    return _VALIDITY.get((issuing_state, document_code))


def number_rule(issuing_state: str, document_code: str) -> NumberRule | None:
    """The row for this document; None where no source is known."""
    return _NUMBER.get((issuing_state, document_code))
