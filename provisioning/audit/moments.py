"""Times in words: what is proven of an entry, and what its box claims."""

from appliance.clock import Grade, Instant
from provisioning.audit.chronology import moment
from provisioning.audit.opened.records import iso
from provisioning.audit.when import CosignedHead, Interval

GRADES = {
    Grade.HEADQUARTERS: "set by headquarters",
    Grade.NETWORK: "set over a network",
    Grade.RTC: "from a clock with a battery",
    Grade.NONE: "nobody vouches for it",
}


def proven(interval: Interval) -> str:
    """What is proven, in one line."""
    after_ms, before_ms = interval.after_ms, interval.before_ms
    if after_ms is None:
        return "not proven yet" if before_ms is None else f"before {moment(_up(before_ms))}"
    if before_ms is None:
        return f"after {moment(after_ms)}"
    words = f"{moment(after_ms)} to {moment(_up(before_ms))}"
    return f"CONTRADICTORY: {words}" if interval.contradictory else words


def proofs(interval: Interval) -> list[str]:
    """What proves each side, a line each."""
    lines: list[str] = []
    if interval.after is not None and interval.after_ms is not None:
        lines.append(
            f"after   {moment(interval.after_ms)}: the box names the checkpoint of {interval.after.checkpoint.size} "
            "entries that headquarters cosigned then"
        )
    else:
        lines.append("after   not proven: the box had no cosigned checkpoint, or the one that it names is not here")
    if interval.before is None or interval.before_ms is None:
        lines.append("before  not proven yet: headquarters has signed nothing that covers it; next: landlink-hq pull")
    elif isinstance(interval.before, CosignedHead):
        lines.append(
            f"before  {moment(_up(interval.before_ms))}: headquarters cosigned a checkpoint of "
            f"{interval.before.checkpoint.size} entries, of which it is one"
        )
    else:
        lines.append(f"before  {moment(_up(interval.before_ms))}: headquarters signed a receipt for its body")
    return lines


def claimed(at: Instant) -> str:
    """What the box claims."""
    return f"{iso(at.wall_ms)}, {GRADES[at.grade]}; it claims to be proven later than {iso(at.lower_bound_ms)}"


def _up(ms: int) -> int:
    """To the next whole second: a time before which something was is never shown earlier than it is proven."""
    return -(-ms // 1000) * 1000


def best_ms(at: Instant, interval: Interval) -> int:
    """The claimed time, moved into what is proven: what a question for a time is answered by; since 1970."""
    best = at.wall_ms
    if interval.after_ms is not None:
        best = max(best, interval.after_ms)
    if interval.before_ms is not None:
        best = min(best, interval.before_ms)
    return best
