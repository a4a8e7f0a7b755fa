"""Two names word by word, for the officer's eyes: which word of one was held against which of the other.

Worked out for what is shown, never for the search; from the same pairs that the comparison takes, so that it explains
the band.
"""

from typing import Literal

from appliance.judged import WordPair
from appliance.screen.comparison import UNMATCHED_LISTED, UNMATCHED_TRAVELLER, Comparison
from appliance.screen.names import TOKENS_MAX, Name, Token

Verdict = Literal["equal", "alike", "cut off", "initial", "written as one"]
_LAST = 1 << TOKENS_MAX


def aligned(traveller: Name, listed: Name) -> tuple[WordPair, ...]:
    """Every word of both names once, in a pair or alone; what tells most, for or against, first."""
    mine_left, theirs_left = (dict(enumerate(name.tokens)) for name in (traveller, listed))
    rows: list[tuple[float, int, WordPair]] = []
    for _, mine, theirs, weight, _ in Comparison(traveller).taken(listed):
        cut = traveller.cut and bool(mine >> len(traveller.tokens) - 1)
        rows.append((weight, mine & -mine, _pair(_taken(mine_left, mine), _taken(theirs_left, theirs), cut=cut)))
    for place, token in mine_left.items():
        rows.append((token.weight * UNMATCHED_TRAVELLER, 1 << place, _alone(traveller=token.text)))
    rows += [(token.weight * UNMATCHED_LISTED, _LAST, _alone(listed=token.text)) for token in theirs_left.values()]
    rows.sort(key=lambda row: (-row[0], row[1]))  # what tells the same in the order of the traveller's name
    return tuple(pair for _, _, pair in rows)


def _taken(left: dict[int, Token], places: int) -> list[Token]:
    """The words at these places, a bit each, which are then no longer left."""
    return [left.pop(place) for place in sorted(left) if places >> place & 1]


def _pair(mine: list[Token], theirs: list[Token], *, cut: bool) -> WordPair:
    """Words of both sides, several of one where they stand as one on the other; `cut` of the traveller's last one."""
    traveller, listed = (" ".join(token.text for token in side) for side in (mine, theirs))
    verdict: Verdict = "alike"
    if len(mine) + len(theirs) > 2:
        verdict = "written as one"
    elif traveller == listed:
        verdict = "equal"
    elif cut and len(traveller) > 1 and listed.startswith(traveller):
        verdict = "cut off"
    elif 1 in (len(traveller), len(listed)):
        verdict = "initial"
    return WordPair(traveller=traveller, listed=listed, verdict=verdict)


def _alone(*, traveller: str = "", listed: str = "") -> WordPair:
    return WordPair(traveller=traveller, listed=listed, verdict="missing")
