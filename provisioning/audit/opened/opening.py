"""Open sealed bodies: from an entry of a verified log to the record that the booth made.

What is checked, in this order (formats/README.md, "Statement"): the leaf is in the tree that the checkpoint signs; the
statement is signed by the epoch key valid at its index; the blob has the hash and length of the statement; it decrypts;
the record has the statement's commitment; its inner context (log, mode, and a canary's epoch and recipients) is the
outer one.
"""

from collections.abc import Generator
from dataclasses import dataclass
from typing import Final

from appliance.errors import Malformed, Untrusted
from appliance.formats.age import Identity, decrypt
from appliance.formats.record import LENGTH_BYTES, RECORD_BYTES_MAX, commitment, padded_size, parse_record, unpad
from appliance.formats.statement import Carried, Sealed, Statement
from appliance.recorded import Canary, Record
from provisioning.audit.log import Problem, problem
from provisioning.audit.progress import Advance
from provisioning.audit.statements import whole_tree
from provisioning.audit.store import PulledLog, check_body
from provisioning.audit.walk import Walk
from provisioning.authority.home import Home
from provisioning.authority.identities import load_succession

PLAINTEXT_BYTES_MAX: Final = padded_size(RECORD_BYTES_MAX + LENGTH_BYTES)
"""A record of the largest size with its padding."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """An entry without a body: something that happened to the box, or the start of an epoch."""

    index: int
    statement: Statement


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """An entry whose body was opened.

    Attributes:
        encoded: The record's bytes as they were committed to. `record` encoded again may differ: a later version of
            this software knows fields that an old record does not have.
    """

    index: int
    statement: Statement
    encoded: bytes
    record: Record


@dataclass(frozen=True, slots=True, kw_only=True)
class Awaited:
    """A sealed entry whose body has not been pulled."""

    index: int
    statement: Statement


@dataclass(frozen=True, slots=True, kw_only=True)
class NotOpened:
    """An entry that does not hold, or whose body cannot be opened; `statement` is None when that is what fails."""

    index: int
    statement: Statement | None
    problem: Problem


Entry = Event | Opened | Awaited | NotOpened


def record_identity(home: Home) -> Identity:
    """Headquarters' record key, with those before it: each opens what was sealed in its time. Raises ConfigError."""
    return load_succession(home.record_identity)


def entries(kept: PulledLog, identity: Identity, advance: Advance) -> Generator[Entry]:
    """Every entry of a pulled log in order, opened; `advance` is told how far it is.

    Raises:
        Untrusted, Malformed: The tree as a whole does not hold: nothing of it is opened.
        StorageFault: Something of it cannot be read.
    """
    size = whole_tree(kept)
    walk = Walk(kept.log)
    for index, leaf in enumerate(kept.leaves(size)):
        yield _entry(kept, identity, walk, index, leaf)
        advance("entries", index + 1, size)


def _entry(kept: PulledLog, identity: Identity, walk: Walk, index: int, leaf: bytes) -> Entry:
    statement: Statement | None = None
    try:
        statement = walk.take(leaf)
        if not isinstance(statement.kind, Sealed):
            return Event(index=index, statement=statement)
        blob = kept.body(index)
        if blob is None:
            return Awaited(index=index, statement=statement)
        return open_entry(index, blob, statement, statement.kind, identity)
    except (Malformed, Untrusted) as error:
        return NotOpened(index=index, statement=statement, problem=problem(kept.log, index, error))


def open_entry(index: int, blob: bytes, statement: Statement, sealed: Sealed, identity: Identity) -> Opened:
    """Open the body of a verified statement.

    Raises:
        Malformed: The blob or the record inside is not in its format.
        Untrusted: Hash, length, recipient, commitment or inner context do not hold.
    """
    check_body(blob, sealed)
    plain = unpad(decrypt(blob, identity, plaintext_bytes_max=PLAINTEXT_BYTES_MAX))
    if commitment(plain) != sealed.commitment:
        raise Untrusted("its record is not the one that the statement commits to")
    record = parse_record(plain)
    if record.origin != made_for(statement, sealed):
        raise Untrusted(f"its record was made for another log ({record.origin})")
    if record.mode is not statement.mode:
        raise Untrusted(f"its record is of mode {record.mode}, its statement of mode {statement.mode}")
    if isinstance(record.body, Canary) and (record.body.epoch, record.body.recipients_version) != (
        statement.epoch,
        statement.recipients_version,
    ):
        raise Untrusted("its canary names another epoch or other recipients than its statement")
    return Opened(index=index, statement=statement, encoded=plain, record=record)


def made_for(statement: Statement, sealed: Sealed) -> str:
    """The log that its record names: this one, or, when the box carried it over, an earlier one of the same box.

    Raises:
        Untrusted: It was carried over from another box's log, or from a later one.
    """
    if not isinstance(sealed, Carried):
        return statement.origin
    (box, _, number), (own, _, present) = sealed.origin.rpartition("."), statement.origin.rpartition(".")
    if box != own or not (number.isascii() and number.isdigit() and int(number) < int(present)):
        raise Untrusted(f"it was carried over from a log that is none of this box's earlier ones ({sealed.origin})")
    return sealed.origin
