"""`python -m tests.benchmarks.mrz_pages FIRST LAST STEP`: draws pages and reads them, a line of JSON for each.

One thread; started by bench_mrz_image, several at a time. `blank COUNT` reads pages without a zone.
"""

import json
import sys
import time

import cv2

from appliance.ocr.network import load_weights
from appliance.ocr.reading import read_mrz
from tests.drawn_pages import GRADES, KINDS, draw_blank, draw_page

SEED: int = 7_000_000
"""Of the first page; training draws under seeds of its own, with other typefaces."""


def page_of(number: int) -> tuple[int, str, str]:
    """Seed, kind and grade of a page: all nine combinations in turn."""
    return SEED + number // 9, KINDS[number % 3], GRADES[number // 3 % 3]


def main(arguments: list[str]) -> None:
    """Read what the arguments say."""
    cv2.setNumThreads(1)
    load_weights("locator"), load_weights("recogniser")
    if arguments[0] == "blank":
        for number in range(int(arguments[1])):
            image = draw_blank(SEED + number)
            begun = time.process_time()
            doubt = read_mrz(image).doubt
            print(json.dumps([time.process_time() - begun, doubt]), flush=True)
    else:
        for number in range(*map(int, arguments)):
            print(json.dumps(_measured(number)), flush=True)


def _measured(number: int) -> dict[str, object]:
    seed, kind, grade = page_of(number)
    page = draw_page(seed, kind, grade)  # type: ignore[arg-type]
    begun = time.process_time()
    reading = read_mrz(page.image)
    seconds = time.process_time() - begun
    wrong = [a + b for a, b in zip("".join(page.lines), "".join(reading.lines), strict=False) if a != b]
    same_shape = [len(line) for line in page.lines] == [len(line) for line in reading.lines]
    return {
        "number": number,
        "kind": kind,
        "grade": grade,
        "exact": reading.lines == page.lines,
        "doubt": reading.doubt,
        "seconds": seconds,
        "wrong": wrong if same_shape else None,
    }


if __name__ == "__main__":
    main(sys.argv[1:])
