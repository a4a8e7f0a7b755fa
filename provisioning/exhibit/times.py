"""The proven interval of one entry, as files and back: what of headquarters' signatures bounds it on each side.

`after.checkpoint` is the cosigned checkpoint that the statement names; `before.tlog-proof` is the entry's place in an
earlier cosigned tree than that of the exhibit; `receipt.cose` is headquarters' receipt for the body.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

import msgspec

from appliance.errors import Malformed, Untrusted
from appliance.formats.merkle import NodeReader, inclusion_proof, leaf_hash, verify_inclusion
from appliance.formats.receipt import DeliveryReceipt, verify_receipt
from appliance.formats.statement import Sealed, Statement
from provisioning.audit.when import CosignedHead, Interval, cosigned_head, proven_interval
from provisioning.exhibit.contents import ProvenTime, TimeSide
from provisioning.exhibit.pieces import Pieces, demand, naming
from provisioning.exhibit.tlog_proof import encode_proof, parse_proof
from provisioning.exhibit.trust import Trusted

AFTER: Final = "after.checkpoint"
BEFORE: Final = "before.tlog-proof"
RECEIPT: Final = "receipt.cose"
TIME: Final = "time.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """What headquarters has of its own signatures on one log.

    Attributes:
        heads: Cosigned checkpoints, verified.
        receipts: Receipts as signed, by entry.
    """

    heads: tuple[CosignedHead, ...] = ()
    receipts: Mapping[int, bytes] = field(default_factory=dict[int, bytes])


def time_pieces(
    index: int, statement: Statement, shown: Shown, trusted: Trusted, nodes: NodeReader
) -> Iterable[tuple[str, bytes]]:
    """The files (name, content) that bound the time of the entry at `index`, as far as headquarters has them.

    Args:
        index: The entry.
        statement: Its verified statement.
        shown: All of headquarters' signatures at hand.
        trusted: The exhibit's tree, which is known to hold.
        nodes: Hashes of that tree, or of a larger one of the same log.
    """
    heads = [*shown.heads, *_own_head(trusted)]
    interval = proven_interval(index, statement, heads)
    if interval.after is not None:
        yield AFTER, interval.after.note
    before = interval.before
    if isinstance(before, CosignedHead) and before.checkpoint != trusted.checkpoint:
        yield BEFORE, encode_proof(index, inclusion_proof(index, before.checkpoint.size, nodes), before.note)
    receipt = shown.receipts.get(index)
    if receipt is not None:
        yield RECEIPT, receipt


def _own_head(trusted: Trusted) -> tuple[CosignedHead, ...]:
    head = cosigned_head(trusted.note, trusted.log.verifier, trusted.cosigners)
    return () if head is None else (head,)


def read_time(
    pieces: Pieces, folder: str, index: int, statement: Statement, leaf: bytes, trusted: Trusted
) -> ProvenTime:
    """The interval that the files in `folder` prove. Raises Broken."""
    heads = list(_own_head(trusted))
    files = {head.note: trusted.path for head in heads}
    if (note := pieces.get(f"{folder}/{AFTER}")) is not None:
        head = _after(f"{folder}/{AFTER}", note, statement, trusted)
        heads.append(head)
        files[head.note] = f"{folder}/{AFTER}"
    if (proof := pieces.get(f"{folder}/{BEFORE}")) is not None:
        head = _before(f"{folder}/{BEFORE}", proof, index, leaf, trusted)
        heads.append(head)
        files[head.note] = f"{folder}/{BEFORE}"
    receipts: list[DeliveryReceipt] = []
    if (signed := pieces.get(f"{folder}/{RECEIPT}")) is not None:
        receipts.append(_receipt(f"{folder}/{RECEIPT}", signed, index, statement, trusted))
    return _proven(proven_interval(index, statement, heads, receipts), files, f"{folder}/{RECEIPT}", statement)


def _after(path: str, note: bytes, statement: Statement, trusted: Trusted) -> CosignedHead:
    with naming(path):
        head = cosigned(note, trusted)
        demand(head.checkpoint.digest() == statement.cosigned, path, "not the checkpoint that the statement names")
    return head


def _before(path: str, data: bytes, index: int, leaf: bytes, trusted: Trusted) -> CosignedHead:
    with naming(path):
        proof = parse_proof(data)
        head = cosigned(proof.checkpoint, trusted)
        demand(proof.index == index, path, "the proof of another entry")
        tree = head.checkpoint
        verify_inclusion(leaf_hash(leaf), index=index, size=tree.size, root=tree.root, proof=proof.hashes)
    return head


def cosigned(note: bytes, trusted: Trusted) -> CosignedHead:
    """A checkpoint of this log that headquarters cosigned. Raises Malformed, Untrusted."""
    head = cosigned_head(note, trusted.log.verifier, trusted.cosigners)
    if head is None:
        raise Untrusted("headquarters did not cosign it")
    return head


def _receipt(path: str, signed: bytes, index: int, statement: Statement, trusted: Trusted) -> DeliveryReceipt:
    with naming(path):
        receipt = verify_receipt(signed, signing_key(signed, trusted.receipts))
        sealed = statement.kind
        names = (receipt.origin, receipt.index, receipt.sha256, receipt.size)
        body = (sealed.blob_sha256, sealed.blob_bytes) if isinstance(sealed, Sealed) else None
        demand(names == (statement.origin, index, *(body or ())), path, "the receipt for another body")
    return receipt


def signing_key(signed: bytes, keys: Iterable[bytes]) -> bytes:
    """Which of headquarters' keys signed a receipt. Raises Malformed, Untrusted."""
    failed: Malformed | Untrusted = Untrusted("headquarters has no key for receipts in this roster")
    for key in keys:
        try:
            verify_receipt(signed, key)
        except (Malformed, Untrusted) as error:
            failed = error
        else:
            return key
    raise failed


def _proven(interval: Interval, files: Mapping[bytes, str], receipt: str, statement: Statement) -> ProvenTime:
    after = before = None
    if interval.after is not None and interval.after_ms is not None:
        by = "the cosigned checkpoint that the statement names"
        after = TimeSide(at_ms=interval.after_ms, by=by, file=files[interval.after.note])
    if interval.before is not None and interval.before_ms is not None:
        by, file = "headquarters' receipt for its body", receipt
        if isinstance(interval.before, CosignedHead):
            by, file = "headquarters' cosignature of a tree that has it", files[interval.before.note]
        before = TimeSide(at_ms=interval.before_ms, by=by, file=file)
    return ProvenTime(after=after, before=before, claimed=statement.at)


def encode_time(time: ProvenTime) -> bytes:
    """`time.json`."""
    return pretty(time)


def pretty(value: object) -> bytes:
    """JSON with a line a field, for people."""
    return msgspec.json.format(msgspec.json.encode(value), indent=1) + b"\n"
