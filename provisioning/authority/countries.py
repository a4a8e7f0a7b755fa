"""Country names and codes as lists spell them become Doc 9303 codes: the reviewed code table, and two more tables.

`country_names.csv` has other names of the same states, `country_alpha2.csv` the codes of two letters (ISO 3166-1).
"""

import csv
import functools
import re
from collections.abc import Iterator
from importlib import resources
from typing import Final

from anyascii import anyascii

from appliance.formats.lists import canonical_issuer
from appliance.parse.codes import CodeKind, state_codes

_NOT_LETTERS: Final = re.compile(r"[^a-z]+")
_ISSUES: Final = (CodeKind.STATE, CodeKind.STATUS, CodeKind.ORGANISATION, CodeKind.SPECIMEN)


def _plain(name: str) -> str:
    return _NOT_LETTERS.sub(" ", anyascii(name).lower()).strip()


@functools.cache
def _by_name() -> dict[str, str]:
    names = {_plain(entry.name): code for code, entry in state_codes().items() if entry.kind is CodeKind.STATE}
    return names | {_plain(row["name"]): row["code"] for row in _rows("country_names.csv")}


@functools.cache
def _by_alpha2() -> dict[str, str]:
    return {row["alpha2"]: canonical_issuer(row["code"]) for row in _rows("country_alpha2.csv")}


def _rows(name: str) -> Iterator[dict[str, str]]:
    text = resources.files("provisioning.authority").joinpath(name).read_text(encoding="utf-8")
    return csv.DictReader(text.splitlines())


def alpha2_code(code: str) -> str | None:
    """The code of a country for its two letters, in upper or lower case; None when it is not known."""
    return _by_alpha2().get(code.strip().upper())


@functools.lru_cache(maxsize=4_096)
def country_code(name: str) -> str | None:
    """The code of a country that a list names in English or by its code; None when it is not known."""
    code = _by_name().get(_plain(name))
    return canonical_issuer(code) if code else issuer_code(name)


def issuer_code(code: str) -> str | None:
    """The canonical code of an issuer of documents, None when no such issuer is known."""
    canonical = canonical_issuer(code)
    entry = state_codes().get(canonical)
    return canonical if entry is not None and entry.kind in _ISSUES else None
