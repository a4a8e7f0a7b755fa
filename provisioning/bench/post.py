"""A whole post on one machine: the real commands as processes, enrolled by the real `init`, `issue` and `accept`.

Every process is restarted when it ends, as systemd would; `processes.json` always names who runs now.
"""

import fcntl
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Final

from appliance.errors import ConfigError, DeviceFault, LandlinkError, Refused
from appliance.files import replace_file

SERIAL: Final = "LA-0001"
DOMAIN: Final = "landlink.example"
MARKER: Final = ".landlink-rehearsal"
START_TIMEOUT_S: Final = 60.0
STOP_TIMEOUT_S: Final = 10.0
RESTART_PAUSE_S: Final = 0.2
CAMERA_WAIT_MS: Final = 80
"""How long a light may wait for the camera here: the bar of 150 ms holds with it on a busy machine, too."""
PICTURE_SHARE: Final = 0.01
"""Pictures are kept down to this free share: a rehearsal lies on somebody's disk, which may always be nearly full."""
DIALECTS: Final = ("elyctis", "honeywell", "rte", "generic", "wedge", "none")
"""What the simulated scanner can speak, and box.toml can say; "none": there is only the camera."""
SAMPLES: Final = Path(__file__).parent / "samples"


@dataclass(frozen=True, slots=True, kw_only=True)
class Folders:
    """Where a rehearsal's things lie. Sockets have a short folder of their own: their addresses hold 107 bytes.

    Attributes:
        claim: Open and locked for as long as the rehearsal runs, so that no other one clears the folder meanwhile.
    """

    out: Path
    short: Path
    claim: IO[bytes]

    @property
    def box(self) -> Path:
        """The box's durable files."""
        return self.out / "box"

    @property
    def hq(self) -> Path:
        """Headquarters' home."""
        return self.out / "hq"

    @property
    def collector(self) -> Path:
        """The collector's bodies, ledger and mirrored logs."""
        return self.out / "collector"

    @property
    def journals(self) -> Path:
        """What each process printed."""
        return self.out / "journals"

    @property
    def config(self) -> Path:
        """The box's configuration."""
        return self.out / "box.toml"

    @property
    def runtime(self) -> Path:
        """The box's sockets and status files."""
        return self.short / "run"

    @property
    def desk(self) -> Path:
        """The simulated desk: scanner, camera, pins."""
        return self.short / "desk"


def prepare(out: Path) -> Folders:
    """Make the folder of a rehearsal anew, and claim it until `Post.stop`.

    Raises:
        Refused: The folder holds something that no rehearsal made, or another rehearsal runs in it.
        ConfigError: There can be no such folder, or nothing can be written there.
    """
    out = out.resolve()
    try:
        out.mkdir(parents=True, exist_ok=True)
        claim = _claim(out)
        _clear(out)
        folders = Folders(out=out, short=Path(tempfile.mkdtemp(prefix="landlink-")), claim=claim)
        for folder in (folders.box, folders.journals, folders.runtime, folders.desk):
            folder.mkdir()
    except OSError as error:
        raise ConfigError(f"{out}: {error.strerror}; name another folder with --out") from None
    return folders


