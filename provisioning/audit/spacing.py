"""How far apart entries of one boot are, by the boot-time clock that nobody can set: claims of the box, in words."""

from collections.abc import Mapping

from appliance.clock import Instant


def spacing(index: int, at: Instant, neighbours: Mapping[int, Instant]) -> tuple[str, ...]:
    """Distances of an entry to its neighbours, those of another boot left out ("3 min 20 s after entry 812")."""
    words: list[str] = []
    for other, when in sorted(neighbours.items()):
        if when.boot_id != at.boot_id or other == index:
            continue
        side = "after" if other < index else "before"
        words.append(f"{duration(abs(at.boot_ms - when.boot_ms))} {side} entry {other}")
    return tuple(words)


def duration(ms: int) -> str:
    """A length of time by its two largest units: "3 min 20 s"."""
    if ms < 1_000:
        return f"{ms} ms"
    left, parts = ms // 1000, list[str]()
    for seconds, unit in ((86_400, "d"), (3_600, "h"), (60, "min"), (1, "s")):
        count, left = divmod(left, seconds)
        if count:
            parts.append(f"{count} {unit}")
    return " ".join(parts[:2])
