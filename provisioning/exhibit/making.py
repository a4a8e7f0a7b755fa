"""Make the exhibit of one record: gather the files, then read them again as whoever checks them will."""

from collections.abc import Sequence

import msgspec

from appliance.formats.statement import Carried, parse_statement
from appliance.recorded import Transition
from provisioning.audit.opened.opening import Opened
from provisioning.audit.opened.search import Openers
from provisioning.audit.spacing import spacing
from provisioning.audit.store import PulledLog
from provisioning.authority.home import Home
from provisioning.custody.log import CustodyLog
from provisioning.exhibit.answers import answer_pieces, answers_about
from provisioning.exhibit.assembling import EXHIBIT, Order, assemble_record
from provisioning.exhibit.contents import Exhibit, ProvenTime
from provisioning.exhibit.custody_part import custody_pieces
from provisioning.exhibit.custody_sum import About
from provisioning.exhibit.entry import (
    LogTree,
    Shape,
    kind_of,
    placed,
    read_proven,
    record_json,
    record_pieces,
    statement_pieces,
    whole,
)
from provisioning.exhibit.former import former_pieces
from provisioning.exhibit.gathering import Belonging, Gathered, belonging, tree_of
from provisioning.exhibit.in_force import in_force_pieces
from provisioning.exhibit.pieces import Pieces
from provisioning.exhibit.times import RECEIPT, TIME, encode_time, pretty, read_time, signing_key, time_pieces
from provisioning.exhibit.trust import RECEIPTS_KEY, Trusted, read_trust, trust_pieces


def record_exhibit(
    home: Home,
    own: Gathered,
    others: Sequence[Gathered],
    main: Opened,
    keys: Openers,
    order: Order,
    shape: Shape = whole,
) -> tuple[Exhibit, dict[str, bytes]]:
    """What an exhibit of one record says, and every file of its `evidence/`.

    Args:
        home: Headquarters.
        own: The log that has the record.
        others: The other logs of its box.
        main: The record.
        keys: What opens records here.
        order: Who asked.
        shape: What of records is shown.

    Raises:
        Broken: Something of it does not hold, so there is no exhibit.
        Malformed, Untrusted: Another log of the box has no checkpoint that holds.
        ConfigError, StorageFault: Something cannot be read.
    """
    pieces, trusted, tree = base(home, own.seen.kept)
    record_id = main.record.record_id
    belongs = belonging(main, own, others, trusted, tree)
    lacks: dict[str, tuple[str, ...]] = {}
    for each in belongs:
        pieces |= {each.trusted.path: each.trusted.note, **_entry_pieces(each, shape)}
        pieces[f"{each.folder}/{TIME}"] = encode_time(_time(pieces, each.folder, each.trusted, each.tree))
        lacks[each.folder] = shape(kind_of(each.opened.record), record_json(each.opened.encoded))[1]
    pieces |= receipts_key(pieces, trusted)
    events = [(index, own.seen.epochs[said.epoch], event) for index, said, event in own.seen.events]
    pieces |= in_force_pieces(home.tuf, main.index, events, tree, trusted)
    identities = (keys.first, *keys.others)
    about = About(record_id, trusted.log.origin, main.index, main.index + 1)
    pieces |= custody_pieces(CustodyLog(home), about, identities, words=not order.redacted)
    said, why = answers_about(home, trusted, record_id)
    pieces |= answer_pieces(said, _moved([each.opened for each in belongs]), words=not order.redacted)
    order = msgspec.structs.replace(order, problems=(*order.problems, *([why] if why else [])))
    exhibit = assemble_record(pieces, order, lacks)
    return exhibit, {**pieces, EXHIBIT: pretty(exhibit)}


def _entry_pieces(each: Belonging, shape: Shape) -> dict[str, bytes]:
    """The files of one entry, but for its time."""
    opened, kept = each.opened, each.gathered.seen.kept
    body = kept.body(opened.index)
    assert body is not None, "its body was opened a moment ago"
    epoch_index = each.gathered.seen.epochs[opened.statement.epoch]
    files = statement_pieces(opened.index, epoch_index, each.tree, each.trusted)
    files |= record_pieces(opened, body, shape)
    files |= dict(time_pieces(opened.index, opened.statement, each.gathered.shown, each.trusted, each.tree.nodes))
    if isinstance(opened.statement.kind, Carried):
        files |= former_pieces(kept, opened.statement.kind, each.trusted)
    return placed(each.folder, files)


def _moved(belongs: Sequence[Opened]) -> dict[str, int]:
    """By an answer's hash the first entry whose record names it."""
    steps = [(each.index, each.record.body) for each in belongs if isinstance(each.record.body, Transition)]
    return {step.answer.hex(): index for index, step in reversed(steps) if step.answer is not None}


def base(home: Home, kept: PulledLog) -> tuple[dict[str, bytes], Trusted, LogTree]:
    """Keys and checkpoint as files, the same verified, and the log behind them."""
    note = kept.note()
    assert note is not None, "the log was read a moment ago"
    pieces = trust_pieces(home.tuf, kept.log, note)
    trusted = read_trust(pieces, kept.log.box.serial, kept.log.origin, kept.log.mode)
    return pieces, trusted, tree_of(kept, trusted.checkpoint.size)


def receipts_key(pieces: Pieces, trusted: Trusted) -> dict[str, bytes]:
    """The key that signed the receipts of an exhibit, where it has one."""
    signed = next((data for path, data in pieces.items() if path.endswith(f"/{RECEIPT}")), None)
    return {} if signed is None else {RECEIPTS_KEY: signing_key(signed, trusted.receipts)}


def _time(pieces: Pieces, folder: str, trusted: Trusted, tree: LogTree) -> ProvenTime:
    proven = read_proven(pieces, folder, trusted)
    time = read_time(pieces, folder, proven.index, proven.statement, proven.leaf, trusted)
    neighbours = {
        index: parse_statement(tree.leaf(index)).unverified.at
        for index in (proven.index - 1, proven.index + 1)
        if 0 <= index < trusted.checkpoint.size
    }
    return msgspec.structs.replace(time, spacing=spacing(proven.index, time.claimed, neighbours))