def _claim(out: Path) -> IO[bytes]:
    marker = out / MARKER
    if not marker.exists() and any(out.iterdir()):
        raise Refused(f"{out} is not empty and not of a rehearsal; name another folder with --out")
    claim = marker.open("ab")
    try:
        fcntl.flock(claim, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        claim.close()
        raise Refused(f"a rehearsal is running in {out}; end it, or name another folder with --out") from None
    return claim


def _clear(out: Path) -> None:
    for entry in out.iterdir():
        if entry.is_dir() and not entry.is_symlink():
            shutil.rmtree(entry)
        elif entry.name != MARKER:
            entry.unlink()


def free_port() -> int:
    """A TCP port of loopback that nobody listens on now."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


def box_toml(folders: Folders, *, page_port: int, collector_port: int, dialect: str, picture_share: float) -> str:
    """The configuration of the rehearsal's box: its own uid in every role, hardware simulated by the desk."""
    uid = os.getuid()
    return f"""\
[box]
serial = "{SERIAL}"
domain = "{DOMAIN}"
state = "{folders.box}"
runtime = "{folders.runtime}"

[post]
name = "Rehearsal"
lane = "1"
direction = "entry"
duty_telephone = "duty officer, 1191"

[scanner]
dialect = "{dialect}"
port = "{folders.desk / "scanner"}"

[camera]
kind = "simulated"
socket = "{folders.desk / "camera.sock"}"
wait_ms = {CAMERA_WAIT_MS}

[panel]
pins = "simulated"
socket = "{folders.desk / "pins.sock"}"

[page]
port = {page_port}

[recorder]
booth_uid = {uid}
uplink_uid = {uid}
releases_uid = {uid}
audit_uid = {uid}
picture_reserve_share = {picture_share}

[uplink]
host = "localhost"
port = {collector_port}
rate_bytes_per_s = 1000000
stick = "{folders.out / "stick"}"
"""


class EndedBadly(LandlinkError):
    """One of the project's own commands failed; the rehearsal ends with the same exit code."""

    def __init__(self, words: str, code: int) -> None:
        super().__init__(words)
        self.exit_code = code if code > 0 else LandlinkError.exit_code


@dataclass(slots=True)
class Supervised:
    """One process that is started again whenever it ends.

    Attributes:
        name: As processes.json and the journal call it.
        command: What is started.
        starts: How often it was started.
        lives: The process that runs now.
    """

    name: str
    command: Sequence[str]
    journal: Path
    starts: int = 0
    lives: subprocess.Popen[bytes] | None = None
    stopping: threading.Event = field(default_factory=threading.Event)
    keeper: threading.Thread | None = None

    def keep(self, post: "Post") -> None:
        """Start, wait for its end, start again, until told to stop."""
        with self.journal.open("ab") as journal:
            while not self.stopping.is_set():
                self.lives = _start(self.command, journal)
                self.starts += 1
                post.announce()
                self.lives.wait()
                self.stopping.wait(RESTART_PAUSE_S)


class Post:
    """The processes of one post.

    Args:
        folders: Where everything lies.
        page_port: Port of the booth's page on loopback.
        dialect: What the simulated scanner speaks, one of DIALECTS.
    """

    def __init__(
        self, folders: Folders, *, page_port: int, dialect: str = DIALECTS[0], picture_share: float = PICTURE_SHARE
    ) -> None:
        self.folders = folders
        self.page_port = page_port
        self.dialect = dialect
        self.picture_share = picture_share
        self.collector_port = free_port()
        self.processes: list[Supervised] = []
        self._announcing = threading.Lock()

    def enrol(self, documents: Path, persons: Path) -> str:
        """Found headquarters, enrol the box, publish the lists; return what the list import reported."""
        folders = self.folders
        folders.config.write_text(
            box_toml(
                folders,
                page_port=self.page_port,
                collector_port=self.collector_port,
                dialect=self.dialect,
                picture_share=self.picture_share,
            ),
            encoding="utf-8",
        )
        request, answer = folders.out / "request.cbor", folders.out / "answer"
        self._hq("init", "--domain", DOMAIN, "--collector", f"localhost:{self.collector_port}")
        imported = self._hq("import", "--documents", str(documents), "--persons", str(persons), allowed=(0, 1))
        self._hq("publish")
        _once(*self._box_command("request", "--out", str(request)))
        self._hq("issue", str(request), "--out", str(answer))
        _once(*self._box_command("accept", str(answer)))
        return imported

    def start(self) -> None:
        """Start everything; return when the page answers and the recorder's sockets are there.

        Raises:
            DeviceFault: A process does not come up; the text names its journal.
        """
        folders = self.folders
        lamps = folders.out / "lamps.jsonl"
        lamps.touch()
        (folders.desk / "lamps.jsonl").symlink_to(lamps)
        collect = ["collect", "--data", str(folders.collector), "--listen", f"127.0.0.1:{self.collector_port}"]
        desk = [sys.executable, "-m", "drivers.simulators", "desk", "--folder", str(folders.desk)]
        self._keep("desk", [*desk, *([] if self.dialect == "none" else ["--dialect", self.dialect])])
        self._keep("collector", self._hq_command(*collect))
        for verb in ("recorder", "releases"):
            self._keep(verb, self._box_command(verb))
        self._await("desk", lambda: (folders.desk / "desk.sock").exists() and (folders.desk / "pins.sock").exists())
        self._keep("booth", self._box_command("booth"))
        self._await("collector", lambda: listens(self.collector_port))
        self._keep("uplink", self._box_command("uplink"))
        self._await("recorder", (folders.runtime / "booth.sock").exists)
        self._await("booth", lambda: listens(self.page_port))

    def stop(self) -> None:
        """Stop everything, the booth first and the recorder last but the desk; remove the sockets."""
        for name in ("booth", "uplink", "releases", "recorder", "collector", "desk"):
            self.retire(name)
        shutil.rmtree(self.folders.short, ignore_errors=True)
        self.folders.claim.close()

    def retire(self, name: str) -> None:
        """End one process for good, giving it time to finish what it has begun."""
        for supervised in (process for process in self.processes if process.name == name):
            supervised.stopping.set()
            if supervised.lives is not None:
                supervised.lives.terminate()
                try:
                    supervised.lives.wait(STOP_TIMEOUT_S)
                except subprocess.TimeoutExpired:
                    supervised.lives.kill()
            if supervised.keeper is not None:
                supervised.keeper.join(STOP_TIMEOUT_S)

    def announce(self) -> None:
        """Write who runs now."""
        with self._announcing:
            running = {
                process.name: {"pid": process.lives.pid, "starts": process.starts}
                for process in self.processes
                if process.lives is not None
            }
            replace_file(self.folders.out / "processes.json", json.dumps(running).encode())

    def audit(self, *arguments: str) -> str:
        """Run one verb of headquarters to its end and return what it printed. Raises EndedBadly when it fails."""
        return self._hq(*arguments)

    def _keep(self, name: str, command: Sequence[str]) -> None:
        supervised = Supervised(name=name, command=command, journal=self.folders.journals / f"{name}.txt")
        self.processes.append(supervised)
        supervised.keeper = threading.Thread(target=supervised.keep, args=(self,), name=name, daemon=True)
        supervised.keeper.start()

    def _await(self, name: str, ready: Callable[[], bool]) -> None:
        deadline = time.monotonic() + START_TIMEOUT_S
        while not ready():
            if time.monotonic() > deadline:
                raise DeviceFault(f"{name} did not come up; see {self.folders.journals / name}.txt")
            time.sleep(0.05)

    def _hq(self, *arguments: str, allowed: tuple[int, ...] = (0,)) -> str:
        return _once(*self._hq_command(*arguments), allowed=allowed)

    def _hq_command(self, *arguments: str) -> list[str]:
        return [_script("landlink-hq"), "--home", str(self.folders.hq), *arguments]

    def _box_command(self, *arguments: str) -> list[str]:
        return [_script("landlink-box"), "--config", str(self.folders.config), *arguments]


def _script(name: str) -> str:
    """The installed command beside this interpreter.

    Raises:
        ConfigError: It is not installed there.
    """
    path = Path(sys.executable).parent / name
    if not path.exists():
        raise ConfigError(f"{name} is not installed beside {sys.executable}; run `make run` once")
    return str(path)


def _start(command: Sequence[str], journal: IO[bytes]) -> subprocess.Popen[bytes]:
    """Start a process that ends with this one, whatever ends this one (util-linux' setpriv, where it is)."""
    setpriv = shutil.which("setpriv")
    guard = [setpriv, "--pdeathsig", "KILL", "--"] if setpriv else []
    return subprocess.Popen([*guard, *command], stdin=subprocess.DEVNULL, stdout=journal, stderr=subprocess.STDOUT)


def _once(*command: str, allowed: tuple[int, ...] = (0,)) -> str:
    """Run a command to its end and return what it printed.

    Raises:
        EndedBadly: It ended with a code that is not allowed; its own words are in the text.
    """
    done = subprocess.run(command, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL)
    if done.returncode not in allowed:
        ended = signal.Signals(-done.returncode).name if done.returncode < 0 else str(done.returncode)
        words = (done.stderr or done.stdout).strip()[-2000:]
        raise EndedBadly(f"{Path(command[0]).name} ended with {ended}: {words}", done.returncode)
    return done.stdout


def listens(port: int) -> bool:
    """Whether somebody accepts connections on this port of loopback."""
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True
