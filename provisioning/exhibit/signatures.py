"""What headquarters has of its own signatures on one log: cosigned checkpoints, and receipts as they were signed."""

from collections.abc import Iterator

from appliance.errors import Malformed, Untrusted
from appliance.formats.receipt import claimed_receipt
from provisioning.audit.log import Trust
from provisioning.audit.store import PulledLog
from provisioning.audit.testimony import load_testimony
from provisioning.audit.testimony_pages import RECEIPTS, parse_page
from provisioning.exhibit.times import Shown


def shown_by_headquarters(kept: PulledLog, trust: Trust) -> tuple[Shown, list[str]]:
    """All of it that is kept beside the pulled log, and what of that does not hold, in words.

    A receipt is verified when it becomes part of an exhibit.
    """
    testimony, problems = load_testimony(kept, trust, again=False)
    receipts = {claimed_receipt(item).index: item for item in _receipts(kept)}
    return Shown(heads=tuple(testimony.heads), receipts=receipts), [str(problem) for problem in problems]


def _receipts(kept: PulledLog) -> Iterator[bytes]:
    for n in range(kept.pages(RECEIPTS)):
        try:
            yield from parse_page(kept.page(RECEIPTS, n) or b"", RECEIPTS)
        except (Malformed, Untrusted):  # load_testimony names it
            continue
