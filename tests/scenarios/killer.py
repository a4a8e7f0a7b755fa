"""Ends the processes of a running rehearsal with SIGKILL: each once it serves, by the pid that processes.json names.

It is their supervisor in one respect: they tell it with sd_notify when they take requests (appliance/notify.py), so
that no kill is spent on a process that is only just being loaded.
"""

import contextlib
import json
import os
import random
import shutil
import signal
import socket
import struct
import subprocess
import threading
import tomllib
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Final

LANE: Final = ("recorder", "booth")
"""Without these the lane stands still, so their kills follow the travellers: one of each every few of them."""
BESIDE: Final = ("uplink", "releases", "collector")
VICTIMS: Final = (*LANE, *BESIDE)
TRAVELLERS_BETWEEN: Final = 4
INTO_TRAVELLER_S: Final = 0.06
"""A kill of the lane comes up to so long after a traveller was seen through: while the next one is recorded."""
AFTER_START_S: Final = 0.5
LOOK_S: Final = 0.01
STRACE_PATIENCE_S: Final = 10.0
BEFORE_CALL: Final[dict[str, int]] = {
    "fdatasync": 4, "pwrite64": 4, "sendto": 6, "rename": 12, "fsync": 4, "openat": 20, "unlink": 2, "write": 8,
}  # fmt: skip
"""System calls of the recorder before which it is struck, and up to the how-many-th after the blow was aimed."""
CREDENTIALS: Final = struct.Struct("3i")


class Supervisor:
    """Hears which processes say that they are ready.

    Args:
        address: Path of its socket, what NOTIFY_SOCKET of the processes names.
    """

    def __init__(self, address: Path) -> None:
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)
        self._socket.bind(str(address))
        self._ready: set[int] = set()
        threading.Thread(target=self._listen, name="supervisor", daemon=True).start()

    def ready(self, pid: int) -> bool:
        """Whether the process takes requests."""
        return pid in self._ready

    def close(self) -> None:
        self._socket.shutdown(socket.SHUT_RD)
        self._socket.close()

    def _listen(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                said, ancillary, _, _ = self._socket.recvmsg(256, socket.CMSG_SPACE(CREDENTIALS.size))
                if said == b"READY=1" and ancillary:
                    self._ready.add(CREDENTIALS.unpack(ancillary[0][2])[0])
                elif not said:
                    return


class Killer:
    """Kills, seeded, until the last traveller has been seen through.

    Args:
        out: The rehearsal's folder.
        supervisor: Knows who is ready.
        travellers: How many come.
        kills: How many of each process.

    Attributes:
        done: Kills by process.
        before_call: Kills of the recorder by the system call that it did not get to make.
    """

    def __init__(self, out: Path, supervisor: Supervisor, *, seed: int, travellers: int, kills: int) -> None:
        self._out = out
        self._travellers = travellers
        self._supervisor = supervisor
        self._seed = seed
        self._kills = kills
        self.done: Counter[str] = Counter()
        self.before_call: Counter[str] = Counter()
        self._over = threading.Event()
        self._threads = [
            threading.Thread(target=self._watch, name="watch"),
            *(threading.Thread(target=self._work, args=(victim,), name=victim) for victim in VICTIMS),
        ]

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """The run is over: return when no thread kills any more."""
        self._over.set()
        for thread in self._threads:
            thread.join()

    def _watch(self) -> None:
        self._await(lambda: self._laid() >= self._travellers)
        self._over.set()  # whether headquarters then has it all is asked in peace

    def _work(self, victim: str) -> None:
        chance = random.Random(f"{self._seed} {victim}")
        while self.done[victim] < self._kills:
            if victim in LANE:
                self._await(lambda: self._laid() >= TRAVELLERS_BETWEEN * (self.done[victim] + 1))
            self._await(lambda: self._serving(victim) is not None)
            if self._over.wait(chance.uniform(0, INTO_TRAVELLER_S if victim in LANE else AFTER_START_S)):
                return
            pid = self._serving(victim)
            if pid is not None and self._kill(victim, pid, chance):
                self.done[victim] += 1

    def _await(self, true: Callable[[], bool]) -> None:
        while not self._over.is_set() and not true():
            self._over.wait(LOOK_S)

    def _laid(self) -> int:
        try:
            return (self._out / "laid.jsonl").read_bytes().count(b"\n")
        except FileNotFoundError:
            return 0

    def _serving(self, victim: str) -> int | None:
        """The victim's process if it serves now."""
        try:
            pid = int(json.loads((self._out / "processes.json").read_bytes())[victim]["pid"])
        except (OSError, KeyError, ValueError):
            return None
        if not _alive(pid):
            return None
        serves = self._collects() if victim == "collector" else self._supervisor.ready(pid)
        return pid if serves else None

    def _collects(self) -> bool:
        """Whether somebody listens at the collector's address; it has no supervisor to tell."""
        far = tomllib.loads((self._out / "box.toml").read_text(encoding="utf-8"))["uplink"]
        try:
            socket.create_connection(("127.0.0.1", far["port"]), timeout=1).close()
        except OSError:
            return False
        return True

    def _kill(self, victim: str, pid: int, chance: random.Random) -> bool:
        if victim == "recorder" and shutil.which("strace") and chance.random() < 0.6:
            call = chance.choice(sorted(BEFORE_CALL))
            if self._strike_before(pid, call, chance.randrange(1, BEFORE_CALL[call] + 1)):
                self.before_call[call] += 1
                return True
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            return False
        return True

    def _strike_before(self, pid: int, call: str, number: int) -> bool:
        """Let the process run until it is about to make this call for the `number`-th time, and end it right there."""
        inject = f"inject={call}:signal=SIGKILL:when={number}"
        command = ["strace", "-qq", "-o", "/dev/null", "-e", f"trace={call}", "-e", inject, "-p", str(pid)]
        aiming = subprocess.Popen(command, stderr=subprocess.DEVNULL)
        try:
            aiming.wait(STRACE_PATIENCE_S)
        except subprocess.TimeoutExpired:
            aiming.terminate()  # the call never came; strace lets go
            aiming.wait()
        return not _alive(pid)


def _alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rsplit(")", 1)[1].split()[0]
    except OSError:
        return False
    return state not in {"Z", "X"}
