"""How a zone is printed, and whether infrared light shows it: the bars, and what is measured on drawn pages."""

import cv2
import numpy as np
import pytest

from appliance.examine.examine import examine
from appliance.judged import Answer, Finding
from appliance.model import CameraReading, InfraredReading, MrzReading, ShiftedCharacter, ZoneGeometry
from appliance.ocr.geometry import measure
from appliance.ocr.infrared import look_under_infrared
from appliance.ocr.reading import read_mrz
from appliance.parse.mrz import parse_mrz
from tests.drawn_camera import Grade
from tests.drawn_pages import KINDS, Kind, Print, draw_page, odd_one, typefaces
from tests.small_post import PaperClock
from tests.unit.test_second_reading import LINES

NOW = PaperClock().now()
NOMINAL = {"pixels": 230, "height": 1_083, "spacing": (2_500,), "aside": 0}
drawn = pytest.mark.skipif(not typefaces(), reason="no OCR-B on this machine")


def asked(
    check: str, *, geometry: ZoneGeometry | None = None, infrared: InfraredReading | None = None, camera: bool = True
) -> Finding:
    """One finding of a passport whose lines the camera read so."""
    reading = MrzReading(device="elyctis", lines=LINES, raw_sha256=bytes(32))
    seen = CameraReading(
        lines=LINES, raw=LINES, percent=bytes([99] * 88), doubt=False, geometry=geometry, infrared=infrared
    )
    found = examine(parse_mrz(LINES, NOW), reading, NOW, camera=seen if camera else None)
    return next(finding for finding in found if finding.check == check)


def measured(**other: object) -> ZoneGeometry:
    return ZoneGeometry(**{**NOMINAL, **other})


# --- the answers ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("other", "words"),
    [
        ({"height": 899}, "too small"),
        ({"height": 1_261}, "too large"),
        ({"spacing": (2_279,)}, "too near to each other"),
        ({"spacing": (2_500, 2_721)}, "lines 2 and 3 too far from each other"),
        ({"aside": 271}, "do not begin below each other"),
        ({"shifted": (ShiftedCharacter(line=1, column=6, along=-3, across=111),)}, "line 2, character 7: out of place"),
    ],
)
def test_each_measure_out_of_its_bar_fails_and_is_named(other: dict[str, object], words: str) -> None:
    found = asked("printed_geometry", geometry=measured(**other))
    assert found.answer is Answer.FAILED
    assert words in found.evidence[0]


@pytest.mark.parametrize(
    "other",
    [
        {"height": 900},
        {"height": 1_260},
        {"spacing": (2_280, 2_720)},
        {"aside": 270},
        {"shifted": (ShiftedCharacter(line=0, column=0, along=110, across=-110),)},
    ],
)
def test_what_is_just_within_its_bar_passes(other: dict[str, object]) -> None:
    assert asked("printed_geometry", geometry=measured(**other)).answer is Answer.PASSED


def test_a_character_out_of_place_is_told_in_millimetres_and_the_way_it_lies() -> None:
    shifted = (ShiftedCharacter(line=0, column=4, along=-160, across=20),)
    found = asked("printed_geometry", geometry=measured(shifted=shifted))
    assert found.evidence[0] == "line 1, character 5: out of place, 0.4 mm to the left"


def test_characters_whose_place_the_image_does_not_show_are_told() -> None:
    found = asked("printed_geometry", geometry=measured(unseen=3))
    assert found.answer is Answer.PASSED
    assert found.evidence[-1] == "characters whose place was not examined, for the image does not show it: 3"


def test_without_a_measure_nothing_is_examined_and_without_a_camera_nothing_applies() -> None:
    unmeasured = asked("printed_geometry")
    assert (unmeasured.answer, unmeasured.reason.split(" was ")[0]) == (Answer.UNAVAILABLE, "How the lines are printed")
    assert asked("printed_geometry", camera=False).answer is Answer.NOT_APPLICABLE
    assert asked("infrared").answer is Answer.NOT_APPLICABLE


