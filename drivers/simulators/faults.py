"""What can go wrong on a serial line while one document is sent: each fault as a script of writes and pauses."""

import enum
from dataclasses import dataclass
from typing import Final

OVERSIZED_BYTES: Final = 6000
"""More than the 4 KiB that a box takes for one document."""


class Fault(enum.StrEnum):
    """One thing that goes wrong, at a given byte of a report."""

    NONE = "none"
    DROP = "drop"  # one byte is lost
    CORRUPT = "corrupt"  # one byte arrives with its bits flipped
    STALL = "stall"  # the line pauses in the middle, then goes on
    SPLIT = "split"  # the report comes in two writes
    REPEAT = "repeat"  # what was sent so far is sent again
    GARBAGE = "garbage"  # line noise in the middle
    OVERSIZED = "oversized"  # the report never seems to end
    UNPLUG = "unplug"  # the cable is pulled in the middle and plugged in again


@dataclass(frozen=True, slots=True, kw_only=True)
class Write:
    """Bytes that go out at once."""

    content: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Pause:
    """The line is silent; `unplugged` means that there is no line."""

    for_s: float
    unplugged: bool = False


def script(report: bytes, fault: Fault, *, at: int, for_s: float) -> list[Write | Pause]:
    """How `report` goes over the line when `fault` happens at byte `at` (held to the report's length) for `for_s`."""
    at = max(0, min(at, len(report) - 1))
    before, after = report[:at], report[at:]
    match fault:
        case Fault.NONE:
            parts: list[bytes] = [report]
        case Fault.DROP:
            parts = [before + after[1:]]
        case Fault.CORRUPT:
            parts = [before + bytes((report[at] ^ 0xFF,)) + after[1:]] if report else []
        case Fault.REPEAT:
            parts = [before + before + after]
        case Fault.GARBAGE:
            parts = [before + b"\x00\xff\x49\x00\xfe\x55" + after]
        case Fault.OVERSIZED:
            parts = [before + b"<" * OVERSIZED_BYTES + after]
        case Fault.SPLIT | Fault.STALL:
            return [Write(content=before), Pause(for_s=0.0 if fault is Fault.SPLIT else for_s), Write(content=after)]
        case Fault.UNPLUG:
            return [Write(content=before), Pause(for_s=for_s, unplugged=True)]
    return [Write(content=part) for part in parts]
