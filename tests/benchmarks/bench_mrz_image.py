"""The zone from a picture: drawn pages in three grades read exactly, doubt, time and memory; peers on 200 of them.

`python -m tests.benchmarks mrz_image --pages 900` for fewer. Peers run where they are: tesseract on the PATH (its `mrz`
model in the test data), RapidOCR and PassportEye under the Python that LANDLINK_PEERS names. Times are of the
processor, one thread, on this machine.
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from statistics import median, quantiles
from typing import Any, Final

import cv2
import numpy as np

from appliance.ocr.reading import read_mrz
from tests.benchmarks.bars import at_least, at_most
from tests.benchmarks.mrz_pages import page_of
from tests.conftest import SHARED_DATA
from tests.drawn_pages import GRADES, DrawnPage, draw_blank, draw_page, typefaces

PAGES: Final = 10_008
PEER_PAGES: Final = 200
BLANKS: Final = 60
ROOT: Final = Path(__file__).parents[2]
EXACT: Final = {"clean": 99.0, "camera": 98.0, "hard": 85.0}
DOUBT: Final = {"clean": 5.0, "camera": 15.0}
UNDOUBTED: Final = 99.9
PI_4_FACTOR: Final = 6.0
"""How much slower one core of a Pi 4 is taken to be: a guess from single-core figures of such processors."""

READER: Final = """
import resource, sys
from pathlib import Path
from appliance.ocr.pictures import read_picture
for name in sys.argv[1:]:
    read_picture(Path(name).read_bytes())
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""
"""A process that does nothing but read stored pages; it ends with its peak in KiB."""

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
    often = ", ".join(f"{pair} {count}" for pair, count in confused.most_common(12))
    print(f"most often taken for another (is, read): {often}")
    _time([row["seconds"] * 1000 for row in rows])
    _blank()
    _memory()
    _peers()


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
        print(f"  {grade}: in doubt {doubt:.1f} %")


def _percent(answers: Iterable[bool]) -> float:
    counted = Counter(bool(answer) for answer in answers)
    return 100 * counted[True] / max(sum(counted.values()), 1)


def _time(milliseconds: list[float]) -> None:
    at_most("a page, p50", 100, median(milliseconds), " ms")
    at_most("a page, p95", 300, quantiles(milliseconds, n=20)[-1], " ms")
    on_pi = [value * PI_4_FACTOR for value in (median(milliseconds), quantiles(milliseconds, n=20)[-1])]
    print(f"  longest {max(milliseconds):.0f} ms")
    print(
        f"  Pi 4, ESTIMATED at {PI_4_FACTOR:.0f} times this, not measured: p50 {on_pi[0]:.0f} ms, p95 {on_pi[1]:.0f} ms"
    )


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
            cv2.imwrite(names[-1], draw_page(seed, kind, grade).image)  # type: ignore[arg-type]
        names.append(f"{folder}/blank.jpg")
        cv2.imwrite(names[-1], draw_blank(1))
        command = [sys.executable, "-c", READER, *names]
        out = subprocess.run(command, cwd=ROOT, env=_one_thread(), capture_output=True, text=True, check=True).stdout
    at_most("peak memory of a process that reads pages", 130, int(out) / 1024, " MiB")


# --- peers ------------------------------------------------------------------------------------------------------------


def _peers() -> None:
    pages = [draw_page(*page_of(number)) for number in range(PEER_PAGES)]  # type: ignore[arg-type]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for number, page in enumerate(pages):
            cv2.imwrite(str(folder / f"{number}.png"), page.image)
            cv2.imwrite(str(folder / f"{number}.zone.png"), _zone_of(page))
        for peer in (_ours, _tesseract_english, _tesseract_mrz, _rapidocr, _passporteye):
            peer(folder, pages)


def _zone_of(page: DrawnPage) -> np.ndarray:
    """The zone as ours locates it, straight: a help for peers that do not locate."""
    box = read_mrz(page.image).box
    if not box:
        return page.image
    corners = np.array(box, np.float32)
    wide = int(np.linalg.norm(corners[1] - corners[0]) * 1.08)
    high = int(np.linalg.norm(corners[3] - corners[0]) * 1.15)
    middle = corners.mean(axis=0)
    corners = middle + (corners - middle) * np.array([1.08, 1.15], np.float32)
    flat = np.array([[0, 0], [wide, 0], [wide, high], [0, high]], np.float32)
    straight = cv2.getPerspectiveTransform(corners.astype(np.float32), flat)
    return cv2.warpPerspective(page.image, straight, (wide, high), borderMode=cv2.BORDER_REPLICATE)


def _report(peer: str, pages: list[DrawnPage], read: Callable[[int], list[str]]) -> None:
    """Exact where each line of the zone is among the lines that the peer read, blanks left out."""
    exact: Counter[str] = Counter()
    for number, page in enumerate(pages):
        found = {"".join(line.split()) for line in read(number)}
        exact[page.grade] += set(page.lines) <= found
    total = Counter(page.grade for page in pages)
    shares = ", ".join(f"{grade} {100 * exact[grade] / total[grade]:.0f} %" for grade in GRADES)
    print(f"  {peer}, the same {len(pages)} pages exactly: {shares}", flush=True)


def _ours(_: Path, pages: list[DrawnPage]) -> None:
    _report("ours", pages, lambda number: list(read_mrz(pages[number].image).lines))


def _tesseract(peer: str, folder: Path, pages: list[DrawnPage], suffix: str, options: list[str]) -> None:
    if shutil.which("tesseract") is None:
        print(f"  {peer}: skipped, not installed (apt-get install tesseract-ocr)")
        return

    def read(number: int) -> list[str]:
        command = ["tesseract", str(folder / f"{number}{suffix}.png"), "stdout", "--psm", "6", *options]
        environment = os.environ | {"OMP_THREAD_LIMIT": "1"}
        done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
        return done.stdout.splitlines()

    _report(peer, pages, read)


def _tesseract_english(folder: Path, pages: list[DrawnPage]) -> None:
    _tesseract("tesseract eng", folder, pages, "", ["-l", "eng"])


def _tesseract_mrz(folder: Path, pages: list[DrawnPage]) -> None:
    models = SHARED_DATA / "peers"
    if not (models / "mrz.traineddata").exists():
        print(f"  tesseract mrz: skipped, no model at {models}")
        return
    options = ["--tessdata-dir", str(models), "-l", "mrz"]
    _tesseract("tesseract mrz, given our located zone", folder, pages, ".zone", options)


def _rapidocr(folder: Path, pages: list[DrawnPage]) -> None:
    _other_python("RapidOCR", "rapidocr", folder, pages)


def _passporteye(folder: Path, pages: list[DrawnPage]) -> None:
    _other_python("PassportEye", "passporteye", folder, pages)


def _other_python(peer: str, name: str, folder: Path, pages: list[DrawnPage]) -> None:
    python = os.environ.get("LANDLINK_PEERS", "")
    script = Path(__file__).parent / "peer_readers.py"
    command = [python, str(script), name, str(folder), str(len(pages))]
    done = subprocess.run(command, capture_output=True, text=True, check=False) if python else None
    if done is None or done.returncode:
        print(f"  {peer}: skipped, not installed (LANDLINK_PEERS names a Python that has it)")
        return
    read = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("[")]
    _report(peer, pages, lambda number: read[number])
