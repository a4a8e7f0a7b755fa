"""What a process says in its journal of a bug: which kind of error, and where; never the error's own text.

That text may hold what was being worked on: a name, a number, a date of birth. The journal holds nothing about persons.
"""

import logging
import sys
import threading
import traceback
from pathlib import Path
from typing import Final

PLACES_MAX: Final = 16
CHAIN_MAX: Final = 4
LOGGERS: Final = ("uvicorn.error", "asyncio")
"""Libraries that write uncaught errors of their own accord."""


def last_words(error: BaseException | None) -> str:
    """One line: the error's type and the innermost places of its way, then of those it came from."""
    said: list[str] = []
    while error is not None and len(said) < CHAIN_MAX:
        said.append(f"{type(error).__name__} at {_places(error)}")
        inner = error.exceptions[0] if isinstance(error, BaseExceptionGroup) else None
        error = inner or error.__cause__ or error.__context__
    return "a bug: " + ", from ".join(said)


def _places(error: BaseException) -> str:
    steps = list(traceback.walk_tb(error.__traceback__))[-PLACES_MAX:]
    places = [f"{_file(frame.f_code.co_filename)}:{line} {frame.f_code.co_name}" for frame, line in steps]
    return " > ".join(places) or "no place"


def _file(name: str) -> str:
    return "/".join(Path(name).parts[-2:])


class WithoutText(logging.Filter):
    """Puts an error's last words in the place of its text and traceback."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Let every line through; one that carries an error says its last words only."""
        if record.exc_info:
            record.msg = last_words(record.exc_info[1])
            record.args, record.exc_info, record.exc_text = (), None, None
        return True


def keep_texts_out_of_the_journal() -> None:
    """For a whole process, before it begins: whatever nobody catches is said by its last words."""
    sys.excepthook = lambda _kind, error, _trace: _say(error)
    sys.unraisablehook = lambda unraisable: _say(unraisable.exc_value)
    threading.excepthook = lambda ended: None if ended.exc_type is SystemExit else _say(ended.exc_value)
    for name in LOGGERS:
        logging.getLogger(name).addFilter(WithoutText())


def _say(error: BaseException | None) -> None:
    sys.stderr.write(last_words(error) + "\n")
    sys.stderr.flush()
