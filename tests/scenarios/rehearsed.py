"""Runs whole posts headless and reads what they left."""

import json
import socket
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Run:
    """What a headless rehearsal left."""

    out: Path
    code: int
    printed: str

    def lines(self, name: str) -> list[dict[str, Any]]:
        return [json.loads(line) for line in (self.out / name).read_text(encoding="utf-8").splitlines()]

    @property
    def report(self) -> dict[str, Any]:
        return dict(json.loads((self.out / "report.json").read_bytes()))


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


def rehearse_command(out: Path, *arguments: str) -> list[str]:
    command = str(ROOT / ".venv" / "bin" / "landlink-bench")
    return [command, "rehearse", "--headless", "--out", str(out), "--page-port", str(free_port()), *arguments]


def rehearse(out: Path, *arguments: str, timeout_s: float = 240) -> Run:
    done = subprocess.run(
        rehearse_command(out, *arguments),
        capture_output=True,
        text=True,
        check=False,
        timeout=timeout_s,
        cwd=out.parent,
    )
    return Run(out=out, code=done.returncode, printed=done.stdout + done.stderr)


def outside(*command: str) -> subprocess.CompletedProcess[str]:
    """Run a tool that others wrote on what a post left."""
    return subprocess.run(
        command, capture_output=True, text=True, check=False, timeout=120, cwd=ROOT / "tests" / "interop"
    )
