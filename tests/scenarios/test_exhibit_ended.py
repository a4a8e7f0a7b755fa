"""Whoever makes an exhibit and is ended in the middle leaves nothing that can be read: a draft is opened records."""

import fcntl
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

import pytest

from appliance.errors import Refused
from provisioning.exhibit.folder import write_folder
from tests.exhibit_samples import Made, make_exhibit

OPENED: Final = "evidence/record.cbor"
ENDED: Final = """
import signal, sys
from collections.abc import Mapping
from pathlib import Path
from provisioning.exhibit.folder import write_folder

class Pieces(Mapping):
    def __getitem__(self, path): return b"an opened record"
    def __len__(self): return 2
    def __iter__(self):
        yield "evidence/record.cbor"
        print(*(path.name for path in Path(sys.argv[1]).parent.rglob("record.cbor")), flush=True)
        signal.raise_signal(int(sys.argv[2]))
        yield "evidence/record.json"

signal.signal(signal.SIGHUP, signal.Handlers[sys.argv[3]])
write_folder(Path(sys.argv[1]), None, Pieces())
"""
"""Makes an exhibit, and is sent a signal when the opened record lies in its draft; SIGHUP does what is said of it."""


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Made:
    return make_exhibit(tmp_path_factory.mktemp("home"))


def ended_by(
    number: int, out: Path, *, hang_up: signal.Handlers = signal.Handlers.SIG_DFL
) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", ENDED, str(out), str(number), hang_up.name]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_closed_terminal_or_sigterm_leaves_no_opened_record(tmp_path: Path, number: signal.Signals) -> None:
    done = ended_by(number, tmp_path / "ຄະດີ 17")
    assert done.stdout == "record.cbor\n"
    assert done.returncode == -number, "whoever sent it sees that it ended by it"
    assert list(tmp_path.iterdir()) == []


def test_what_was_told_to_outlive_its_terminal_does(tmp_path: Path) -> None:
    done = ended_by(signal.SIGHUP, tmp_path / "case", hang_up=signal.Handlers.SIG_IGN)
    assert done.returncode == 1, "it went on, to the exhibit that this one lacks"
    assert "AttributeError" in done.stderr


def test_a_draft_that_a_killed_process_left_goes_with_the_next_of_that_name(tmp_path: Path, made: Made) -> None:
    assert ended_by(signal.SIGKILL, tmp_path / "case [17]").returncode == -signal.SIGKILL
    assert len(list(tmp_path.rglob("record.cbor"))) == 1
    write_folder(tmp_path / "case [17]", made.exhibit, made.files, readable=False)
    assert [path.name for path in tmp_path.iterdir()] == ["case [17]"]


def test_a_draft_of_somebody_who_is_at_work_is_left_alone(tmp_path: Path, made: Made) -> None:
    theirs = tmp_path / ".case.1.draft"
    theirs.mkdir()
    held = os.open(theirs, os.O_RDONLY)
    fcntl.flock(held, fcntl.LOCK_EX)
    write_folder(tmp_path / "case", made.exhibit, made.files, readable=False)
    os.close(held)
    assert theirs.is_dir()


class Overtaken(Mapping[str, bytes]):
    """The files of an exhibit; when the last one is asked for, another process has put its own in place."""

    def __init__(self, pieces: Mapping[str, bytes], folder: Path) -> None:
        self._pieces = pieces
        self._folder = folder

    def __getitem__(self, path: str) -> bytes:
        return self._pieces[path]

    def __len__(self) -> int:
        return len(self._pieces)

    def __iter__(self) -> Iterator[str]:
        yield from self._pieces
        self._folder.mkdir()
        (self._folder / "SHA256SUMS").write_text("theirs")


def test_of_two_at_once_one_is_whole_and_the_other_is_told(tmp_path: Path, made: Made) -> None:
    out = tmp_path / "case"
    with pytest.raises(Refused, match="exists"):
        write_folder(out, made.exhibit, Overtaken(made.files, out), readable=False)
    assert [path.read_text() for path in tmp_path.rglob("*") if path.is_file()] == ["theirs"]
