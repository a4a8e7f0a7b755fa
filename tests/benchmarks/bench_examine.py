"""Examination: correct documents of sixty issuers, 2,000 with a planted fault of each kind, and documents a second.

Then drawn pages: correct ones, and ones whose zone is printed otherwise than it should be, seen by white and infrared
light. `python -m tests.benchmarks examine --pages 200` for fewer of those: all of them are hours of one core.
"""

import sys
import time
from typing import Final

from appliance.judged import Answer
from tests.benchmarks.bars import at_least, at_most
from tests.drawn_pages import typefaces
from tests.generated_documents import examine_correct, examine_faults
from tests.printed_faults import examine_correct_prints, examine_print_faults

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
    _prints(int(sys.argv[sys.argv.index("--pages") + 1]) if "--pages" in sys.argv else DOCUMENTS)


def _prints(pages: int) -> None:
    """How zones are printed: answers of correct ones, and faults named."""
    if not typefaces():
        print("no OCR-B to draw pages with (apt-get install fonts-ocr-b; npm ci in tests/interop)")
        return
    failed = passed = applicable = 0
    for grade, check, answers in examine_correct_prints(pages):
        print(
            f"  {pages // 3} correct {grade} pages, {check}: " + ", ".join(f"{a.value} {n}" for a, n in answers.items())
        )
        failed += answers[Answer.FAILED]
        passed += answers[Answer.PASSED]
        applicable += sum(answers[answer] for answer in (Answer.PASSED, Answer.FAILED, Answer.INCONCLUSIVE))
    at_most("findings of correct prints that failed", 0, failed)
    at_least("applicable findings of correct prints that passed", 95, 100 * passed / max(applicable, 1), " %")
    print(f"  {'planted fault of print':40} {'found':>6} {'missed':>6} {'not examined':>12}")
    missed_in_all = 0
    for kind, found, unseen, missed in examine_print_faults(pages):
        missed_in_all += missed
        print(f"  {kind:40} {found:6} {missed:6} {unseen:12}", flush=True)
    at_most("planted faults of print that were examined and not named", 0, missed_in_all)
