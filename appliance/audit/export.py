"""`landlink-box export`: the log and sealed bodies onto a stick, for a post without a link.

The order makes every interruption harmless: first the box logs that it exports; then bodies and tiles, each whole under
its name; then everything is read back from the stick itself and compared; the checkpoint last. So a checkpoint on a
stick stands for a log that is there. Put in again, the stick goes on where it was: what is there already, by its
content, is not written anew.
"""

import contextlib
import hashlib
import os
import time
from collections.abc import Callable, Generator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from appliance.audit.outgoing import Copy, OutgoingLog, outgoing
from appliance.config import Config
from appliance.errors import ConfigError, NoInput, StorageFault, Untrusted
from appliance.files import open_beneath, open_regular, refuse_links, storage, sync_folder
from appliance.formats.age import BLOB_BYTES_MAX
from appliance.formats.wire import Exported
from appliance.line import RecorderAway, RecorderLine

ANSWER_TIMEOUT_S: Final = 5.0
PUBLISHED_S: Final = 5.0
"""How long the entry that says so may take to be published; it goes out with the next stick otherwise."""
POLL_S: Final = 0.05
PARTS: Final = ("log", "bodies")

Advance = Callable[[str, int, int], None]
"""Told what is being done, how many files are done, and how many there are."""


@dataclass(slots=True, kw_only=True)
class Sent:
    """What an export came to.

    Attributes:
        entries: Of all logs on the stick.
        bodies: On the stick now.
        written: Files that were not there before.
        written_bytes: Of these.
        gone: Bodies that the recorder deleted meanwhile, since headquarters has them.
    """

    entries: int = 0
    bodies: int = 0
    written: int = 0
    written_bytes: int = 0
    gone: int = 0


def export(config: Config, stick: Path, advance: Advance, *, since: int = 0, everything: bool = False) -> Sent:
    """Write the stick; on return all of it was read back, and outlives being pulled out.

    Args:
        config: The box's.
        stick: Where it is mounted.
        advance: Told how far it is.
        since: As `outgoing`.
        everything: As `outgoing`.

    Raises:
        NoInput: There is no such folder.
        ConfigError: box.toml names no user for the audit.
        Refused: The recorder does not log it, or there are links on the stick.
        StorageFull, StorageFault: The stick, or the card; what was written is whole.
        Untrusted, Malformed: The card does not hold what the log's key signed; or the stick gives back other bytes.
        RecorderAway: An export that cannot be logged is none.
    """
    if not stick.is_dir():
        raise NoInput(f"{stick}: no such folder; is the stick mounted?")
    refuse_links(stick, PARTS, "a box")
    logs = outgoing(config.state, _Card(config.state).read, since=since, everything=everything)
    _log_it(config, logs)
    logs = _published_since(config, logs, since=since, everything=everything)
    writing = _Writing(config.state, stick, advance, sum(len(log.tiles) + len(log.bodies) + 1 for log in logs))
    for log in logs:
        writing.write(log)
    return writing.sent


class _Card:
    """Reads below the box's folder, and follows no link there."""

    def __init__(self, state: Path) -> None:
        self._state = state

    def read(self, name: str, bytes_max: int) -> bytes:
        """A whole file. Raises FileNotFoundError, StorageFault."""
        try:
            with open_beneath(self._state, name) as file:
                content = file.read(bytes_max + 1)
        except FileNotFoundError:
            raise
        except OSError as error:
            raise StorageFault(f"{name}: {error.strerror}") from error
        if len(content) > bytes_max:
            raise StorageFault(f"{name}: more than {bytes_max} bytes")
        return content


