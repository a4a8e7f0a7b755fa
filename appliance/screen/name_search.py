"""Listed names that a traveller's may be: found through words, not one by one (screening.md §4, blocking).

`compare(traveller, listed) >= floor` is the same as: the sum over all pairs of weight * (likeness - floor), less what
unmatched tokens cost, is not negative. So each word of the list gains or costs a token of the traveller a number that
is worked out once, and the sum bounds what `compare` can say of a name without looking at its letters again.

1. Block keys name the words that may be like a token; rapidfuzz says how alike, in one call for all of them.
2. A token without which no name can reach the floor is required: only names with a word like it are looked at,
   those of the rarest such token first, cut down by the others while they are many.
3. Names whose sum reaches zero are compared in full. Nothing that passes is left out, however many they are.
"""

import re
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from rapidfuzz import process
from rapidfuzz.distance import DamerauLevenshtein

from appliance.formats.person_index import PersonIndex
from appliance.screen.names import (
    FOLDED,
    INITIAL,
    JOIN_MAX,
    JOINED_FLOOR,
    SLIGHT,
    TOKEN_FLOOR,
    UNMATCHED_TRAVELLER,
    Name,
    NameReader,
    Token,
    compare,
)

NAMES_FEW: Final = 500
"""So many names are looked at one by one rather than cut down further."""
PART_MIN: Final = 3
"""Letters of a listed word that may be the first or the last part of a traveller's word."""

_VOWELS: Final = re.compile(r"[AEIOUY]")


def block_keys(folded: str) -> frozenset[int]:
    """Keys of a word: its first letters, its first consonants, its last consonants.

    A key is up to eight ASCII characters, zeros behind them, as a big-endian number: so keys sort like their text.
    """
    consonants = _VOWELS.sub("", folded) or folded
    texts = (f"p{folded[:3]}", f"c{consonants[:4]}", f"e{consonants[-3:]}")
    return frozenset(int.from_bytes(text.encode("ascii").ljust(8, b"\0"), "big") for text in texts)


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundName:
    """A listed name at or above the floor: its number in the index, its words, how well it explains the traveller's."""

    number: int
    name: Name
    likeness: float


@dataclass(slots=True)
class _Place:
    """One token of the traveller, and what each listed word is worth to it.

    Attributes:
        loss: What it costs to find no word for it, below 0; for a run 0.
        gains: By word; a run's words are worth something to all of its tokens.
        names: How many names have one of these words, each counted as often as it has one.
    """

    loss: float
    gains: dict[int, float] = field(default_factory=dict[int, float])
    names: int = 0

    @property
    def best(self) -> float:
        return max(self.gains.values(), default=self.loss)


