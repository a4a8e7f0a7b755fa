"""What travels between uplink and collector: batches of bodies, parts of the log, and what headquarters has.

HTTP carries these as bodies (provisioning/collector/README.md has the addresses). Everything is bounded, and nothing in
it is believed for having arrived: bodies are compared with their hash, leaves with a signed checkpoint, receipts with
their signature.
"""

from collections.abc import Iterable, Sequence
from typing import Annotated, Final

from msgspec import Meta

from appliance.errors import Malformed
from appliance.formats import cbor
from appliance.formats.fields import Count, OriginText
from appliance.formats.merkle import PROOF_HASHES_MAX
from appliance.formats.receipt import DELIVERY_RECEIPT_BYTES_MAX
from appliance.formats.statement import STATEMENT_BYTES_MAX
from appliance.model import Digest, Line, Noun, Priority

BODY_BYTES_MAX: Final = 65_536
ITEMS_MAX: Final = 256
BATCH_BYTES_MAX: Final = 262_144 + BODY_BYTES_MAX
"""The sender stops at 256 KiB; one more body may cross that line."""
LEAVES_MAX: Final = 1_024
LOG_UPLOAD_BYTES_MAX: Final = 1_048_576
HAVE_BYTES_MAX: Final = 262_144
LENGTH_BYTES: Final = 4
_ITEM_BYTES_MAX: Final = BODY_BYTES_MAX + 512
_RESULT_BYTES_MAX: Final = DELIVERY_RECEIPT_BYTES_MAX + 1_024


class BatchItem(Noun, frozen=True, kw_only=True):
    """One sealed body on its way.

    Attributes:
        sha256: What the body's SHA-256 should be; the receiver compares, item by item.
        body: The body; b"" asks for the stored receipt.
    """

    origin: OriginText
    index: Count
    priority: Priority
    sha256: Digest
    body: Annotated[bytes, Meta(max_length=BODY_BYTES_MAX)]


class BatchResult(Noun, frozen=True, kw_only=True):
    """What became of one item.

    Attributes:
        status: As HTTP would say it: 200 with a receipt, 4xx parks the item, 5xx is tried again.
        receipt: Signed DeliveryReceipt, b"" without one.
        why: In plain words, "" for 200.
    """

    origin: OriginText
    index: Count
    status: Annotated[int, Meta(ge=200, le=599)]
    receipt: Annotated[bytes, Meta(max_length=DELIVERY_RECEIPT_BYTES_MAX)] = b""
    why: Line = ""


class LogUpload(Noun, frozen=True, kw_only=True):
    """The next leaves of a log.

    Attributes:
        from_index: Index of the first leaf.
        leaves: Statements in order.
        checkpoint: Signed note of a tree that includes them.
        proof: Consistency proof from the tree that the last of them ends to the checkpoint's; () when it is that tree.
    """

    from_index: Count
    leaves: Annotated[
        tuple[Annotated[bytes, Meta(min_length=1, max_length=STATEMENT_BYTES_MAX)], ...],
        Meta(max_length=LEAVES_MAX),
    ]
    checkpoint: Annotated[bytes, Meta(min_length=1, max_length=16_384)]
    proof: Annotated[tuple[Digest, ...], Meta(max_length=PROOF_HASHES_MAX)] = ()


class Have(Noun, frozen=True, kw_only=True):
    """What headquarters has of a log.

    Attributes:
        size: Leaves.
        high_water: Highest index of a body, -1 for none.
        gaps: Ranges of indexes below it without a body, both ends included; entries that never had one are among them.
        checkpoint: The last checkpoint with headquarters' cosignatures; b"" before the first.
    """

    size: Count
    high_water: Annotated[int, Meta(ge=-1, le=2**63 - 1)]
    gaps: Annotated[tuple[tuple[Count, Count], ...], Meta(max_length=4_096)]
    checkpoint: Annotated[bytes, Meta(max_length=16_384)]


def encode_batch(items: Sequence[BatchItem]) -> bytes:
    """Body of `POST /v1/batch`: each item as big-endian uint32 length and deterministic CBOR."""
    return _frame(cbor.pack(item) for item in items)


def parse_batch(data: bytes) -> tuple[BatchItem, ...]:
    """Parse a batch; bodies are not compared with their hashes here. Raises Malformed."""
    frames = _unframe(data, what="batch", bytes_max=BATCH_BYTES_MAX)
    return tuple(cbor.parse(frame, BatchItem, what="batch item", bytes_max=_ITEM_BYTES_MAX) for frame in frames)


def encode_batch_answer(results: Sequence[BatchResult]) -> bytes:
    """Answer to a batch, one result an item in the same order, framed alike."""
    return _frame(cbor.pack(result) for result in results)


def parse_batch_answer(data: bytes) -> tuple[BatchResult, ...]:
    """Parse the answer to a batch. Raises Malformed."""
    frames = _unframe(data, what="batch answer", bytes_max=ITEMS_MAX * _RESULT_BYTES_MAX)
    return tuple(cbor.parse(frame, BatchResult, what="batch result", bytes_max=_RESULT_BYTES_MAX) for frame in frames)


def encode_log_upload(upload: LogUpload) -> bytes:
    """Body of `POST /v1/log/{origin}`, deterministic CBOR."""
    return cbor.pack(upload)


def parse_log_upload(data: bytes) -> LogUpload:
    """Parse a part of a log. Raises Malformed."""
    return cbor.parse(data, LogUpload, what="log upload", bytes_max=LOG_UPLOAD_BYTES_MAX)


def encode_have(have: Have) -> bytes:
    """Answer to `GET /v1/have/{origin}`, deterministic CBOR."""
    return cbor.pack(have)


def parse_have(data: bytes) -> Have:
    """Parse what headquarters has. Raises Malformed."""
    return cbor.parse(data, Have, what="have", bytes_max=HAVE_BYTES_MAX)


def _frame(frames: Iterable[bytes]) -> bytes:
    return b"".join(len(frame).to_bytes(LENGTH_BYTES, "big") + frame for frame in frames)


def _unframe(data: bytes, *, what: str, bytes_max: int) -> list[bytes]:
    if len(data) > bytes_max:
        raise Malformed(what, f"{len(data)} bytes, at most {bytes_max}")
    frames: list[bytes] = []
    offset = 0
    while offset < len(data):
        start = offset + LENGTH_BYTES
        end = start + int.from_bytes(data[offset:start], "big")
        if end > len(data) or start > len(data):
            raise Malformed(what, "cut off within an item", offset=offset)
        if len(frames) == ITEMS_MAX:
            raise Malformed(what, f"more than {ITEMS_MAX} items", offset=offset)
        frames.append(data[start:end])
        offset = end
    return frames
