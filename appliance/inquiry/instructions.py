"""What a list entry asks of an officer, in words: one text a notice's colour and a kind of document fraud.

The texts stand in instructions.toml, so that whoever answers for them reads them without code. The colours are those of
INTERPOL's notices (formats/lists.py, NOTICES); the kinds of fraud those of the documents list.
"""

import tomllib
from importlib import resources
from typing import Final

import msgspec

from appliance.model import Noun, Text


class _Instructions(Noun, frozen=True, kw_only=True):
    """The file; every text fits a hit's instruction."""

    notice: dict[str, Text]
    fraud: dict[str, Text]


NONE: Final = "none"
"""For an entry whose source has no notices."""
OTHER: Final = "other"
"""For a kind of fraud that this software does not know yet."""


def _read() -> _Instructions:
    text = resources.files("appliance.inquiry").joinpath("instructions.toml").read_text(encoding="utf-8")
    return msgspec.convert(tomllib.loads(text), _Instructions)


_EVERY: Final = _read()
NOTICE_INSTRUCTIONS: Final = {colour: " ".join(text.split()) for colour, text in _EVERY.notice.items()}
FRAUD_INSTRUCTIONS: Final = {fraud: " ".join(text.split()) for fraud, text in _EVERY.fraud.items()}


def notice_instruction(colour: str) -> str:
    """For a person's entry of this colour, "" for none; a newer list may have a colour that this software has not."""
    return NOTICE_INSTRUCTIONS.get(colour, NOTICE_INSTRUCTIONS[NONE])


def fraud_instruction(fraud: str) -> str:
    """For a document's entry of this kind."""
    return FRAUD_INSTRUCTIONS.get(fraud, FRAUD_INSTRUCTIONS[OTHER])
