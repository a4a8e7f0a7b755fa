"""Listed names that a traveller's may be: found through words, not one by one.

`compare(traveller, listed) >= floor` is the same as: the sum over all pairs of weight * (likeness - floor), less what
unmatched tokens cost, is not negative. So each word of the list gains or costs a token of the traveller a number that
is worked out once, and two sums bound what `compare` can say of a name without looking at its letters again:

1. Each listed word stands for one token (or one run of tokens) at most: what every token costs alone, and for each word
   of the name the most that it can make up for.
2. Each token has one listed word at most: for every token the best that a word of the name is to it.

Only names with a word like a *required* token, without which no name can reach the floor, are looked at: those of the
rarest such token, cut down by the others while they are many. Names that both sums let pass are compared in full.
Nothing that passes is left out, however many they are.
"""

import math
from collections.abc import Container, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

from rapidfuzz.distance import DamerauLevenshtein

from appliance.formats.person_index import PersonIndex
from appliance.screen.alike_words import AlikeWords
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
    tells,
)
from appliance.screen.names import COMMON, CUT_MIN, SLIGHT, TOKENS_MAX, Name, NameReader, Token

NAMES_A_LOOK: Final = 100
"""So many names of a word are gone through in the time in which one name's words are looked at."""
ROUNDING: Final = 1e-9
"""Sums of the same numbers in another order."""
_NOTHING: Final = (0.0,) * TOKENS_MAX


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
        parts: Words that this one may be made of, and what it is worth together with its neighbours in a name at most.
        names: How many names have one of these words, each counted as often as it has one.
    """

    token: Token
    loss: float
    gains: dict[int, float] = field(default_factory=dict[int, float])
    parts: dict[int, float] = field(default_factory=dict[int, float])
    names: int = 0

    @property
    def best(self) -> float:
        """What the best word of all is worth to it."""
        if self.loss > 0:
            return self.loss
        return max(max(self.gains.values(), default=self.loss), max(self.parts.values(), default=self.loss))

    @property
    def words(self) -> Iterable[int]:
        """Words that a name may have for it."""
        return self.gains.keys() | self.parts.keys()


class _Wanted:
    """What a traveller's tokens are worth with every listed word that is anything to them.

    Attributes:
        floor: Of the likeness that is asked for.
        alone: What all tokens cost without any word.
        made_up: By word: the most that it makes up for of that.
        by_word: By word: what it is to every token, in their order.
    """

    def __init__(self, floor: float, places: Sequence[_Place], made_up: dict[int, float]) -> None:
        self.floor, self.places, self.made_up = floor, places, made_up
        self.losses = tuple(place.loss for place in places)
        self.alone = sum(self.losses)
        self.parts = frozenset[int]().union(*(place.parts for place in places))
        words = frozenset[int]().union(*(place.gains for place in places))
        self.by_word = {word: tuple([place.gains.get(word, place.loss) for place in places]) for word in words}


class NameSearch:
    """Finds names in an index.

    Args:
        index: As opened.
    """

    def __init__(self, index: PersonIndex) -> None:
        self._index = index
        self._words = AlikeWords(index)
        self.reader = NameReader(index.header.forms)

    def find(self, traveller: Name, floor: float) -> Iterator[FoundName]:
        """Every listed name that `compare` puts at `floor` or above, in no order."""
        wanted = self._wanted(traveller, floor)
        comparison = Comparison(traveller)
        tokens, name_tokens = self._index.tokens, self._index.name_tokens
        starts, values = name_tokens.starts, name_tokens.values
        gained, least = wanted.made_up.get, -wanted.alone - ROUNDING
        # What the list knows more has no upper limit then:
        single = len(traveller.tokens) < AGREEING_MIN and not any(map(tells, traveller.tokens))
        for number in self._candidates(wanted.places):
            words = values[starts[number] : starts[number + 1]].tolist()
            if sum(map(gained, words, _NOTHING)) < least:  # the innermost line: all of it runs in C
                continue
            worth = self._worth(wanted, words)
            if worth < -ROUNDING:
                continue
            if single and wanted.parts.isdisjoint(words) and worth < self._more(wanted, words) * floor - ROUNDING:
                continue
            name = self.reader.name([tokens[word] for word in words])
            likeness = comparison.likeness(name)
            if likeness >= floor:
                yield FoundName(number=number, name=name, likeness=likeness)

    def _worth(self, wanted: _Wanted, words: Sequence[int]) -> float:
        """For each token the best of a name's words, or neighbours that it may be made of, and their sum."""
        if not words:
            return wanted.alone
        best: list[float] = list(
            map(max, zip(*[wanted.by_word.get(word, wanted.losses) for word in words], strict=True))
        )
        if sum(best) < 0 and not wanted.parts.isdisjoint(words):
            for number, place in enumerate(wanted.places):
                if not place.parts.keys().isdisjoint(words):
                    best[number] = max(best[number], self._made_of(place, words, wanted.floor))
        return sum(best)

    def _made_of(self, place: _Place, words: Sequence[int], floor: float) -> float:
        """What a token is worth that neighbours of a name are written as one in; its loss when none are."""
        tokens, first = self._index.tokens, place.token.text[0]
        spelled = [
            words[start:end]
            for start, end in neighbours(len(words))
            if tokens[words[start]][0] == first and self._is_made_of(place.token, words[start:end])
        ]
        most = max((sum(self._weight(word) for word in run) for run in spelled), default=None)
        return place.loss if most is None else (1.0 - floor) * max(most, place.token.weight)

    def _is_made_of(self, token: Token, words: Sequence[int]) -> bool:
        text = "".join([self._index.tokens[word] for word in words])
        if abs(len(text) - len(token.text)) > JOINED_LETTERS:
            return False
        fold = "".join([self._index.folds[word] for word in words])
        plain = DamerauLevenshtein.normalized_similarity(text, token.text, score_cutoff=JOINED_FLOOR)
        return bool(plain) or DamerauLevenshtein.normalized_similarity(fold, token.folded) * FOLDED >= JOINED_FLOOR

    def _more(self, wanted: _Wanted, words: Sequence[int]) -> float:
        """What the words that are nothing to the traveller's only one cost."""
        more = (self.reader.weight(self._index.tokens[word]) for word in words if word not in wanted.by_word)
        return UNMATCHED_LISTED * sum(more)

    def _weight(self, word: int) -> float:
        """How much a listed word tells at most: a name of particles alone tells as much as a common one."""
        text = self._index.tokens[word]
        weight = self.reader.weight(text)
        return weight if len(text) == 1 else max(weight, COMMON)

    def _wanted(self, traveller: Name, floor: float) -> _Wanted:
        places = [self._place(traveller, number, floor) for number in range(len(traveller.tokens))]
        made_up: dict[int, float] = {}
        for covered, parts in runs(traveller.tokens):
            run = joined(parts)
            said = {part.text for part in parts}
            lost = _lost(places, said)
            for word, likeness in self._words.alike(run, JOINED_FLOOR).items():
                gain = (likeness - floor) * max(run.weight, self._weight(word))
                _raise(made_up, word, gain - lost)
                for number, place in enumerate(places):
                    if covered >> number & 1:
                        _raise(place.gains, word, gain)
        _share(places)
        for place in places:
            lost = _lost(places, {place.token.text}) if place.loss < 0 else place.loss
            for worth in (place.gains, place.parts):
                for word, gain in worth.items():
                    _raise(made_up, word, gain - lost)
            names = self._index.names.starts
            place.names = sum(names[word + 1] - names[word] for word in place.words)
        return _Wanted(floor, places, made_up)

    def _place(self, traveller: Name, number: int, floor: float) -> _Place:
        token = traveller.tokens[number]
        cut = traveller.cut and number == len(traveller.tokens) - 1
        if len(token.text) < CUT_MIN and (cut or len(token.text) == 1):
            # Half of all words may begin so: as if every name had the best word for it.
            open_place = _Place(token, (1.0 - floor) if cut else (INITIAL - floor) * COMMON)
            word = self._words.word(token.text)
            open_place.gains = {} if word is None else {word: 1.0 - floor}
            return open_place
        place = _Place(token, -floor * UNMATCHED_TRAVELLER * token.weight)
        words = self._words.alike(token, TOKEN_FLOOR)
        initial = self._words.word(token.text[0])
        if initial is not None:
            words.setdefault(initial, INITIAL)
        if cut:
            words |= dict.fromkeys(self._words.beginning(token.text), 1.0)
        place.gains = {
            word: (likeness - floor) * max(token.weight, self._weight(word)) for word, likeness in words.items()
        }
        place.parts = {
            word: (1.0 - floor) * max(token.weight, self._weight(word) + self._beside(token, word))
            for word in self._words.parts(token.text)
        }
        return place

    def _beside(self, token: Token, part: int) -> float:
        """How much the words tell at most that stand beside this one where a token was written as several."""
        letters = len(token.text) + JOINED_LETTERS - len(self._index.tokens[part])
        return JOIN_MAX - 1.0 if letters >= 4 else 1.0 + SLIGHT  # of three letters, one word is an initial

    def _candidates(self, places: Sequence[_Place]) -> Iterable[int]:
        """Names that may reach the floor: all that do, and not many more."""
        told = sorted((place for place in places if place.loss < 0), key=lambda place: place.names)
        best = sum(place.best for place in places)
        required = [place for place in told if best - place.best + place.loss < -ROUNDING]
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
            if best < -ROUNDING:
                break
        return names


def _lost(places: Sequence[_Place], texts: Container[str]) -> float:
    """What tokens of these texts cost together without a word: one that is said twice is found once for both."""
    return sum(place.loss for place in places if place.loss < 0 and place.token.text in texts)


def _share(places: Sequence[_Place]) -> None:
    """A token that is said twice costs nothing where its like has a word, be it by a cut or a run of its own."""
    for place in places:
        for like in places:
            if like is not place and like.token.text == place.token.text and place.loss < 0:
                for word in like.gains:
                    _raise(place.gains, word, 0.0)


def _raise(worth: dict[int, float], word: int, to: float) -> None:
    if to > worth.get(word, -math.inf):
        worth[word] = to
