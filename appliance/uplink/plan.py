"""What goes next: strict classes, small bodies together, large ones in parts, so that an alert never waits long."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from appliance.formats.upload import BODY_BYTES_MAX, ITEMS_MAX
from appliance.uplink.index import Item, State

BATCH_BYTES_MAX: Final = 262_144
TURN_S_MAX: Final = 8.0
"""Nothing occupies the link longer than this at the measured rate."""
PART_BYTES_MIN: Final = 32_768
PART_BYTES_MAX: Final = 1_048_576
AGEING_TURNS: Final = 8
"""Every so many turns the oldest body goes first, whatever its class: bulk moves under steady load."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """These together."""

    items: tuple[Item, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """A part of this large one.

    Attributes:
        bytes_max: Length of the part at most.
    """

    item: Item
    bytes_max: int


def next_turn(waiting: Sequence[Item], rate_bytes_per_s: float) -> Batch | Part:
    """Choose what the next request carries.

    Args:
        waiting: At least one, in the order of its class.
        rate_bytes_per_s: What the link carries.
    """
    first = waiting[0]
    if first.size > BODY_BYTES_MAX:
        return Part(item=first, bytes_max=part_bytes(rate_bytes_per_s))
    room = min(BATCH_BYTES_MAX, TURN_S_MAX * rate_bytes_per_s)
    chosen = [first]
    used = _cost(first)
    for item in waiting[1:]:
        if item.size > BODY_BYTES_MAX:
            continue
        if used + _cost(item) > room or len(chosen) == ITEMS_MAX:
            break
        chosen.append(item)
        used += _cost(item)
    return Batch(items=tuple(chosen))


def part_bytes(rate_bytes_per_s: float) -> int:
    """Length of a part of a large body, bytes."""
    return int(min(max(TURN_S_MAX * rate_bytes_per_s, PART_BYTES_MIN), PART_BYTES_MAX))


def _cost(item: Item) -> int:
    """Bytes in the batch: one that only asks for its receipt goes without its body."""
    return 128 + (0 if item.state is State.SENDING else item.size)
