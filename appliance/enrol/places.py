"""Where the box's keys and papers lie when it joins headquarters, and how they are read."""

import contextlib
import os
import stat
from collections.abc import Generator
from dataclasses import dataclass
from pathlib import Path

from appliance.at_rest import OPEN, AtRest
from appliance.errors import ConfigError, Malformed
from appliance.files import open_regular, storage


@dataclass(frozen=True, slots=True, kw_only=True)
class Sealing:
    """How secrets lie at rest, each process's under a key of its own: none opens what is another's."""

    recorder: AtRest = OPEN
    uplink: AtRest = OPEN
    audit: AtRest = OPEN


@dataclass(frozen=True, slots=True)
class EnrolmentPlaces:
    """Where keys and papers of the enrolment lie, below the box's durable folder."""

    state: Path

    @property
    def identity_key(self) -> Path:
        """The identity key, where it lies in a file."""
        return self.state / "recorder" / "identity.key"

    @property
    def log_key(self) -> Path:
        """Signs checkpoints; the recorder's."""
        return self.state / "recorder" / "log.key"

    @property
    def age_identity(self) -> Path:
        """Opens what comes down to this box alone; the recorder's."""
        return self.state / "recorder" / "age.identity"

    @property
    def token_sealed(self) -> Path:
        """The recorder's sealing key, sealed to the token; where there is a token."""
        return self.state / "recorder" / "sealing.token"

    @property
    def tls_key(self) -> Path:
        """The uplink's."""
        return self.state / "uplink" / "tls.key"

    @property
    def audit_key(self) -> Path:
        """Of the process that serves the log to the auditor."""
        return self.state / "audit" / "tls.key"

    @property
    def request(self) -> Path:
        """The last request, which an answer must answer."""
        return self.state / "identity" / "request.cbor"

    @property
    def pinned_root(self) -> Path:
        """Headquarters' first root: everything that comes down is verified from it."""
        return self.state / "releases" / "root" / "1.root.json"

    @property
    def carried_root(self) -> Path:
        """The same for the uplink, which may not look among the releases: it verifies what a stick brings."""
        return self.state / "uplink" / "1.root.json"

    @property
    def down(self) -> Path:
        """Sealed messages to this box that came with the answer; the uplink hands them to the recorder."""
        return self.state / "down"

    @property
    def checkpoint(self) -> Path:
        """Present once the box has recorded."""
        return self.state / "log" / "checkpoint"

    def prepare(self) -> None:
        """Make the folders; what holds keys is closed to others. Raises StorageFull, StorageFault."""
        with storage("making the box's folders"):
            for name in ("recorder", "uplink", "audit"):
                (self.state / name).mkdir(mode=0o700, parents=True, exist_ok=True)
            for name in ("identity", "releases", "mirror", "down"):
                (self.state / name).mkdir(mode=0o755, parents=True, exist_ok=True)
            for name in ("releases/root", "mirror/metadata", "mirror/targets"):
                with rights_of(self.state / name.partition("/")[0]):
                    (self.state / name).mkdir(mode=0o755, exist_ok=True)

    def hand_over(self) -> None:
        """Give what root made in a folder to the user of that folder, whose process it is for (systemd/tmpfiles).

        That user may be an attacker, who lays something else there meanwhile: no link is followed, and a file of root's
        that has a second name elsewhere is left alone.

        Raises:
            StorageFault: It cannot be given.
        """
        if os.geteuid() != 0:  # only root makes files for others
            return
        with storage("handing the box's keys over"):
            for name in ("recorder", "uplink", "audit", "identity", "releases", "mirror", "down"):
                for _, folders, files, at in os.fwalk(self.state / name):
                    for entry in (*folders, *files):
                        _give(entry, at, (self.state / name).stat())


@contextlib.contextmanager
def rights_of(folder: Path) -> Generator[None]:
    """What root does inside is done as the folder's owner: no link of his leads root where he may not go.

    Raises:
        StorageFault: There is no such folder.
    """
    if os.geteuid() != 0:
        yield
        return
    with storage(f"looking at {folder.name}"):
        owner = folder.lstat()
    gid, groups = os.getegid(), os.getgroups()
    os.setgroups([])
    os.setegid(owner.st_gid)
    os.seteuid(owner.st_uid)
    try:
        yield
    finally:
        os.seteuid(0)
        os.setegid(gid)
        os.setgroups(groups)


def _give(name: str, at: int, owner: os.stat_result) -> None:
    """Give one entry of the folder `at` away, if it is root's."""
    with contextlib.suppress(FileNotFoundError, NotADirectoryError):
        before = os.stat(name, dir_fd=at, follow_symlinks=False)
        if before.st_uid != 0 or not (stat.S_ISREG(before.st_mode) or stat.S_ISDIR(before.st_mode)):
            return
        entry = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=at)
        try:
            found = os.fstat(entry)
            if os.path.samestat(before, found) and (found.st_nlink == 1 or stat.S_ISDIR(found.st_mode)):
                os.fchown(entry, owner.st_uid, owner.st_gid)
        finally:
            os.close(entry)


def read_bounded(path: Path, bytes_max: int) -> bytes:
    """Read a file whole. Raises ConfigError when it cannot be read, Malformed when it is longer than `bytes_max`."""
    try:
        with open_regular(path) as file:
            content = file.read(bytes_max + 1)
    except OSError as error:
        raise ConfigError(f"{path}: {error.strerror}") from None
    if len(content) > bytes_max:
        raise Malformed(path.name, f"longer than {bytes_max} bytes")
    return content