@pytest.mark.parametrize(
    ("infrared", "answer"),
    [
        (InfraredReading(seen=100), Answer.PASSED),
        (InfraredReading(seen=95), Answer.PASSED),
        (InfraredReading(seen=94), Answer.INCONCLUSIVE),
        (InfraredReading(seen=50), Answer.INCONCLUSIVE),
        (InfraredReading(seen=49), Answer.FAILED),
        (InfraredReading(seen=98, vanished=bytes([45])), Answer.FAILED),
        (InfraredReading(why="it was not there in time."), Answer.UNAVAILABLE),
    ],
)
def test_what_infrared_light_shows_has_an_answer(infrared: InfraredReading, answer: Answer) -> None:
    assert asked("infrared", infrared=infrared).answer is answer


def test_what_infrared_light_could_not_show_is_named() -> None:
    said = asked("infrared", infrared=InfraredReading(why="the infrared lamp did not light the page.")).reason
    assert said == "The page was not examined in infrared light: the infrared lamp did not light the page."


def test_a_single_character_of_other_ink_is_named() -> None:
    found = asked("infrared", infrared=InfraredReading(seen=98, vanished=bytes([45])))
    assert (found.reason, found.evidence[0]) == (
        "One character vanishes in infrared light: other ink than the rest.",
        "line 2, character 2",
    )


# --- on drawn pages ---------------------------------------------------------------------------------------------------


@drawn
@pytest.mark.parametrize("kind", KINDS)
def test_pages_as_they_should_be_pass(kind: Kind) -> None:
    for seed in (11, 12):
        geometry = read_mrz(draw_page(seed, kind, "camera").image).geometry
        assert asked("printed_geometry", geometry=geometry).answer is Answer.PASSED


@drawn
@pytest.mark.parametrize(
    ("printed", "words"),
    [
        (Print(spacing_mm=5.2), "too near to each other"),
        (Print(spacing_mm=7.5), "too far from each other"),
        (Print(second_line_mm=1.0), "do not begin below each other"),
        (Print(size=0.7), "too small"),
    ],
)
def test_a_zone_printed_otherwise_is_named(printed: Print, words: str) -> None:
    geometry = read_mrz(draw_page(13, "TD3", "clean", printed=printed).image).geometry
    assert geometry is not None
    assert words in " ".join(asked("printed_geometry", geometry=geometry).evidence)


@drawn
def test_a_character_set_higher_is_found_and_no_other() -> None:
    page = draw_page(14, "TD3", "clean", printed=Print(one_mm=(0.0, 0.5)))
    geometry = read_mrz(page.image).geometry
    assert geometry is not None
    (shifted,) = geometry.shifted
    assert shifted.across == pytest.approx(round(0.5 / 2.54 * 1000), abs=60) or shifted.across == pytest.approx(
        -round(0.5 / 2.54 * 1000), abs=60
    )


@drawn
@pytest.mark.parametrize(
    ("seed", "kind", "grade", "character"),
    [
        (90014, "TD2", "clean", "1"),  # its stem is all that is dark from top to bottom, and no longer in the middle
        (90076, "TD1", "clean", "J"),
        (90068, "TD2", "clean", "8"),  # alone behind fillers
        (90103, "TD1", "camera", "R"),
        (90147, "TD3", "camera", "U"),  # touches its neighbour
        (90213, "TD3", "camera", "Z"),
    ],
)
def test_a_character_aside_is_named_whatever_its_shape_and_neighbours(
    seed: int, kind: Kind, grade: Grade, character: str
) -> None:
    page = draw_page(seed, kind, grade, printed=Print(one_mm=(0.5, 0.0)))
    (line, column), (way, _) = odd_one(page.lines)
    assert page.lines[line][column] == character
    found = asked("printed_geometry", geometry=read_mrz(page.image).geometry)
    to = "right" if way > 0 else "left"
    named = [each for each in found.evidence if "out of place" in each]
    assert [each.partition(":")[0] for each in named] == [f"line {line + 1}, character {column + 1}"]
    assert named[0].endswith(to)


