"""What the rooms' verbs share: where a verb's parser is added, and how a line that boxes fed is shown."""

from argparse import ArgumentParser
from typing import Any, Protocol


class Verbs(Protocol):
    """The verbs of one command (what `ArgumentParser.add_subparsers` returns; its own class is private to argparse)."""

    def add_parser(self, name: str, **options: Any) -> ArgumentParser:  # noqa: ANN401 - argparse's own options
        """Declare a verb; its parser's default `run` takes the arguments and returns the exit code."""
        ...


def say(line: str) -> None:
    """Print one line: what a box recorded gives a terminal no orders, and makes no second line."""
    print("".join(character if character.isprintable() else "\N{REPLACEMENT CHARACTER}" for character in line))
