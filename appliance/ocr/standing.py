"""Which characters stand off where their line has them.

Every glyph has sides of its own (glyphs.py). What remains when they are taken off is the line's: where it runs, how it
bends, how bold it is, and how much larger this typeface's letters are than its digits. What then is left of one
character alone is its own. What one side alone says is a scratch or the paper's print: a character is out of place
where two opposite sides say so.
"""

from collections.abc import Sequence
from typing import Final

import numpy as np

from appliance.model import ShiftedCharacter
from appliance.ocr.network import Floats
from appliance.ocr.sides import ideal_sides
from appliance.parse.characters import FILLER

OWN: Final = 3
"""Terms that each line has for itself: where it stands, how it leans, how it bends."""
SHARED: Final = (3, 4)
"""Powers of a further bend that all lines of a page have, for they lie near to each other."""
STIFF: Final = 0.1
"""Against bending, and against letters of another size, where few characters speak for it."""
OFF: Final = 4
"""Times the median of what is left, from which a side is no longer followed."""
PASSES: Final = 4
ALONE: Final = 1.5
"""Times what the smaller side says that is taken of both."""
NOTED: Final = 0.06
"""Characters by which one stands off before it is written down at all."""
NOTED_MAX: Final = 8
COMMON: Final = 5
"""Times what a side is off on this page in general, from which one is: a coarse image has more of that."""


def shifted_characters(sides: Sequence[Floats], lines: Sequence[str]) -> tuple[ShiftedCharacter, ...]:
    """Characters that stand off where their line has them, those farthest off first; NaN says nothing.

    Args:
        sides: For each line as `find_sides` has them.
        lines: What stands there.
    """
    terms = _terms(lines)
    left, right, top, bottom = (
        _left_over(side, terms) for side in (np.concatenate(sides) - ideal_sides("".join(lines))).T
    )
    along, across = _off(left, right), _off(top, bottom)
    off = np.maximum(np.abs(along), np.abs(across))
    common = np.maximum(*(COMMON * np.nanmedian(np.abs(each)) for each in ((left, right), (top, bottom))))
    farthest = [at for at in np.argsort(-off)[:NOTED_MAX] if off[at] > max(NOTED, common)]
    count = len(lines[0])
    return tuple(
        ShiftedCharacter(
            line=int(at) // count,
            column=int(at) % count,
            along=round(float(along[at]) * 1000),
            across=round(float(across[at]) * 1000),
        )
        for at in farthest
    )


def _terms(lines: Sequence[str]) -> Floats:
    """What a side depends on, a row for each character: for each line its own terms, then the shared, then its kind."""
    along = np.linspace(-1, 1, len(lines[0]))
    own = np.kron(np.eye(len(lines)), along[:, None] ** np.arange(OWN))
    shared = np.tile(along[:, None] ** np.array(SHARED), (len(lines), 1))
    kind = [(character.isalpha(), character == FILLER) for line in lines for character in line]
    return np.hstack([own, shared, np.array(kind, float)])


def _left_over(side: Floats, terms: Floats) -> Floats:
    """What no term explains of each character, had it not been there itself: one that is off draws nothing after it."""
    stiff = np.full(terms.shape[1], STIFF)
    stiff[: -len(SHARED) - 2 : OWN] = 1e-6  # where a line stands is free
    seen = np.isfinite(side)
    kept, left = seen, side
    for _ in range(PASSES):
        known = terms[kept]
        inverse = np.linalg.inv(known.T @ known + np.diag(stiff))
        own_say = np.where(kept, np.einsum("ij,jk,ik->i", terms, inverse, terms), 0.0)
        left = (side - terms @ (inverse @ (known.T @ side[kept]))) / (1 - own_say)
        kept = seen & (np.abs(left) <= OFF * np.median(np.abs(left[seen])) + 1e-3)
    return left


def _off(low: Floats, high: Floats) -> Floats:
    """How far both sides stand off the same way: halfway between them, little more than the smaller; else 0.

    Where the ink is one blot with a neighbour's, that it is is what the side there says: the other has come nearer.
    """
    low, high = np.where(np.isnan(low), np.minimum(high, 0), low), np.where(np.isnan(high), np.maximum(low, 0), high)
    one, other = np.abs(low), np.abs(high)
    far = np.minimum((one + other) / 2, ALONE * np.minimum(one, other))
    off: Floats = np.where(low * high > 0, np.sign(low) * far, 0.0)
    return np.nan_to_num(np.clip(off, -1, 1))
