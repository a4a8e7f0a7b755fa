"""A box with a real recorder that an auditor comes to: its audit process, a stick, and headquarters' own commands."""

import contextlib
import shutil
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Generator
from dataclasses import dataclass
from pathlib import Path

from provisioning.authority.home import Home
from tests.scenarios.recorder_bed import READY_S, REPOSITORY, Bed, append, bed, record, recorded

RATE = 50_000_000


@dataclass
class Audited:
    """The box, a home of headquarters of its own, and a folder that stands for a mounted stick."""

    box: Bed
    home: Home
    stick: Path
    port: int

    @property
    def address(self) -> str:
        return f"https://127.0.0.1:{self.port}"

    def serve(self, config: Path | None = None) -> subprocess.Popen[bytes]:
        """Start `landlink-box audit`; on return it listens."""
        config = config or self.box.folder / "box.toml"
        command = [sys.executable, "-m", "appliance", "--config", config, "audit"]
        with (self.box.folder / "audit.out").open("ab") as out:
            process = subprocess.Popen(command, cwd=REPOSITORY, stdout=out, stderr=out)
        self.box.running.append(process)
        await_listening(self.port, process)
        return process

    def uplink_says(self, *lines: str) -> None:
        """Start `landlink-box uplink`, which looks at the stick; wait for what it says of it, line after line."""
        command = [sys.executable, "-m", "appliance", "--config", self.box.folder / "box.toml", "uplink"]
        with subprocess.Popen(command, cwd=REPOSITORY, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE) as process:
            assert process.stderr is not None
            try:
                for line in lines:
                    said = next((each for each in process.stderr if line.encode() in each), b"")
                    assert said, f"it ended without {line!r}"
            finally:
                process.kill()

    def record(self, count: int) -> None:
        """So many travellers; on return they are published."""
        line = self.box.line()
        for _ in range(count):
            recorded(line, append(record()), self.box.verifier)
        line.close()
        self.box.settle()

    def hq(self, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
        """Run a verb of landlink-hq to its end."""
        command = [Path(sys.executable).parent / "landlink-hq", "--home", self.home.folder, *arguments]
        return subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)

    def export(self, *options: str) -> subprocess.CompletedProcess[str]:
        """Run `landlink-box export` onto the stick."""
        command = [sys.executable, "-m", "appliance", "--config", self.box.folder / "box.toml", "export", self.stick]
        return subprocess.run(
            [*command, *options], cwd=REPOSITORY, capture_output=True, text=True, timeout=120, check=False
        )


@contextlib.contextmanager
def audited() -> Generator[Audited]:
    """A box whose recorder runs, with a door for the audit; nothing is served yet."""
    with bed() as box:
        port = free_port()
        config = box.folder / "box.toml"
        text = config.read_text().replace("[uplink]", f'[uplink]\nstick = "{box.folder}/stick"')
        config.write_text(f'{text}\n[audit]\nhost = "127.0.0.1"\nport = {port}\nrate_bytes_per_s = {RATE}\n')
        shutil.copytree(box.home.folder, box.folder / "hq")
        (box.folder / "stick").mkdir()
        box.start()
        yield Audited(box, Home.open(box.folder / "hq"), box.folder / "stick", port)


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


def await_listening(port: int, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + READY_S
    while True:
        assert process.poll() is None, "it ended"
        assert time.monotonic() < deadline, "nothing listens"
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            threading.Event().wait(0.02)
        else:
            return
