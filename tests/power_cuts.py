"""`python -m tests.power_cuts SHELF MIRROR OUT BOUND_MS`: one switch again and again, cut before its n-th step.

Each attempt is a process of its own that runs the real take on a copy of the shelf, `OUT/<n>`. Before the n-th step
that would change the disk (or wait for it) the process loses what a power cut would lose, and is gone: half of whatever
it wrote and did not sync, and the entries of folders that it made and did not sync. Nothing is stood in for: the
interpreter itself reports each step (PEP 578 and, for fsync, which has no such event, its profiler). Prints the steps,
one a line, until an attempt came through.
"""

import os
import shutil
import stat
import sys
from collections.abc import Iterator
from pathlib import Path
from types import FrameType
from typing import Final

from appliance.releases.take import take_release
from appliance.shelf import Shelf
from tests.release_world import LIST_KEY

CHANGES: Final = {
    "os.mkdir", "os.rename", "os.remove", "os.rmdir", "os.link", "os.symlink", "os.chmod", "os.truncate",
}  # fmt: skip
WRITES: Final = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC
CUT: Final = 9
STEPS_MAX: Final = 2_000


class Cut:
    """Counts the steps of this process, and ends it before the n-th.

    Args:
        folder: What the cut falls on; what lies there now is on the disk.
    """

    def __init__(self, folder: Path, before_step: int) -> None:
        self._folder = folder
        self._left = before_step
        self._durable = {os.lstat(path).st_ino for path in _all(folder)}

    def arm(self) -> None:
        sys.addaudithook(self._event)
        sys.setprofile(self._call)

    def _event(self, event: str, arguments: tuple[object, ...]) -> None:
        if event == "open":
            path, _, flags = arguments
            if isinstance(flags, int) and flags & WRITES:
                self._step(f"open {path!r}")
        elif event in CHANGES:
            self._step(f"{event} {arguments[0]!r}")

    def _call(self, frame: FrameType, event: str, called: object) -> None:
        if called is not os.fsync or event not in ("c_call", "c_return"):
            return
        synced = os.fstat(frame.f_locals["fd"])
        if event == "c_return":
            self._durable.add(synced.st_ino)
        else:
            self._step("fsync of a folder" if stat.S_ISDIR(synced.st_mode) else "fsync of a file")

    def _step(self, what: str) -> None:
        self._left -= 1
        if self._left == 0:
            self._left = -1
            sys.stdout.write(what.replace(f"{self._folder}/", "") + "\n")
            sys.stdout.flush()
            self._lose()
            os._exit(CUT)

    def _lose(self) -> None:
        sys.setprofile(None)
        for path in _all(self._folder):
            found = path.lstat()
            if found.st_ino in self._durable:
                continue
            if stat.S_ISREG(found.st_mode):
                os.truncate(path, found.st_size // 2)
            elif stat.S_ISDIR(found.st_mode):
                for entry in path.iterdir():
                    shutil.rmtree(entry) if entry.is_dir() and not entry.is_symlink() else entry.unlink()


def _all(folder: Path) -> Iterator[Path]:
    return iter(sorted(folder.rglob("*"), reverse=True))


def main(shelf: Path, mirror: Path, out: Path, bound_ms: int) -> int:
    for number in range(1, STEPS_MAX):
        copy = out / str(number)
        shutil.copytree(shelf, copy, symlinks=True)
        child = os.fork()
        if child == 0:
            Cut(copy, number).arm()
            take_release(Shelf(copy), mirror, lower_bound_ms=bound_ms, keys=(LIST_KEY,))
            os._exit(0)
        _, status = os.waitpid(child, 0)
        code = os.waitstatus_to_exitcode(status)
        if code != CUT:
            return code
    return 1


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), Path(sys.argv[2]), Path(sys.argv[3]), int(sys.argv[4])))
