"""Names compared: tokens aligned without regard to order, asymmetrically, with transliteration and truncation.

A listed person travels on first and last name and leaves the others out; so a listed token that the traveller lacks
costs almost nothing, and a traveller's token that the list lacks costs much (screening.md §4). Tokens that many people
share tell less than rare ones. The comparison knows names only: no nationality, sex or age enters it (I6).
"""

import functools
import re
import tomllib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib import resources
from typing import Any, Final

from anyascii import anyascii
from rapidfuzz.distance import DamerauLevenshtein

_FORMS: Final[dict[str, Any]] = tomllib.loads(
    resources.files(__package__ or "").joinpath("name_forms.toml").read_text(encoding="utf-8")
)
FORMS_VERSION: Final[int] = _FORMS["version"]
_TITLES: Final = frozenset[str](_FORMS["titles"])
_PARTICLES: Final = frozenset[str](_FORMS["particles"])
_COMMON: Final = frozenset[str](_FORMS["common"])
_FOLDS: Final = tuple((str(old), str(new)) for old, new in _FORMS["folds"])

TOKENS_MAX: Final = 12
"""Tokens of one name that are looked at; the longest names of the UN list have ten."""
TOKEN_FLOOR: Final = 0.7
"""Two tokens less alike than this are not the same name."""
UNMATCHED_TRAVELLER: Final = 0.8
UNMATCHED_LISTED: Final = 0.1
JOIN_MAX: Final = 3
"""Neighbouring tokens of one side that may be written as one on the other."""
FOLDED: Final = 0.97
"""Likeness of tokens that differ in romanisation only."""

SLIGHT: Final = 0.2
"""Weight of tokens that come and go."""

_NOT_LETTERS: Final = re.compile(r"[^A-Z0-9]+")
_APOSTROPHES: Final = re.compile("['`\u02bb\u02bc\u2018\u2019]")
_REPEATED: Final = re.compile(r"(.)\1+")
_VOWELS: Final = re.compile(r"(?<!^)[AEIOUY]")


@dataclass(frozen=True, slots=True)
class Token:
    """One word of a name.

    Attributes:
        text: Upper-case letters and digits.
        folded: The same with romanisations made one.
        weight: How much it tells, 0 to 1.
    """

    text: str
    folded: str
    weight: float


@dataclass(frozen=True, slots=True)
class Name:
    """A name ready for comparison.

    Attributes:
        tokens: At most TOKENS_MAX.
        cut: The last token may have been cut off by a full name field (Doc 9303-3 §4.6): it matches by prefix.
    """

    tokens: tuple[Token, ...]
    cut: bool = False

    @property
    def text(self) -> str:
        """As compared, for the record."""
        return " ".join(token.text for token in self.tokens)

    @property
    def telling(self) -> int:
        """How many of its tokens tell something."""
        return sum(token.weight > SLIGHT for token in self.tokens)

    @property
    def common(self) -> bool:
        """Whether every token of it is one that many people share."""
        return all(token.text in _COMMON or token.text in _PARTICLES for token in self.tokens)


@functools.lru_cache(maxsize=16_384)
def _token(text: str) -> Token:
    folded = text
    for old, new in _FOLDS:
        folded = folded.replace(old, new)
    folded = _REPEATED.sub(r"\1", folded)
    return Token(text, folded or text, _weight(text))


def _weight(text: str) -> float:
    if text in _TITLES:
        return 0.05
    if text in _PARTICLES or len(text) == 1:
        return SLIGHT
    if text in _COMMON:
        return 0.6
    return 1.0


def read_name(text: str, *, cut: bool = False) -> Name:
    """Make a name comparable: any script to upper-case ASCII, split at what is no letter or digit.

    Args:
        text: The whole name; the order of its parts does not matter, save that a cut-off token stands last.
        cut: Whether the last token may be cut off.
    """
    ascii_text = _APOSTROPHES.sub("", anyascii(_APOSTROPHES.sub("", text))).upper()
    words = [word for word in _NOT_LETTERS.split(ascii_text) if word]
    return Name(tuple(_token(word) for word in words[:TOKENS_MAX]), cut and len(words) <= TOKENS_MAX)


