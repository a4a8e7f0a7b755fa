"""Two names word by word, as the officer sees them; the expected pairs were set by hand."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.judged import WordPair
from appliance.screen.alignment import aligned
from appliance.screen.names import Name, shipped_reader

Row = tuple[str, str, str]


def rows(traveller: str, listed: str, *, cut: bool = False) -> list[Row]:
    read = shipped_reader().read
    return [(pair.traveller, pair.listed, pair.verdict) for pair in aligned(read(traveller, cut=cut), read(listed))]


@pytest.mark.parametrize(
    ("traveller", "listed", "expected"),
    [
        (
            "PHOMMASACK KHAMPHENG",  # order is free
            "Khampheng Phommasack",
            [("PHOMMASACK", "PHOMMASACK", "equal"), ("KHAMPHENG", "KHAMPHENG", "equal")],
        ),
        (
            "OSTROVERKH NAZAR",  # what the list knows more comes last: it tells next to nothing
            "Nazar Timur Ostroverk",
            [("OSTROVERKH", "OSTROVERK", "alike"), ("NAZAR", "NAZAR", "equal"), ("", "TIMUR", "missing")],
        ),
        (
            "NGUYEN PRZYBYLSKI HASSAN",  # what the list lacks tells against it, more than a common name tells for it
            "Nguyen Hassan",
            [("PRZYBYLSKI", "", "missing"), ("NGUYEN", "NGUYEN", "equal"), ("HASSAN", "HASSAN", "equal")],
        ),
        (
            "SAENG PHET NOYSAK",
            "Saengphet Noysak",
            [("SAENG PHET", "SAENGPHET", "written as one"), ("NOYSAK", "NOYSAK", "equal")],
        ),
        (
            "FRIEDRICHBUCHENBERG",
            "Friedrich Buchenberg",
            [("FRIEDRICHBUCHENBERG", "FRIEDRICH BUCHENBERG", "written as one")],
        ),
        ("KHAMENEI A", "Khamenei Ardalan", [("KHAMENEI", "KHAMENEI", "equal"), ("A", "ARDALAN", "initial")]),
    ],
)
def test_each_word_stands_beside_its_partner_the_most_telling_first(
    traveller: str, listed: str, expected: list[Row]
) -> None:
    assert rows(traveller, listed) == expected


def test_a_word_that_the_name_field_cut_off_says_so() -> None:
    traveller, listed = "VONGPHOUTHONE SOMSA", "Vongphouthone Somsanithavong"
    assert rows(traveller, listed, cut=True) == [
        ("VONGPHOUTHONE", "VONGPHOUTHONE", "equal"),
        ("SOMSA", "SOMSANITHAVONG", "cut off"),
    ]
    assert rows(traveller, listed)[1:] == [("SOMSA", "", "missing"), ("", "SOMSANITHAVONG", "missing")]


def test_the_first_of_two_equal_words_is_not_the_one_that_was_cut_off() -> None:
    assert ("MOE", "MOE", "equal") in rows("MOE THIDA MOE", "Moe Thida Moethida", cut=True)


NAMES = st.lists(st.text("ABEKHNOPST", min_size=1, max_size=7), min_size=0, max_size=14).map(" ".join)


def words(name: Name) -> list[str]:
    return sorted(token.text for token in name.tokens)


@given(NAMES, NAMES, st.booleans())
def test_every_word_of_both_names_stands_there_once(one: str, other: str, cut: bool) -> None:
    traveller, listed = shipped_reader().read(one, cut=cut), shipped_reader().read(other)
    pairs = aligned(traveller, listed)
    assert sorted(word for pair in pairs for word in pair.traveller.split()) == words(traveller)
    assert sorted(word for pair in pairs for word in pair.listed.split()) == words(listed)
    assert all((pair.verdict == "missing") == ("" in (pair.traveller, pair.listed)) for pair in pairs)
    assert len(pairs) <= 24  # what a record has room for
    assert all(isinstance(pair, WordPair) for pair in pairs)
