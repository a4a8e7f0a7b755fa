"""Stage 3 of 8: examine - two readings of one page, character by character: the scanner's and the camera's.

Two readers that do not share a lens, a light or a line of code make different mistakes. Where both are sure and differ,
somebody looks at that character. Where the camera itself is in doubt, its word is a hint and refers nobody.
"""

from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import Final

from msgspec import Struct

from appliance.examine.findings import SECOND_READING, SURE_READING
from appliance.examine.subject import Subject, found, not_typed
from appliance.examine.typed import examine_typed
from appliance.examine.unread import SURE_PERCENT
from appliance.judged import Answer, Finding
from appliance.model import CameraReading, DocumentReading, MrzReading, TravelDocument

TWO_BESIDE_A_SCANNER: Final = (
    "Two documents lie there. Only the one that the scanner read was checked: lay each of them by itself."
)
"""Refers nobody: what the scanner read was checked, and two visas on facing pages are one document."""
TWO_UNDER_THE_CAMERA: Final = (
    "Two documents lie there, and the camera cannot know which one is meant: leave one, and lay the other after it."
)


class Difference(Struct, frozen=True, kw_only=True):
    """One character that scanner and camera read differently.

    Attributes:
        line, column: Zero-based place in the printed lines.
        percent: How sure the camera is, 0 to 100.
    """

    line: int
    column: int
    scanner: str
    camera: str
    percent: int


def differences(document: TravelDocument, camera: CameraReading) -> tuple[Difference, ...]:
    """Where the readings differ, in order; () also where lines cannot be laid side by side.

    A character on which both agree as read, or both after their check digits had their say, is no difference, nor is
    one that the camera does not see. Where two documents are in view, the camera's may be the other one.
    """
    if camera.another or not same_shape(document, camera):
        return ()
    return tuple(_differences(document, camera))


def is_camera(reading: DocumentReading) -> bool:
    """Whether the camera alone read the document."""
    return isinstance(reading, MrzReading) and reading.device == "camera"


def unsure(camera: CameraReading) -> tuple[tuple[int, int], ...]:
    """Line and column of each character that a camera in doubt is not sure of; () where it has no doubt."""
    if not camera.doubt or not camera.lines or not camera.lines[0]:
        return ()
    width = len(camera.lines[0])
    places = (divmod(at, width) for at, percent in enumerate(camera.percent) if percent < SURE_PERCENT)
    return tuple(place for place in places if place[0] < len(camera.lines))


def same_shape(document: TravelDocument, camera: CameraReading) -> bool:
    """Whether both read as many lines, as long."""
    return [len(line) for line in document.mrz] == [len(line) for line in camera.lines]


def _differences(document: TravelDocument, camera: CameraReading) -> Iterator[Difference]:
    width = len(document.mrz[0])
    taken, seen = "".join(document.mrz), "".join(camera.lines)
    taken_raw, seen_raw = "".join(document.raw), "".join(camera.raw)
    for at, (mine, theirs) in enumerate(zip(taken, seen, strict=True)):
        percent = camera.percent[at] if at < len(camera.percent) else 0
        if mine != theirs and taken_raw[at : at + 1] != seen_raw[at : at + 1] and (percent or not camera.percent):
            yield Difference(line=at // width, column=at % width, scanner=mine, camera=theirs, percent=percent)


def examine_second_reading(subject: Subject) -> Finding:
    """Scanner against camera; or what was typed."""
    if subject.typed:
        return examine_typed(subject)
    camera = subject.camera
    if camera is None or subject.alone:
        return found(SECOND_READING, Answer.NOT_APPLICABLE, "There is one reading only.")
    if not camera.lines:
        return found(SECOND_READING, Answer.UNAVAILABLE, f"No second reading by the camera: {camera.why}")
    if camera.another:
        return found(SECOND_READING, Answer.INCONCLUSIVE, TWO_BESIDE_A_SCANNER)
    if not same_shape(subject.document, camera):
        return _other_lines(camera)
    return _compared(differences(subject.document, camera), camera)


def examine_sure_reading(subject: Subject) -> Finding:
    """The camera as the only reader: what it is in doubt about is not known, so somebody looks (I5)."""
    if subject.typed:
        return not_typed(SURE_READING)
    camera = subject.camera
    if not subject.alone or camera is None:
        return found(SURE_READING, Answer.NOT_APPLICABLE, "A scanner read the lines.")
    if camera.another:
        return found(SURE_READING, Answer.FAILED, TWO_UNDER_THE_CAMERA)
    if not camera.doubt or _only_check_digits(subject.document, camera):
        return found(SURE_READING, Answer.PASSED, "Every character was read surely.")
    words = f"The camera could not read the page surely. {camera.why}"
    return found(SURE_READING, Answer.FAILED, words, *_doubts(camera))


def _doubts(camera: CameraReading) -> Iterator[str]:
    """First what cannot be seen, line by line, then each character that is not sure."""
    places = unsure(camera)
    width = len(camera.lines[0]) if camera.lines else 0
    for line in range(len(camera.lines)):
        unseen = [column for at, column in places if at == line and not camera.percent[line * width + column]]
        for run in counted(unseen):
            yield f"line {line + 1}, character {run}: cannot be seen"
    for line, column in places:
        if percent := camera.percent[line * width + column]:
            yield f"line {line + 1}, character {column + 1}: {percent} % sure"


def counted(places: Sequence[int]) -> Iterator[str]:
    """Places as a person counts them; three and more in a row as "29 to 44"."""
    for _, run in groupby(enumerate(places), key=lambda each: each[1] - each[0]):
        numbers = [place + 1 for _, place in run]
        if len(numbers) > 2:
            yield f"{numbers[0]} to {numbers[-1]}"
        else:
            yield from map(str, numbers)


def _only_check_digits(document: TravelDocument, camera: CameraReading) -> bool:
    """Whether the doubt is about check digits alone, of which another check speaks: each character was read surely."""
    wrong = bool(document.repairs) or not all(check.holds for check in document.check_digits)
    return wrong and bool(camera.percent) and not unsure(camera)


def _other_lines(camera: CameraReading) -> Finding:
    """Not one character can be pointed at."""
    if camera.doubt:
        return found(SECOND_READING, Answer.INCONCLUSIVE, f"The camera could not read the page surely. {camera.why}")
    words = "Scanner and camera read different pages: another document lies under the camera, or the lines are changed."
    return found(SECOND_READING, Answer.FAILED, words)


def _compared(different: tuple[Difference, ...], camera: CameraReading) -> Finding:
    if not different and 0 in camera.percent:
        words = f"What the camera sees of the page reads as the scanner read it. {camera.why}"
        return found(SECOND_READING, Answer.INCONCLUSIVE, words)
    if not different:
        return found(SECOND_READING, Answer.PASSED, "Scanner and camera read the same characters.")
    count = "one character" if len(different) == 1 else f"{len(different)} characters"
    evidence = [
        f"line {each.line + 1}, character {each.column + 1}: scanner {each.scanner}, camera {each.camera}"
        f" ({each.percent} % sure)"
        for each in different
    ]
    if not camera.doubt and any(each.percent >= SURE_PERCENT for each in different):
        return found(SECOND_READING, Answer.FAILED, f"Scanner and camera read {count} differently.", *evidence)
    words = f"The camera may read {count} differently, but is not sure. {camera.why}".rstrip()
    return found(SECOND_READING, Answer.INCONCLUSIVE, words, *evidence)
