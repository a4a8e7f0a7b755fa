"""strace at a process that runs: it writes down what is called, or makes a call fail."""

import signal
import subprocess
from collections.abc import Generator
from contextlib import contextmanager


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