class _Writing:
    """Writes and reads back, one log after the other."""

    def __init__(self, state: Path, stick: Path, advance: Advance, files: int) -> None:
        self._card = _Card(state)
        self._stick = stick
        self._advance = advance
        self._files = files
        self._done = 0
        self.sent = Sent()

    def write(self, log: OutgoingLog) -> None:
        """Bodies, tiles, a look at all of it, then the checkpoint."""
        hashes: dict[str, bytes] = {}
        for copy in (*log.bodies, *log.tiles):
            content = self._content(copy)
            if content is not None:
                self._put(copy.target, content)
                hashes[copy.target] = hashlib.sha256(content).digest()
        for place, (target, sha256) in enumerate(hashes.items(), 1):
            self._advance("reading back", place, len(hashes))
            self._check(target, sha256)
        self._put(log.target, log.note)
        self._check(log.target, hashlib.sha256(log.note).digest())
        self.sent.entries += log.checkpoint.size
        self.sent.bodies += sum(copy.target in hashes for copy in log.bodies)

    def _content(self, copy: Copy) -> bytes | None:
        try:
            return self._card.read(copy.source, BLOB_BYTES_MAX)
        except FileNotFoundError:
            if not copy.target.startswith("bodies/"):
                raise StorageFault(f"{copy.source} is missing, though the checkpoint covers it") from None
            self.sent.gone += 1
            return None

    def _put(self, target: str, content: bytes) -> None:
        """Put a file there whole, unless it is there."""
        self._done += 1
        self._advance("writing", self._done, self._files)
        path = self._stick / target
        with storage(f"stick: {target}"):
            if _read_back(path) == content:
                return
            path.parent.mkdir(parents=True, exist_ok=True)
            temporary = path.with_name(f".{path.name}.tmp")
            temporary.unlink(missing_ok=True)
            with temporary.open("xb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            temporary.replace(path)
            sync_folder(path.parent)
        self.sent.written += 1
        self.sent.written_bytes += len(content)

    def _check(self, target: str, sha256: bytes) -> None:
        """Raise Untrusted when the stick itself gives other bytes back than were written."""
        with storage(f"stick: reading {target} back"):
            content = _read_back(self._stick / target)
        if content is None or hashlib.sha256(content).digest() != sha256:
            raise Untrusted(f"stick: {target} is not what was written; this stick is broken, take another")


def _read_back(path: Path) -> bytes | None:
    """What the medium has, not what memory remembers of it; None where it has no file. Raises OSError."""
    try:
        with open_regular(path) as file:
            os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
            return file.read(BLOB_BYTES_MAX + 1)
    except FileNotFoundError:
        return None


def _log_it(config: Config, logs: tuple[OutgoingLog, ...]) -> None:
    """Have the recorder log what is about to go out."""
    uid = config.recorder.audit_uid
    if uid is None:
        raise ConfigError("box.toml: recorder.audit_uid is missing; an export that cannot be logged is none")
    said = Exported(
        entries=sum(log.checkpoint.size for log in logs),
        bodies=sum(len(log.bodies) for log in logs),
    )
    line = RecorderLine(config.runtime / "audit.sock", timeout_s=ANSWER_TIMEOUT_S)
    try:
        with _as_user(uid):
            line.ask(said)
    except RecorderAway as error:
        raise RecorderAway(
            f"{error}, and an export that is not logged is none; next: systemctl status recorder.service"
        ) from None
    finally:
        line.close()


@contextlib.contextmanager
def _as_user(uid: int) -> Generator[None]:
    """For root: be this user, to whom the recorder's door is open, while the block runs."""
    if os.geteuid() != 0 or uid == 0:
        yield
        return
    os.seteuid(uid)
    try:
        yield
    finally:
        os.seteuid(0)


def _published_since(
    config: Config, logs: tuple[OutgoingLog, ...], *, since: int, everything: bool
) -> tuple[OutgoingLog, ...]:
    """The logs once more, with the entry that says that they go out; as they were when it takes too long."""
    deadline = time.monotonic() + PUBLISHED_S
    while True:
        now = outgoing(config.state, _Card(config.state).read, since=since, everything=everything)
        if [log.checkpoint.size for log in now] != [log.checkpoint.size for log in logs] or time.monotonic() > deadline:
            return now
        time.sleep(POLL_S)
