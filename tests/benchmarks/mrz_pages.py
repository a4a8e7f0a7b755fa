"""`python -m tests.benchmarks.mrz_pages FIRST LAST STEP`: draws pages and reads them, a line of JSON for each.

One thread; started by bench_mrz_image, several at a time. `blank COUNT` reads pages without a zone; `products` tells
how fast matrices are multiplied here.
"""

import json
import sys
import time
from itertools import islice

import cv2
import numpy as np

from appliance.model import CameraReading
from appliance.ocr.network import load_weights
from appliance.ocr.reading import read_mrz
from appliance.ocr.second import camera_reading
from appliance.ocr.voting import vote
from tests.drawn_camera import GRADES, Grade
from tests.drawn_frames import draw_again
from tests.drawn_pages import KINDS, Kind, draw_blank, draw_page

SEED: int = 7_000_000
"""Of the first page; training draws under seeds of its own, with other typefaces."""
MORE_FRAMES: int = 2


def page_of(number: int) -> tuple[int, Kind, Grade]:
    """Seed, kind and grade of a page: all nine combinations in turn."""
    return SEED + number // 9, KINDS[number % 3], GRADES[number // 3 % 3]


def main(arguments: list[str]) -> None:
    """Read what the arguments say."""
    cv2.setNumThreads(1)
    load_weights("locator"), load_weights("recogniser")
    if arguments[0] == "products":
        print(_gflops())
    elif arguments[0] == "blank":
        for number in range(int(arguments[1])):
            image = draw_blank(SEED + number)
            begun = time.process_time()
            doubt = read_mrz(image).doubt
            print(json.dumps([time.process_time() - begun, doubt]), flush=True)
    else:
        for number in range(*map(int, arguments)):
            print(json.dumps(_measured(number)), flush=True)


def _gflops() -> float:
    """Of products as large as those of the recogniser's third layer, in a second."""
    one, other = np.ones((80, 576), np.float32), np.ones((576, 800), np.float32)
    begun, count = time.process_time(), 0
    while time.process_time() < begun + 1:
        one @ other
        count += 1
    return count * 2 * one.size * other.shape[1] / (time.process_time() - begun) / 1e9


def _measured(number: int) -> dict[str, object]:
    seed, kind, grade = page_of(number)
    page = draw_page(seed, kind, grade)
    begun = time.process_time()
    reading = read_mrz(page.image)
    seconds = time.process_time() - begun
    same_shape = [len(line) for line in page.lines] == [len(line) for line in reading.lines]
    wrong = [a + b for a, b in zip("".join(page.lines), "".join(reading.lines), strict=False) if a != b]
    row = {
        "number": number,
        "kind": kind,
        "grade": grade,
        "exact": reading.lines == page.lines,
        "doubt": reading.doubt,
        "why": reading.why,
        "seconds": seconds,
        "wrong": wrong if same_shape else None,
    }
    if reading.doubt:
        stored = _stored(page.image)
        row["votes"] = {
            name: [voted.lines == page.lines, voted.doubt]
            for name, still in (("still", True), ("laid anew", False))
            for voted in (_voted(stored, number, still=still),)
        }
    return row


def _voted(first: CameraReading, number: int, *, still: bool) -> CameraReading:
    """As the booth does it: another image while there is doubt, three at most."""
    readings = [first]
    voted = first
    for image in islice(draw_again(*page_of(number), still=still), MORE_FRAMES):
        readings.append(_stored(image))
        voted = vote(readings)
        if not voted.doubt:
            break
    return voted


def _stored(image: cv2.typing.MatLike) -> CameraReading:
    """What is read of an image as PNG, that is without another loss."""
    return camera_reading(cv2.imencode(".png", image)[1].tobytes())


if __name__ == "__main__":
    main(sys.argv[1:])
