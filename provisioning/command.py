"""What the rooms' verbs share: the time, and a line that boxes fed."""

import contextlib
import json
import signal
import threading
import time
from collections.abc import Generator
from types import FrameType
from typing import TextIO

import msgspec

from appliance.command import printable


def now_ms() -> int:
    """Milliseconds since 1970, by this machine's clock."""
    return time.time_ns() // 1_000_000


@contextlib.contextmanager
def tidied_when_ended() -> Generator[None]:
    """A closed terminal (SIGHUP) or SIGTERM leaves the block as Ctrl-C does: what is half made is removed first.

    Once: who sends it again waits until that is done. What ignores a signal (`nohup`) goes on ignoring it.
    """
    ended: list[int] = []

    def end(number: int, _frame: FrameType | None) -> None:
        if not ended:
            ended.append(number)
            raise KeyboardInterrupt

    mine = threading.current_thread() is threading.main_thread()  # no other thread may say what a signal does
    numbers = [each for each in (signal.SIGTERM, signal.SIGHUP) if mine and signal.getsignal(each) is signal.SIG_DFL]
    for number in numbers:
        signal.signal(number, end)
    try:
        yield
    finally:
        for number in numbers:
            signal.signal(number, signal.SIG_DFL)
        if ended:
            signal.raise_signal(ended[0])


def say(line: str, file: TextIO | None = None) -> None:
    """Print one line: what a box recorded, or a list says, gives a terminal no orders, and makes no second line."""
    print(printable(line), file=file)


def counted(number: int, what: str) -> str:
    """A number of things whose plural ends in s, or in ies for y: `1 body`, `2 bodies`."""
    if number == 1:
        return f"1 {what}"
    return f"{number} {what.removesuffix('y')}ies" if what.endswith("y") else f"{number} {what}s"


def entries_of(first: int, end: int) -> str:
    """Entries of a log in words, `end` not included."""
    if end <= first:
        return "no entries"
    return f"entry {first}" if end == first + 1 else f"entries {first} to {end - 1}"


def json_line(value: object) -> str:
    """A value as one line of JSON that may go to a terminal, too: JSON itself leaves C1 controls and the like alone."""
    text = msgspec.json.encode(value).decode()
    if text.isprintable():
        return text
    return "".join(character if character.isprintable() else json.dumps(character)[1:-1] for character in text)
