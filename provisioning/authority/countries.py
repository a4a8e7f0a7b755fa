"""Country names as lists spell them become codes: the names of the reviewed code table, and `country_names.csv`."""

import csv
import functools
import re
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
    text = resources.files("provisioning.authority").joinpath("country_names.csv").read_text(encoding="utf-8")
    names |= {_plain(row["name"]): row["code"] for row in csv.DictReader(text.splitlines())}
    return names


def country_code(name: str) -> str | None:
    """The code of a country that a list names in English or by its code; None when it is not known."""
    code = _by_name().get(_plain(name))
    return canonical_issuer(code) if code else issuer_code(name)


def issuer_code(code: str) -> str | None:
    """The canonical code of an issuer of documents, None when no such issuer is known."""
    canonical = canonical_issuer(code)
    entry = state_codes().get(canonical)
    return canonical if entry is not None and entry.kind in _ISSUES else None
