"""Receipts: the recorder's, that an entry is in the log (I1), and headquarters', that it has a body (I4).

Before any light the booth verifies a LogReceipt. A DeliveryReceipt is the only licence to delete a body.
"""

import hashlib
from collections.abc import Callable
from typing import Annotated, Final

from msgspec import Meta

from appliance.clock import Milliseconds
from appliance.errors import Untrusted
from appliance.formats import cbor, cose
from appliance.formats.checkpoint import Checkpoint, open_checkpoint
from appliance.formats.fields import Count, OriginText
from appliance.formats.merkle import PROOF_HASHES_MAX, leaf_hash, verify_inclusion
from appliance.formats.note import Verifier
from appliance.formats.record import RECORD_BYTES_MAX
from appliance.formats.statement import STATEMENT_BYTES_MAX, Sealed, parse_statement
from appliance.model import Digest, Noun, Sha256

RECEIPT_TYPE: Final = "landlink/receipt"
LOG_RECEIPT_BYTES_MAX: Final = 16_384
DELIVERY_RECEIPT_BYTES_MAX: Final = 2_048


class LogReceipt(Noun, frozen=True, kw_only=True):
    """Proof that an entry is in the log, durable.

    Attributes:
        index: The entry's place.
        leaf: The statement.
        inclusion_proof: RFC 6962 audit path of the leaf in the checkpoint's tree, the leaf's sibling first.
        checkpoint: Signed note of a checkpoint whose tree includes the entry.
    """

    index: Count
    leaf: Annotated[bytes, Meta(min_length=1, max_length=STATEMENT_BYTES_MAX)]
    inclusion_proof: Annotated[tuple[Digest, ...], Meta(max_length=PROOF_HASHES_MAX)]
    checkpoint: Annotated[bytes, Meta(max_length=4_096)]

    @property
    def leaf_hash(self) -> bytes:
        """RFC 6962 leaf hash of the statement."""
        return leaf_hash(self.leaf)


def encode_log_receipt(receipt: LogReceipt) -> bytes:
    """Deterministic CBOR of the receipt."""
    return cbor.pack(receipt)


def parse_log_receipt(data: bytes) -> LogReceipt:
    """Parse a log receipt. Raises Malformed."""
    return cbor.parse(data, LogReceipt, what="log receipt", bytes_max=LOG_RECEIPT_BYTES_MAX)


def verify_log_receipt(receipt: LogReceipt, log_verifier: Verifier, commitment: bytes) -> Checkpoint:
    """Verify that what `commitment` commits to is in the log of this key.

    1. The log's key signed the checkpoint of its own origin. 2. The leaf is in that checkpoint's tree at the index.
    3. The leaf is a sealed entry of that origin and carries exactly this commitment.
    Who signed the leaf is headquarters' question; the booth asks whether its record is in.

    Raises:
        Untrusted: One of these does not hold.
        Malformed: A part cannot be read.
    """
    checkpoint, _ = open_checkpoint(receipt.checkpoint, log_verifier)
    verify_inclusion(
        receipt.leaf_hash,
        index=receipt.index,
        size=checkpoint.size,
        root=checkpoint.root,
        proof=receipt.inclusion_proof,
    )
    statement = parse_statement(receipt.leaf).unverified
    if not isinstance(statement.kind, Sealed) or statement.kind.commitment != commitment:
        raise Untrusted("log receipt: the leaf does not carry this record's commitment")
    if statement.origin != checkpoint.origin:
        raise Untrusted("log receipt: the leaf names another origin than its log")
    return checkpoint


class DeliveryReceipt(Noun, frozen=True, kw_only=True):
    """Headquarters has this body, durably; signed by the roster's key of the role `receipts`.

    Attributes:
        origin, index: The entry.
        sha256, size: The sealed body as it arrived.
        received_ms: When, headquarters' time.
        ledger_position: Place in headquarters' ledger, from 1.
        previous: SHA-256 of the receipt before it in the ledger; None for the first.
        opened_through: Headquarters has opened a canary of every epoch and recipients' version that sealed an entry of
            this origin up to this index; -1 for none. A body is deleted only at or below it.
    """

    origin: OriginText
    index: Count
    sha256: Digest
    size: Annotated[int, Meta(ge=1, le=2 * RECORD_BYTES_MAX)]
    received_ms: Milliseconds
    ledger_position: Annotated[int, Meta(ge=1, le=2**63 - 1)]
    previous: Digest | None
    opened_through: Annotated[int, Meta(ge=-1, le=2**63 - 1)]


def sign_receipt(receipt: DeliveryReceipt, *, public: bytes, sign: Callable[[bytes], bytes]) -> bytes:
    """Sign a receipt by headquarters' Ed25519 key `public` (32 bytes)."""
    protected = {
        cose.LABEL_ALG: cose.ALG_EDDSA,
        cose.LABEL_KID: cose.kid(public),
        cose.LABEL_TYP: RECEIPT_TYPE,
    }
    return cose.sign1(cbor.pack(receipt), protected=protected, sign=sign)


def verify_receipt(data: bytes, public: bytes) -> DeliveryReceipt:
    """The receipt that headquarters' key signed.

    Raises:
        Untrusted: Another key, another type, or changed.
        Malformed: Not a receipt.
    """
    message = cose.parse_sign1(data, what="delivery receipt", bytes_max=DELIVERY_RECEIPT_BYTES_MAX)
    cose.check_typ(message, RECEIPT_TYPE)
    cose.verify_ed25519(message, public)
    return _said(message)


def claimed_receipt(data: bytes) -> DeliveryReceipt:
    """What a receipt claims; somebody else has verified its signature, or will. Raises Malformed."""
    return _said(cose.parse_sign1(data, what="delivery receipt", bytes_max=DELIVERY_RECEIPT_BYTES_MAX))


def _said(message: cose.Sign1) -> DeliveryReceipt:
    return cbor.parse(message.payload, DeliveryReceipt, what="delivery receipt", bytes_max=DELIVERY_RECEIPT_BYTES_MAX)


def receipt_digest(data: bytes) -> Sha256:
    """SHA-256 of a signed receipt, which the next one carries as `previous`."""
    return Sha256(hashlib.sha256(data).digest())
