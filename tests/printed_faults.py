"""What the checker says of how drawn zones are printed: correct ones, and ones with one planted fault of each kind."""

from collections import Counter
from collections.abc import Iterator
from typing import Final, Literal

from appliance.examine.printing import examine_infrared, examine_printed_geometry
from appliance.examine.subject import Subject
from appliance.judged import Answer, Finding
from appliance.model import CameraReading, Mode
from appliance.ocr.infrared import look_under_infrared
from appliance.ocr.reading import read_mrz
from appliance.parse.mrz import parse_mrz
from tests.drawn_pages import AS_IT_SHOULD_BE, KINDS, Print, draw_page
from tests.generated_documents import NOON

Grade = Literal["clean", "camera", "hard"]
GRADES: Final[tuple[Grade, ...]] = ("clean", "camera", "hard")
CHECKS: Final = ("printed_geometry", "infrared")
FAULTS: Final = (
    ("characters too small", Print(size=0.7), "printed_geometry", "too small"),
    ("characters too large", Print(size=1.33), "printed_geometry", "too large"),
    ("lines too near", Print(spacing_mm=5.2), "printed_geometry", "too near"),
    ("lines too far apart", Print(spacing_mm=7.5), "printed_geometry", "too far"),
    ("a line 1 mm aside", Print(second_line_mm=1.0), "printed_geometry", "below each other"),
    ("a character 0.5 mm up or down", Print(one_mm=(0.0, 0.5)), "printed_geometry", "out of place"),
    ("a character 0.5 mm aside", Print(one_mm=(0.5, 0.0)), "printed_geometry", "out of place"),
    ("ink that vanishes in infrared", Print(ink="vanishing"), "infrared", "vanish"),
    ("one character of such ink", Print(ink="one vanishes"), "infrared", "vanish"),
)
"""Kind, how it is printed, the check that has to name it, and with which word."""
NEW_SEED: Final = 70_000
"""Pages that neither training, nor the recogniser's benchmark, nor the bars were made with."""


def findings_of(seed: int, grade: Grade, printed: Print, *, infrared: bool) -> dict[str, Finding]:
    """What the two checks say of one page, as the box's camera would see it."""
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
    return {finding.check: finding for finding in found}


def examine_correct_prints(pages: int) -> Iterator[tuple[Grade, str, Counter[Answer]]]:
    """Answers over so many correct pages in all, by grade and check."""
    for grade in GRADES:
        answers: dict[str, Counter[Answer]] = {check: Counter() for check in CHECKS}
        for seed in range(NEW_SEED, NEW_SEED + pages // len(GRADES)):
            for check, finding in findings_of(seed, grade, AS_IT_SHOULD_BE, infrared=True).items():
                answers[check][finding.answer] += 1
        for check in CHECKS:
            yield grade, check, answers[check]


def examine_print_faults(of_each_kind: int) -> Iterator[tuple[str, int, int, int]]:
    """Kind, named, not examined (the reading is in doubt, or the image too coarse), missed; clean and camera grades."""
    for kind, printed, check, word in FAULTS:
        counted = Counter[str]()
        for number in range(of_each_kind):
            grade = GRADES[number % 2]
            found = findings_of(NEW_SEED + number, grade, printed, infrared=check == "infrared")[check]
            named = found.answer is Answer.FAILED and word in " ".join((found.reason, *found.evidence))
            unseen = found.answer in (Answer.UNAVAILABLE, Answer.NOT_APPLICABLE)
            counted["named" if named else "unseen" if unseen else "missed"] += 1
        yield kind, counted["named"], counted["unseen"], counted["missed"]
