"""The search through words against the comparison with every name: what it finds, and that it loses nothing by bounds.

Blocking may lose a word whose letters were mistyped at both ends; the bounds may lose nothing. So names here are drawn
from few syllables, where words are alike in every way, and each candidate that blocking gives is compared in full.
"""

from hypothesis import given, settings
from hypothesis import strategies as st

from appliance.formats.person_index import PersonIndex
from appliance.screen.alike_words import AlikeWords
from appliance.screen.comparison import compare, joined, runs
from appliance.screen.name_search import NameSearch
from appliance.screen.names import CUT_MIN, Name, NameReader
from provisioning.authority.person_index import person_index
from tests.screen_world import DATED, person

SYLLABLES = ("SAN", "DAR", "THAN", "LI", "XUE", "ZHOU", "MAUNG", "EI", "AL", "DAW", "THI", "A", "PHET", "SAENG", "BOUN")
GIVEN = ("JOHN", "JUAN", "YUSUF", "JOSEPH", "BIBI", "BENJAMIN", "JC", "NIKOLAI", "MYKOLA")
WORDS = st.lists(st.sampled_from(SYLLABLES), min_size=1, max_size=3).map("".join) | st.sampled_from(GIVEN)
NAMES = st.lists(WORDS, min_size=1, max_size=5).map(" ".join)


def index_of(names: list[str]) -> PersonIndex:
    return PersonIndex(person_index([person(name, entry=str(n)) for n, name in enumerate(names)], dated=DATED))


def read(index: PersonIndex, reader: NameReader, number: int) -> Name:
    return reader.name([index.tokens[word] for word in index.name_tokens[number]])


def exhaustive(index: PersonIndex, traveller: Name, floor: float) -> dict[int, float]:
    """By the comparison with every name of the index."""
    reader = NameReader(index.header.forms)
    every = ((number, compare(traveller, read(index, reader, number))) for number in range(len(index.name_tokens)))
    return {number: likeness for number, likeness in every if likeness >= floor}


def blocked(index: PersonIndex, traveller: Name) -> set[int]:
    """Listed words that blocking finds for a word of the traveller, or for neighbours of it run together."""
    words = AlikeWords(index)
    tokens = [*traveller.tokens, *(joined(parts) for _, parts in runs(traveller.tokens))]
    alike = {word for token in tokens for word in words.alike(token, 0.5)}
    begun = set(words.beginning(traveller.tokens[-1].text)) if traveller.cut else set[int]()
    parts = {word for token in traveller.tokens for word in words.parts(token.text)}
    return alike | begun | parts


def explained(index: PersonIndex, traveller: Name, number: int) -> bool:
    """Whether every word of a name that pairs with the traveller's can be reached by blocking."""
    if traveller.cut and len(traveller.tokens[-1].text) < CUT_MIN:  # what is left of it finds nobody
        return False
    within = blocked(index, traveller)
    initials = {token.text[0] for token in traveller.tokens}
    texts = [index.tokens[word] for word in index.name_tokens[number]]
    one_letter = any(len(text) == 1 for text in (*texts, *(token.text for token in traveller.tokens)))
    reached = [word in within for word in index.name_tokens[number] if index.tokens[word][0] in initials]
    return all(reached) and not one_letter


@given(st.lists(NAMES, min_size=1, max_size=40), NAMES, st.booleans(), st.sampled_from((0.85, 0.7, 0.92)))
@settings(max_examples=150, deadline=None)
def test_what_is_found_is_what_the_comparison_says_of_it(
    names: list[str],
    text: str,
    cut: bool,
    floor: float,
) -> None:
    index = index_of(names)
    search = NameSearch(index)
    traveller = search.reader.read(text, cut=cut)
    should = exhaustive(index, traveller, floor)
    does = {name.number: name.likeness for name in search.find(traveller, floor)}
    assert does.items() <= should.items()
    lost = {number for number in should.keys() - does.keys() if explained(index, traveller, number)}
    assert not lost, [" ".join(token.text for token in read(index, search.reader, number).tokens) for number in lost]
