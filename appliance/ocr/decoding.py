"""From what each place may show to the text: the likeliest one, and the likeliest one whose check digits hold.

The search is exact: over all texts, by the sums modulo 10 of the field under way and of the composite. What it finds is
taken only while it is hardly less likely than what was read, since an unbounded repair makes garbage valid. Position
classes only lean (Romania prints digits in the nationality).
"""

from dataclasses import dataclass
from functools import cache
from typing import Final

import numpy as np

from appliance.ocr.network import CHARACTERS, Floats, Indices
from appliance.parse.characters import FILLER, VALUES, WEIGHTS
from appliance.parse.checks import compare, resolve_checks
from appliance.parse.layouts import Layout, layout_of

LEAN: Final = -3.0
"""Nats against a character outside the class of its position."""
NAME_LEAN: Final = -8.0
"""The same in a name, where no issuer prints digits."""
REPAIR_MAX: Final = 9.0
"""Nats that the text with holding check digits may be less likely than what was read."""
CHANGES_MAX: Final = 3
"""Characters that it may change."""
LEGIBLE: Final = 0.7
"""Mean confidence below which no repair is looked for: it would change too much."""
NEVER: Final = -1e9

_VALUE: Final = np.array([VALUES[character] % 10 for character in CHARACTERS])
_RESIDUES: Final = np.arange(10)
_OF_VALUE: Final = _RESIDUES[:, None] == _VALUE
"""(10, 37): which characters have this value modulo 10."""


@dataclass(frozen=True, slots=True)
class Decoded:
    """The text of one zone.

    Attributes:
        layout: The format; None when the lines are of no known one.
        read: Joined lines, each character for itself.
        text: Joined lines after the check digits had their say; as `read` where they hold, or where nothing near does.
        confidences: For each character how likely it is, from 0 to 1, by the image alone.
        holds: Every check digit holds.
    """

    layout: Layout | None
    read: str
    text: str
    confidences: Floats
    holds: bool


def decode(places: Floats, line_count: int, width: int) -> Decoded:
    """Decode log-probabilities (line_count * width, 37)."""
    layout = layout_of(line_count, width, _text(places[:5].argmax(axis=1)))
    if layout is None:
        return _decoded(None, places, places.argmax(axis=1), places.argmax(axis=1), holds=False)
    leaning = places + _lean(layout)
    leaning = leaning - np.log(np.exp(leaning).sum(axis=1, keepdims=True))
    read = leaning.argmax(axis=1)
    if _holds(_text(read), layout):
        return _decoded(layout, leaning, read, read, holds=True)
    if np.exp(leaning.max(axis=1)).mean() < LEGIBLE:
        return _decoded(layout, leaning, read, read, holds=False)
    options = [found for found in _valid_texts(leaning, layout) if _near(leaning, read, found)]
    valid = [found for found in options if _holds(_text(found), layout)]
    if not valid:
        return _decoded(layout, leaning, read, read, holds=False)
    best = max(valid, key=lambda found: _likelihood(leaning, found))
    return _decoded(layout, leaning, read, best, holds=True)


def _decoded(layout: Layout | None, places: Floats, read: Indices, chosen: Indices, *, holds: bool) -> Decoded:
    sure = np.exp(places[np.arange(len(chosen)), chosen])
    return Decoded(layout, _text(read), _text(chosen), sure.astype(np.float32), holds)


def _text(indices: Indices) -> str:
    return "".join(CHARACTERS[int(at)] for at in indices)


@cache
def _lean(layout: Layout) -> Floats:
    rows = [[0.0 if c in allowed.value else LEAN for c in CHARACTERS] for allowed in layout.position_classes]
    lean = np.array(rows, np.float32)
    for start, end in layout.names:
        lean[start:end][lean[start:end] < 0] = NAME_LEAN
    return lean


def _holds(text: str, layout: Layout) -> bool:
    return all(compare(text, check).holds for check in resolve_checks(text, layout))