@drawn
@pytest.mark.parametrize(("seed", "kind"), [(91008, "TD3"), (91076, "TD2"), (91056, "TD3")])
def test_a_line_that_bends_at_its_ends_has_no_character_out_of_place(seed: int, kind: Kind) -> None:
    geometry = read_mrz(draw_page(seed, kind, "camera").image).geometry
    assert asked("printed_geometry", geometry=geometry).answer is Answer.PASSED


@drawn
def test_lines_whose_characters_were_misplaced_while_they_were_read_are_cut_anew() -> None:
    page = draw_page(12, "TD1", "camera")
    seen = read_mrz(page.image)
    assert seen.zone is not None
    assert seen.geometry is not None
    centres = tuple(each.copy() for each in seen.centres)
    centres[0][21:28] += 0.5 * seen.geometry.pixels / 10
    anew = measure(page.image, seen.zone, centres, "".join(seen.lines))
    assert anew is not None
    assert asked("printed_geometry", geometry=anew).answer is Answer.PASSED
    assert (anew.aside, anew.height) == (
        pytest.approx(seen.geometry.aside, abs=80),
        pytest.approx(seen.geometry.height, abs=20),
    )


@drawn
def test_too_coarse_an_image_is_not_measured() -> None:
    coarse = [read_mrz(draw_page(seed, "TD3", "hard").image) for seed in (15, 18, 21)]
    assert all(reading.geometry is None or reading.geometry.pixels >= 130 for reading in coarse)
    assert any(reading.geometry is None for reading in coarse)


@drawn
@pytest.mark.parametrize(
    ("ink", "answer"),
    [("carbon", Answer.PASSED), ("vanishing", Answer.FAILED), ("one vanishes", Answer.FAILED)],
)
def test_infrared_light_tells_carbon_from_other_ink(ink: str, answer: Answer) -> None:
    page = draw_page(16, "TD3", "camera", printed=Print(ink=ink), infrared=True)
    white = read_mrz(page.image)
    assert white.zone is not None
    assert page.infrared is not None
    seen = look_under_infrared(page.infrared, white.zone, white.centres, "".join(white.lines))
    assert asked("infrared", infrared=seen).answer is answer


@drawn
def test_white_paper_hides_no_missing_ink_and_a_mirrored_lamp_may() -> None:
    page = draw_page(19, "TD3", "clean", printed=Print(ink="one vanishes"), infrared=True)
    (line, column), _ = odd_one(page.lines)
    white = read_mrz(page.image)
    assert white.zone is not None
    assert page.infrared is not None
    text = "".join(white.lines)
    over = np.clip(page.infrared.astype(int) + 120, 0, 255).astype(np.uint8)
    assert list(look_under_infrared(over, white.zone, white.centres, text).vanished) == [line * 44 + column]
    where, along = white.zone.lines[line], white.centres[line][column]
    x, y = where.origin + along * where.along + where.offset(along) * where.across
    mirrored = page.infrared.copy()
    cv2.circle(mirrored, (round(float(x)), round(float(y))), 25, 255, -1)
    assert list(look_under_infrared(mirrored, white.zone, white.centres, text).vanished) == []


@drawn
def test_where_neighbours_are_faint_as_well_no_ink_is_missing() -> None:
    page = draw_page(70354, "TD1", "hard", infrared=True)
    white = read_mrz(page.image)
    assert white.zone is not None
    assert page.infrared is not None
    seen = look_under_infrared(page.infrared, white.zone, white.centres, "".join(white.lines))
    assert asked("infrared", infrared=seen).answer is Answer.INCONCLUSIVE


@drawn
def test_a_lamp_that_lit_nothing_is_no_ink_that_vanished() -> None:
    page = draw_page(17, "TD3", "clean")
    white = read_mrz(page.image)
    assert white.zone is not None
    seen = look_under_infrared(page.image // 16, white.zone, white.centres, "".join(white.lines))
    assert (seen.seen, seen.why) == (None, "the infrared lamp did not light the page.")
