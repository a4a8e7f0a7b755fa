"""Other readers on the same pages: tesseract, RapidOCR, PassportEye; each runs where it is installed.

tesseract on the PATH (its `mrz` model in the test data); RapidOCR and PassportEye under the Python that LANDLINK_PEERS
names (`pip install rapidocr-onnxruntime passporteye`).
"""

import json
import os
import shutil
import subprocess
import tempfile
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np

from appliance.ocr.reading import read_mrz
from tests.conftest import SHARED_DATA
from tests.drawn_camera import GRADES
from tests.drawn_pages import DrawnPage


def compare(pages: list[DrawnPage]) -> None:
    """Print for each reader how many of the pages it reads exactly."""
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
