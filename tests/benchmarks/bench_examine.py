"""Examination: correct documents of sixty issuers, 2,000 with a planted fault of each kind, and documents a second.

Then drawn pages: correct ones, and ones whose zone is printed otherwise than it should be, seen by white and infrared
light. `python -m tests.benchmarks examine --pages 200 --jobs 2` for fewer of those, in two processes: all of them are
20,000, an hour of one core. `--first 200` goes on with the pages behind those, and leaves the documents out.
"""

import argparse
import os
import sys
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from concurrent.futures import Executor
from typing import Final, TypeVar

from rich.console import Console
from rich.progress import Progress

from appliance.judged import Answer
from tests.benchmarks.bars import at_least, at_most
from tests.drawn_pages import typefaces
from tests.generated_documents import examine_correct, examine_faults
from tests.printed_faults import CHECKS, FAULTS, GRADES, NEW_SEED, correct_answers, fault_namings, processes

DOCUMENTS: Final = 2_000
SHOWN: Final = 5
"""Seeds of missed pages that are printed, to draw them again."""
APPLICABLE: Final = (Answer.PASSED, Answer.FAILED, Answer.INCONCLUSIVE)
Said = TypeVar("Said")


def main() -> None:
    """Print both tables and the bars."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--pages", type=int, default=DOCUMENTS)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    asked, _ = parser.parse_known_args(sys.argv[1:])
    pages = range(asked.first, asked.first + asked.pages)
    if not asked.first:
        _documents()
    if not typefaces():
        print("no OCR-B to draw pages with (apt-get install fonts-ocr-b; npm ci in tests/interop)")
        return
    bar = Progress(console=Console(stderr=True), disable=not sys.stderr.isatty())
    with processes(asked.jobs) as pool, bar:
        _correct_prints(pool, bar, pages)
        _print_faults(pool, bar, pages)


def _documents() -> None:
    """What the lines say."""
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


def _watched(bar: Progress, what: str, pages: range, each: Iterable[Said]) -> Iterator[Said]:
    """The same, counted on the bar."""
    task = bar.add_task(what, total=len(pages))
    for said in each:
        bar.advance(task)
        yield said


def _correct_prints(pool: Executor, bar: Progress, pages: range) -> None:
    """How correct zones are printed, a third of the pages in each grade."""
    all_of_them = Counter[Answer]()
    for at, grade in enumerate(GRADES):
        share = range((pages.start + at) // len(GRADES), (pages.stop + at) // len(GRADES))
        answers = list(_watched(bar, f"correct {grade} pages", share, correct_answers(pool, share, grade)))
        for check in CHECKS:
            counted = Counter(each[check] for each in answers)
            all_of_them += counted
            each_answer = ", ".join(f"{answer.value} {count}" for answer, count in counted.items())
            print(f"  {len(share)} correct {grade} pages, {check}: {each_answer}", flush=True)
    applicable = sum(all_of_them[answer] for answer in APPLICABLE)
    passed = 100 * all_of_them[Answer.PASSED] / max(applicable, 1)
    at_most("findings of correct prints that failed", 0, all_of_them[Answer.FAILED])
    at_least("applicable findings of correct prints that passed", 95, passed, " %")


def _print_faults(pool: Executor, bar: Progress, pages: range) -> None:
    """Each kind: named, not examined (the reading is in doubt, or the image too coarse), missed."""
    print(f"  {'planted fault of print':40} {'found':>6} {'missed':>6} {'not examined':>12}")
    missed_in_all = 0
    for fault in FAULTS:
        namings = list(_watched(bar, fault.kind, pages, fault_namings(pool, pages, fault)))
        counted = Counter(namings)
        missed_in_all += counted["missed"]
        print(f"  {fault.kind:40} {counted['named']:6} {counted['missed']:6} {counted['not examined']:12}", flush=True)
        missed = [NEW_SEED + number for number, naming in zip(pages, namings, strict=True) if naming == "missed"]
        if missed:
            print(f"    missed, among them: seeds {', '.join(map(str, missed[:SHOWN]))}")
    at_most("planted faults of print that were examined and not named", 0, missed_in_all)
