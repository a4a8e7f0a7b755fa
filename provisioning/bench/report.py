"""What a rehearsal showed: counts from leaves and verified receipts, latency as the desk saw it, and what is missing.

Nothing here is taken on the box's word: leaves come from the published tiles, receipts are verified with headquarters'
key, latency is lamp edge minus last byte by the desk's clock, each lamp edge is looked up in what headquarters opened.
"""

import json
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from msgspec import Struct

from appliance.formats.status import RecorderStatus
from provisioning.bench.evidence import read_log, verified_receipts
from provisioning.bench.headless import Laid

LAMP_OF: Final = {"clear": "green", "refer": "amber"}
"""Which lamp a decision lights; red is the box's own trouble and stands for no decision."""


class Latency(Struct, frozen=True, kw_only=True):
    """From the last byte on the pty to the lamp edge, milliseconds, over travellers laid once; None when nobody was."""

    p50_ms: float | None
    p99_ms: float | None
    share_that_is_sync: float | None


class Report(Struct, frozen=True, kw_only=True):
    """report.json.

    Attributes:
        travellers: How many came.
        leaves: Entries of the log.
        records: Sealed entries among them.
        delivered: Sealed entries with a receipt whose signature holds and which names that body.
        hits: Hits in opened records.
        referrals: Opened screening records that refer.
        missing: What was laid or lit, and headquarters does not have; empty when all is well.
    """

    travellers: int
    leaves: int
    records: int
    delivered: int
    hits: int
    referrals: int
    latency: Latency
    missing: tuple[str, ...]


def make_report(out: Path, laid: Sequence[Laid], status: RecorderStatus | None) -> Report:
    """Hold what happened at the desk against the box's log, the receipts, and what headquarters opened."""
    log = read_log(out / "box")
    delivered = verified_receipts(out, log)
    opened = read_opened(out / "opened.jsonl")
    missing = [
        *(f"entry {index}: no receipt" for index in sorted(log.sealed.keys() - delivered)),
        *_unrecorded(laid, opened),
    ]
    return Report(
        travellers=len(laid),
        leaves=log.checkpoint.size,
        records=len(log.sealed),
        delivered=len(delivered),
        hits=sum(len(line["hits"]) for line in opened),
        referrals=sum(line["decision"]["type"] == "refer" for line in opened),
        latency=_latency(laid, status),
        missing=tuple(missing),
    )


def read_opened(path: Path) -> list[dict[str, Any]]:
    """The lines of opened.jsonl (provisioning/audit/README.md)."""
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def _unrecorded(laid: Sequence[Laid], opened: Sequence[dict[str, Any]]) -> list[str]:
    """Which lamp edges have no record at headquarters that says the same."""
    by_id = {line["record_id"]: line for line in opened}
    problems: list[str] = []
    for number, one in enumerate(laid, 1):
        if one.lamp == "red":
            continue
        line = by_id.get(one.of)
        if line is None:
            line = next((other for other in opened if _same_document(one, other)), None)
        if line is None:
            problems.append(f"traveller {number} ({one.label}): {one.lamp} lamp, but no record at headquarters")
        elif LAMP_OF[line["decision"]["type"]] != one.lamp:
            problems.append(f"traveller {number} ({one.label}): {one.lamp} lamp, but the record says otherwise")
        elif one.outcome and (line["outcome"] or {}).get("outcome") != one.outcome:
            problems.append(f"traveller {number} ({one.label}): outcome {one.outcome!r} is not at headquarters")
    return problems


def _same_document(one: Laid, line: dict[str, Any]) -> bool:
    if one.typed_number:
        return bool((line["document"] or {}).get("document_number") == one.typed_number)
    return bool(one.mrz and one.mrz == line["raw_mrz"])


def _latency(laid: Sequence[Laid], status: RecorderStatus | None) -> Latency:
    took = sorted((one.edge_ns - one.sent_ns) / 1e6 for one in laid if one.tries == 1 and not one.typed_number)
    if not took:
        return Latency(p50_ms=None, p99_ms=None, share_that_is_sync=None)
    share = None
    if status is not None and status.syncs:
        share = round(status.sync_us / status.syncs / 1_000 / (sum(took) / len(took)), 3)
    return Latency(p50_ms=_quantile(took, 0.50), p99_ms=_quantile(took, 0.99), share_that_is_sync=share)


def _quantile(ordered: Sequence[float], share: float) -> float:
    """The smallest value that at least this share of all does not exceed."""
    return round(ordered[max(0, math.ceil(share * len(ordered)) - 1)], 3)
