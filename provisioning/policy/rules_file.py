"""Read a file of rules that somebody wrote: what is wrong is named with its line and its place, as `hits[2].action`."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import msgspec

from appliance.command import named
from appliance.errors import Malformed
from appliance.examine.findings import CHECKS
from appliance.formats.rules import RULES_BYTES_MAX, Rules, check_rules

_AT: Final = re.compile(r" - at `(?P<key>key` in `)?\$\.?(?P<place>[^`]*)`\Z")
_PLACE: Final = re.compile(r"\A(?P<place>[a-z_]+(?:\[\d+\])?): ")
_STEP: Final = re.compile(r"(?P<key>\w+)|\[(?P<number>\d+)\]")
_DECODER: Final = json.JSONDecoder()
_BLANK: Final = " \t\r\n"


def read_rules_file(path: Path) -> Rules:
    """Read rules as a person wrote them.

    Raises:
        NoInput: The file cannot be read.
        Malformed: It is longer than rules may be, no JSON, or breaks a rule of rules; line and place are named.
    """
    with named(path), path.open("rb") as file:
        data = file.read(RULES_BYTES_MAX + 1)
    return parse_rules_file(data, name=path.name)


def parse_rules_file(data: bytes, *, name: str) -> Rules:
    """As `read_rules_file`, of its content. Raises Malformed."""
    if len(data) > RULES_BYTES_MAX:
        raise Malformed(name, f"more than {RULES_BYTES_MAX} bytes")
    try:
        text = data.decode("utf-8")
        json.loads(text)
    except UnicodeDecodeError as error:
        raise Malformed(name, f"not UTF-8 (byte {error.start})") from None
    except json.JSONDecodeError as error:
        raise Malformed(f"{name} line {error.lineno}", f"no JSON: {error.msg}") from None
    except (RecursionError, ValueError):
        raise Malformed(name, "no JSON that rules can be: nested too deeply, or a number too long") from None
    try:
        rules = msgspec.json.decode(data, type=Rules, strict=True)
        check_rules(rules)
        _check_names(rules)
    except msgspec.DecodeError as error:
        said = str(error)
        found = _AT.search(said)
        raise _at(name, text, found["place"] if found else "", _AT.sub("", said)) from None
    except Malformed as error:
        found = _PLACE.search(error.why)
        raise _at(name, text, found["place"] if found else "", _PLACE.sub("", error.why)) from None
    return rules


def _check_names(rules: Rules) -> None:
    """A box passes over a check that it does not have; whoever writes rules meant one that it has."""
    for check in rules.findings:
        if check not in CHECKS:
            raise Malformed("rules", f"findings: no check is called {check!r}; there are {', '.join(sorted(CHECKS))}")


def _at(name: str, text: str, place: str, why: str) -> Malformed:
    where = f", {place}" if place else ""
    return Malformed(f"{name} line {line_of(text, place)}{where}", why)


def line_of(text: str, place: str) -> int:
    """The line on which the value at `place` begins; of the value around it where there is none, 1 for the whole.

    Args:
        text: JSON.
        place: As `hits[2].action`.
    """
    at = _over_blank(text, 0)
    for step in _STEP.finditer(place):
        wanted = step["key"] if step["number"] is None else int(step["number"])
        found = next((start for key, start in _members(text, at) if key == wanted), None)
        if found is None:
            break
        at = found
    return text.count("\n", 0, at) + 1


def _members(text: str, at: int) -> Iterator[tuple[str | int, int]]:
    """Keys or numbers of the object or array that begins at `at`, and where their values begin."""
    if text[at] not in "{[":
        return
    is_object, number = text[at] == "{", 0
    at = _over_blank(text, at + 1)
    while text[at] not in "}]":
        key: str | int = number
        if is_object:
            key, at = _DECODER.raw_decode(text, at)
            at = _over_blank(text, _over_blank(text, at) + 1)  # past the colon
        yield key, at
        _, at = _DECODER.raw_decode(text, at)
        at = _over_blank(text, at)
        if text[at] == ",":
            at = _over_blank(text, at + 1)
        number += 1


def _over_blank(text: str, at: int) -> int:
    while at < len(text) and text[at] in _BLANK:
        at += 1
    return at
