"""Words of a list that are like a traveller's: found by block keys, then measured all at once.

One letter more, less or another leaves the first or the last half of a word as it was, and romanisations differ in
vowels: so words that share their first letters, their last ones or their first consonants are measured, and no others.
"""

import re
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final

from rapidfuzz import process
from rapidfuzz.distance import DamerauLevenshtein

from appliance.formats.person_index import PersonIndex
from appliance.screen.comparison import FOLDED, VARIANT
from appliance.screen.names import Token

PART_MIN: Final = 3
"""Letters of a listed word that may be the first or the last part of a traveller's word."""

SHORT: Final = 5
"""Letters of a fold of which two are enough for a key."""

JOINED_MIN: Final = 6
"""Letters of a word that may be two: of "THANH", which holds THAN and HANH, every such name would have to be read."""

_VOWELS: Final = re.compile(r"[AEIOUY]")


def block_keys(folded: str) -> frozenset[int]:
    """Keys of a word: its first three letters, its last three, its first consonants; two letters of a short word.

    A key is up to eight ASCII characters, zeros behind them, as a big-endian number: so keys sort like their text.
    """
    consonants = _VOWELS.sub("", folded) or folded
    texts = [f"p{folded[:3]}", f"s{folded[-3:]}", f"c{consonants[:4]}"]
    if len(folded) <= SHORT:
        texts += [f"q{folded[:2]}", f"t{folded[-2:]}"]
    return frozenset(int.from_bytes(text.encode("ascii").ljust(8, b"\0"), "big") for text in texts)


class AlikeWords:
    """The words of an index, by key.

    Args:
        index: As opened. Its words are held again in the order of the keys, two references for each word under a key,
            so that what is measured for a key lies in one piece.
    """

    def __init__(self, index: PersonIndex) -> None:
        self._index = index
        self._variants = {words[0]: words for words in index.header.forms.variants}
        self._texts = list(map(index.tokens.__getitem__, index.key_tokens.values))
        self._folds = list(map(index.folds.__getitem__, index.key_tokens.values))

    def alike(self, token: Token, floor: float) -> dict[int, float]:
        """Listed words like this one, and how alike; at least as much as `token_likeness` says."""
        found: dict[int, float] = {}
        keys, starts, words = self._index.keys, self._index.key_tokens.starts, self._index.key_tokens.values
        for key in block_keys(token.folded):
            row = bisect_left(keys, key)
            if row == len(keys) or keys[row] != key:
                continue
            start, end = starts[row], starts[row + 1]
            for place, likeness in _extract(token.text, self._texts[start:end], floor):
                found[words[start + place]] = likeness
            for place, folded in _extract(token.folded, self._folds[start:end], floor / FOLDED):
                word = words[start + place]
                found[word] = max(found.get(word, 0.0), folded * FOLDED)
        for variant in self._variants.get(token.variant, ()) if floor <= VARIANT else ():
            known = self.word(variant)
            if known is not None:
                found[known] = max(found.get(known, 0.0), VARIANT)
        return found

    def beginning(self, text: str) -> Iterable[int]:
        """Listed words that begin so."""
        tokens = self._index.tokens
        return range(bisect_left(tokens, text), bisect_left(tokens, f"{text}\x7f"))

    def parts(self, text: str) -> Iterator[int]:
        """Listed words that this one may be made of: its beginnings and its ends."""
        lengths = range(PART_MIN, len(text) - 1 if len(text) >= JOINED_MIN else 0)
        parts = [text[:length] for length in lengths] + [text[-length:] for length in lengths]
        return (word for part in parts if (word := self.word(part)) is not None)

    def word(self, text: str) -> int | None:
        """The number of this word, None when nobody listed has it."""
        tokens = self._index.tokens
        place = bisect_left(tokens, text)
        return place if place < len(tokens) and tokens[place] == text else None


def _extract(asked: str, texts: Sequence[str], floor: float) -> Iterator[tuple[int, float]]:
    """Which of the texts are like the one asked for, and how much: 0 to 1."""
    found: Sequence[tuple[Any, float, int]] = process.extract(
        asked, texts, scorer=DamerauLevenshtein.normalized_similarity, score_cutoff=floor, limit=None
    )
    return ((place, likeness) for _, likeness, place in found)
