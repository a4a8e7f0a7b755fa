"""Which leaves of a log cover a stretch of time, and for what part of it the log proves less. Pure.

Entries are later than `from` unless headquarters had signed a tree with them by then, and earlier than `to` unless they
name a checkpoint that headquarters cosigned after it. So these leaves are all that can be of the interval, whatever the
box's clock said; which of them are rests on the box's claims.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from appliance.clock import Grade, Instant
from appliance.formats.statement import EventEntry
from appliance.model import Sha256
from provisioning.audit.when import CosignedHead
from provisioning.exhibit.contents import Unproven

SEALED: Final = "sealed"
EVENT: Final = "event"
EPOCH: Final = "epoch"
AWAITED: Final = "awaited"
CLOSED: Final = "closed"
READY: Final = "ready"
DEVICE: Final = "device_changed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Passed:
    """One entry as far as a negative exhibit needs it.

    Attributes:
        leaf: EPOCH, EVENT or SEALED.
        record: Of a sealed one: its kind of record, AWAITED or CLOSED; "" otherwise.
        epoch: Whose key signed it.
        at: The recorder's clocks.
        made: The clocks when the record was made; None where it was not opened.
        answers: Whether it is what was asked about, its time aside.
        unread: Whether it is a document of which nothing could be read.
        event: Of an EVENT.
    """

    index: int
    leaf: str
    record: str
    epoch: int
    at: Instant
    cosigned: Sha256 | bytes | None
    made: Instant | None = None
    answers: bool = False
    unread: bool = False
    event: EventEntry | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Cover:
    """The leaves of an interval.

    Attributes:
        first, end: `end` not included.
        start: The cosigned tree before the interval; None when the log's first leaf may be of it.
        after: The cosigned checkpoint that leaf `end` names; None when nothing proves where the interval ends.
    """

    first: int
    end: int
    start: CosignedHead | None
    after: CosignedHead | None


def cover(entries: Sequence[Passed], heads: Sequence[CosignedHead], from_ms: int, to_ms: int) -> Cover:
    """The leaves that can be of the interval."""
    before = [head for head in heads if head.by_ms <= from_ms and head.checkpoint.size <= len(entries)]
    start = max(before, key=lambda head: head.checkpoint.size, default=None)
    first = 0 if start is None else start.checkpoint.size
    named = {head.checkpoint.digest(): head for head in sorted(heads, key=lambda head: head.first_ms, reverse=True)}
    for entry in entries[first:]:
        after = None if entry.cosigned is None else named.get(Sha256(entry.cosigned))
        if after is not None and after.first_ms >= to_ms and after.checkpoint.size <= entry.index:
            return Cover(first=first, end=entry.index, start=start, after=after)
    return Cover(first=first, end=len(entries), start=start, after=None)


def claimed_within(entry: Passed, from_ms: int, to_ms: int) -> bool:
    """Whether the record says of itself that it was made in the interval."""
    made = entry.made or entry.at
    return from_ms <= made.wall_ms < to_ms


def unproven(
    entries: Sequence[Passed], covered: Cover, from_ms: int, to_ms: int, *, number: bool
) -> tuple[Unproven, ...]:
    """For what part of the interval the log proves less than that nothing was recorded, each part with why.

    By time, those of an unknown beginning last. Parts of one reason that overlap, or of which one ends with the entry
    that the other begins with, are one; two reasons for one time stay two parts, since each says something else.

    Args:
        entries: The whole log.
        covered: The leaves of the interval.
        from_ms: The interval's beginning, milliseconds since 1970.
        to_ms: Its end.
        number: Whether one document is asked about, so that one that was not read may be it.
    """
    parts = sorted(_parts(entries, covered, from_ms, to_ms, number=number), key=_by_time)
    merged: list[Unproven] = []
    for part in parts:
        joined = next((at for at, earlier in enumerate(merged) if _join(earlier, part)), None)
        if joined is None:
            merged.append(part)
        else:
            merged[joined] = _both(merged[joined], part)
    return tuple(merged)


def _by_time(part: Unproven) -> tuple[bool, int, int, int]:
    return part.from_ms is None, part.from_ms or 0, part.to_ms or 0, part.first or 0


def _join(earlier: Unproven, later: Unproven) -> bool:
    """Whether two parts, in order, are one."""
    if earlier.why != later.why or earlier.to_ms is None or later.from_ms is None:
        return False
    meet = None not in (earlier.last, later.first) and (later.first or 0) <= (earlier.last or 0)
    return later.from_ms < earlier.to_ms or (later.from_ms == earlier.to_ms and meet)


def _both(earlier: Unproven, later: Unproven) -> Unproven:
    firsts = [part.first for part in (earlier, later) if part.first is not None]
    lasts = [part.last for part in (earlier, later) if part.last is not None]
    to_ms = None if earlier.to_ms is None or later.to_ms is None else max(earlier.to_ms, later.to_ms)
    return Unproven(
        from_ms=earlier.from_ms,
        to_ms=to_ms,
        first=min(firsts, default=None),
        last=max(lasts, default=None),
        why=earlier.why,
    )


def _parts(entries: Sequence[Passed], covered: Cover, from_ms: int, to_ms: int, *, number: bool) -> Iterator[Unproven]:
    inside = entries[covered.first : covered.end]
    yield from _edges(entries, covered, from_ms, to_ms)
    yield from _stops(entries, inside, from_ms, to_ms)
    yield from _clocks(inside)
    for entry in inside:
        event = entry.event
        if event is not None and event.event == "not_recorded":
            count = event.fields["count"]
            yield _at([entry], f"{count} results were shown as NOT RECORDED before this entry: nothing says which")
    for record, why in (
        (AWAITED, "sealed entries whose bodies have not arrived or were erased: nobody here has opened them"),
        (CLOSED, "sealed entries that headquarters' keys at hand do not open, or that do not hold"),
    ):
        if found := [entry for entry in inside if entry.record == record]:
            yield _at(found, f"{len(found)} {why}")
    if number and (found := [entry for entry in inside if entry.unread]):
        yield _at(
            found, f"{len(found)} documents of which nothing could be read: any of them may be the one asked about"
        )


def _edges(entries: Sequence[Passed], covered: Cover, from_ms: int, to_ms: int) -> Iterator[Unproven]:
    if not entries:
        yield Unproven(from_ms=from_ms, to_ms=to_ms, first=None, last=None, why="the log has no entries")
        return
    begins_ms = entries[0].at.wall_ms
    if covered.start is None and begins_ms > from_ms:
        why = "this log begins here, as the box's clock claims; what was before is in no log or in another one"
        yield Unproven(from_ms=from_ms, to_ms=min(begins_ms, to_ms), first=0, last=0, why=why)
    if covered.after is None:
        last = entries[-1]
        why = (
            "no later entry names a checkpoint that headquarters cosigned after the interval: what was recorded since "
            "this entry may still be on the box"
        )
        since_ms = last.at.wall_ms if from_ms <= last.at.wall_ms < to_ms else None
        if last.at.wall_ms < from_ms:
            since_ms = from_ms
        yield Unproven(from_ms=since_ms, to_ms=to_ms, first=last.index, last=last.index, why=why)


def _stops(entries: Sequence[Passed], inside: Sequence[Passed], from_ms: int, to_ms: int) -> Iterator[Unproven]:
    """Where the recorder or the page was not running, or no scanner was ready: nothing could be recorded."""
    for entry in inside:
        event = entry.event
        if event is None or entry.index == 0:
            continue
        if event.event == "recorder_started":
            if event.fields["before"] == "first":
                continue  # the log begins with it, which is said of the interval's edge
            how = "it was told to stop" if event.fields["before"] == "stopped" else "it was cut off"
            found = _between(_last_before(entries, entry), entry, f"the recorder was not running: {how}")
        elif event.event == "page_started":
            found = _between(entries[entry.index - 1], entry, "the page's process was not running, or had not started")
        elif event.event == DEVICE and event.fields["device"] == "scanner" and event.fields["state"] != READY:
            found = _scanner(inside, entry, event)
        else:
            continue
        if found.from_ms is None or found.to_ms is None or (found.from_ms < to_ms and found.to_ms >= from_ms):
            yield found


def _last_before(entries: Sequence[Passed], entry: Passed) -> Passed:
    """The last entry before the recorder's start that `entry` tells of: of an earlier epoch, or the log's first."""
    at = entry.index
    while at > 0 and entries[at].epoch == entry.epoch:
        at -= 1
    return entries[at]


def _scanner(inside: Sequence[Passed], entry: Passed, event: EventEntry) -> Unproven:
    later = (
        each
        for each in inside
        if each.index > entry.index
        and each.event is not None
        and each.event.event == DEVICE
        and each.event.fields["device"] == "scanner"
    )
    why = f"the scanner was {event.fields['state']}: documents could be typed in only"
    return _between(entry, next(later, inside[-1]), why)


def _between(before: Passed, after: Passed, why: str) -> Unproven:
    """From one entry to another; a clock that was set back between them claims the later one for the earlier time."""
    from_ms, to_ms = sorted((before.at.wall_ms, after.at.wall_ms))
    return Unproven(from_ms=from_ms, to_ms=to_ms, first=before.index, last=after.index, why=why)


def _clocks(inside: Sequence[Passed]) -> Iterator[Unproven]:
    """Boots in which nobody vouched for the clock: their entries may be of any time between their proven neighbours."""
    run: list[Passed] = []
    for entry in inside:
        vouched = entry.at.grade is not Grade.NONE
        if run and (vouched or entry.at.boot_id != run[0].at.boot_id):
            yield _unvouched(run)
            run = []
        if not vouched:
            run.append(entry)
    if run:
        yield _unvouched(run)


def _unvouched(run: Sequence[Passed]) -> Unproven:
    return _at(run, "nobody vouched for the box's clock: these entries may be of the interval whatever they claim")


def _at(found: Iterable[Passed], why: str) -> Unproven:
    entries = list(found)
    times = [entry.at.wall_ms for entry in entries]
    return Unproven(from_ms=min(times), to_ms=max(times), first=entries[0].index, last=entries[-1].index, why=why)
