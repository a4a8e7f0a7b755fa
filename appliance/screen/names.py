"""Names read: any script to words of upper-case ASCII, each with its romanisations made one and what it tells."""

import functools
import re
import tomllib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from importlib import resources
from typing import Final, NamedTuple

import msgspec
from anyascii import anyascii

from appliance.formats.person_index import TOKEN_BYTES_MAX, NameForms

TOKENS_MAX: Final = 12
"""Tokens of one name that are looked at; the longest names of the UN list have ten."""
CUT_MIN: Final = 3
"""A token cut off to fewer letters could be anything: it tells next to nothing."""

TITLE: Final = 0.05
SLIGHT: Final = 0.2
"""Weight of tokens that come and go."""
COMMON: Final = 0.6
"""Weight of tokens that many people share."""

_NOT_LETTERS: Final = re.compile(r"[^A-Z0-9]+")
_APOSTROPHES: Final = re.compile("['`\u02bb\u02bc\u2018\u2019]")
_INITIALS: Final = re.compile(r"[BCDFGHJKLMNPQRSTVWXZ]{2}")
_REPEATED: Final = re.compile(r"(.)\1+")


class Token(NamedTuple):
    """One word of a name.

    Attributes:
        text: Upper-case letters and digits.
        folded: The same with romanisations made one.
        weight: How much it tells, 0 to 1.
        variant: The same for all words that are one given name (John, Juan); empty for a word of no such name.
    """

    text: str
    folded: str
    weight: float
    variant: str = ""


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
        self._variants = {word: words[0] for words in forms.variants for word in words}
        self._common |= {word for words in forms.variants if not self._common.isdisjoint(words) for word in words}
        self._known = self._titles | self._particles | self._common | self._variants.keys()
        self.token = functools.lru_cache(maxsize=16_384)(self._token)

    def read(self, text: str, *, cut: bool = False) -> Name:
        """Make a name comparable: any script to upper-case ASCII, split at what is no letter or digit.

        Args:
            text: The whole name; the order of its parts does not matter, save that a cut-off token stands last.
            cut: Whether the last token may be cut off.
        """
        ascii_text = _APOSTROPHES.sub("", anyascii(_APOSTROPHES.sub("", text))).upper()
        whole = [word[:TOKEN_BYTES_MAX] for word in _NOT_LETTERS.split(ascii_text) if word]
        last = whole[-1:] if cut else []  # what is left of it looks like initials
        words = [part for word in whole[: len(whole) - len(last)] for part in self._initials(word)] + last
        tokens = self.name(words[:TOKENS_MAX]).tokens
        cut = cut and 0 < len(words) <= TOKENS_MAX
        if cut and len(words[-1]) < CUT_MIN:
            tokens = (*tokens[:-1], Token(words[-1], words[-1], SLIGHT))
        return Name(tokens, cut)

    def name(self, words: Sequence[str]) -> Name:
        """The name of these words, which are upper-case ASCII already."""
        tokens = tuple(self.token(word) for word in words)
        if not any(token.weight > SLIGHT for token in tokens):  # "DAW THI": then that is the whole name
            tokens = tuple(token._replace(weight=COMMON) if len(token.text) > 1 else token for token in tokens)
        return Name(tokens)

    def _initials(self, word: str) -> Iterable[str]:
        """Initials that are written together ("JC"), each for itself; any other word, and a reviewed one, as it is."""
        return word if _INITIALS.fullmatch(word) and word not in self._known else (word,)

    def _token(self, text: str) -> Token:
        return Token(text, self.fold(text), self.weight(text), self._variants.get(text, ""))

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
