"""Which characters stand off where their line has them, from the sides of their ink alone."""

from pathlib import Path

import numpy as np
import pytest

from appliance.ocr.glyphs import SIDES
from appliance.ocr.sides import REACH, ideal_sides, smooth_centres
from appliance.ocr.standing import NOTED_MAX, shifted_characters
from appliance.ocr.strips import STRIP_PITCH
from tests.training.glyph_sides import measured
from tests.training.pages import FONT_FOLDER, FONTS

LINES = ("P<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<", "L898902C36UTO7408122F1204159ZE184226B<<<<<10")
"""Doc 9303-4 appendix B."""
PLACES = [(line, column) for line in (0, 1) for column in (0, 1, 5, 20, 31, 42, 43)]


def sides_as_they_should_be() -> list[np.ndarray]:
    """Of a page whose lines bend, whose print is bold, and whose letters are higher than its digits."""
    chance = np.random.default_rng(5)
    sides = []
    for line in LINES:
        along = np.linspace(-1, 1, len(line))[:, None]
        bend = 0.1 + 0.06 * along - 0.08 * along**2 + 0.05 * along**4
        bold = np.array([[-0.04, 0.04, -0.04, 0.04]])
        higher = np.array([[0.0, 0.0, -0.09, 0.0]]) * np.array([[each.isalpha()] for each in line])
        sides.append(ideal_sides(line) + bend + bold + higher + chance.normal(0, 0.012, (len(line), 4)))
    return sides


def test_nothing_stands_off_where_only_line_weight_and_letters_differ() -> None:
    assert shifted_characters(sides_as_they_should_be(), LINES) == ()


@pytest.mark.parametrize(("line", "column"), PLACES)
@pytest.mark.parametrize(("along", "across"), [(0.2, 0.0), (-0.2, 0.0), (0.0, 0.2), (0.0, -0.2)])
def test_the_one_that_was_moved_is_named_and_no_other(line: int, column: int, along: float, across: float) -> None:
    sides = sides_as_they_should_be()
    sides[line][column] += [along, along, across, across]
    (shifted,) = shifted_characters(sides, LINES)
    assert (shifted.line, shifted.column) == (line, column)
    assert (shifted.along, shifted.across) == (
        pytest.approx(along * 1000, abs=60),
        pytest.approx(across * 1000, abs=60),
    )


@pytest.mark.parametrize("side", range(4))
def test_what_one_side_alone_says_is_a_scratch(side: int) -> None:
    sides = sides_as_they_should_be()
    sides[1][9, side] += 0.25
    assert shifted_characters(sides, LINES) == ()


def test_sides_that_say_it_unevenly_are_met_halfway() -> None:
    sides = sides_as_they_should_be()
    sides[1][9] += [0.1, 0.2, 0.0, 0.0]
    (shifted,) = shifted_characters(sides, LINES)
    assert (shifted.column, shifted.along) == (9, pytest.approx(150, abs=30))


@pytest.mark.parametrize(
    ("along", "blot", "named"), [(0.2, 1, True), (-0.2, 0, True), (-0.2, 1, False), (0.2, 0, False)]
)
def test_a_blot_with_a_neighbour_is_what_the_side_there_says(along: float, blot: int, named: bool) -> None:
    sides = sides_as_they_should_be()
    sides[1][9, :2] += along
    sides[1][9, blot] = np.nan
    found = [(each.column, each.along) for each in shifted_characters(sides, LINES)]
    assert found == ([(9, pytest.approx(along * 1000, abs=60))] if named else [])


def test_what_is_common_on_a_coarse_image_is_no_character_out_of_place() -> None:
    noise = np.random.default_rng(8)
    for _ in range(20):
        sides = [each + noise.normal(0, 0.045, each.shape) for each in sides_as_they_should_be()]
        assert all(max(abs(each.along), abs(each.across)) > 150 for each in shifted_characters(sides, LINES))


def test_a_broader_character_is_not_out_of_place() -> None:
    sides = sides_as_they_should_be()
    sides[0][6] += [-0.1, 0.1, -0.1, 0.1]
    assert shifted_characters(sides, LINES) == ()


def test_what_the_image_does_not_show_says_nothing() -> None:
    sides = sides_as_they_should_be()
    sides[1][9] += [0.2, 0.2, 0.0, 0.0]
    sides[1][8:11] = np.nan
    assert shifted_characters(sides, LINES) == ()


def test_those_farthest_off_come_first_and_no_more_than_a_record_has_room_for() -> None:
    sides = sides_as_they_should_be()
    for number, column in enumerate(range(1, 43, 4)):
        sides[1][column, :2] += 0.12 + number * 0.02
    shifted = shifted_characters(sides, LINES)
    off = [abs(each.along) for each in shifted]
    assert len(shifted) == NOTED_MAX
    assert off == sorted(off, reverse=True)


@pytest.mark.parametrize("column", [0, 29])
def test_the_last_of_a_short_line_draws_no_bend_after_it(column: int) -> None:
    lines = ("I<UTOD231458907<<<<<<<<<<<<<<<", "7408122F1204159UTO<<<<<<<<<<<6", "ERIKSSON<<ANNA<MARIA<<<<<<<<<<")
    chance = np.random.default_rng(6)
    sides = [ideal_sides(line) + chance.normal(0, 0.012, (30, 4)) for line in lines]
    sides[1][column] += [-0.2, -0.2, 0.0, 0.0]
    (shifted,) = shifted_characters(sides, lines)
    assert (shifted.line, shifted.column, shifted.along) == (1, column, pytest.approx(-200, abs=60))


def test_places_that_slipped_in_one_line_draw_its_curve_no_farther_than_ink_is_looked_for() -> None:
    true = [start + 16 * np.arange(30) + 0.02 * np.arange(30) ** 2 for start in (50.0, 56.0, 50.0)]
    slipped = [each + np.random.default_rng(7).normal(0, 0.5, 30) for each in true]
    slipped[0][22:29] += 8
    slipped[1][3:6] = np.nan
    for smooth, each in zip(smooth_centres(tuple(slipped)), true, strict=True):
        assert np.abs(smooth(np.arange(30)) - each).max() < 16 * REACH / STRIP_PITCH


@pytest.mark.skipif(not Path(FONT_FOLDER, FONTS[0]).exists(), reason="no OCR-B on this machine")
def test_the_glyphs_sides_are_those_of_the_typeface() -> None:
    assert {each: pytest.approx(sides, abs=4) for each, sides in measured().items()} == SIDES
