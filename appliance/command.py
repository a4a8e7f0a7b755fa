"""What the commands share: how they are asked for, how they explain themselves, and how they end.

Every exit code that a command can end with is in `errors.EXIT_CODES`, and in the help of each command.
"""

import argparse
import contextlib
import errno
import os
import sys
from collections.abc import Callable, Generator, Sequence
from pathlib import Path
from typing import Any, Final, NoReturn, Protocol

from appliance.errors import EXIT_CODES, LandlinkError, Misuse, NoInput, StorageFull

BUG: Final = LandlinkError.exit_code
INTERRUPTED: Final = 130
READER_LEFT: Final = 141


class Verbs(Protocol):
    """The verbs of one command (what `ArgumentParser.add_subparsers` returns; its own class is private to argparse)."""

    def add_parser(self, name: str, **options: Any) -> argparse.ArgumentParser:  # noqa: ANN401 - argparse's own options
        """Declare a verb; its parser's default `run` is what it does."""
        ...


class Parser(argparse.ArgumentParser):
    """A command or one of its verbs: words are printed as they are written, an option is its whole name.

    Misuse ends with 64, as everywhere else here, and names what to read.
    """

    def __init__(self, **options: Any) -> None:  # noqa: ANN401 - argparse's own options
        options.setdefault("formatter_class", argparse.RawDescriptionHelpFormatter)
        options.setdefault("allow_abbrev", False)  # an option of the next version would change what a script means
        super().__init__(**options)
        if self.epilog is None:
            self.epilog = f"Exit codes: 0 done, 64 misuse; all of them: {self.prog.partition(' ')[0]} --help"

    def error(self, message: str) -> NoReturn:
        """End: nothing was done."""
        self.print_usage(sys.stderr)
        self.exit(Misuse.exit_code, f"{self.prog}: {message}\nNext: {self.prog} --help\n")


def table_of_codes() -> str:
    """Every exit code and what it means, for the help of a command."""
    rows = (f"  {code:>3}  {words}" for code, words in EXIT_CODES.items())
    return "\n".join(("Exit codes (64 to 78 as in sysexits.h):", *rows))


@contextlib.contextmanager
def named(path: Path) -> Generator[None]:
    """Turn an OSError of the enclosed reading into NoInput: somebody named `path`, and it cannot be read."""
    try:
        yield
    except OSError as error:
        why = error.strerror or type(error).__name__
        raise NoInput(f"{path}: {why}; name one that is there, and that you may read") from None


def whole_number(what: str, *, least: int, most: int) -> Callable[[str], int]:
    """An option's type: a whole number of `what` from `least` to `most`, in digits alone."""

    def parse(text: str) -> int:
        if not (text.isascii() and text.isdecimal() and len(text) <= len(str(most)) and least <= int(text) <= most):
            raise argparse.ArgumentTypeError(f"{text[:40]!r} is no number of {what} from {least} to {most}")
        return int(text)

    return parse


def run(parser: Parser, act: Callable[[argparse.Namespace], int], words: Sequence[str] | None = None) -> int:
    """Read the command line, or `words`, and act on it; returns the exit code, which says whose fault a failure is."""
    arguments, unknown = parser.parse_known_args(words)
    verb = f"{parser.prog} {arguments.verb}"
    if unknown:
        parser.exit(Misuse.exit_code, f"{verb}: does not take {' '.join(unknown)}\nNext: {verb} --help\n")
    try:
        code = act(arguments)
        sys.stdout.flush()
    except KeyboardInterrupt:
        return INTERRUPTED
    except Exception as error:  # noqa: BLE001 - the outermost: a bug's code is not that of something found wrong
        return _failed(verb, error)
    return code


def _failed(verb: str, error: Exception) -> int:
    """Say what a verb ended by; returns its exit code."""
    if isinstance(error, LandlinkError):
        for line in f"{verb}: {error}".splitlines():
            print(printable(line), file=sys.stderr)
        return error.exit_code
    if isinstance(error, BrokenPipeError):  # whoever read has enough (`| head`)
        _print_no_more()
        return READER_LEFT
    if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
        _print_no_more()
        print(f"{verb}: {error.strerror}: not all of the answer was written", file=sys.stderr)
        return StorageFull.exit_code
    sys.excepthook(type(error), error, error.__traceback__)
    return BUG


def _print_no_more() -> None:
    """What is left to print goes nowhere: else Python tries once more at its end."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def printable(line: str) -> str:
    """One line that gives a terminal no orders, whoever fed it, and makes no second line."""
    return "".join(character if character.isprintable() else "\N{REPLACEMENT CHARACTER}" for character in line)
