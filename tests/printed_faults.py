"""What the checker says of how drawn zones are printed: correct ones, and ones with one planted fault of each kind.

Every page is told by its number alone, and is drawn and read by one thread: the same is said however many processes
share the work.
"""

import multiprocessing
import os
from collections.abc import Generator, Iterable
from concurrent.futures import Executor, ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import repeat
from typing import Final, Literal

import cv2

from appliance.examine.printing import examine_infrared, examine_printed_geometry
from appliance.examine.subject import Subject
from appliance.judged import Answer, Finding
from appliance.model import CameraReading, Mode
from appliance.ocr.infrared import look_under_infrared
from appliance.ocr.reading import read_mrz
from appliance.parse.mrz import parse_mrz
from tests.drawn_pages import AS_IT_SHOULD_BE, KINDS, Print, draw_page, odd_one
from tests.generated_documents import NOON

Grade = Literal["clean", "camera", "hard"]
Naming = Literal["named", "not examined", "missed"]
Lines = tuple[str, ...]
GRADES: Final[tuple[Grade, ...]] = ("clean", "camera", "hard")
CHECKS: Final = ("printed_geometry", "infrared")


@dataclass(frozen=True, slots=True, kw_only=True)
class PrintFault:
    """One kind.

    Attributes:
        kind: In words.
        printed: How the zone is printed.
        word: With which it has to be named.
        check: The one that has to name it.
        of_one: The very character has to be named as well.
    """

    kind: str
    printed: Print
    word: str
    check: str = "printed_geometry"
    of_one: bool = False


FAULTS: Final = (
    PrintFault(kind="characters too small", printed=Print(size=0.7), word="too small"),
    PrintFault(kind="characters too large", printed=Print(size=1.33), word="too large"),
    PrintFault(kind="lines too near", printed=Print(spacing_mm=5.2), word="too near"),
    PrintFault(kind="lines too far apart", printed=Print(spacing_mm=7.5), word="too far"),
    PrintFault(kind="a line 1 mm aside", printed=Print(second_line_mm=1.0), word="below each other"),
    PrintFault(
        kind="a character 0.5 mm up or down", printed=Print(one_mm=(0.0, 0.5)), word="out of place", of_one=True
    ),
    PrintFault(kind="a character 0.5 mm aside", printed=Print(one_mm=(0.5, 0.0)), word="out of place", of_one=True),
    PrintFault(kind="ink that vanishes in infrared", printed=Print(ink="vanishing"), word="vanish", check="infrared"),
    PrintFault(
        kind="one character of such ink",
        printed=Print(ink="one vanishes"),
        word="vanish",
        check="infrared",
        of_one=True,
    ),
)
CHUNK: Final = 10
"""Pages that a process takes at a time."""
NEW_SEED: Final = 70_000
"""Pages that neither training, nor the recogniser's benchmark, nor the bars were made with."""


@contextmanager
def processes(jobs: int) -> Generator[Executor]:
    """So many that draw and read pages, each with one thread."""
    os.environ |= {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
    started = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(jobs, mp_context=started, initializer=cv2.setNumThreads, initargs=(1,)) as pool:
        yield pool


def findings_of(seed: int, grade: Grade, printed: Print, *, infrared: bool) -> tuple[dict[str, Finding], Lines]:
    """What the two checks say of one page, as the box's camera would see it, and what is printed there."""
    page = draw_page(seed, KINDS[seed % len(KINDS)], grade, printed=printed, infrared=infrared)
    seen = read_mrz(page.image)
    look = None
    if page.infrared is not None and seen.zone is not None and not seen.doubt:
        look = look_under_infrared(page.infrared, seen.zone, seen.centres, "".join(seen.lines))
    camera = CameraReading(
        lines=seen.lines, raw=seen.raw, doubt=seen.doubt, why=seen.why, geometry=seen.geometry, infrared=look
    )
    document = parse_mrz(page.lines, NOON)
    subject = Subject(document=document, typed=False, now=NOON, mode=Mode.LIVE, camera=camera)
    found = (examine_printed_geometry(subject), examine_infrared(subject))
    return {finding.check: finding for finding in found}, page.lines


def answers_of(number: int, grade: Grade) -> dict[str, Answer]:
    """What each check says of a correct page."""
    found, _ = findings_of(NEW_SEED + number, grade, AS_IT_SHOULD_BE, infrared=True)
    return {check: finding.answer for check, finding in found.items()}


def naming_of(number: int, fault: PrintFault) -> Naming:
    """What becomes of a planted fault, on a clean page or a camera's."""
    grade = GRADES[number % 2]
    every, lines = findings_of(NEW_SEED + number, grade, fault.printed, infrared=fault.check == "infrared")
    found = every[fault.check]
    if found.answer in (Answer.UNAVAILABLE, Answer.NOT_APPLICABLE):
        return "not examined"
    said = " ".join((found.reason, *found.evidence))
    (line, column), _ = odd_one(lines)
    place = f"line {line + 1}, character {column + 1}"
    named = found.answer is Answer.FAILED and fault.word in said
    named = named and (not fault.of_one or any(each == place or f"{place}:" in each for each in found.evidence))
    return "named" if named else "missed"


def correct_answers(pool: Executor, pages: range, grade: Grade) -> Iterable[dict[str, Answer]]:
    """Of these correct pages."""
    return pool.map(answers_of, pages, repeat(grade), chunksize=CHUNK)


def fault_namings(pool: Executor, pages: range, fault: PrintFault) -> Iterable[Naming]:
    """Of these pages with it."""
    return pool.map(naming_of, pages, repeat(fault), chunksize=CHUNK)
