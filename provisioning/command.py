"""What the rooms' `verbs.py` share: where a verb's parser is added."""

from argparse import ArgumentParser
from typing import Any, Protocol


class Verbs(Protocol):
    """The verbs of one command (what `ArgumentParser.add_subparsers` returns; its own class is private to argparse)."""

    def add_parser(self, name: str, **options: Any) -> ArgumentParser:  # noqa: ANN401 - argparse's own options
        """Declare a verb; its parser's default `run` takes the arguments and returns the exit code."""
        ...
