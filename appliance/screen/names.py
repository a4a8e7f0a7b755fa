"""Names compared: tokens aligned without regard to order, asymmetrically, with transliteration and truncation.

A listed person travels on first and last name and leaves the others out; so a listed token that the traveller lacks
costs almost nothing, and a traveller's token that the list lacks costs much. Tokens that many people
share tell less than rare ones. The comparison knows names only: no nationality, sex or age enters it (I6).
"""

import functools
import re
import tomllib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib import resources
from typing import Final

import msgspec
from anyascii import anyascii
from rapidfuzz.distance import DamerauLevenshtein

from appliance.formats.person_index import TOKEN_BYTES_MAX, NameForms

TOKENS_MAX: Final = 12
"""Tokens of one name that are looked at; the longest names of the UN list have ten."""
TOKEN_FLOOR: Final = 0.7
"""Two tokens less alike than this are not the same name."""
UNMATCHED_TRAVELLER: Final = 0.8
UNMATCHED_LISTED: Final = 0.1
UNMATCHED_LISTED_MAX: Final = 0.08
"""All that the list knows more costs at most this share of what agrees: people leave out four names of six, too."""
AGREEING_MIN: Final = 2
"""... if so many words agree. One of three ("Moe Moe", "Lin Maung Moe") is another name, not one left out."""
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
CUT_MIN: Final = 3
"""A token cut off to fewer letters could be anything: it tells next to nothing."""

TITLE: Final = 0.05
SLIGHT: Final = 0.2
"""Weight of tokens that come and go."""
COMMON: Final = 0.6
"""Weight of tokens that many people share."""

_NOT_LETTERS: Final = re.compile(r"[^A-Z0-9]+")
_APOSTROPHES: Final = re.compile("['`\u02bb\u02bc\u2018\u2019]")
_REPEATED: Final = re.compile(r"(.)\1+")


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
    def common(self) -> bool:
        """Whether no token of it tells who somebody is: each is common, a particle, a title or an initial."""
        return all(token.weight <= COMMON for token in self.tokens)


class NameReader:
    """Reads names by one version of the reviewed forms.

    Args:
        forms: What to call a title, a particle, common or alike.
    """

    def __init__(self, forms: NameForms) -> None:
        self.forms = forms
        self._titles, self._particles, self._common = map(frozenset, (forms.titles, forms.particles, forms.common))
        self.token = functools.lru_cache(maxsize=16_384)(self._token)

    def read(self, text: str, *, cut: bool = False) -> Name:
        """Make a name comparable: any script to upper-case ASCII, split at what is no letter or digit.

        Args:
            text: The whole name; the order of its parts does not matter, save that a cut-off token stands last.
            cut: Whether the last token may be cut off.
        """
        ascii_text = _APOSTROPHES.sub("", anyascii(_APOSTROPHES.sub("", text))).upper()
        words = [word[:TOKEN_BYTES_MAX] for word in _NOT_LETTERS.split(ascii_text) if word]
        tokens = self.name(words[:TOKENS_MAX]).tokens
        cut = cut and 0 < len(words) <= TOKENS_MAX
        if cut and len(words[-1]) < CUT_MIN:
            tokens = (*tokens[:-1], Token(words[-1], words[-1], SLIGHT))
        return Name(tokens, cut)

    def name(self, words: Sequence[str]) -> Name:
        """The name of these words, which are upper-case ASCII already."""
        tokens = tuple(self.token(word) for word in words)
        if not any(token.weight > SLIGHT for token in tokens):  # "DAW THI": then that is the whole name
            tokens = tuple(
                Token(token.text, token.folded, COMMON) if len(token.text) > 1 else token for token in tokens
            )
        return Name(tokens)

    def _token(self, text: str) -> Token:
        return Token(text, self.fold(text), self.weight(text))

    def fold(self, text: str) -> str:
        """A word with its romanisations made one."""
        folded = text
        for old, new in self.forms.folds:
            folded = folded.replace(old, new)
        return _REPEATED.sub(r"\1", folded) or text

    def weight(self, text: str) -> float:
        """How much a word tells, 0 to 1."""
        if text in self._titles:
            return TITLE
        if text in self._particles or len(text) == 1:
            return SLIGHT
        return COMMON if text in self._common else 1.0


@functools.cache
def shipped_reader() -> NameReader:
    """By the forms that this software carries: what headquarters reads listed names with and puts into the index."""
    text = resources.files(__package__ or "").joinpath("name_forms.toml").read_text(encoding="utf-8")
    return NameReader(msgspec.convert(tomllib.loads(text), NameForms))


