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
JOINED_FLOOR: Final = 0.85
"""Words run together are less alike by chance than single ones, so more is asked of them."""
INITIAL: Final = 0.9
"""Likeness of an initial and the word that it may stand for."""
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
class Run:
    """Neighbouring words of a name that may be written as one ("SAENG PHET", "SAENGPHET").

    Attributes:
        text: The words run together.
        places: Their places in the name, a bit each.
        longest: Letters of the longest of them.
        rank: How many words a pair with this run explains.
    """

    text: str
    places: int
    weight: float
    longest: int
    rank: int


@dataclass(frozen=True, slots=True)
class Name:
    """A name ready for comparison.

    Attributes:
        tokens: At most TOKENS_MAX.
        runs: Their neighbours by two and three.
        cut: The last token may have been cut off by a full name field (Doc 9303-3 §4.6): it matches by prefix.
    """

    tokens: tuple[Token, ...]
    runs: tuple[Run, ...] = ()
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
    tokens = tuple(_token(word) for word in words[:TOKENS_MAX])
    return Name(tokens, tuple(_runs(tokens)), cut and len(words) <= TOKENS_MAX)


def _runs(tokens: tuple[Token, ...]) -> Iterator[Run]:
    for start in range(len(tokens)):
        for end in range(start + 2, min(start + JOIN_MAX, len(tokens)) + 1):
            parts = tokens[start:end]
            yield Run(
                text="".join(part.text for part in parts),
                places=(1 << end) - (1 << start),
                weight=sum(part.weight for part in parts),
                longest=max(len(part.text) for part in parts),
                rank=len(parts) + 1,
            )


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

    Every telling token of the traveller should be found on the list; not the other way round. The best pairs of tokens
    are taken first; a token is in one pair at most. (Written for speed: it runs a hundred times a traveller.)
    """
    matched = whole = 0.0
    used_traveller = used_listed = 0
    for _, mine, theirs, weight, likeness in sorted(_pairs(traveller, listed), reverse=True):
        if not (used_traveller & mine or used_listed & theirs):
            used_traveller |= mine
            used_listed |= theirs
            matched += weight * likeness
            whole += weight
    whole += UNMATCHED_TRAVELLER * _left(traveller, used_traveller) + UNMATCHED_LISTED * _left(listed, used_listed)
    return matched / whole if whole else 0.0


def _left(name: Name, used: int) -> float:
    """Weight of the tokens that found no partner; a name said twice counts once."""
    said = {token.text for place, token in enumerate(name.tokens) if used >> place & 1}
    return sum(
        token.weight for place, token in enumerate(name.tokens) if not used >> place & 1 and token.text not in said
    )


_Pair = tuple[float, int, int, float, float]
"""Rank, places on the traveller's and on the listed side (a bit each), how much the pair tells, and its likeness."""


def _pairs(traveller: Name, listed: Name) -> Iterator[_Pair]:
    cut = len(traveller.tokens) - 1 if traveller.cut else -1
    for i, mine in enumerate(traveller.tokens):
        for j, theirs in enumerate(listed.tokens):
            likeness = _likeness(mine.text, theirs.text)
            if i == cut and len(mine.text) > 1 and theirs.text.startswith(mine.text):
                likeness = 1.0
            if likeness:
                weight = max(mine.weight, theirs.weight)
                yield likeness * (1 + 2 * weight), 1 << i, 1 << j, weight, likeness
    for run in traveller.runs:
        for place, likeness, weight in _written_as_one(run, listed.tokens):
            yield likeness * (1 + run.rank * weight), run.places, 1 << place, weight, likeness
    for run in listed.runs:
        for place, likeness, weight in _written_as_one(run, traveller.tokens):
            yield likeness * (1 + run.rank * weight), 1 << place, run.places, weight, likeness


def _written_as_one(run: Run, tokens: Sequence[Token]) -> Iterator[tuple[int, float, float]]:
    """Where the run's words may stand as one: place, likeness, weight."""
    for place, token in enumerate(tokens):
        length = len(token.text)
        if run.longest < length and abs(length - len(run.text)) <= 2 and token.text[0] == run.text[0]:
            likeness = _likeness(run.text, token.text)
            if likeness >= JOINED_FLOOR:
                yield place, likeness, max(token.weight, run.weight)


@functools.lru_cache(maxsize=65_536)
def _likeness(mine: str, theirs: str) -> float:
    """How alike two words are, 0 to 1; 0 under TOKEN_FLOOR."""
    if mine == theirs:
        return 1.0
    if len(mine) == 1 or len(theirs) == 1:
        return INITIAL if mine[0] == theirs[0] else 0.0
    if abs(len(mine) - len(theirs)) > 3:
        return 0.0
    my_fold, their_fold = _token(mine).folded, _token(theirs).folded
    if my_fold == their_fold:
        return FOLDED
    plain = DamerauLevenshtein.normalized_similarity(mine, theirs)
    folded = DamerauLevenshtein.normalized_similarity(my_fold, their_fold) * FOLDED
    likeness = max(plain, folded)
    return likeness if likeness >= TOKEN_FLOOR else 0.0
