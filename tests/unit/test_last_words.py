"""Whatever bug ends a process, its journal says which and where, and nothing of whom it was about."""

import logging
import subprocess
import sys

import pytest

from appliance.last_words import WithoutText, keep_texts_out_of_the_journal, last_words

SECRET = "SISOUK MALAVANH"
BROKEN = f"""
import asyncio, logging, threading
from appliance import last_words
from appliance.booth import serve

def broken():
    names = {{}}
    try:
        names["{SECRET}"]
    except KeyError as error:
        raise ValueError("{SECRET} again") from error

class Leaving:
    def __del__(self):
        broken()

last_words.{keep_texts_out_of_the_journal.__name__}()
"""
ENDS = {
    "the main thread": "broken()",
    "a thread": "t = threading.Thread(target=broken); t.start(); t.join()",
    "a thread of the booth": (
        "threading.excepthook = serve.end_with_thread; t = threading.Thread(target=broken); t.start(); t.join()"
    ),
    "an object that goes": "Leaving()",
    "the page's server": (
        "\ntry: broken()\nexcept ValueError as e: logging.getLogger('uvicorn.error').error('Oh\\n', exc_info=e)"
    ),
    "its loop": (
        f"\nasync def m(): asyncio.get_running_loop().call_soon(lambda _: broken(), '{SECRET}'); await asyncio.sleep(0)"
        "\nasyncio.run(m())"
    ),
}


@pytest.mark.parametrize("end", ENDS)
def test_an_uncaught_error_is_said_without_its_text(end: str) -> None:
    ended = subprocess.run([sys.executable, "-c", BROKEN + ENDS[end]], capture_output=True, text=True, check=False)
    said = ended.stdout + ended.stderr
    assert "ValueError at " in said
    assert "from KeyError at " in said
    assert " broken" in said
    assert SECRET not in said
    assert (ended.returncode == 0) == (end not in ("the main thread", "a thread of the booth"))


def test_a_group_is_said_by_what_is_in_it() -> None:
    assert last_words(ExceptionGroup(SECRET, [ValueError(SECRET)])) == (
        "a bug: ExceptionGroup at no place, from ValueError at no place"
    )


def test_lines_without_an_error_stay_as_they_are() -> None:
    record = logging.LogRecord("uvicorn.error", logging.WARNING, "", 0, "at most %d", (64,), None)
    assert WithoutText().filter(record)
    assert record.getMessage() == "at most 64"
