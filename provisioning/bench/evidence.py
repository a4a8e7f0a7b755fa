"""What a rehearsal left at the box, read without taking anybody's word: published tiles, verified receipts."""

from pathlib import Path

from msgspec import Struct

from appliance.files import read_regular
from appliance.formats.checkpoint import Checkpoint, open_checkpoint
from appliance.formats.note import NOTE_BYTES_MAX, parse_vkey
from appliance.formats.receipt import DELIVERY_RECEIPT_BYTES_MAX, verify_receipt
from appliance.formats.release import RECEIPTS
from appliance.formats.statement import Sealed, parse_statement
from appliance.formats.status import STATUS_BYTES_MAX, RecorderStatus, parse_status
from appliance.formats.tiles import BUNDLE_BYTES_MAX, read_entries
from provisioning.authority.home import Home
from provisioning.authority.keys import load_ed25519


class PublishedLog(Struct, frozen=True, kw_only=True):
    """A box's log as published: the signed checkpoint, and SHA-256 of each sealed body by index."""

    checkpoint: Checkpoint
    sealed: dict[int, bytes]


def read_log(box: Path) -> PublishedLog:
    """Read the leaves under the box's published checkpoint. Raises Untrusted when its signature does not hold."""
    log = box / "log"
    verifier = parse_vkey(read_regular(box / "log.vkey", NOTE_BYTES_MAX).decode("ascii").strip())
    checkpoint, _ = open_checkpoint(read_regular(log / "checkpoint", NOTE_BYTES_MAX), verifier)
    sealed: dict[int, bytes] = {}
    for index, leaf in enumerate(
        read_entries(checkpoint.size, lambda path: read_regular(log / path, BUNDLE_BYTES_MAX))
    ):
        kind = parse_statement(leaf).unverified.kind
        if isinstance(kind, Sealed):
            sealed[index] = kind.blob_sha256
    return PublishedLog(checkpoint=checkpoint, sealed=sealed)


def verified_receipts(out: Path, log: PublishedLog) -> set[int]:
    """Indexes of sealed entries for which the box holds headquarters' signature. Raises Untrusted for a wrong one."""
    public = load_ed25519(Home.open(out / "hq").key(RECEIPTS)).public_key().public_bytes_raw()
    delivered: set[int] = set()
    for path in (out / "box" / "receipts").glob("[0-9]*"):
        receipt = verify_receipt(read_regular(path, DELIVERY_RECEIPT_BYTES_MAX), public)
        if receipt.origin == log.checkpoint.origin and log.sealed.get(receipt.index) == receipt.sha256:
            delivered.add(receipt.index)
    return delivered


def undelivered(out: Path) -> set[int]:
    """Indexes of sealed entries without a verified receipt."""
    log = read_log(out / "box")
    return log.sealed.keys() - verified_receipts(out, log)


def read_recorder_status(runtime: Path) -> RecorderStatus | None:
    """The recorder's status file, None when it wrote none."""
    try:
        return parse_status(read_regular(runtime / "recorder.status", STATUS_BYTES_MAX), RecorderStatus)
    except FileNotFoundError:
        return None
