"""Listed names that a traveller's may be: found through words, not one by one.

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
from appliance.screen.comparison import (
    AGREEING_MIN,
    FOLDED,
    INITIAL,
    JOIN_MAX,
    JOINED_FLOOR,
    JOINED_LETTERS,
    TOKEN_FLOOR,
    UNMATCHED_LISTED,
    UNMATCHED_TRAVELLER,
    Comparison,
    joined,
    neighbours,
    runs,
)
from appliance.screen.names import COMMON, CUT_MIN, Name, NameReader, Token

NAMES_A_LOOK: Final = 100
"""So many names of a word are gone through in the time in which one name's words are looked at."""
PART_MIN: Final = 3
"""Letters of a listed word that may be the first or the last part of a traveller's word."""

SHORT: Final = 5
"""Letters of a fold of which two are enough for a key."""

JOINED_MIN: Final = 6
"""Letters of a word that may be two: of "THANH", which holds THAN and HANH, every such name would have to be read."""

_VOWELS: Final = re.compile(r"[AEIOUY]")


def block_keys(folded: str) -> frozenset[int]:
    """Keys of a word: its first letters, its last letters, its first consonants.

    One letter more, less or another leaves the first or the last half of a word as it was: three letters of six, two
    of a short word. Vowels are what romanisations differ in.

    A key is up to eight ASCII characters, zeros behind them, as a big-endian number: so keys sort like their text.
    """
    consonants = _VOWELS.sub("", folded) or folded
    texts = [f"p{folded[:3]}", f"s{folded[-3:]}", f"c{consonants[:4]}"]
    if len(folded) <= SHORT:
        texts += [f"q{folded[:2]}", f"t{folded[-2:]}"]
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
        token: Itself.
        loss: What it costs to find no word for it, below 0; above 0 for one that any word may stand for.
        gains: By word; a run's words are worth something to all of its tokens.
        parts: Words that this one may be made of, together with their neighbours in a name.
        joined: What such neighbours are worth at most.
        names: How many names have one of these words, each counted as often as it has one.
    """

    token: Token
    loss: float
    gains: dict[int, float] = field(default_factory=dict[int, float])
    parts: frozenset[int] = frozenset()
    joined: float = 0.0
    names: int = 0

    @property
    def best(self) -> float:
        """What the best word of all is worth to it, 0 at least where some word is needed."""
        found = max(self.gains.values(), default=self.loss)
        return max(found, self.joined if self.parts else 0.0) if self.loss < 0 else self.loss

    @property
    def words(self) -> Iterable[int]:
        """Words that a name may have for it."""
        return self.gains.keys() | self.parts


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
        comparison = Comparison(traveller)
        places = [self._place(traveller, place, floor) for place in range(len(traveller.tokens))]
        tokens = self._index.tokens
        losses = tuple(place.loss for place in places)
        starts, values = self._index.name_tokens.starts, self._index.name_tokens.values
        gains, parts = _by_word(places), frozenset[int]().union(*(place.parts for place in places))
        alone = len({token.text for token in traveller.tokens}) < AGREEING_MIN
        for number in self._candidates(places):
            # The two innermost lines: for each token the best of the name's words, and their sum.
            words = values[starts[number] : starts[number + 1]].tolist()
            worth = sum(map(max, zip(*[gains.get(word, losses) for word in words], strict=True)))
            if worth < 0 and not parts.isdisjoint(words):
                worth = sum(self._worth(place, words) for place in places)
            if worth < 0 or (alone and worth < self._more(places[0], words) * floor):
                continue
            name = self.reader.name([tokens[word] for word in words])
            likeness = comparison.likeness(name)
            if likeness >= floor:
                yield FoundName(number=number, name=name, likeness=likeness)

    def _worth(self, place: _Place, words: Sequence[int]) -> float:
        """What the best of a name's words is worth to a token, or neighbours that it may be made of."""
        get, loss = place.gains.get, place.loss
        worth = max([get(word, loss) for word in words]) if words else loss
        if place.parts and worth < place.joined and not place.parts.isdisjoint(words):
            tokens, first = self._index.tokens, place.token.text[0]
            for start, end in neighbours(len(words)):
                if tokens[words[start]][0] == first and self._is_made_of(place.token, words[start:end]):
                    return place.joined
        return worth

    def _is_made_of(self, token: Token, words: Sequence[int]) -> bool:
        text = "".join(self._index.tokens[word] for word in words)
        if abs(len(text) - len(token.text)) > JOINED_LETTERS:
            return False
        fold = "".join(self._index.folds[word] for word in words)
        plain = DamerauLevenshtein.normalized_similarity(text, token.text, score_cutoff=JOINED_FLOOR)
        return bool(plain) or DamerauLevenshtein.normalized_similarity(fold, token.folded) * FOLDED >= JOINED_FLOOR

    def _more(self, place: _Place, words: Sequence[int]) -> float:
        """What the words that are nothing to the traveller's only one cost."""
        more = (self.reader.weight(self._index.tokens[word]) for word in words if word not in place.words)
        return UNMATCHED_LISTED * sum(more)

    def _place(self, traveller: Name, number: int, floor: float) -> _Place:
        token = traveller.tokens[number]
        cut = traveller.cut and number == len(traveller.tokens) - 1
        if len(token.text) < CUT_MIN and (cut or len(token.text) == 1):
            # Half of all words may begin so: as if every name had the best word for it.
            open_place = _Place(token, (1.0 - floor) if cut else (INITIAL - floor) * COMMON)
            word = self._word(token.text)
            open_place.gains = {} if word is None else {word: 1.0 - floor}
            return open_place
        place = _Place(token, -floor * UNMATCHED_TRAVELLER * token.weight)
        words = self._alike(token, TOKEN_FLOOR)
        initial = self._word(token.text[0])
        if initial is not None:
            words.setdefault(initial, INITIAL)
        if cut:
            words |= dict.fromkeys(self._beginning(token.text), 1.0)
        weight = self.reader.weight
        place.gains = {
            word: (likeness - floor) * max(token.weight, weight(self._index.tokens[word]))
            for word, likeness in words.items()
        }
        for covered, parts in runs(traveller.tokens):
            if covered >> number & 1:
                run = joined(parts)
                _add(place, self._alike(run, JOINED_FLOOR), (1.0 - floor) * run.weight)
        place.parts = frozenset(self._parts(token.text))
        place.joined = (1.0 - floor) * JOIN_MAX
        place.names = sum(len(self._index.names[word]) for word in place.words)
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
        """Listed words that this one may be made of: its beginnings and its ends."""
        lengths = range(PART_MIN, len(text) - 1 if len(text) >= JOINED_MIN else 0)
        parts = [text[:length] for length in lengths] + [text[-length:] for length in lengths]
        return (word for part in parts if (word := self._word(part)) is not None)

    def _word(self, text: str) -> int | None:
        tokens = self._index.tokens
        place = bisect_left(tokens, text)
        return place if place < len(tokens) and tokens[place] == text else None

    def _candidates(self, places: Sequence[_Place]) -> Iterable[int]:
        """Names that may reach the floor: all that do, and not many more."""
        told = sorted((place for place in places if place.loss < 0), key=lambda place: place.names)
        best = sum(place.best for place in places)
        required = [place for place in told if best - place.best + place.loss < 0]
        if not required:
            return self._with_any(told or places, best)
        names = self._with(required[0])
        for place in required[1:]:
            if place.names > len(names) * NAMES_A_LOOK:
                break
            names = set().union(*(names.intersection(self._index.names[word]) for word in place.words))
        return names

    def _with(self, place: _Place) -> set[int]:
        return set().union(*(self._index.names[word] for word in place.words))

    def _with_any(self, places: Sequence[_Place], best: float) -> set[int]:
        """Names with a word for one of the rarest tokens, of which together one is required; `best` is for all."""
        names = set[int]()
        for place in places:
            names |= self._with(place)
            best += place.loss - place.best
            if best < 0:
                break
        return names


def _by_word(places: Sequence[_Place]) -> dict[int, tuple[float, ...]]:
    """What each word is worth to every token, in their order."""
    words = frozenset[int]().union(*(place.gains for place in places))
    return {word: tuple(place.gains.get(word, place.loss) for place in places) for word in words}


def _add(place: _Place, words: Iterable[int], gain: float) -> None:
    for word in words:
        place.gains[word] = max(gain, place.gains.get(word, 0.0))


def _extract(asked: str, texts: Sequence[str], floor: float) -> Iterator[tuple[int, float]]:
    """Which of the texts are like the one asked for, and how much: 0 to 1."""
    found: Sequence[tuple[Any, float, int]] = process.extract(
        asked, texts, scorer=DamerauLevenshtein.normalized_similarity, score_cutoff=floor, limit=None
    )
    return ((place, likeness) for _, likeness, place in found)
