"""Every process tells systemd that it is ready and that it turns; units of Type=notify would never start without."""

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Generator
from pathlib import Path

import pytest

from appliance.notify import ALIVE, READY, notify
from tests.scenarios.desk_world import DeskWorld
from tests.scenarios.recorder_bed import enrolled

ROOT = Path(__file__).parents[2]
PATIENCE_S = 60.0


@pytest.fixture
def supervisor(tmp_path: Path) -> Generator[socket.socket]:
    """Systemd's end of the line."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as line:
        line.bind(str(tmp_path / "notify"))
        line.settimeout(PATIENCE_S)
        yield line


def example(folder: Path, desk: Path) -> str:
    """The box.toml that ships, for a box whose folders and devices are this test's."""
    text = (ROOT / "systemd" / "box.toml").read_text("utf-8")
    for pattern, value in (
        (r'#state = "[^"]*"', f'state = "{folder}/state"'),
        (r'#runtime = "[^"]*"', f'runtime = "{folder}/run"'),
        (r'port = "/dev/serial/[^"]*"', f'port = "{desk}/scanner"'),
        (r'pins = "lgpio".*\n#socket = .*', f'pins = "simulated"\nsocket = "{desk}/pins.sock"'),
        (r"#port = 8080", "port = 18080"),
        (r"(_uid =) \d+", rf"\1 {os.getuid()}"),
        (r'host = "collector[^"]*"', 'host = "127.0.0.1"'),
        (r"#port = 443", "port = 9"),
    ):
        text, count = re.subn(pattern, value, text)
        assert count, pattern
    return text


@pytest.mark.post
@pytest.mark.parametrize("verb", ["recorder", "releases", "booth", "uplink"])
def test_a_process_says_that_it_is_ready_and_then_that_it_turns(
    verb: str, tmp_path: Path, supervisor: socket.socket
) -> None:
    state, _ = enrolled()
    shutil.copytree(state, tmp_path / "state", symlinks=True)
    (tmp_path / "run").mkdir()
    (tmp_path / "desk").mkdir()
    desk = DeskWorld(tmp_path / "desk")
    (tmp_path / "box.toml").write_text(example(tmp_path, tmp_path / "desk"), "utf-8")
    command = [sys.executable, "-m", "appliance", "--config", str(tmp_path / "box.toml"), verb]
    environment = {**os.environ, "NOTIFY_SOCKET": str(tmp_path / "notify")}
    process = subprocess.Popen(command, cwd=ROOT, env=environment, stderr=subprocess.PIPE)
    try:
        said = {supervisor.recv(64), supervisor.recv(64)}
        if verb != "booth":
            assert said == {READY.encode(), ALIVE.encode()}
        # The lane turns before the page is up: its first words may come in either order, and both come.
        while said != {READY.encode(), ALIVE.encode()}:
            said.add(supervisor.recv(64))
        assert process.poll() is None
    finally:
        process.terminate()
        _, complaint = process.communicate(timeout=PATIENCE_S)
        desk.close()
    assert process.returncode in (0, -signal.SIGTERM), complaint  # systemd counts both as a good end


def test_the_abstract_address_is_understood(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as line:
        line.bind(f"\0landlink-test-{os.getpid()}")
        line.settimeout(PATIENCE_S)
        monkeypatch.setenv("NOTIFY_SOCKET", f"@landlink-test-{os.getpid()}")
        notify(READY)
        assert line.recv(64) == b"READY=1"


@pytest.mark.parametrize("address", ["", "/nowhere/at/all", "x" * 200])
def test_a_supervisor_that_does_not_listen_stops_nothing(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NOTIFY_SOCKET", address)
    notify(READY)


def test_a_supervisor_whose_ear_is_full_is_not_waited_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as line:
        line.bind(str(tmp_path / "deaf"))
        monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "deaf"))
        for _ in range(10_000):
            notify(ALIVE)


def test_every_unit_of_a_process_is_of_the_type_that_the_process_keeps_to() -> None:
    for verb in ("recorder", "releases", "booth", "uplink"):
        unit = (ROOT / "systemd" / f"{verb}.service").read_text("utf-8")
        assert "\nType=notify\n" in unit
        assert "\nWatchdogSec=" in unit
