"""What the rooms' verbs share: where a verb's parser is added, its words, the time, and a line that boxes fed."""

import json
import time
from argparse import ArgumentParser, RawDescriptionHelpFormatter
from typing import Any, Final, Protocol, TextIO

import msgspec

RAW: Final = RawDescriptionHelpFormatter
"""A verb's description is printed as it is written, in its lines."""


class Verbs(Protocol):
    """The verbs of one command (what `ArgumentParser.add_subparsers` returns; its own class is private to argparse)."""

    def add_parser(self, name: str, **options: Any) -> ArgumentParser:  # noqa: ANN401 - argparse's own options
        """Declare a verb; its parser's default `run` takes the arguments and returns the exit code."""
        ...


def now_ms() -> int:
    """Milliseconds since 1970, by this machine's clock."""
    return time.time_ns() // 1_000_000


def say(line: str, file: TextIO | None = None) -> None:
    """Print one line: what a box recorded, or a list says, gives a terminal no orders, and makes no second line."""
    shown = "".join(character if character.isprintable() else "\N{REPLACEMENT CHARACTER}" for character in line)
    print(shown, file=file)


def json_line(value: object) -> str:
    """A value as one line of JSON that may go to a terminal, too: JSON itself leaves C1 controls and the like alone."""
    text = msgspec.json.encode(value).decode()
    if text.isprintable():
        return text
    return "".join(character if character.isprintable() else json.dumps(character)[1:-1] for character in text)
