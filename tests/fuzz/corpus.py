"""Inputs that earlier runs found worth keeping: `corpus/NAME.hex`, one a line; every run begins with them."""

import sys
from collections.abc import Iterable
from pathlib import Path
from types import FrameType
from typing import Any, Final

from tests.fuzz.reading import Target

FOLDER: Final = Path(__file__).parent / "corpus"
INPUT_BYTES_MAX: Final = 2048
FILE_BYTES_MAX: Final = 24 * 1024
"""What a target's inputs come to: the shortest ones are kept."""
OURS: Final = tuple(f"/{name}/" for name in ("appliance", "drivers", "provisioning"))

Step = tuple[str, int, int]
"""A file, a line of it, and the line before that one."""


def inputs_of(name: str, target: Target) -> list[bytes]:
    """What a run of this target begins with."""
    return [*target.seeds(), *read_corpus(name)]


def read_corpus(name: str) -> list[bytes]:
    """What is kept for this target; nothing where no run has kept any."""
    path = FOLDER / f"{name}.hex"
    return [bytes.fromhex(line) for line in path.read_text(encoding="ascii").splitlines()] if path.exists() else []


def keep_corpus(name: str, target: Target, found: Iterable[bytes]) -> int:
    """Keep, of what was found and what was kept, the inputs that take a step which the shorter ones do not take.

    Returns:
        How many are kept.
    """
    taken = set[Step]().union(*(steps(target, seed) for seed in target.seeds()))
    kept: list[bytes] = []
    for data in sorted({*found, *read_corpus(name)}, key=lambda each: (len(each), each)):
        if len(data) > INPUT_BYTES_MAX or sum(map(len, kept)) + len(data) > FILE_BYTES_MAX:
            break
        more = steps(target, data) - taken
        if more:
            taken |= more
            kept.append(data)
    FOLDER.mkdir(exist_ok=True)
    (FOLDER / f"{name}.hex").write_text("".join(f"{data.hex()}\n" for data in kept), encoding="ascii")
    return len(kept)


def steps(target: Target, data: bytes) -> set[Step]:
    """From which line to which our code goes on with this input."""
    seen: set[Step] = set()
    before: dict[FrameType, int] = {}

    def follow(frame: FrameType, event: str, _: Any) -> Any:  # noqa: ANN401 - as sys.settrace gives and wants it
        file = frame.f_code.co_filename
        if not any(part in file for part in OURS):
            return None
        if event == "line":
            seen.add((file, before.get(frame, 0), frame.f_lineno))
            before[frame] = frame.f_lineno
        elif event == "return":
            before.pop(frame, None)
        return follow

    sys.settrace(follow)
    try:
        target.run(data)
    finally:
        sys.settrace(None)
    return seen
