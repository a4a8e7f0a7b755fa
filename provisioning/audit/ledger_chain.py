"""Headquarters' ledger of receipts as one chain over all logs: each receipt names the one before it by its hash.

A collector numbers its receipts from 1 and puts the hash of the last into the next, whichever box that one was for. So
the receipts of all pulled logs together show whether the ledger was ever written again, though each log's own pages
may look whole. Receipts of logs that were not pulled leave gaps, which say nothing.
"""

from collections.abc import Iterable, Iterator

from appliance.errors import Malformed, Untrusted
from appliance.formats.receipt import claimed_receipt, receipt_digest
from provisioning.audit.log import Problem
from provisioning.audit.store import PulledLog
from provisioning.audit.testimony_pages import RECEIPTS, parse_page


def broken_links(logs: Iterable[PulledLog]) -> list[Problem]:
    """Receipts, kept and verified before, that do not make one chain; each with the log that has it.

    Raises:
        StorageFault: A page cannot be read.
    """
    kept = list(logs)
    digests: dict[int, bytes] = {}
    problems: list[Problem] = []
    for origin, signed in _receipts(kept):
        position, digest = claimed_receipt(signed).ledger_position, receipt_digest(signed)
        if digests.setdefault(position, digest) != digest:
            words = f"receipt {position} of headquarters' ledger was signed twice, differently: it was written again"
            problems.append(Problem(origin=origin, index=claimed_receipt(signed).index, words=words))
    for origin, signed in _receipts(kept):
        receipt = claimed_receipt(signed)
        before = digests.get(receipt.ledger_position - 1)
        first = receipt.ledger_position == 1
        if first != (receipt.previous is None) or (before is not None and before != receipt.previous):
            words = (
                f"receipt {receipt.ledger_position} of headquarters' ledger does not follow the one before it: "
                "the ledger was written again from there, or an older copy of it was put back"
            )
            problems.append(Problem(origin=origin, index=receipt.index, words=words))
    return problems


def _receipts(logs: Iterable[PulledLog]) -> Iterator[tuple[str, bytes]]:
    for kept in logs:
        for n in range(kept.pages(RECEIPTS)):
            try:
                page = parse_page(kept.page(RECEIPTS, n) or b"", RECEIPTS)
                for signed in page:
                    claimed_receipt(signed)
            except (Malformed, Untrusted):  # named with its log
                continue
            yield from ((kept.log.origin, signed) for signed in page)
