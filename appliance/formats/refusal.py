"""Why a value was refused, in words that never hold the value: only its path and what the format expects there.

msgspec's own texts quote what they found (an enum's wrong value, an unknown key), which may be personal data or a key.
"""

import re
from typing import Final

import msgspec

_PATH: Final = re.compile(r" - at (?P<path>`\$[^`]*`|`key` in `\$[^`]*`)\Z")
_FROM_THE_SCHEMA: Final = re.compile(
    r"\A(Expected `|Object missing required field `|JSON is malformed: |Input data was )"
)
"""Beginnings of the texts that msgspec makes of the schema and of type names alone."""


def refusal(error: msgspec.DecodeError | UnicodeDecodeError | RecursionError) -> str:
    """Words for what a decoder of msgspec raised, without any of the refused content."""
    if isinstance(error, UnicodeDecodeError):
        return f"Not UTF-8 (byte {error.start})"
    if isinstance(error, RecursionError):
        return "Nested too deeply"
    text = str(error)
    place = _PATH.search(text)
    path = place.group(0) if place else ""
    rule = text.removesuffix(path)
    if not _FROM_THE_SCHEMA.match(rule):
        rule = "Unknown field" if rule.startswith("Object contains unknown field") else "Value not allowed"
    return rule + path
