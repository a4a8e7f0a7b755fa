"""One entry of a log as files that prove it, and back: statement, epoch, places, body, record.

What is made is read again by `read_entry` before it is given out, and `--check` calls the same function.
"""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import msgspec

from appliance.formats import cbor
from appliance.formats.event import check_event
from appliance.formats.identity import EpochCertificate
from appliance.formats.merkle import NodeReader, inclusion_proof, leaf_hash, verify_inclusion
from appliance.formats.record import RECORD_BYTES_MAX, commitment, parse_record
from appliance.formats.statement import (
    EventEntry,
    Sealed,
    Statement,
    parse_statement,
    verify_epoch_start,
    verify_statement,
)
from appliance.recorded import Picture, Record
from provisioning.audit.opened.opening import Opened, made_for
from provisioning.audit.store import check_body
from provisioning.exhibit.contents import EntryFacts, ProvenTime
from provisioning.exhibit.pieces import Broken, Pieces, demand, naming, take
from provisioning.exhibit.times import TIME, encode_time, pretty, read_time
from provisioning.exhibit.tlog_proof import encode_proof, parse_proof
from provisioning.exhibit.trust import Trusted

STATEMENT: Final = "statement.cose"
PROOF: Final = "proof.tlog-proof"
EPOCH: Final = "epoch.cose"
EPOCH_PROOF: Final = "epoch.tlog-proof"
BODY: Final = "body.age"
RECORD: Final = "record.cbor"
RECORD_JSON: Final = "record.json"
PICTURE: Final = "picture.jpg"

Shape = Callable[[str, dict[str, Any]], tuple[dict[str, Any], tuple[str, ...]]]
"""What of an opened record is shown: (kind, record as JSON) to what stays and the paths of what does not."""


def whole(_kind: str, shown: dict[str, Any]) -> tuple[dict[str, Any], tuple[str, ...]]:
    """All of it."""
    return shown, ()


@dataclass(frozen=True, slots=True, kw_only=True)
class LogTree:
    """Where things stand in the log: its leaves, and proofs to the exhibit's checkpoint.

    Attributes:
        leaf: The leaf at an index.
        nodes: Hashes of the tree.
    """

    leaf: Callable[[int], bytes]
    nodes: NodeReader


def statement_pieces(index: int, epoch_index: int, tree: LogTree, trusted: Trusted) -> dict[str, bytes]:
    """The files (by name) that prove what the log says at `index`, and under which key."""
    proof = inclusion_proof(index, trusted.checkpoint.size, tree.nodes)
    return {
        STATEMENT: tree.leaf(index),
        PROOF: encode_proof(index, proof, trusted.note),
        **epoch_pieces(epoch_index, tree, trusted),
    }


def epoch_pieces(epoch_index: int, tree: LogTree, trusted: Trusted) -> dict[str, bytes]:
    """The files (by name) that certify an epoch's key: the leaf that starts it, and its place."""
    proof = inclusion_proof(epoch_index, trusted.checkpoint.size, tree.nodes)
    return {EPOCH: tree.leaf(epoch_index), EPOCH_PROOF: encode_proof(epoch_index, proof, trusted.note)}


def record_pieces(opened: Opened, body: bytes, shape: Shape) -> dict[str, bytes]:
    """The files (by name) of an opened record; of a part of it only what stays readable."""
    record = opened.record
    shown, removed = shape(kind_of(record), record_json(opened.encoded))
    pieces = {RECORD_JSON: pretty(shown)}
    if removed:
        return pieces
    if isinstance(record.body, Picture):
        pieces[PICTURE] = record.body.content
    return {**pieces, BODY: body, RECORD: opened.encoded}


def kind_of(record: Record) -> str:
    """What kind of record it is, by its name in the format."""
    return str(type(record.body).__struct_config__.tag)


