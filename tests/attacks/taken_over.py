"""A box whose processes are different users, as on a Pi, and whoever has taken one of them over.

The recorder is a real process. The attacker is the test itself, with the effective user of the process that he has
taken over: the kernel judges his sockets and his files by it.
"""

import contextlib
import hashlib
import os
import stat
from collections.abc import Generator, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from appliance.formats.statement import EventEntry
from appliance.formats.wire import Hello
from appliance.line import RecorderLine, RecorderRefused
from tests.scenarios.made_headquarters import box_toml
from tests.scenarios.recorder_bed import Bed, bed

BOOTH: Final = 61_001
UPLINK: Final = 61_002
RELEASES: Final = 61_003
AUDIT: Final = 61_004
TRIES_MAX: Final = 20_000
OWNERS: Final = {
    "mirror": UPLINK,
    "down": UPLINK,
    "uplink": UPLINK,
    "releases": RELEASES,
    "audit": AUDIT,
}
"""Folders that are not the recorder's, as systemd/tmpfiles.conf gives them away."""


@contextlib.contextmanager
def user(uid: int) -> Generator[None]:
    """Be this user, and nobody else's group, for sockets and files."""
    uid_before, gid_before, groups = os.geteuid(), os.getegid(), os.getgroups()
    os.seteuid(0)
    os.setgroups([])
    os.setegid(uid)
    os.seteuid(uid)
    try:
        yield
    finally:
        os.seteuid(0)
        os.setegid(gid_before)
        os.setgroups(groups)
        os.seteuid(uid_before)


@dataclass
class Scene:
    """A box, its recorder, and what an attacker may try from the place of one process.

    Attributes:
        pid: Of the recorder.
    """

    box: Bed
    pid: int
    lines: dict[str, RecorderLine] = field(default_factory=dict[str, RecorderLine])

    def door(self, role: str) -> RecorderLine:
        """One connection a role, as a user of this role has it."""
        if role not in self.lines:
            self.lines[role] = self.box.line(role)
        return self.lines[role]

    def leave(self) -> None:
        """Hang up, so that the next attack has all connections for itself."""
        self.lines.clear()
        while self.box.lines:
            self.box.lines.pop().close()

    def still_serves(self) -> None:
        """The booth's own question is answered, by the recorder that ran before."""
        with user(BOOTH):
            line = self.box.line()
            line.ask(Hello())
            line.close()
        with user(0):
            assert Path(f"/proc/{self.pid}").exists()

    def recovers(self, role: str) -> None:
        """What a flood left in the queue is worked off, and the role is served again."""
        for _ in range(TRIES_MAX):
            line = self.box.line(role)
            try:
                line.ask(Hello())
            except RecorderRefused:
                continue
            else:
                return
            finally:
                line.close()
        raise AssertionError("a flood that is over still keeps its role out")

    def settle(self) -> None:
        """Wait until everything that was recorded is published."""
        with user(BOOTH):
            self.box.settle()

    def refusals(self) -> set[tuple[str, str]]:
        """Who was refused at a door and why, as the log has it."""
        self.settle()
        with user(0):
            said = [one.kind for one in self.box.statements() if isinstance(one.kind, EventEntry)]
        return {(one.fields["role"], one.fields["why"]) for one in said if one.event == "peer_refused"}

    def descriptors(self) -> int:
        with user(0):
            return len(list(Path(f"/proc/{self.pid}/fd").iterdir()))

    def memory_kib(self) -> int:
        with user(0):
            status = Path(f"/proc/{self.pid}/status").read_text(encoding="ascii")
        return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmRSS:"))


@contextlib.contextmanager
def scene() -> Generator[Scene]:
    """A box at work, its folders owned as on a Pi. Needs root, which makes the users."""
    with bed() as box:
        text = box_toml(box.folder).decode()
        for role, uid in (("booth", BOOTH), ("uplink", UPLINK), ("releases", RELEASES), ("audit", AUDIT)):
            text = text.replace(f"{role}_uid = 0", f"{role}_uid = {uid}")
        (box.folder / "box.toml").write_text(text, encoding="utf-8")
        for folder in (box.folder, box.state, box.folder / "run"):
            folder.chmod(0o755)
        for name, uid in OWNERS.items():
            _give(box.state / name, uid)
        process = box.spawn()
        with user(BOOTH):
            line = box.line(timeout_s=30.0)
            line.ask(Hello())
            line.close()
        yield Scene(box, process.pid)


def _give(folder: Path, uid: int) -> None:
    for path in (folder, *folder.rglob("*")):
        os.chown(path, uid, uid, follow_symlinks=False)


def everything(folder: Path) -> Iterator[Path]:
    """Every folder and file below, links not followed, as root sees it."""
    for at, folders, files in os.walk(folder):
        yield from (Path(at) / name for name in (*folders, *files))


def contents(folder: Path, *, without: tuple[str, ...] = ()) -> dict[str, tuple[int, int, bytes]]:
    """Mode, owner and content of all that lies below, but for the folders of these names at the top."""
    found: dict[str, tuple[int, int, bytes]] = {}
    for path in everything(folder):
        name = path.relative_to(folder)
        if name.parts[0] not in without:
            with contextlib.suppress(FileNotFoundError):  # whose recorder works on meanwhile
                found[str(name)] = _content(path)
    return found


def _content(path: Path) -> tuple[int, int, bytes]:
    at = path.lstat()
    if stat.S_ISREG(at.st_mode):
        return at.st_mode, at.st_uid, hashlib.sha256(path.read_bytes()).digest()
    return at.st_mode, at.st_uid, os.fsencode(path.readlink()) if stat.S_ISLNK(at.st_mode) else b""


def deeds(folder: Path, path: Path) -> Iterator[tuple[str, object]]:
    """Every way to change what lies at `path`, or beside it, by name; each is a function without arguments."""
    beside = path.with_name(f".{path.name}.planted")
    yield "write", lambda: os.close(os.open(path, os.O_WRONLY | os.O_NONBLOCK))
    yield "truncate", lambda: os.truncate(path, 0)
    yield "remove", lambda: path.rmdir() if path.is_dir() and not path.is_symlink() else path.unlink()
    yield "rename", lambda: path.rename(beside)
    yield "replace", lambda: (folder / "planted").rename(path)
    yield "give rights", lambda: path.chmod(0o777)
    yield "take over", lambda: os.chown(path, os.geteuid(), -1, follow_symlinks=False)
    yield "turn back", lambda: os.utime(path, (0, 0))
    yield "new file", lambda: os.close(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
    yield "new link", lambda: beside.symlink_to("/dev/zero")
    yield "hard link", lambda: beside.hardlink_to(path)
    yield "new pipe", lambda: os.mkfifo(beside)


def succeeded(scene_folder: Path, path: Path) -> list[str]:
    """The deeds against `path` that this user could do."""
    done: list[str] = []
    for name, deed in deeds(scene_folder, path):
        assert callable(deed)
        try:
            deed()
        except OSError:
            continue
        done.append(name)
    return done
