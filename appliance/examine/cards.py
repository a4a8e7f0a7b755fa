"""Stage 3 of 8: examine - reference cards: what a person can look at and feel, by issuer and document.

The cards stand in cards.toml, each with its public source, so that whoever answers for them reads them without code. A
card decides nothing: it stands beside a referral for whoever looks at the document.
"""

import tomllib
from datetime import date
from importlib import resources
from typing import Annotated, Final, Literal

import msgspec
from msgspec import Meta

from appliance.model import Line, Noun, StateCode

STEPS_MAX: Final = 6
How = Literal["look", "feel", "tilt", "hold to the light", "under ultraviolet"]


class CardStep(Noun, frozen=True, kw_only=True):
    """One thing to do with the document in hand, and what is to be seen."""

    how: How
    words: Annotated[str, Meta(min_length=8, max_length=160)]


class Card(Noun, frozen=True, kw_only=True):
    """Of one issuer's documents of one kind.

    Attributes:
        issuer: "" for any.
        document: First letter of the document code.
    """

    issuer: StateCode
    document: Literal["P", "I"]
    source: Annotated[Line, Meta(min_length=8)]
    steps: Annotated[tuple[CardStep, ...], Meta(min_length=1, max_length=STEPS_MAX)]


class Cards(Noun, frozen=True, kw_only=True):
    """The whole file."""

    version: Annotated[int, Meta(ge=1)]
    reviewed: date
    card: Annotated[tuple[Card, ...], Meta(max_length=512)]


def _read() -> Cards:
    text = resources.files("appliance.examine").joinpath("cards.toml").read_text(encoding="utf-8")
    return msgspec.convert(tomllib.loads(text), Cards)


CARDS: Final = _read()
_BY_DOCUMENT: Final[dict[tuple[str, str], Card]] = {(card.issuer, card.document): card for card in CARDS.card}


def card_steps(issuing_state: str, document_code: str) -> tuple[CardStep, ...]:
    """The issuer's own first, then what holds for any, six in all; () for a kind of document that has no card."""
    kind = document_code[:1]
    cards = (_BY_DOCUMENT.get((issuer, kind)) for issuer in dict.fromkeys((issuing_state, "")))
    return tuple(step for card in cards if card is not None for step in card.steps)[:STEPS_MAX]