def record_json(encoded: bytes) -> dict[str, Any]:
    """A parsed record to read, of its own bytes, so that it says the same under every later version of this software.

    Byte strings are in hexadecimal, a picture is told by its hash.
    """
    said = cbor.decode(encoded, what="record", bytes_max=RECORD_BYTES_MAX)
    shown: dict[str, Any] = _readable(said)
    content = said["body"].get("content") if isinstance(said, dict) else None
    if isinstance(content, bytes):
        shown["body"]["content"] = {"sha256": hashlib.sha256(content).hexdigest(), "bytes": len(content)}
    return shown


def _readable(value: Any) -> Any:  # noqa: ANN401 - whatever a record holds
    match value:
        case bytes():
            return value.hex()
        case dict():
            return {key: _readable(item) for key, item in value.items()}
        case list() | tuple():
            return [_readable(item) for item in value]
        case _:
            return value


# --- reading ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Proven:
    """An entry whose place and signature hold."""

    index: int
    leaf: bytes
    statement: Statement
    certificate: EpochCertificate
    epoch_index: int


def read_proven(pieces: Pieces, folder: str, trusted: Trusted) -> Proven:
    """Verify a statement: its epoch's certificate, its signature, both places. Raises Broken."""
    path = f"{folder}/{STATEMENT}"
    leaf = take(pieces, path)
    certificate, epoch_index = read_epoch(pieces, folder, trusted)
    log = (trusted.log.origin, trusted.log.mode)
    with naming(path):
        statement = verify_statement(parse_statement(leaf), certificate.public)
    demand((statement.origin, statement.mode) == log, path, "signed for another log or mode")
    demand(statement.epoch == certificate.epoch, path, "of another epoch")
    index = _place(pieces, f"{folder}/{PROOF}", leaf, trusted)
    demand(index >= epoch_index, path, "stands before the certificate of the key that signed it")
    return Proven(index=index, leaf=leaf, statement=statement, certificate=certificate, epoch_index=epoch_index)


def read_epoch(pieces: Pieces, folder: str, trusted: Trusted) -> tuple[EpochCertificate, int]:
    """Verify an epoch's certificate and its place; the certificate and its index. Raises Broken."""
    path = f"{folder}/{EPOCH}"
    leaf = take(pieces, path)
    with naming(path):
        certificate = verify_epoch_start(parse_statement(leaf), trusted.box.identity_der)
    index = _place(pieces, f"{folder}/{EPOCH_PROOF}", leaf, trusted)
    log = (trusted.log.origin, trusted.log.mode)
    demand((certificate.origin, certificate.mode) == log, path, "certified for another log or mode")
    demand(certificate.first_index == index, path, "certified for another place")
    return certificate, index


def _place(pieces: Pieces, path: str, leaf: bytes, trusted: Trusted) -> int:
    """The index that a proof shows for this leaf in the exhibit's tree."""
    with naming(path):
        proof = parse_proof(take(pieces, path))
        demand(proof.checkpoint == trusted.note, path, "its checkpoint is not the one beside it")
        tree = trusted.checkpoint
        verify_inclusion(leaf_hash(leaf), index=proof.index, size=tree.size, root=tree.root, proof=proof.hashes)
    return proof.index


def read_event(pieces: Pieces, folder: str, trusted: Trusted) -> tuple[Proven, EventEntry]:
    """An entry that carries its event itself. Raises Broken."""
    proven = read_proven(pieces, folder, trusted)
    kind = proven.statement.kind
    if not isinstance(kind, EventEntry):
        raise Broken(f"{folder}/{STATEMENT}", "not an event")
    with naming(f"{folder}/{STATEMENT}"):
        check_event(kind.event, kind.fields)
    return proven, kind


