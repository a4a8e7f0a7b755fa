"""Stage 3 of 8: examine - how the lines are printed: their geometry, and whether their ink is seen in infrared light.

Both look at the camera's image and not at what the lines say. The bars are tolerant: they were measured on drawn pages
of every grade, so that the lens, the light and a page that lies aslant fail nothing (README.md). What the image does
not show is not examined.
"""

from collections.abc import Iterator
from typing import Final

from appliance.examine.findings import INFRARED, PRINTED_GEOMETRY
from appliance.examine.subject import Subject, found, not_typed
from appliance.judged import Answer, Finding
from appliance.model import CameraReading, InfraredReading, ShiftedCharacter, ZoneGeometry

SPACING: Final = (2_280, 2_720)
"""From line to line, thousandths of a character's pitch: 6.35 mm to 2.54 mm is 2,500 (Doc 9303-4 to 7, §4.2)."""
HEIGHT: Final = (900, 1_260)
"""Of the characters' ink: 2.4 mm and the width of a stroke are 1,083 (ISO 1073-2, size I)."""
ASIDE_MAX: Final = 270
"""The lines begin below each other (Doc 9303-4 to 7, §4.2)."""
SHIFTED_MAX: Final = 110
"""A quarter of a millimetre off its place."""
SEEN_MIN: Final = 95
SEEN_NONE: Final = 50
"""Hundredths of the characters: fewer are seen of lines whose ink vanishes."""


def examine_printed_geometry(subject: Subject) -> Finding:
    """Distance of the lines, height of the characters, and characters out of place."""
    camera = subject.camera
    if subject.typed:
        return not_typed(PRINTED_GEOMETRY)
    if camera is None:
        return found(PRINTED_GEOMETRY, Answer.NOT_APPLICABLE, "No camera looks at the page.")
    geometry = camera.geometry
    if geometry is None:
        words = "How the lines are printed was not examined: the image does not show it clearly enough."
        return found(PRINTED_GEOMETRY, Answer.UNAVAILABLE, words)
    wrong = tuple(_wrong(geometry))
    if wrong:
        words = "The printed lines are not printed as a machine prints them."
        return found(PRINTED_GEOMETRY, Answer.FAILED, words, *wrong, *_measures(geometry))
    words = "The printed lines are as large, as far apart and as even as they should be."
    return found(PRINTED_GEOMETRY, Answer.PASSED, words, *_measures(geometry))


def _wrong(geometry: ZoneGeometry) -> Iterator[str]:
    """What is out of its bar."""
    if not HEIGHT[0] <= geometry.height <= HEIGHT[1]:
        yield f"characters too {'small' if geometry.height < HEIGHT[0] else 'large'} for their distance"
    for number, spacing in enumerate(geometry.spacing, 1):
        if not SPACING[0] <= spacing <= SPACING[1]:
            near = "near to" if spacing < SPACING[0] else "far from"
            yield f"lines {number} and {number + 1} too {near} each other"
    if geometry.aside > ASIDE_MAX:
        yield "the lines do not begin below each other"
    for each in geometry.shifted:
        if max(abs(each.along), abs(each.across)) > SHIFTED_MAX:
            yield f"line {each.line + 1}, character {each.column + 1}: out of place, {_way(each)}"


def _way(shifted: ShiftedCharacter) -> str:
    """Where to, and how far in millimetres, were the characters of the size that they should have."""
    if abs(shifted.along) >= abs(shifted.across):
        return f"{abs(shifted.along) * 2.54 / 1000:.1f} mm to the {'right' if shifted.along > 0 else 'left'}"
    return f"{abs(shifted.across) * 2.54 / 1000:.1f} mm {'down' if shifted.across > 0 else 'up'}"


def _measures(geometry: ZoneGeometry) -> Iterator[str]:
    """As measured, beside what it should be."""
    yield f"height {geometry.height / 1000:.2f} of a character's pitch, about 1.08"
    for spacing in geometry.spacing:
        yield f"line distance {spacing / 1000:.2f}, should be 2.50"
    yield f"image: {geometry.pixels / 10:.0f} pixels a character"
    if geometry.unseen:
        yield f"characters whose place was not examined, for the image does not show it: {geometry.unseen}"


def examine_infrared(subject: Subject) -> Finding:
    """The zone stays in infrared light, near 900 nm, where most inks vanish."""
    camera = subject.camera
    if subject.typed:
        return not_typed(INFRARED)
    if camera is None or camera.infrared is None:
        return found(INFRARED, Answer.NOT_APPLICABLE, "No infrared lamp is fitted.")
    infrared = camera.infrared
    if infrared.seen is None:
        return found(INFRARED, Answer.UNAVAILABLE, f"The page was not examined in infrared light: {infrared.why}")
    return _in_infrared(camera, infrared, infrared.seen)


def _in_infrared(camera: CameraReading, infrared: InfraredReading, seen: int) -> Finding:
    measured = f"{seen} % of the characters are seen in infrared light"
    if seen < SEEN_NONE:
        words = "The printed lines vanish in infrared light: their ink is not the one that documents are printed with."
        return found(INFRARED, Answer.FAILED, words, measured)
    gone = _vanished(infrared, camera)
    if gone:
        count = "One character vanishes" if len(gone) == 1 else f"{len(gone)} characters vanish"
        return found(INFRARED, Answer.FAILED, f"{count} in infrared light: other ink than the rest.", *gone, measured)
    if seen < SEEN_MIN:
        words = "Some of the printed lines are hard to read in infrared light."
        return found(INFRARED, Answer.INCONCLUSIVE, words, measured)
    return found(INFRARED, Answer.PASSED, "The printed lines are seen in infrared light.", measured)


def _vanished(infrared: InfraredReading, camera: CameraReading) -> tuple[str, ...]:
    width = len(camera.lines[0]) if camera.lines else 0
    return tuple(
        f"line {at // width + 1}, character {at % width + 1}" for at in infrared.vanished if width and at < width * 3
    )
