"""Check an exhibit with nothing but its folder: no home, no network, no key but what the folder itself has.

Sums come first: they name every file that changed. Then everything is derived from the evidence again and compared
with what `exhibit.json` says, so that who changes the sums as well is found by what they changed.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path

import msgspec

from appliance.errors import Malformed, Untrusted
from appliance.formats.refusal import refusal
from provisioning.exhibit.assembling import EXHIBIT, assemble_nothing, assemble_record, order_of
from provisioning.exhibit.contents import EXHIBIT_SCHEMA, EntryFacts, Exhibit
from provisioning.exhibit.folder import SUMS, differing
from provisioning.exhibit.pieces import Broken, demand, naming, read_pieces, take


def check_exhibit(folder: Path) -> tuple[Exhibit | None, list[str]]:
    """What an exhibit says, and everything about it that does not hold, each with the file's name.

    Raises:
        NoInput: There is no such folder.
    """
    try:
        return check_pieces(read_pieces(folder))
    except Broken as error:
        return None, [str(error)]


def check_pieces(pieces: Mapping[str, bytes]) -> tuple[Exhibit | None, list[str]]:
    """The same of files that were read: who goes on with one of them goes on with what was checked."""
    problems: list[str] = []
    try:
        problems += [f"{path}: {why}" for path, why in sorted(differing(pieces).items())]
    except (Malformed, Untrusted) as error:
        problems.append(f"{SUMS}: {error}" if isinstance(error, Malformed) else str(error))
    try:
        exhibit = read_said(pieces)
        _compare(pieces, exhibit)
    except Broken as error:
        problems += [] if any(each.startswith(f"{error.path}:") for each in problems) else [str(error)]
        return None, problems
    return exhibit, problems


def read_said(pieces: Mapping[str, bytes]) -> Exhibit:
    """`exhibit.json`, believed by nobody yet. Raises Broken."""
    try:
        said = msgspec.json.decode(take(pieces, EXHIBIT), type=Exhibit, strict=True)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Broken(EXHIBIT, refusal(error)) from None
    demand(said.schema == EXHIBIT_SCHEMA, EXHIBIT, f"of schema {said.schema}, this software reads {EXHIBIT_SCHEMA}")
    return said


def _compare(pieces: Mapping[str, bytes], said: Exhibit) -> None:
    with naming(EXHIBIT):
        found = (
            assemble_record(pieces, order_of(said), {each.folder: each.redacted for each in _entries(said)})
            if said.nothing is None
            else assemble_nothing(pieces, order_of(said), said.nothing)
        )
    for field in Exhibit.__struct_fields__:
        same = getattr(found, field) == getattr(said, field)
        demand(same, EXHIBIT, f"what it says of {field} is not what the evidence says")


def _entries(said: Exhibit) -> Iterator[EntryFacts]:
    if said.entry is not None:
        yield said.entry
    yield from said.related
