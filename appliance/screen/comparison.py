"""Names compared: tokens aligned without regard to order, asymmetrically, with truncation.

A listed person travels on first and last name and leaves the others out; so a listed token that the traveller lacks
costs almost nothing, and a traveller's token that the list lacks costs much. Tokens that many people
share tell less than rare ones. The comparison knows names only: no nationality, sex or age enters it (I6).
"""

import functools
from collections.abc import Iterator, Sequence
from typing import Final

from rapidfuzz.distance import DamerauLevenshtein

from appliance.screen.names import COMMON, Name, Token

TOKEN_FLOOR: Final = 0.7
"""Two tokens less alike than this are not the same name."""
UNMATCHED_TRAVELLER: Final = 0.8
UNMATCHED_LISTED: Final = 0.1
UNMATCHED_LISTED_MAX: Final = 0.08
"""All that the list knows more costs at most this share of what agrees: people leave out four names of six, too."""
AGREEING_MIN: Final = 2
"""... if so many words agree, or one that tells who somebody is and is spelled alike ("Ostroverkh" alone).

One common word of three ("Moe Moe", "Lin Maung Moe") is another name, not one left out.
"""
JOIN_MAX: Final = 3
"""Neighbouring tokens of one side that may be written as one on the other."""
JOINED_FLOOR: Final = 0.85
"""Words run together are less alike by chance than single ones, so more is asked of them."""
JOINED_LETTERS: Final = 2
"""So many letters more or less are looked at."""
INITIAL: Final = 0.9
"""Likeness of an initial and the word that it may stand for; it tells no more than a common word."""
FOLDED: Final = 0.97
"""Likeness of tokens that differ in romanisation only."""
VARIANT: Final = 0.95
"""Likeness of tokens that are one given name in two languages, or for short."""
CONSONANTS: Final = 0.02
"""Vowels change with the romanisation; words that differ in a consonant are so much less alike."""
_NO_VOWELS: Final = str.maketrans("", "", "AEIOUY")

Pair = tuple[float, int, int, float, float]
"""Rank, places on the traveller's and on the listed side (a bit each), how much the pair tells, and its likeness."""
_Row = tuple[float, int, float, float]
"""A pair with one listed word, wherever that stands: rank, the traveller's places, how much it tells, likeness."""


class Comparison:
    """A traveller's name, to be held against many listed ones.

    Listed names share words, and so what the traveller has for a word is worked out once.
    """

    def __init__(self, traveller: Name) -> None:
        self._tokens = traveller.tokens
        self._cut = len(traveller.tokens) - 1 if traveller.cut else -1
        self._telling = sum(1 << place for place, token in enumerate(traveller.tokens) if tells(token))
        self._runs = list(runs(traveller.tokens))
        self._rows: dict[Token, list[_Row]] = {}
        self._by_letter: dict[str, list[tuple[int, Token]]] = {}
        for place, token in enumerate(traveller.tokens):
            self._by_letter.setdefault(token.text[0], []).append((1 << place, token))

    def likeness(self, listed: Name) -> float:
        """How well the listed name explains the traveller's, 0 to 1; asymmetric.

        Every telling token of the traveller should be found on the list; not the other way round.
        """
        matched = paired = 0.0
        used_traveller = used_listed = agreeing = 0
        spelled = told = False
        for _, mine, theirs, weight, likeness in self.taken(listed):
            used_traveller |= mine
            used_listed |= theirs
            matched += weight * likeness
            paired += weight
            agreeing += mine.bit_count() + theirs.bit_count() - 1
            spelled = spelled or likeness != INITIAL or not self._is_initial(mine, theirs, listed.tokens)
            told = told or (likeness >= FOLDED and bool(mine & self._telling))
        if not spelled:  # initials alone are nobody's name
            return 0.0
        more = UNMATCHED_LISTED * _left(listed.tokens, used_listed)
        if agreeing >= AGREEING_MIN or told:
            more = min(more, UNMATCHED_LISTED_MAX * paired)
        whole = paired + UNMATCHED_TRAVELLER * _left(self._tokens, used_traveller) + more
        return matched / whole if whole else 0.0

    def _is_initial(self, mine: int, theirs: int, listed: Sequence[Token]) -> bool:
        """Whether these places hold one word each, one of them an initial."""
        words = (self._tokens[mine.bit_length() - 1], listed[theirs.bit_length() - 1])
        return mine.bit_count() == theirs.bit_count() == 1 and any(len(word.text) == 1 for word in words)

    def taken(self, listed: Name) -> list[Pair]:
        """The pairs that are held against each other: the best first, each token in one pair at most."""
        used_traveller = used_listed = 0
        taken: list[Pair] = []
        for pair in sorted(self._pairs(listed.tokens), reverse=True):
            _, mine, theirs, _, _ = pair
            if not (used_traveller & mine or used_listed & theirs):
                used_traveller |= mine
                used_listed |= theirs
                taken.append(pair)
        return taken

    def _pairs(self, listed: Sequence[Token]) -> list[Pair]:
        pairs: list[Pair] = []
        rows, place = self._rows, 1
        for theirs in listed:
            found = rows.get(theirs)
            if found is None:
                found = rows[theirs] = list(self._with(theirs))
            pairs += [(rank, mine, place, weight, likeness) for rank, mine, weight, likeness in found]
            place <<= 1
        for start, end in neighbours(len(listed)):
            alike = self._by_letter.get(listed[start].text[0])
            if alike is not None:
                parts, places = listed[start:end], (1 << end) - (1 << start)
                for mine, token in alike:
                    as_one = _written_as_one(parts, token)
                    if as_one is not None:
                        rank, weight, likeness = as_one
                        pairs.append((rank, mine, places, weight, likeness))
        return pairs

    def _with(self, theirs: Token) -> Iterator[_Row]:
        """What the traveller has for one listed word."""
        for place, mine in enumerate(self._tokens):
            likeness = token_likeness(mine, theirs)
            if place == self._cut and len(mine.text) > 1 and theirs.text.startswith(mine.text):
                likeness = 1.0
            if likeness:
                initial = len(mine.text) != len(theirs.text) and 1 in (len(mine.text), len(theirs.text))
                weight = COMMON if initial else max(mine.weight, theirs.weight)
                yield likeness * (1 + 2 * mine.weight), 1 << place, weight, likeness
        for places, parts in self._runs:
            if parts[0].text[0] == theirs.text[0]:
                as_one = _written_as_one(parts, theirs)
                if as_one is not None:
                    rank, weight, likeness = as_one
                    yield rank, places, weight, likeness


