"""Stage 6 of 8: record - which bodies may go (I4). Pure judgement; publish.py unlinks.

A body goes when headquarters' signed receipt for it has been verified, when headquarters has shown that it can open
what was sealed under the same keys (`opened_through`), and when `hold_after_ack` has passed between two times that
headquarters signed: the box's own clock has no say.
"""

from collections.abc import Iterable, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from typing import Final

from appliance.errors import Malformed
from appliance.formats.statement import EventEntry, parse_statement

RANGES_TEXT_MAX: Final = 256
"""Characters of one deletion entry's field; what does not fit goes with the next entry."""


@dataclass(slots=True)
class Acknowledged:
    """What headquarters has said about the bodies of one origin.

    Attributes:
        received_ms: For each body on the box with a receipt: when headquarters received it, by its signed time.
        opened_through: Every body up to this index was sealed under keys that headquarters has shown to hold.
        headquarters_ms: The latest time that headquarters signed.
    """

    received_ms: dict[int, int] = field(default_factory=dict[int, int])
    opened_through: int = -1
    headquarters_ms: int = 0

    def take(self, index: int, received_ms: int, opened_through: int) -> None:
        """Take what one verified receipt says."""
        self.received_ms[index] = received_ms
        self.opened_through = max(self.opened_through, opened_through)
        self.headquarters_ms = max(self.headquarters_ms, received_ms)


def deletable(said: Acknowledged, bodies: Iterable[int], *, hold_ms: int) -> list[int]:
    """The bodies on the box that may go, lowest index first."""
    return [
        index
        for index in sorted(bodies)
        if index <= said.opened_through
        and (received_ms := said.received_ms.get(index)) is not None
        and said.headquarters_ms - received_ms >= hold_ms
    ]


def ranges_text(indices: Iterable[int]) -> tuple[str, list[int]]:
    """Write ascending indices as `0-11,13` within RANGES_TEXT_MAX; return it and the indices that it names."""
    ranges: list[tuple[int, int]] = []
    for index in indices:
        if ranges and ranges[-1][1] + 1 == index:
            ranges[-1] = (ranges[-1][0], index)
        else:
            ranges.append((index, index))
    text, named = "", list[int]()
    for first, last in ranges:
        part = f"{first}-{last}" if last > first else f"{first}"
        longer = f"{text},{part}" if text else part
        if len(longer) > RANGES_TEXT_MAX:
            break
        text = longer
        named.extend(range(first, last + 1))
    return text, named


def parse_ranges(text: str, *, below: int) -> list[range]:
    """Parse what `ranges_text` wrote; every index is below `below`, the entry that names them.

    Raises:
        Malformed: Anything else.
    """
    ranges: list[range] = []
    for part in text.split(","):
        first, dash, last = part.partition("-")
        if not (first.isascii() and first.isdigit() and (not dash or (last.isascii() and last.isdigit()))):
            raise Malformed("deleted ranges", "not ascending numbers and ranges")
        ranges.append(range(int(first), int(last if dash else first) + 1))
    starts = [0] + [one.stop for one in ranges]
    if any(not one or one.start < start for one, start in zip(ranges, starts, strict=False)) or starts[-1] > below:
        raise Malformed("deleted ranges", "not ascending, or not below the entry")
    return ranges


def named_by(fields: Mapping[str, str], index: int) -> list[range]:
    """The bodies that the deletion entry at `index` names. Raises Malformed."""
    return parse_ranges(fields.get("ranges", ""), below=index)


def deleted_by(leaf: bytes, index: int) -> AbstractSet[int]:
    """The bodies that the entry at `index` deletes. Raises Malformed."""
    kind = parse_statement(leaf).unverified.kind
    if not isinstance(kind, EventEntry) or kind.event != "bodies_deleted":
        return frozenset()
    return {one for indices in named_by(kind.fields, index) for one in indices}
