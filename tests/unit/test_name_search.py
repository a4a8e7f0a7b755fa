"""Finding names in an index: what the comparison would say of all of them, without asking all of them."""

import random
from collections.abc import Sequence

import pytest

from appliance.formats.person_index import PersonIndex
from appliance.screen.comparison import compare
from appliance.screen.name_search import NameSearch
from appliance.screen.names import Name
from appliance.screen.verdicts import NAME_POSSIBLE
from provisioning.authority.person_index import person_index
from tests.benchmarks.synthetic_names import Holder, listed
from tests.screen_world import DATED, person

LETTERS = "AEIOUHKNTS"
FOUND_MIN = 0.95
"""Share of what the comparison finds that blocking may not lose, for names with up to two errors of typing. What is
lost are words run together and mistyped in both halves."""


def search_of(*names: str) -> NameSearch:
    people = [person(name, entry=str(number)) for number, name in enumerate(names)]
    return NameSearch(PersonIndex(person_index(people, dated=DATED)))


def found(traveller: str, *names: str, cut: bool = False) -> set[str]:
    search = search_of(*names)
    return {name.name.text for name in search.find(search.reader.read(traveller, cut=cut), NAME_POSSIBLE)}


def mistyped(words: Sequence[str], rng: random.Random) -> list[str]:
    """One letter more, less or another, in a word of them."""
    place = rng.randrange(len(words))
    word = words[place]
    at = rng.randrange(len(word))
    instead = rng.choice(["", rng.choice(LETTERS), rng.choice(LETTERS) + word[at]])
    return [*words[:place], (word[:at] + instead + word[at + 1 :]) or word, *words[place + 1 :]]


def travelling(holder: Holder, rng: random.Random) -> tuple[str, bool]:
    """How a listed person may come: turned around, mistyped, words joined or split, cut off at the end."""
    words = holder.name.split()
    for _ in range(rng.choice((0, 1, 1, 2))):
        words = mistyped(words, rng)
    if rng.random() < 0.3:
        rng.shuffle(words)
    if rng.random() < 0.2 and len(words) > 1:
        words = [words[0] + words[1], *words[2:]]
    cut = rng.random() < 0.2
    if cut:
        words[-1] = words[-1][: max(2, len(words[-1]) - 2)]
    return " ".join(words), cut


def test_blocking_loses_next_to_nothing_of_what_the_comparison_finds_and_adds_nothing() -> None:
    holders = list(listed(1_200, 3))
    search = search_of(*(holder.name for holder in holders))
    names: dict[int, Name] = {
        number: search.reader.read(holder.name) for number, holder in enumerate(_distinct(holders))
    }
    rng = random.Random(5)
    wanted = got = 0
    for holder in rng.sample(holders, 120):
        text, cut = travelling(holder, rng)
        traveller = search.reader.read(text, cut=cut)
        should = {number for number, name in names.items() if compare(traveller, name) >= NAME_POSSIBLE}
        does = {name.number for name in search.find(traveller, NAME_POSSIBLE)}
        assert does <= should
        wanted, got = wanted + len(should), got + len(does)
    assert wanted > 80
    assert got >= FOUND_MIN * wanted


def _distinct(holders: Sequence[Holder]) -> list[Holder]:
    """One of each name, in the order of the list: so the index numbers them."""
    return list({holder.name: holder for holder in holders}.values())


@pytest.mark.parametrize(
    ("traveller", "name"),
    [
        ("OMMASACK KHAMPHENG", "PHOMMASACK KHAMPHENG"),  # the beginning misread
        ("SAENG PHET NOY", "SAENGPHET NOY"),
        ("SAENGPHET NOY", "SAENG PHET NOY"),
        ("FRIDRICHBUCHENBERG", "FRIEDRICH BUCHENBERG"),
        ("BASHAR ALASSAD", "BASHAR AL ASSAD"),
        ("KHAMENEI ALI", "A KHAMENEI"),
        ("PHIM 5ARA", "PHIM SARA"),  # a digit for a letter
    ],
)
def test_spellings_are_found_through_their_words(traveller: str, name: str) -> None:
    assert found(traveller, name, "SOMEBODY ELSE") == {name}


def test_a_cut_off_word_is_found_by_its_beginning_alone() -> None:
    assert found("VONGPHOUTHONE SOMSA", "VONGPHOUTHONE SOMSANITHAVONG", cut=True) == {"VONGPHOUTHONE SOMSANITHAVONG"}
    assert found("VONGPHOUTHONE SOMSA", "VONGPHOUTHONE SOMSANITHAVONG") == set()


def test_what_is_left_of_a_word_of_two_letters_neither_finds_nor_hides() -> None:
    assert found("VONGPHOUTHONE SO", "VONGPHOUTHONE SOMSANITH", cut=True) == {"VONGPHOUTHONE SOMSANITH"}


def test_six_names_are_found_by_two_of_them_and_one_word_of_four_finds_nobody() -> None:
    long = "ABD AL RAHMAN KHALAF UBAYD JUDAY AL ANIZI"
    assert found("ANIZI RAHMAN", long) == {long}
    assert found("MOE MOE", "LIN MAUNG MOE THIDA") == set()


def test_particles_alone_are_a_name_when_there_is_nothing_else() -> None:
    assert found("DAW THI", "DAW THI") == {"DAW THI"}


def test_one_spelling_is_one_name_whoever_bears_it() -> None:
    search = search_of("KO MYO", "KO MYO", "MYO KO")
    assert len(list(search.find(search.reader.read("KO MYO"), NAME_POSSIBLE))) == 2
