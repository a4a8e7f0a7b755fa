"""kill -9 of every process, again and again, while travellers cross: every light has its record (I1, I3).

Half of the recorder's kills strike between its system calls: strace strikes at the N-th write, sync or rename.
"""

import json
import os
import random
import shutil
import signal
import subprocess
import threading
import time
from pathlib import Path

import pytest

from tests.scenarios.rehearsed import Run, rehearse_command

pytestmark = pytest.mark.post

VICTIMS = ("recorder", "booth", "uplink", "releases", "collector")
KILLS_EACH = 30
SEED = int(os.environ.get("LANDLINK_KILL_SEED", "20261103"))
CALLS = "fdatasync,fsync,write,pwrite64,rename,renameat,renameat2,unlink,sendmsg,sendto,openat"


class Killer(threading.Thread):
    """Ends processes of a running rehearsal by the pids that processes.json names, seeded."""

    def __init__(self, out: Path, seed: int) -> None:
        super().__init__(name="killer", daemon=True)
        self._out = out
        self._chance = random.Random(seed)
        self.done: dict[str, int] = dict.fromkeys(VICTIMS, 0)
        self.between_calls = 0
        self.over = threading.Event()

    def run(self) -> None:
        order = [victim for victim in VICTIMS for _ in range(KILLS_EACH)]
        self._chance.shuffle(order)
        while order and not self.over.wait(self._chance.uniform(0.05, 0.5)):
            victim = order[-1]
            pid = self._pid(victim)
            if pid is not None and self._kill(victim, pid):
                self.done[victim] += 1
                order.pop()

    def _pid(self, victim: str) -> int | None:
        """The victim's process once it serves; None while it is still starting."""
        try:
            entry = json.loads((self._out / "processes.json").read_bytes())[victim]
            command = Path(f"/proc/{entry['pid']}/cmdline").read_bytes()
        except (OSError, KeyError, ValueError):
            return None
        return int(entry["pid"]) if victim.encode() in command or b"collect" in command else None

    def _kill(self, victim: str, pid: int) -> bool:
        if victim == "recorder" and shutil.which("strace") and self._chance.random() < 0.5:
            number = self._chance.randrange(1, 40)
            inject = f"--inject={CALLS}:signal=SIGKILL:when={number}"
            done = subprocess.run(
                ["strace", "-f", "-qq", "-o", "/dev/null", "-e", f"trace={CALLS}", inject, "-p", str(pid)],
                check=False, stderr=subprocess.DEVNULL, timeout=60,
            )  # fmt: skip
            self.between_calls += 1
            return done.returncode != 1
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            return False
        return True


def test_thirty_kills_of_each_process_lose_no_light(tmp_path: Path) -> None:
    out = tmp_path / "out"
    with (tmp_path / "printed.txt").open("wb") as printed:
        command = rehearse_command(out, "--travellers", "150", "--seed", str(SEED))
        running = subprocess.Popen(command, stdout=printed, stderr=subprocess.STDOUT)
        killer = Killer(out, SEED)
        started = time.monotonic()
        while not (out / "laid.jsonl").exists() and running.poll() is None and time.monotonic() - started < 120:
            killer.over.wait(0.1)
        killer.start()
        try:
            code = running.wait(timeout=900)
        finally:
            killer.over.set()
            killer.join(90)
    run = Run(out=out, code=code, printed=(tmp_path / "printed.txt").read_text(encoding="utf-8", errors="replace"))
    assert run.code == 0, run.printed[-4000:]
    assert run.report["missing"] == []
    assert {victim: count for victim, count in killer.done.items() if count < KILLS_EACH} == {}
    opened = [line["decision"]["type"] for line in run.lines("opened.jsonl")]
    lit = [edge["lamp"] for edge in run.lines("lamps.jsonl") if edge["on"] and edge["lamp"] in {"green", "amber"}]
    records = iter("green" if kind == "clear" else "amber" for kind in opened)
    assert all(lamp in records for lamp in lit), "a lamp edge without its record, or out of order"
