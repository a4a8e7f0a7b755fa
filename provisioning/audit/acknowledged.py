"""Headquarters' receipts held against the log: what it acknowledged is here, no box claims a receipt that it lacks."""

from typing import Final

from appliance.errors import Untrusted
from appliance.formats.statement import EventEntry, Sealed, Statement
from provisioning.audit.chronology import moment
from provisioning.audit.testimony import Testimony

CLAIMS: Final = {"bodies_acknowledged": "acknowledged", "bodies_deleted": "deleted as acknowledged"}
"""Events by which a box says that it holds headquarters' receipts for the bodies in its field `ranges`."""


def check_receipt(index: int, sealed: Sealed, testimony: Testimony) -> None:
    """Raise Untrusted when headquarters signed a receipt for another body than the statement names."""
    receipt = testimony.receipts.get(index)
    if receipt is not None and (receipt.sha256, receipt.size) != (sealed.blob_sha256, sealed.blob_bytes):
        raise Untrusted("headquarters signed a receipt for another body than the one that its statement names")


def missing_body(index: int, testimony: Testimony) -> str:
    """Why it matters that a body is not here; "" when headquarters never said that it has it."""
    receipt = testimony.receipts.get(index)
    if receipt is None:
        return ""
    return (
        f"its body is missing: headquarters acknowledged it on {moment(receipt.received_ms)} (receipt "
        f"{receipt.ledger_position}), the box may have deleted it since, and it is not here"
    )


def unfounded_claim(index: int, statement: Statement, testimony: Testimony) -> str:
    """What a box says of receipts that headquarters did not give; "" for nothing, and while no collector was asked."""
    kind = statement.kind
    if not testimony.asked or not isinstance(kind, EventEntry) or kind.event not in CLAIMS:
        return ""
    lacking = [
        f"{first}-{last}" if last > first else f"{first}"
        for first, last in _ranges(kind.fields["ranges"])
        if first > last or last >= index or testimony.receipts_in(first, last) < last - first + 1
    ]
    if not lacking:
        return ""
    return (
        f"the box says that bodies are {CLAIMS[kind.event]}, and headquarters' ledger lacks receipts among entries "
        f"{', '.join(lacking)}: the ledger lost them, or the box was given what headquarters did not sign"
    )


def _ranges(text: str) -> list[tuple[int, int]]:
    """First and last index of each range of `0-4,7`; the event's declaration has checked the form."""
    parts = (part.partition("-") for part in text.split(","))
    return [(int(first), int(last or first)) for first, _, last in parts]
