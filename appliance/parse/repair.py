"""Stage 2 of 8: parse - reading errors put right, never silently: every changed character is a Repair.

1. By the class of the position: where only a digit can stand, an O is a 0.
2. By check digits: the unique smallest edit with look-alike characters after which all of them hold. Such a repair
   says what the page may read, not what it reads: a forger's changed digit and a reader's mistake look the same from
   here, so examine refers it.

Both are bounded, since unbounded repair makes garbage valid: beyond the bound, with two equally small edits, or where
only one check digit would speak for it (a visa, optional data), the zone stays as read. Weights 7-3-1 cannot see swaps
whose values differ by ten (0, A, K, U): a check digit that holds is no proof.
"""

from collections.abc import Iterator, Sequence
from itertools import combinations
from typing import Final

from msgspec import Struct

from appliance.model import Repair, RepairReason
from appliance.parse.characters import (
    AS_DIGIT,
    AS_LETTER,
    CONFUSABLE,
    VALUES,
    WEIGHTS,
    PositionClass,
)
from appliance.parse.checks import Check, compare, resolve_checks
from appliance.parse.layouts import Layout

CLASS_REPAIRS_MAX: Final = 6
"""More characters of the wrong class than this are no reading of the format."""
CHECKED_REPAIRS_MAX: Final = 2
"""Largest edit that the check digits may ask for: each edit moves one field's digit and the composite."""

Change = tuple[int, str]
"""Position in the joined lines, and the character it is taken for."""


class Repaired(Struct, frozen=True, kw_only=True):
    """The joined lines after repair, and what was changed."""

    text: str
    repairs: tuple[Repair, ...]


def repair(text: str, layout: Layout) -> Repaired:
    """Put right what can be put right within the bounds; `text` is the joined lines as read."""
    by_class = _class_changes(text, layout)
    if len(by_class) > CLASS_REPAIRS_MAX:
        return Repaired(text=text, repairs=())
    in_class = _apply(text, by_class)
    by_check = _checked_changes(in_class, layout)
    return Repaired(
        text=_apply(in_class, by_check),
        repairs=_merge(text, layout, by_class, by_check),
    )


def _class_changes(text: str, layout: Layout) -> tuple[Change, ...]:
    changes: list[Change] = []
    for place, (character, allowed) in enumerate(zip(text, layout.position_classes, strict=True)):
        if character not in allowed.value:
            taken_as = (AS_DIGIT if allowed is PositionClass.DIGIT else AS_LETTER).get(character)
            if taken_as is not None:
                changes.append((place, taken_as))
    return tuple(changes)


def _checked_changes(text: str, layout: Layout) -> tuple[Change, ...]:
    """The unique smallest edit that makes every check digit hold; () when none is needed, or none is unique."""
    checks = resolve_checks(text, layout)
    if all(compare(text, check).holds for check in checks):
        return ()
    edits = list(_edits(text, layout, checks))
    missing = tuple((VALUES[text[check.at]] - int(compare(text, check).computed)) % 10 for check in checks)
    for size in range(1, CHECKED_REPAIRS_MAX + 1):
        found = {changes for changes in _solutions(edits, missing, size) if _all_hold(text, layout, changes)}
        if found:
            return found.pop() if len(found) == 1 else ()
    return ()


class _Edit(Struct, frozen=True):
    """One possible change and how far it moves (computed - printed) of each check, modulo 10."""

    change: Change
    shift: tuple[int, ...]


def _edits(text: str, layout: Layout, checks: Sequence[Check]) -> Iterator[_Edit]:
    """Every look-alike at every position that two checks cover: one digit in ten agrees with anything."""
    weights: list[dict[int, int]] = []
    for check in checks:
        weights.append({place: WEIGHTS[index % 3] for index, place in enumerate(check.covers)})
        weights[-1][check.at] = -1
    for place in sorted({place for covered in weights for place in covered}):
        allowed = layout.position_classes[place].value
        for character in sorted(CONFUSABLE.get(text[place], frozenset()) & allowed):
            step = VALUES[character] - VALUES[text[place]]
            shift = tuple(covered.get(place, 0) * step % 10 for covered in weights)
            if sum(moved != 0 for moved in shift) >= 2:
                yield _Edit((place, character), shift)


def _solutions(edits: Sequence[_Edit], missing: tuple[int, ...], size: int) -> Iterator[tuple[Change, ...]]:
    """Sets of `size` edits at different positions whose shifts add up to what is missing."""
    last: dict[tuple[int, ...], list[Change]] = {}
    for edit in edits:
        last.setdefault(edit.shift, []).append(edit.change)
    for chosen in combinations(edits, size - 1):
        rest = tuple(
            (want - sum(shifts)) % 10 for want, *shifts in zip(missing, *(e.shift for e in chosen), strict=True)
        )
        for change in last.get(rest, ()):
            changes = tuple(sorted((*(edit.change for edit in chosen), change)))
            if len({place for place, _ in changes}) == size:
                yield changes


def _all_hold(text: str, layout: Layout, changes: tuple[Change, ...]) -> bool:
    """Ask the check digits themselves: a letter printed as a check digit has a value, and still does not hold."""
    edited = _apply(text, changes)
    return all(compare(edited, check).holds for check in resolve_checks(edited, layout))


def _apply(text: str, changes: tuple[Change, ...]) -> str:
    characters = list(text)
    for place, character in changes:
        characters[place] = character
    return "".join(characters)


def _merge(text: str, layout: Layout, by_class: tuple[Change, ...], by_check: tuple[Change, ...]) -> tuple[Repair, ...]:
    """One Repair a position, in order; where both rules changed it, the later one says what it was taken for."""
    changed = {place: (character, RepairReason.POSITION) for place, character in by_class}
    changed |= {place: (character, RepairReason.CHECK_DIGITS) for place, character in by_check}
    return tuple(
        Repair(
            line=place // layout.width,
            column=place % layout.width,
            read=text[place],
            taken_as=taken_as,
            reason=reason,
        )
        for place, (taken_as, reason) in sorted(changed.items())
    )
