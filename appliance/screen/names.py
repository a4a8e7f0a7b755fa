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
JOIN_MAX: Final = 3
"""Neighbouring tokens of one side that may be written as one on the other."""
JOINED_FLOOR: Final = 0.85
"""Words run together are less alike by chance than single ones, so more is asked of them."""
INITIAL: Final = 0.9
"""Likeness of an initial and the word that it may stand for."""
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
class Run:
    """Neighbouring words of a name that may be written as one ("SAENG PHET", "SAENGPHET").

    Attributes:
        token: The words run together; as heavy as all of them.
        places: Their places in the name, a bit each.
        longest: Letters of the longest of them.
        rank: How many words a pair with this run explains.
    """

    token: Token
    places: int
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
    runs: tuple[Run, ...]
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
        cut = cut and 0 < len(words) <= TOKENS_MAX
        name = self.name(words[:TOKENS_MAX])
        if cut and len(words[-1]) < CUT_MIN:
            last = Token(words[-1], words[-1], SLIGHT)
            name = Name((*name.tokens[:-1], last), name.runs)
        return Name(name.tokens, name.runs, cut)

    def name(self, words: Sequence[str]) -> Name:
        """The name of these words, which are upper-case ASCII already."""
        tokens = tuple(self.token(word) for word in words)
        if all(token.weight <= SLIGHT for token in tokens):  # "U THI": then these are all that the name is
            tokens = tuple(Token(token.text, token.folded, COMMON) for token in tokens)
        return Name(tokens, tuple(self._runs(tokens)))

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

    def _runs(self, tokens: tuple[Token, ...]) -> Iterator[Run]:
        for start in range(len(tokens)):
            for end in range(start + 2, min(start + JOIN_MAX, len(tokens)) + 1):
                parts = tokens[start:end]
                text = "".join(part.text for part in parts)
                yield Run(
                    token=Token(text, self.fold(text), sum(part.weight for part in parts)),
                    places=(1 << end) - (1 << start),
                    longest=max(len(part.text) for part in parts),
                    rank=len(parts) + 1,
                )


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
    used_traveller = used_listed = 0
    for _, mine, theirs, weight, likeness in sorted(_pairs(traveller, listed), reverse=True):
        if not (used_traveller & mine or used_listed & theirs):
            used_traveller |= mine
            used_listed |= theirs
            matched += weight * likeness
            paired += weight
    more = min(UNMATCHED_LISTED * _left(listed, used_listed), UNMATCHED_LISTED_MAX * paired)
    whole = paired + UNMATCHED_TRAVELLER * _left(traveller, used_traveller) + more
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
            likeness = token_likeness(mine, theirs)
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
        length, text = len(token.text), run.token.text
        if run.longest < length and abs(length - len(text)) <= 2 and token.text[0] == text[0]:
            likeness = token_likeness(run.token, token)
            if likeness >= JOINED_FLOOR:
                yield place, likeness, max(token.weight, run.token.weight)


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