def _likelihood(places: Floats, chosen: Indices) -> float:
    return float(places[np.arange(len(chosen)), chosen].sum())


def _near(places: Floats, read: Indices, found: Indices) -> bool:
    changes = int((read != found).sum())
    return changes <= CHANGES_MAX and _likelihood(places, read) - _likelihood(places, found) < REPAIR_MAX


def _valid_texts(places: Floats, layout: Layout) -> list[Indices]:
    """The likeliest text under the check digits; also with the number's left open where it may be a long one."""
    found = [_search(places, layout, skip="")]
    if layout.long_number:
        found.append(_search(places, layout, skip="document_number"))
    return found


def _search(places: Floats, layout: Layout, skip: str) -> Indices:
    """Viterbi over (sum of the field under way, sum of the composite), both modulo 10.

    The checks are taken as the format has them, in the order of their positions; whether the text found really holds,
    long numbers and empty fields included, the caller asks the parser's own rules.
    """
    weigh, digit_of = _roles(layout, skip)
    best = np.full((10, 10), NEVER, np.float32)
    best[0, 0] = 0
    back: list[tuple[Indices, Indices]] = []
    residue = _RESIDUES
    tops = np.where(_OF_VALUE, places[:, None], NEVER).argmax(axis=2)
    for at, (row, top) in enumerate(zip(places, tops, strict=True)):
        gain = row[top]
        field, whole = weigh[0][at], weigh[1][at]
        from_field = (residue[None, :] - residue[:, None] * field) % 10
        from_whole = (residue[None, :] - residue[:, None] * whole) % 10
        kind = digit_of[at]
        if kind is None:
            options = best[from_field[:, :, None], from_whole[:, None, :]] + gain[:, None, None]
            chosen = options.argmax(axis=0)
            source = from_field[chosen, residue[:, None]] * 10 + from_whole[chosen, residue[None, :]]
            character = top[chosen]
            best = np.take_along_axis(options, chosen[None], 0)[0]
        else:
            best, source, character = _digit(best, row, kind, whole)
        back.append((source, character))
    state = int(best.argmax())
    found = []
    for source, character in reversed(back):
        found.append(int(character.flat[state]))
        state = int(source.flat[state])
    return np.array(found[::-1])


def _digit(best: Floats, row: Floats, kind: str, whole: int) -> tuple[Floats, Indices, Indices]:
    """At a check digit: it is the sum itself; a field's sum begins anew behind it."""
    after = np.full((10, 10), NEVER, np.float32)
    source = np.zeros((10, 10), int)
    character = np.zeros((10, 10), int)
    for field in range(10):
        for total in range(10):
            due = total if kind == "composite" else field
            options = [(due, row[due])]
            if kind == "optional_data" and due == 0:
                options.append((CHARACTERS.index(FILLER), row[CHARACTERS.index(FILLER)]))
            for sign, gain in options:
                next_total = (total + whole * int(_VALUE[sign])) % 10
                value = best[field, total] + gain
                if value > after[0, next_total]:
                    after[0, next_total] = value
                    source[0, next_total] = field * 10 + total
                    character[0, next_total] = sign
    return after, source, character


@cache
def _roles(layout: Layout, skip: str) -> tuple[tuple[tuple[int, ...], tuple[int, ...]], tuple[str | None, ...]]:
    """Weights of each position in its field and in the composite; and whose check digit stands there."""
    size = layout.line_count * layout.width
    field, whole = [0] * size, [0] * size
    digit: list[str | None] = [None] * size
    for rule in layout.checks:
        if rule.field == skip:
            continue
        weights = whole if rule.field == "composite" else field
        covered = [place for start, end in rule.covers for place in range(start, end)]
        for index, place in enumerate(covered):
            weights[place] = WEIGHTS[index % 3]
        digit[rule.at] = rule.field
    return (tuple(field), tuple(whole)), tuple(digit)
