"""A file written durably is synced before it has its name, and its name before anybody is told; strace looks on."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = [pytest.mark.interop, pytest.mark.skipif(shutil.which("strace") is None, reason="strace is missing")]

CALLS = "write,fsync,fdatasync,rename,renameat,renameat2"


def calls_of(work: str, folder: Path) -> list[str]:
    """Names of the calls about files of this folder, in order."""
    trace = folder / "trace"
    program = f"from pathlib import Path; from appliance.files import {work}; {work}(Path({str(folder)!r}) / 'a', b'x')"
    command = ["strace", "-y", "-o", trace, "-e", f"trace={CALLS}", sys.executable, "-c", program]
    subprocess.run(command, check=True, cwd=Path(__file__).parents[2])
    about = [line for line in trace.read_text().splitlines() if str(folder) in line]
    return [match[0] for line in about if (match := re.match(r"[a-z0-9]+", line))]


def test_what_is_written_durably_is_synced_then_named_then_its_folder_synced(tmp_path: Path) -> None:
    calls = calls_of("write_durably", tmp_path)
    assert calls == ["write", "fsync", "rename", "fsync"]


def test_what_is_only_replaced_is_named_in_one_step_and_syncs_nothing(tmp_path: Path) -> None:
    assert calls_of("replace_file", tmp_path) == ["write", "rename"]