def compare(traveller: Name, listed: Name) -> float:
    """`Comparison.likeness` of one pair."""
    return Comparison(traveller).likeness(listed)


def tells(token: Token) -> bool:
    """Whether a word alone tells who somebody is, as far as a word can."""
    return token.weight > COMMON


def _left(tokens: Sequence[Token], used: int) -> float:
    """Weight of the tokens that found no partner; a name said twice counts once."""
    if used == (1 << len(tokens)) - 1:
        return 0.0
    said = {token.text for place, token in enumerate(tokens) if used >> place & 1}
    return sum(token.weight for place, token in enumerate(tokens) if not used >> place & 1 and token.text not in said)


def runs(tokens: Sequence[Token]) -> Iterator[tuple[int, Sequence[Token]]]:
    """Neighbours that may be written as one ("SAENG PHET", "SAENGPHET"): their places, a bit each, and themselves."""
    for start, end in neighbours(len(tokens)):
        yield (1 << end) - (1 << start), tokens[start:end]


@functools.cache
def neighbours(count: int) -> tuple[tuple[int, int], ...]:
    """Of so many words: where up to JOIN_MAX neighbours begin and end."""
    return tuple(
        (start, end) for start in range(count - 1) for end in range(start + 2, min(start + JOIN_MAX, count) + 1)
    )


def joined(parts: Sequence[Token]) -> Token:
    """Words run together, as heavy as all of them."""
    weight = sum(part.weight for part in parts)
    return Token("".join([part.text for part in parts]), "".join([part.folded for part in parts]), weight)


def _written_as_one(parts: Sequence[Token], word: Token) -> tuple[float, float, float] | None:
    """Neighbours of one name that stand as one word of the other, which begins as they do: rank, weight, likeness."""
    lengths = [len(part.text) for part in parts]
    if abs(len(word.text) - sum(lengths)) > JOINED_LETTERS or len(word.text) <= max(lengths):
        return None
    run = joined(parts)
    likeness = token_likeness(run, word)
    if likeness < JOINED_FLOOR:
        return None
    weight = max(word.weight, run.weight)
    return likeness * (1 + (len(parts) + 1) * weight), weight, likeness


@functools.lru_cache(maxsize=65_536)
def token_likeness(mine: Token, theirs: Token) -> float:
    """How alike two words are, 0 to 1; 0 under TOKEN_FLOOR."""
    if mine.text == theirs.text:
        return 1.0
    if len(mine.text) == 1 or len(theirs.text) == 1:
        return INITIAL if mine.text[0] == theirs.text[0] else 0.0
    variant = VARIANT if mine.variant and mine.variant == theirs.variant else 0.0
    if abs(len(mine.text) - len(theirs.text)) > 3:
        return variant
    if mine.folded == theirs.folded:
        return FOLDED
    plain = DamerauLevenshtein.normalized_similarity(mine.text, theirs.text)
    folded = DamerauLevenshtein.normalized_similarity(mine.folded, theirs.folded) * FOLDED
    likeness = max(plain, folded)
    if mine.folded.translate(_NO_VOWELS) != theirs.folded.translate(_NO_VOWELS):
        likeness -= CONSONANTS
    return max(likeness if likeness >= TOKEN_FLOOR else 0.0, variant)