def read_entry(pieces: Pieces, folder: str, trusted: Trusted, *, redacted: tuple[str, ...] = ()) -> EntryFacts:
    """Verify everything about one sealed entry.

    Args:
        pieces: The exhibit.
        folder: Where the entry's files lie.
        trusted: Keys and tree.
        redacted: What this copy lacks of the record, as it says itself; () where it should lack nothing.

    Raises:
        Broken: Something of it does not hold; it names the file.
    """
    proven = read_proven(pieces, folder, trusted)
    sealed = proven.statement.kind
    if not isinstance(sealed, Sealed):
        raise Broken(f"{folder}/{STATEMENT}", "not a sealed entry")
    time = read_time(pieces, folder, proven.index, proven.statement, proven.leaf, trusted)
    time = _with_claims(pieces, f"{folder}/{TIME}", time)
    shown, kind = _read_record(pieces, folder, proven, sealed, redacted)
    record_id = "" if shown is None else str(shown["record_id"])
    return EntryFacts(
        folder=folder,
        index=proven.index,
        kind=kind,
        record_id=record_id,
        leaf_hash=leaf_hash(proven.leaf).hex(),
        commitment=sealed.commitment.hex(),
        blob_sha256=sealed.blob_sha256.hex(),
        blob_bytes=sealed.blob_bytes,
        epoch=proven.statement.epoch,
        epoch_index=proven.epoch_index,
        recipients_version=proven.statement.recipients_version,
        time=time,
        record=shown,
        redacted=redacted,
        picture=f"{folder}/{PICTURE}" if f"{folder}/{PICTURE}" in pieces else "",
    )


def _with_claims(pieces: Pieces, path: str, time: ProvenTime) -> ProvenTime:
    """The proven interval with the distances that `time.json` claims; the rest of it must be what is proven."""
    try:
        said = msgspec.json.decode(take(pieces, path), type=ProvenTime)
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise Broken(path, "not a proven interval as JSON") from None
    time = msgspec.structs.replace(time, spacing=said.spacing)
    _same(pieces, path, encode_time(time), "not what the signatures beside it prove")
    return time


def _read_record(
    pieces: Pieces, folder: str, proven: Proven, sealed: Sealed, redacted: tuple[str, ...]
) -> tuple[dict[str, Any] | None, str]:
    shown_path = f"{folder}/{RECORD_JSON}"
    if redacted:
        for name in (BODY, RECORD, PICTURE):
            demand(f"{folder}/{name}" not in pieces, f"{folder}/{name}", "in a redacted copy")
        shown = _json(shown_path, take(pieces, shown_path))
        return shown, str(shown["body"]["type"])
    body_path, path = f"{folder}/{BODY}", f"{folder}/{RECORD}"
    with naming(body_path):
        check_body(take(pieces, body_path), sealed)
    data = take(pieces, path)
    demand(commitment(data) == sealed.commitment, path, "not the record that the statement commits to")
    with naming(path):
        record = parse_record(data)
    with naming(path):
        outer = (made_for(proven.statement, sealed), proven.statement.mode)
    demand((record.origin, record.mode) == outer, path, "made for another log or mode")
    shown = record_json(data)
    _same(pieces, shown_path, pretty(shown), f"does not say what {RECORD} says")
    if isinstance(record.body, Picture):
        _same(pieces, f"{folder}/{PICTURE}", record.body.content, f"not the picture in {RECORD}")
    return shown, kind_of(record)


def _json(path: str, data: bytes) -> dict[str, Any]:
    try:
        shown = msgspec.json.decode(data, type=dict[str, Any])
        demand(isinstance(shown["body"]["type"], str) and isinstance(shown["record_id"], str), path, "not a record")
    except (msgspec.DecodeError, UnicodeDecodeError, KeyError, TypeError):
        raise Broken(path, "not a record as JSON") from None
    return shown


def _same(pieces: Pieces, path: str, expected: bytes, why: str) -> None:
    demand(take(pieces, path) == expected, path, why)


def placed(folder: str, files: Mapping[str, bytes]) -> dict[str, bytes]:
    """Files by name as files by path."""
    return {f"{folder}/{name}": content for name, content in files.items()}
