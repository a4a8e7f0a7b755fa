"""A storage that fails within a group of records: no receipt is given for what the disk may have forgotten."""

import contextlib
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Generator
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from appliance.errors import StorageFault
from appliance.formats.record import commitment, encode_record
from appliance.formats.statement import Sealed
from appliance.formats.wire import Event, encode
from appliance.line import RecorderRefused, sealed_memfd
from appliance.model import Priority
from appliance.record.journal import ROOM_BYTES
from appliance.recorded import Picture, Record
from tests.scenarios.recorder_bed import READY_S, Bed, append, bed, question, record, recorded
from tests.tracing import strace


@pytest.fixture
def box() -> Generator[Bed]:
    with bed() as made:
        yield made


def failing_sync(process: "subprocess.Popen[bytes]", of: Path) -> AbstractContextManager[None]:
    """The kernel's answer to the recorder's next sync of this folder is that the disk is full, once."""
    return strace(process.pid, "-e", "inject=fsync:error=ENOSPC:when=1", "-P", str(of), "-o", os.devnull)


def picture() -> Record:
    return record(Picture(of="ab" * 16, media_type="image/jpeg", content=os.urandom(90_000)))


def test_a_full_disk_at_the_sync_of_a_bodys_name_is_never_asked_twice(box: Bed) -> None:
    """The kernel has forgotten what it could not write: a second sync would say that all is well."""
    process = box.start()
    made = picture()
    request, memfd = question(made)
    assert memfd is not None
    box.settle()
    process.send_signal(signal.SIGSTOP)
    with (
        failing_sync(process, box.state / "bodies"),
        sealed_memfd(memfd) as fd,
        socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as booth,
    ):
        booth.settimeout(20)
        booth.connect(str(box.folder / "run" / "booth.sock"))
        socket.send_fds(booth, [encode(request)], [fd])
        booth.send(encode(Event(event="page_started", fields={})))
        process.send_signal(signal.SIGCONT)
        with contextlib.suppress(ConnectionResetError):
            assert booth.recv(70_000) == b"", "nobody was told that anything is recorded"
        assert process.wait(20) == StorageFault.exit_code
    box.stop(box.start())
    sealed = [one.kind.commitment for one in box.statements() if isinstance(one.kind, Sealed)]
    assert sealed
    assert commitment(encode_record(made)) not in sealed


def test_a_body_whose_frame_found_no_room_goes_and_its_index_has_the_next_entrys_alone(box: Bed) -> None:
    process, line, made = box.start(), box.line(), picture()
    box.settle()
    (journal,) = box.journals
    deadline = time.monotonic() + READY_S
    while journal.stat().st_size < ROOM_BYTES:  # made in a quiet moment: the next write is the frame's
        assert time.monotonic() < deadline, "no room was made"
        threading.Event().wait(0.01)
    bodies = {path.name for path in (box.state / "bodies").iterdir()}
    request, memfd = question(made)
    full = ("-e", "inject=pwrite64:error=ENOSPC:when=1", "-P", str(journal), "-o", os.devnull)
    with strace(process.pid, *full), pytest.raises(RecorderRefused) as refusal:
        line.ask(request, memfd)
    assert refusal.value.code == "storage_full"
    assert {path.name for path in (box.state / "bodies").iterdir()} == bodies
    receipt = recorded(line, append(record()), box.verifier)
    box.settle()
    assert {path.name for path in (box.state / "bodies").iterdir()} - bodies == {
        f"{receipt.index}.{Priority.RECORD.value}.age"
    }
    box.stop(process)


NEW_JOURNAL = """
import pathlib, sys
from appliance.errors import StorageFull
from appliance.formats.merkle import EMPTY_ROOT
from appliance.record.journal import Header, Journal
try:
    Journal.create(pathlib.Path(sys.argv[1]), Header(origin="landlink.example/la-0001.1", size=0, root=EMPTY_ROOT))
except StorageFull:
    print("refused")
"""


@pytest.mark.parametrize("when", [1, 2], ids=["content", "name"])
def test_a_new_journal_whose_sync_fails_is_not_there(tmp_path: Path, when: int) -> None:
    """Entries go on in the old one: a recovery that found the new one beside it would take the log for damaged."""
    inject = ["strace", "-f", "-e", f"inject=fsync:error=ENOSPC:when={when}", "-o", os.devnull]
    command = [*inject, sys.executable, "-c", NEW_JOURNAL, str(tmp_path / "journal.0000000002")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout == "refused\n"
    assert not list(tmp_path.iterdir())
