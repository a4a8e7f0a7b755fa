"""From likelihoods to text: check digits decide where the picture is undecided, and only there."""

import numpy as np
import pytest

from appliance.ocr.decoding import decode
from appliance.ocr.network import CHARACTERS

TD3 = ("P<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<", "L898902C36UTO7408122F1204159ZE184226B<<<<<10")
TD1 = ("I<UTOD231458907<<<<<<<<<<<<<<<", "7408122F1204159UTO<<<<<<<<<<<6", "ERIKSSON<<ANNA<MARIA<<<<<<<<<<")
TD1_LONG = ("I<UTOD23145890<7349<<<<<<<<<<<", "3407127M9507122UTO<<<<<<<<<<<2", "STEVENSON<<PETER<JOHN<<<<<<<<<")
TD2 = ("I<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<", "D231458907UTO7408122F1204159<<<<<<<6")
TD2_LONG = ("I<UTOSTEVENSON<<PETER<JOHN<<<<<<<<<<", "D23145890<UTO3407127M95071227349<<<8")
MRVA = ("V<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<", "L8988901C4XXX4009078F96121096ZE184226B<<<<<<")
FRENCH = ("IDFRABERTHIER<<<<<<<<<<<<<<<<<<<<<<<", "8806923102858CORINNE<<<<<<<6512068F6")
ALL = (TD3, TD1, TD1_LONG, TD2, TD2_LONG, MRVA, FRENCH)
"""Doc 9303-4 to 9303-7's own examples, and the French card's."""


def likely(lines: tuple[str, ...], *other: tuple[int, str, float]) -> np.ndarray:
    """Log-probabilities of these lines, with a share given to another character at some places of the joined text."""
    text = "".join(lines)
    shares = np.full((len(text), len(CHARACTERS)), 1e-4)
    shares[np.arange(len(text)), [CHARACTERS.index(character) for character in text]] = 1
    for place, character, share in other:
        shares[place] *= 1 - share
        shares[place, CHARACTERS.index(character)] = share
    return np.log(shares / shares.sum(axis=1, keepdims=True)).astype(np.float32)


@pytest.mark.parametrize("lines", ALL)
def test_specimen_is_itself_and_every_check_digit_holds(lines: tuple[str, ...]) -> None:
    decoded = decode(likely(lines), len(lines), len(lines[0]))
    assert (decoded.text, decoded.read, decoded.holds) == ("".join(lines), "".join(lines), True)


@pytest.mark.parametrize(
    ("lines", "place", "character"),
    [
        (TD3, 44 + 3, "B"),
        (TD3, 57, "1"),
        (TD1, 7, "8"),
        (TD2, 36 + 2, "8"),
        (FRENCH, 36 + 4, "8"),
        (TD1_LONG, 7, "8"),
    ],
)
def test_undecided_character_is_what_the_check_digits_say(lines: tuple[str, ...], place: int, character: str) -> None:
    places = likely(lines, (place, character, 0.6))
    decoded = decode(places, len(lines), len(lines[0]))
    assert decoded.read[place] == character
    assert (decoded.text, decoded.holds) == ("".join(lines), True)
    assert decoded.confidences[place] < 0.5


def test_character_that_the_picture_shows_clearly_is_not_changed_for_a_check_digit() -> None:
    places = likely(TD3, (44 + 3, "B", 0.9999))
    places[44 + 3, CHARACTERS.index("8")] = -30
    decoded = decode(places, 2, 44)
    assert not decoded.holds
    assert decoded.text == decoded.read
    assert decoded.text[44 + 3] == "B"


def test_garbage_is_not_made_valid() -> None:
    chance = np.random.default_rng(3)
    for _ in range(30):
        places = np.log(chance.dirichlet(np.full(len(CHARACTERS), 0.02), 88) + 1e-9).astype(np.float32)
        decoded = decode(places, 2, 44)
        assert not decoded.holds or decoded.text == decoded.read


def test_class_of_a_position_decides_what_the_picture_leaves_open_and_no_more() -> None:
    leaning = decode(likely(TD3, (44 + 13, "O", 0.5)), 2, 44)
    assert leaning.read[44 + 13] == "7"
    romanian = decode(likely(TD3, (44 + 11, "1", 0.9999)), 2, 44)
    assert romanian.read[44 + 11] == "1"


def test_lines_of_no_format_are_given_as_read() -> None:
    decoded = decode(likely(("A" * 40, "B" * 40)), 2, 40)
    assert decoded.layout is None
    assert decoded.text == "A" * 40 + "B" * 40
    assert not decoded.holds