def block_keys(name: Name) -> frozenset[str]:
    """Keys under which a name is found: of each telling token its consonants, and its first three letters if rare."""
    keys: set[str] = set()
    for token in name.tokens:
        if token.weight > SLIGHT:
            keys.add(f"c{_VOWELS.sub('', token.folded)[:4]}")
        if token.weight == 1.0:
            keys.add(f"p{token.folded[:3]}")
    return frozenset(keys)


def compare(traveller: Name, listed: Name) -> float:
    """How well the listed name explains the traveller's, 0 to 1; asymmetric.

    Every telling token of the traveller should be found on the list; not the other way round.
    """
    matched = whole = 0.0
    used_traveller: set[int] = set()
    used_listed: set[int] = set()
    for pair in sorted(_pairs(traveller, listed), key=lambda pair: -pair.rank):
        if used_traveller.isdisjoint(pair.traveller) and used_listed.isdisjoint(pair.listed):
            used_traveller.update(pair.traveller)
            used_listed.update(pair.listed)
            matched += pair.weight * pair.likeness
            whole += pair.weight
    whole += UNMATCHED_TRAVELLER * _left(traveller, used_traveller) + UNMATCHED_LISTED * _left(listed, used_listed)
    return matched / whole if whole else 0.0


def _left(name: Name, used: set[int]) -> float:
    """Weight of the tokens that found no partner; a name said twice counts once."""
    said = {name.tokens[place].text for place in used}
    return sum(token.weight for place, token in enumerate(name.tokens) if place not in used and token.text not in said)


@dataclass(frozen=True, slots=True)
class _Pair:
    """Tokens that may be one another: places on each side, likeness, and how much the pair tells."""

    traveller: range
    listed: range
    likeness: float
    weight: float

    @property
    def rank(self) -> float:
        return self.likeness * self.weight * (len(self.traveller) + len(self.listed)) + self.likeness


def _pairs(traveller: Name, listed: Name) -> Iterator[_Pair]:
    last = len(traveller.tokens) - 1
    for i, mine in enumerate(traveller.tokens):
        cut = traveller.cut and i == last
        for j, theirs in enumerate(listed.tokens):
            likeness = _likeness(mine, theirs, cut=cut)
            if likeness:
                yield _Pair(range(i, i + 1), range(j, j + 1), likeness, max(mine.weight, theirs.weight))
    yield from _joined(traveller.tokens, listed.tokens, swapped=False)
    yield from _joined(listed.tokens, traveller.tokens, swapped=True)


def _joined(many: Sequence[Token], one: Sequence[Token], *, swapped: bool) -> Iterator[_Pair]:
    """Neighbours on one side that are one word on the other ("SAENG PHET", "SAENGPHET")."""
    for start in range(len(many)):
        for end in range(start + 2, min(start + JOIN_MAX, len(many)) + 1):
            text = "".join(token.text for token in many[start:end])
            for place, token in enumerate(one):
                longest = max(len(part.text) for part in many[start:end])
                if abs(len(token.text) - len(text)) > 2 or token.text[0] != text[0] or len(token.text) <= longest:
                    continue
                likeness = _likeness(_token(text), token, cut=False)
                if likeness >= 0.85:
                    weight = max(token.weight, sum(part.weight for part in many[start:end]))
                    apart, joined = range(start, end), range(place, place + 1)
                    mine, theirs = (joined, apart) if swapped else (apart, joined)
                    yield _Pair(mine, theirs, likeness, weight)


def _likeness(mine: Token, theirs: Token, *, cut: bool) -> float:
    if mine.text == theirs.text:
        return 1.0
    if cut and len(mine.text) > 1 and theirs.text.startswith(mine.text):
        return 1.0
    if len(mine.text) == 1 or len(theirs.text) == 1:
        return 0.9 if mine.text[0] == theirs.text[0] else 0.0
    if mine.folded == theirs.folded:
        return FOLDED
    if abs(len(mine.text) - len(theirs.text)) > 3:
        return 0.0
    plain = DamerauLevenshtein.normalized_similarity(mine.text, theirs.text)
    folded = DamerauLevenshtein.normalized_similarity(mine.folded, theirs.folded) * FOLDED
    likeness = max(plain, folded)
    return likeness if likeness >= TOKEN_FLOOR else 0.0
