"""From the files of an exhibit to what it says: what can be derived is, when made and when checked."""

from collections.abc import Mapping
from typing import Final

import msgspec

from appliance.model import Mode
from provisioning.exhibit.answers import read_answers
from provisioning.exhibit.contents import EXHIBIT_SCHEMA, EntryFacts, Exhibit, Nothing
from provisioning.exhibit.custody_part import KEY as CUSTODY_KEY
from provisioning.exhibit.custody_part import read_custody
from provisioning.exhibit.custody_sum import About
from provisioning.exhibit.entry import STATEMENT, read_entry, read_proven
from provisioning.exhibit.former import read_former
from provisioning.exhibit.gathering import related_folders
from provisioning.exhibit.in_force import read_in_force
from provisioning.exhibit.nothing import check_nothing
from provisioning.exhibit.pieces import EVIDENCE, Pieces, demand, take
from provisioning.exhibit.trust import RECEIPTS_KEY, Trusted, read_trust

EXHIBIT: Final = f"{EVIDENCE}/exhibit.json"


class Order(msgspec.Struct, frozen=True, kw_only=True):
    """Who asked for an exhibit, of what, and what only they can say.

    Attributes:
        made_ms, made_by, case, serial, origin, domain, mode, redacted, problems: As in `Exhibit`.
    """

    made_ms: int
    made_by: str
    case: str
    domain: str
    mode: Mode
    serial: str
    origin: str
    redacted: bool
    problems: tuple[str, ...] = ()


def order_of(exhibit: Exhibit) -> Order:
    """What an exhibit says that cannot be derived."""
    return Order(**{field: getattr(exhibit, field) for field in Order.__struct_fields__})


def assemble_record(pieces: Pieces, order: Order, lacks: Mapping[str, tuple[str, ...]]) -> Exhibit:
    """What the files of a record's exhibit say, verified.

    Args:
        pieces: The files.
        order: Who asked.
        lacks: By folder, the paths that a redacted copy lacks of that entry's record.

    Raises:
        Broken: Something does not hold; it names the file.
    """
    trusted = read_trust(pieces, order.serial, order.origin, order.mode)
    entry = _entry(pieces, EVIDENCE, trusted, lacks)
    software = read_proven(pieces, EVIDENCE, trusted).certificate.software
    about = About(entry.record_id, order.origin, entry.index, entry.index + 1)
    related = _related(pieces, trusted, entry, lacks)
    return Exhibit(
        schema=EXHIBIT_SCHEMA,
        kind="record",
        **{field: getattr(order, field) for field in Order.__struct_fields__},
        trust=trusted.facts(vkey_of(pieces), receipts_key_of(pieces, trusted)),
        checkpoint=trusted.tree(),
        entry=entry,
        related=related,
        nothing=None,
        in_force=read_in_force(pieces, entry.index, software, trusted),
        custody=read_custody(pieces, order.domain, trusted, about),
        answers=read_answers(pieces, order.domain, entry.record_id, related, trusted),
    )


def assemble_nothing(pieces: Pieces, order: Order, nothing: Nothing) -> Exhibit:
    """What the files of a negative exhibit say, verified; how many records of each kind were opened is taken as said.

    Raises:
        Broken: Something does not hold; it names the file.
    """
    trusted = read_trust(pieces, order.serial, order.origin, order.mode)
    check_nothing(pieces, nothing, trusted)
    return Exhibit(
        schema=EXHIBIT_SCHEMA,
        kind="none",
        **{field: getattr(order, field) for field in Order.__struct_fields__},
        trust=trusted.facts(vkey_of(pieces), ""),
        checkpoint=trusted.tree(),
        entry=None,
        related=(),
        nothing=nothing,
        in_force=None,
        custody=read_custody(pieces, order.domain, trusted, About("", order.origin, nothing.first, nothing.end)),
    )


def _entry(pieces: Pieces, folder: str, trusted: Trusted, lacks: Mapping[str, tuple[str, ...]]) -> EntryFacts:
    """An entry, and where it stood before in a log that was lost."""
    former = read_former(pieces, folder, read_proven(pieces, folder, trusted), trusted)
    facts = read_entry(pieces, folder, trusted, redacted=lacks.get(folder, ()))
    return msgspec.structs.replace(facts, former=former)


def about_of(exhibit: Exhibit) -> About:
    """What a verified exhibit is about."""
    if exhibit.entry is not None:
        return About(exhibit.entry.record_id, exhibit.origin, exhibit.entry.index, exhibit.entry.index + 1)
    assert exhibit.nothing is not None, "an exhibit is about a record or about nothing"
    return About("", exhibit.origin, exhibit.nothing.first, exhibit.nothing.end)


def _related(
    pieces: Pieces, trusted: Trusted, main: EntryFacts, lacks: Mapping[str, tuple[str, ...]]
) -> tuple[EntryFacts, ...]:
    found: list[EntryFacts] = []
    for folder, index, there in related_folders(pieces, trusted):
        facts = _entry(pieces, folder, there, lacks)
        demand(facts.index == index, f"{folder}/{STATEMENT}", f"is entry {facts.index}")
        if facts.record is not None and not facts.redacted:
            body = facts.record["body"]
            demand(main.record_id in (body.get("of"), *body.get("cases", ())), folder, "belongs to another record")
        origin = "" if there is trusted else there.log.origin
        found.append(msgspec.structs.replace(facts, origin=origin))
    return tuple(found)


def vkey_of(pieces: Pieces) -> str:
    """The key of headquarters' own log as it lies in the exhibit; verified by `read_custody`."""
    return take(pieces, CUSTODY_KEY).decode("ascii", "replace").strip()


def receipts_key_of(pieces: Pieces, trusted: Trusted) -> str:
    """The key of receipts in hexadecimal, "" where there is none. Raises Broken when the roster has another."""
    if RECEIPTS_KEY not in pieces:
        return ""
    demand(pieces[RECEIPTS_KEY] in trusted.receipts, RECEIPTS_KEY, "not a key that the roster has for receipts")
    return pieces[RECEIPTS_KEY].hex()