class NameSearch:
    """Finds names in an index.

    Args:
        index: As opened.
    """

    def __init__(self, index: PersonIndex) -> None:
        self._index = index
        self.reader = NameReader(index.header.forms)

    def find(self, traveller: Name, floor: float) -> Iterator[FoundName]:
        """Every listed name that `compare` puts at `floor` or above, in no order."""
        places = [self._place(traveller, place, floor) for place in range(len(traveller.tokens))]
        tokens = self._index.tokens
        for number in self._candidates(places):
            words = self._index.name_tokens[number]
            if sum(max((place.gains.get(word, place.loss) for word in words), default=0.0) for place in places) < 0:
                continue
            name = self.reader.name([tokens[word] for word in words])
            likeness = compare(traveller, name)
            if likeness >= floor:
                yield FoundName(number=number, name=name, likeness=likeness)

    def _place(self, traveller: Name, number: int, floor: float) -> _Place:
        token = traveller.tokens[number]
        place = _Place(loss=-floor * UNMATCHED_TRAVELLER * token.weight)
        if token.weight <= SLIGHT:
            # It comes and goes, and half the list may have it: as if every name had the best word for it.
            place.loss = 1.0 - floor
            return place
        words = self._alike(token, TOKEN_FLOOR)
        if traveller.cut and number == len(traveller.tokens) - 1:
            words |= dict.fromkeys(self._beginning(token.text), 1.0)
        weight = self.reader.weight
        place.gains = {
            word: (likeness - floor) * max(token.weight, weight(self._index.tokens[word]))
            for word, likeness in words.items()
        }
        for run in traveller.runs:
            if run.places >> number & 1:
                _add(place, self._alike(run.token, JOINED_FLOOR), (1.0 - floor) * run.token.weight)
        _add(place, self._parts(token.text), (1.0 - floor) * JOIN_MAX)
        place.names = sum(len(self._index.names[word]) for word in place.gains)
        return place

    def _alike(self, token: Token, floor: float) -> dict[int, float]:
        """Listed words like this one, and how alike; at least as much as `token_likeness` says."""
        words = list(self._blocked(token.folded))
        found: dict[int, float] = {}
        for asked, texts, factor in (
            (token.text, self._index.tokens, 1.0),
            (token.folded, self._index.folds, FOLDED),
        ):
            for place, likeness in _extract(asked, [texts[word] for word in words], floor / factor):
                found[words[place]] = max(found.get(words[place], 0.0), likeness * factor)
        initial = self._word(token.text[0])
        if initial is not None:
            found.setdefault(initial, INITIAL)
        return found

    def _blocked(self, folded: str) -> set[int]:
        words: set[int] = set()
        keys = self._index.keys
        for key in block_keys(folded):
            place = bisect_left(keys, key)
            if place < len(keys) and keys[place] == key:
                words.update(self._index.key_tokens[place])
        return words

    def _beginning(self, text: str) -> Iterable[int]:
        tokens = self._index.tokens
        return range(bisect_left(tokens, text), bisect_left(tokens, f"{text}\x7f"))

    def _parts(self, text: str) -> Iterator[int]:
        """Listed words that this one may be made of: the first, or the last behind a particle."""
        for length in range(PART_MIN, len(text) - 1):
            for part in (text[:length], text[-length:]):
                word = self._word(part)
                if word is not None:
                    yield word

    def _word(self, text: str) -> int | None:
        tokens = self._index.tokens
        place = bisect_left(tokens, text)
        return place if place < len(tokens) and tokens[place] == text else None

    def _candidates(self, places: Sequence[_Place]) -> Iterable[int]:
        """Names that may reach the floor: all that do, and not many more."""
        told = sorted((place for place in places if place.loss < 0), key=lambda place: place.names)
        best = sum(max(place.best, 0.0) if place.loss < 0 else place.loss for place in places)
        required = [place for place in told if best - max(place.best, 0.0) + place.loss < 0]
        if not required:
            return self._with_any(told)
        names = self._with(required[0])
        for place in required[1:]:
            if len(names) <= NAMES_FEW:
                break
            names = set().union(*(names.intersection(self._index.names[word]) for word in place.gains))
        return names

    def _with(self, place: _Place) -> set[int]:
        return set().union(*(self._index.names[word] for word in place.gains))

    def _with_any(self, places: Sequence[_Place]) -> set[int]:
        """Names with a word for one of the rarest tokens, of which together one is required."""
        best, names = sum(max(place.best, 0.0) for place in places), set[int]()
        for place in places:
            names |= self._with(place)
            best += place.loss - max(place.best, 0.0)
            if best < 0:
                break
        return names


def _add(place: _Place, words: Iterable[int], gain: float) -> None:
    for word in words:
        place.gains[word] = max(gain, place.gains.get(word, 0.0))


def _extract(asked: str, texts: Sequence[str], floor: float) -> Iterator[tuple[int, float]]:
    """Which of the texts are like the one asked for, and how much: 0 to 1."""
    found: Sequence[tuple[Any, float, int]] = process.extract(
        asked, texts, scorer=DamerauLevenshtein.normalized_similarity, score_cutoff=floor, limit=None
    )
    return ((place, likeness) for _, likeness, place in found)
