"""Names: what one name explains of another, asymmetrically; the expected orderings were set by hand."""

import pytest

from appliance.screen.comparison import compare
from appliance.screen.names import COMMON, shipped_reader
from appliance.screen.verdicts import NAME_POSSIBLE


def likeness(traveller: str, listed: str, *, cut: bool = False) -> float:
    read = shipped_reader().read
    return compare(read(traveller, cut=cut), read(listed))


@pytest.mark.parametrize(
    ("traveller", "listed"),
    [
        ("PHOMMASACK KHAMPHENG", "Khampheng Phommasack"),  # order is free
        ("OSTROVERKH NAZAR", "Nazar Timur Vsevolod Ostroverkh"),  # travels on first and last name
        ("ABDELAZIZ NURISTANI", "'Abd al-Aziz al-Nuristani"),  # joined, particles
        ("NURISTANI", "al-Nuristani"),
        ("DROZDOVSKY EFREM", "Дроздовский Ефрем"),  # any script
        ("KHAMPHENG PHOMMASAK", "Kampeng Pommasack"),  # aspirates
        ("SIPHANDONE VILAYPHON", "Siphandone Vilayphone"),  # -PHONE and -PHON
        ("KEOVONG BOUNMY", "Keowong Bounmi"),  # -VONG and -WONG, Y and I
        ("LIU XIAOMING", "Liu Siaoming"),  # X and S
        ("SAENG PHET NOY", "Saengphet Noy"),  # split tokens
        ("FRIEDRICHBUCHENBERG", "Friedrich Buchenberg"),  # joined tokens
        ("BUCHENBERG FRIDRICH", "Dr. Friedrich Buchenberg"),  # title, misspelling
        ("OERSTED SOEREN", "Ørsted Søren"),
        ("OSTROVERKH JUAN", "John Ostroverkh"),  # one given name in two languages
        ("OSTROVERKH YUSUF", "Joseph Ostroverkh"),
        ("OSTROVERKH BIBI", "Benjamin Ostroverkh"),  # and for short
        ("BUCHENBEROFF ANTON", "Anton Buchenberov"),
        ("OSTROVERKH JC", "Jean-Claude Ostroverkh"),  # initials written together
        ("OSTROVERKH", "Nazar Timur Ostroverkh"),  # one name alone that tells who it is
        ("OSTROVERKH", "Ostrovirkh"),  # nine letters of ten, and no initial
    ],
)
def test_spellings_of_one_name_are_possible_matches(traveller: str, listed: str) -> None:
    assert likeness(traveller, listed) >= NAME_POSSIBLE


@pytest.mark.parametrize(
    ("traveller", "listed"),
    [
        ("PHOMMASACK BOUNMY", "Khampheng Phommasack"),  # another given name
        ("LINDENBERG FRIEDRICH", "Klaus-Peter Friedrich Walter Schulze"),
        ("PHOMMASACK KHAMPHENG SOULIYA VILAY", "Khampheng"),  # much that the list does not know
        ("PAUL MURPHY", "Pol Pot"),
        ("IHAB MAKHLOUF", "Rami Makhlouf"),
        ("SOMBAT", "Khampheng Phommasack"),
        ("N N", "Nazar Nikiforov"),  # initials alone are nobody
        ("NN", "Nazar Nikiforov"),
        ("MOE", "Lin Maung Moe"),  # one common name of three
        ("VELLABATI ALI", "Ali Akbar Velayati"),  # another consonant
        ("OSTROVERKH HASSAN", "Hussein Ostroverkh Nazar"),  # names alike, each in its own right
    ],
)
def test_other_names_are_no_matches(traveller: str, listed: str) -> None:
    assert likeness(traveller, listed) < NAME_POSSIBLE


def test_what_the_traveller_leaves_out_costs_little_and_what_the_list_lacks_costs_much() -> None:
    short, long = "OSTROVERKH NAZAR", "OSTROVERKH NAZAR TIMUR VSEVOLOD"
    assert likeness(short, long) >= NAME_POSSIBLE
    assert likeness(long, short) < NAME_POSSIBLE


def test_a_name_cut_off_by_a_full_field_matches_by_prefix() -> None:
    assert likeness("VONGPHOUTHONE SOMSANITH", "Vongphouthone Somsanithavong", cut=False) < NAME_POSSIBLE
    assert likeness("VONGPHOUTHONE SOMSANITH", "Vongphouthone Somsanithavong", cut=True) == 1.0


def test_two_consonants_left_of_a_word_are_no_initials() -> None:
    assert shipped_reader().read("SOMSANITH KH", cut=True).text == "SOMSANITH KH"
    assert shipped_reader().read("SOMSANITH KH").text == "SOMSANITH K H"
    assert shipped_reader().read("NG MEI").text == "NG MEI"


def test_a_variant_of_a_common_name_is_common() -> None:
    assert shipped_reader().weight("GIOVANNI") == shipped_reader().weight("JOHN") == COMMON


def test_no_given_name_stands_in_two_lines_of_variants() -> None:
    words = [word for line in shipped_reader().forms.variants for word in line]
    assert len(words) == len(set(words))


def test_only_the_last_token_is_cut_off() -> None:
    assert likeness("VONG SOMSANITH", "Vongphouthone Somsanith", cut=True) < NAME_POSSIBLE


def test_a_rare_token_that_differs_weighs_more_than_a_common_one() -> None:
    rare = likeness("NGUYEN OSTROVERKH", "Nguyen Przybylski")
    common = likeness("NGUYEN OSTROVERKH", "Mohammed Ostroverkh")
    assert rare < common


def test_a_name_equals_itself() -> None:
    assert likeness("NGUYEN VAN HUNG", "NGUYEN VAN HUNG") == 1.0


@pytest.mark.parametrize("nothing", ["", "<<<", "---", "'"])
def test_an_empty_name_is_like_nobody(nothing: str) -> None:
    assert likeness(nothing, "Khampheng Phommasack") == 0.0
    assert likeness("KHAMPHENG", nothing) == 0.0
