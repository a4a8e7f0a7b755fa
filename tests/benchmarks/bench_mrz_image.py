"""The zone from a picture: drawn pages in three grades read exactly, doubt, votes, time, memory; peers on 200 of them.

`python -m tests.benchmarks mrz_image --pages 900` for fewer. Times are of the processor, one thread, on this machine.
"""

import json
import os
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from statistics import median, quantiles
from typing import Any, Final

import cv2

from tests.benchmarks.bars import at_least, at_most
from tests.benchmarks.mrz_pages import page_of
from tests.benchmarks.peers_of_mrz import compare
from tests.drawn_camera import GRADES
from tests.drawn_pages import draw_blank, draw_page, typefaces

PAGES: Final = 10_008
PEER_PAGES: Final = 200
BLANKS: Final = 60
ROOT: Final = Path(__file__).parents[2]
EXACT: Final = {"clean": 99.0, "camera": 98.0, "hard": 85.0}
DOUBT: Final = {"clean": 5.0, "camera": 15.0}
UNDOUBTED: Final = 99.9
PI_4_FACTOR: Final = 6.0
"""How much slower one core of a Pi 4 is in general: a guess from single-core figures of such processors."""
PI_4_GFLOPS: Final = 8.0
"""Products of matrices on one of its cores: 12 at best (1.5 GHz, 8 in a cycle), of which two thirds are taken."""

READER: Final = """
import sys
from pathlib import Path
from appliance.ocr.pictures import read_picture
for name in sys.argv[1:]:
    read_picture(Path(name).read_bytes())
print(next(line for line in open("/proc/self/status") if line.startswith("VmHWM")).split()[1])
"""
"""A process that does nothing but read stored pages; it ends with its peak in KiB (getrusage's may be its parent's)."""

Row = dict[str, Any]


def main() -> None:
    """Print every figure."""
    if not typefaces():
        print("no OCR-B to draw pages with (apt-get install fonts-ocr-b; npm ci in tests/interop)")
        return
    pages = _asked_pages()
    rows = list(_read_all(pages))
    print(f"{pages} pages, typefaces {', '.join(path.stem for path in typefaces())}")
    for grade in GRADES:
        _grade(grade, [row for row in rows if row["grade"] == grade])
    sure = [row for row in rows if not row["doubt"]]
    at_least("read without doubt: exact", UNDOUBTED, _percent(row["exact"] for row in sure), " %")
    confused = Counter(pair for row in rows for pair in row["wrong"] or ())
    print(f"taken for another (printed and read, how often), {sum(confused.values())} characters, all others never:")
    print("  " + ", ".join(f"{pair} {count}" for pair, count in sorted(confused.items())))
    print(f"pages whose zone has another shape: {sum(row['wrong'] is None for row in rows)}")
    _time([row["seconds"] * 1000 for row in rows])
    _blank()
    _memory()
    compare([draw_page(*page_of(number)) for number in range(PEER_PAGES)])


def _asked_pages() -> int:
    return int(sys.argv[sys.argv.index("--pages") + 1]) if "--pages" in sys.argv else PAGES


def _worker(*arguments: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "tests.benchmarks.mrz_pages", *arguments]
    return subprocess.Popen(command, cwd=ROOT, env=_one_thread(), stdout=subprocess.PIPE, text=True)


def _one_thread() -> dict[str, str]:
    return os.environ | {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}


def _read_all(pages: int) -> Iterator[Row]:
    """Every page, by as many workers as there are cores, each drained by a thread of its own."""
    cores = os.cpu_count() or 1
    workers = [_worker(str(first), str(pages), str(cores)) for first in range(cores)]
    with ThreadPoolExecutor(cores) as threads:
        for rows in threads.map(_rows_of, workers):
            yield from rows


def _rows_of(worker: subprocess.Popen[str]) -> list[Any]:
    out, _ = worker.communicate()
    assert worker.returncode == 0
    return [json.loads(line) for line in out.splitlines()]


def _grade(grade: str, rows: list[Row]) -> None:
    kinds = sorted({row["kind"] for row in rows})
    each = ", ".join(f"{kind} {_percent(row['exact'] for row in rows if row['kind'] == kind):.2f} %" for kind in kinds)
    sure = [row for row in rows if not row["doubt"]]
    wrong = sum(not row["exact"] for row in sure)
    print(f"{grade}: {len(rows)} pages; exact by format: {each}; {wrong} of {len(sure)} without doubt are wrong")
    at_least(f"{grade}: read exactly", EXACT[grade], _percent(row["exact"] for row in rows), " %")
    doubt = _percent(row["doubt"] for row in rows)
    if grade in DOUBT:
        at_most(f"{grade}: in doubt", DOUBT[grade], doubt, " %")
    else:
        print(f"  {grade}: in doubt {doubt:.2f} %")
    for way in ("still", "laid anew"):
        voted = [row["votes"][way] if row["doubt"] else [row["exact"], False] for row in rows]
        exact, doubt = _percent(right for right, _ in voted), _percent(unsure for _, unsure in voted)
        wrong = sum(not right and not unsure for right, unsure in voted)
        print(f"  up to three images while in doubt, {way}: exact {exact:.2f} %, in doubt {doubt:.2f} %, {wrong} wrong")


def _percent(answers: Iterable[bool]) -> float:
    counted = Counter(bool(answer) for answer in answers)
    return 100 * counted[True] / max(sum(counted.values()), 1)


def _time(milliseconds: list[float]) -> None:
    at_most("a page, p50", 100, median(milliseconds), " ms")
    at_most("a page, p95", 300, _p95(milliseconds), " ms")
    print(f"  longest {max(milliseconds):.0f} ms")
    gflops = float(_worker("products").communicate()[0])
    slower = PI_4_FACTOR, gflops / PI_4_GFLOPS
    p50, p95 = ([value * factor for factor in sorted(slower)] for value in (median(milliseconds), _p95(milliseconds)))
    print(f"  Pi 4, ESTIMATED, not measured: p50 {p50[0]:.0f} to {p50[1]:.0f} ms, p95 {p95[0]:.0f} to {p95[1]:.0f} ms")
    print(f"    {slower[0]:.0f} times as long as any program, {slower[1]:.1f} times as products of matrices")
    print(f"    ({gflops:.0f} GFLOPS here, {PI_4_GFLOPS:.0f} taken there)")


def _p95(milliseconds: list[float]) -> float:
    return quantiles(milliseconds, n=20)[-1]


def _blank() -> None:
    """Pages with print and without a zone."""
    rows = _rows_of(_worker("blank", str(BLANKS)))
    at_most(f"a page without a zone, longest of {BLANKS}", 1000, max(seconds for seconds, _ in rows) * 1000, " ms")
    at_least("a page without a zone: in doubt", 100, _percent(doubt for _, doubt in rows), " %")


def _memory() -> None:
    """Peak of a process that only reads, on stored pages of all grades and one without a zone."""
    with tempfile.TemporaryDirectory() as folder:
        names = []
        for number in range(27):
            seed, kind, grade = page_of(number)
            names.append(f"{folder}/{number}.jpg")
            cv2.imwrite(names[-1], draw_page(seed, kind, grade).image)
        names.append(f"{folder}/blank.jpg")
        cv2.imwrite(names[-1], draw_blank(1))
        command = [sys.executable, "-c", READER, *names]
        out = subprocess.run(command, cwd=ROOT, env=_one_thread(), capture_output=True, text=True, check=True).stdout
    at_most("peak memory of a process that reads pages", 130, int(out) / 1024, " MiB")