def compare(traveller: Name, listed: Name) -> float:
    """How well the listed name explains the traveller's, 0 to 1; asymmetric.

    Every telling token of the traveller should be found on the list; not the other way round. The best pairs of tokens
    are taken first; a token is in one pair at most.
    """
    matched = paired = 0.0
    used_traveller = used_listed = agreeing = 0
    for _, mine, theirs, weight, likeness in taken_pairs(traveller, listed):
        used_traveller |= mine
        used_listed |= theirs
        matched += weight * likeness
        paired += weight
        agreeing += mine.bit_count() + theirs.bit_count() - 1
    more = UNMATCHED_LISTED * _left(listed, used_listed)
    if agreeing >= AGREEING_MIN:
        more = min(more, UNMATCHED_LISTED_MAX * paired)
    whole = paired + UNMATCHED_TRAVELLER * _left(traveller, used_traveller) + more
    return matched / whole if whole else 0.0


def _left(name: Name, used: int) -> float:
    """Weight of the tokens that found no partner; a name said twice counts once."""
    said = {token.text for place, token in enumerate(name.tokens) if used >> place & 1}
    return sum(
        token.weight for place, token in enumerate(name.tokens) if not used >> place & 1 and token.text not in said
    )


Pair = tuple[float, int, int, float, float]
"""Rank, places on the traveller's and on the listed side (a bit each), how much the pair tells, and its likeness."""


def taken_pairs(traveller: Name, listed: Name) -> Sequence[Pair]:
    """The pairs that are held against each other: the best first, each token in one pair at most."""
    used_traveller = used_listed = 0
    taken: list[Pair] = []
    for pair in sorted(_pairs(traveller, listed), reverse=True):
        _, mine, theirs, _, _ = pair
        if not (used_traveller & mine or used_listed & theirs):
            used_traveller |= mine
            used_listed |= theirs
            taken.append(pair)
    return taken


def _pairs(traveller: Name, listed: Name) -> Iterator[Pair]:
    cut = len(traveller.tokens) - 1 if traveller.cut else -1
    for i, mine in enumerate(traveller.tokens):
        for j, theirs in enumerate(listed.tokens):
            likeness = token_likeness(mine, theirs)
            if i == cut and len(mine.text) > 1 and theirs.text.startswith(mine.text):
                likeness = 1.0
            if likeness:
                weight = COMMON if likeness == INITIAL else max(mine.weight, theirs.weight)
                yield likeness * (1 + 2 * mine.weight), 1 << i, 1 << j, weight, likeness
    for words, word, rank, weight, likeness in _written_as_one(traveller.tokens, listed.tokens):
        yield rank, words, word, weight, likeness
    for words, word, rank, weight, likeness in _written_as_one(listed.tokens, traveller.tokens):
        yield rank, word, words, weight, likeness


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
    return Token("".join(part.text for part in parts), "".join(part.folded for part in parts), weight)


def _written_as_one(tokens: Sequence[Token], others: Sequence[Token]) -> Iterator[tuple[int, int, float, float, float]]:
    """Where neighbours of one name stand as one word of the other: both places, rank, weight, likeness."""
    for places, parts in runs(tokens):
        first, length = parts[0].text[0], sum(len(part.text) for part in parts)
        for place, other in enumerate(others):
            if other.text[0] != first or abs(len(other.text) - length) > JOINED_LETTERS:
                continue
            run = joined(parts)
            likeness = token_likeness(run, other)
            if likeness >= JOINED_FLOOR and len(other.text) > max(len(part.text) for part in parts):
                weight = max(other.weight, run.weight)
                yield places, 1 << place, likeness * (1 + (len(parts) + 1) * weight), weight, likeness


@functools.lru_cache(maxsize=65_536)
def token_likeness(mine: Token, theirs: Token) -> float:
    """How alike two words are, 0 to 1; 0 under TOKEN_FLOOR."""
    if mine.text == theirs.text:
        return 1.0
    if len(mine.text) == 1 or len(theirs.text) == 1:
        return INITIAL if mine.text[0] == theirs.text[0] else 0.0
    if abs(len(mine.text) - len(theirs.text)) > 3:
        return 0.0
    if mine.folded == theirs.folded:
        return FOLDED
    plain = DamerauLevenshtein.normalized_similarity(mine.text, theirs.text)
    folded = DamerauLevenshtein.normalized_similarity(mine.folded, theirs.folded) * FOLDED
    likeness = max(plain, folded)
    return likeness if likeness >= TOKEN_FLOOR else 0.0
