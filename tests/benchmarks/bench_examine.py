"""Examination: correct documents of sixty issuers, 2,000 with a planted fault of each kind, and documents a second."""

import time
from typing import Final

from tests.benchmarks.bars import at_least, at_most
from tests.generated_documents import examine_correct, examine_faults

DOCUMENTS: Final = 2_000


def main() -> None:
    """Print both tables and the bars."""
    began = time.perf_counter()
    result = examine_correct(DOCUMENTS, seed=7)
    seconds = time.perf_counter() - began
    print(
        f"  {result.documents} correct documents of {len(result.issuers)} issuers, {result.documents / seconds:.0f}/s"
    )
    print(f"  notices: {dict(result.noticed)}")
    at_most("findings of correct documents that failed", 0, len(result.failed))
    at_least("applicable findings of correct documents that passed", 95, result.passed * 100, " %")
    missed_in_all = 0
    print(f"  {'planted fault':40} {'found':>6} {'missed':>6}")
    for kind, found, missed in examine_faults(DOCUMENTS, seed=8):
        missed_in_all += missed
        print(f"  {kind:40} {found:6} {missed:6}", flush=True)
    at_most("planted faults that were not named", 0, missed_in_all)
