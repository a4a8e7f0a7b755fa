"""strace at a process that runs: it writes down what is called, or makes a call fail."""

import re
import signal
import subprocess
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

SYNC_CALLS: Final = "fsync,fdatasync,sync,syncfs,sync_file_range,msync"

_SYNC: Final = re.compile(rf"^\d+ +({SYNC_CALLS.replace(',', '|')})\((?:\d+<([^>]*)>)?", re.MULTILINE)


def syncs(trace: Path) -> list[tuple[str, str]]:
    """Each sync in a trace of strace -f -y so far: which call, and of what, nothing for a sync of everything."""
    return [(match[1], match[2] or "") for match in _SYNC.finditer(trace.read_text())]


@contextmanager
def strace(pid: int, *options: str) -> Generator[None]:
    """Trace the process and its threads while the block runs, which begins when strace has hold of it."""
    with subprocess.Popen(["strace", "-f", *options, "-p", str(pid)], stderr=subprocess.PIPE) as tracer:
        assert tracer.stderr is not None
        assert b"attached" in tracer.stderr.readline()
        try:
            yield
        finally:
            tracer.send_signal(signal.SIGINT)
            tracer.wait(20)
