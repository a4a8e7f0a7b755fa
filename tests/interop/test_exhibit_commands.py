"""Every command that a report names, in every kind of exhibit, does what it says, and notices a changed byte."""

import hashlib
import html
import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import NamedTuple

import pytest

from provisioning.audit.opened.records import iso
from provisioning.exhibit.report import TOOLS
from tests.exhibit_post import MORNING_S, NOON_S, SCREENED, a_day, run_hq
from tests.interop.conftest import GOCODE, HERE
from tests.scenarios.made_headquarters import headquarters

pytestmark = pytest.mark.interop

KINDS = {
    "record": (SCREENED,),
    "redacted": (SCREENED, "--redact"),
    "none": ("--none", "--box", "LA-0001", "--from", iso((MORNING_S + 1) * 1000)[:19], "--to", iso(NOON_S * 1000)[:19],
             "--number", "ZZ9999999"),
}  # fmt: skip
ALTERED = {
    "sha256sum --check": "evidence/log.vkey",
    "certutil": "evidence/roster/1.root.json",
    "sha256sum evidence/roster/1.root.json": "evidence/roster/1.root.json",
    "sha256sum evidence/identity.der": "evidence/identity.der",
    "(printf '\\000'; cat evidence/statement.cose)": "evidence/statement.cose",
    "(printf 'landlink": "evidence/record.cbor",
    "sha256sum evidence/body.age": "evidence/body.age",
    "GO111MODULE=off": "evidence/statement.cose",
    "node tools/check_statement.mjs": "evidence/statement.cose",
    "node tools/open_body.mjs": "evidence/body.age",
}
"""How a command begins, and a file of which it must notice one changed byte."""


class Command(NamedTuple):
    """A command of a report, with what it must print ("" where nothing stands below it)."""

    line: str
    printed: str


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a headquarters `hq`, and an exhibit of each kind beside it."""
    if shutil.which("go") is None or not (GOCODE / "src/golang.org/x/mod/sumdb/tlog").is_dir():
        pytest.skip("needs Debian's golang-go and golang-golang-x-mod-dev")
    if shutil.which("node") is None or not (HERE / "node_modules/age-encryption").is_dir():
        pytest.skip("needs Node.js and the npm packages of tests/interop (npm ci --ignore-scripts)")
    folder = tmp_path_factory.mktemp("commands")
    home = headquarters(folder / "hq")
    a_day(home, folder / "box")
    for kind, arguments in KINDS.items():
        assert run_hq(home, "exhibit", *arguments, "--out", folder / kind) == 0
        (folder / kind / "node_modules").symlink_to(HERE / "node_modules")
    return folder


def commands(folder: Path) -> list[Command]:
    """Each command of the report."""
    found = re.findall(r"<td><pre>(.*?)</pre></td>", (folder / "report.html").read_text(), re.DOTALL)
    given = [html.unescape(each).replace("\\\n", " ") for each in found]
    return [Command(*[*each.rsplit("\n  ", 1), ""][:2]) for each in given if not re.match("[0-9a-f]{64}", each)]


def holds(folder: Path, command: Command) -> bool:
    """Run it as it stands there; whether it ends well and prints what it must."""
    if command.line.startswith("certutil"):  # Windows' own: the hash of the file that it names
        path = command.line.split()[2].replace("\\", "/")
        return hashlib.sha256((folder / path).read_bytes()).hexdigest() == command.printed
    line = command.line.replace(" KEY ", f" {folder.parent / 'hq' / 'record.identity'} ")
    environment = {**os.environ, "GOCACHE": str(folder.parent / "gocache")}
    done = subprocess.run(
        ["bash", "-o", "pipefail", "-c", line], cwd=folder, capture_output=True, text=True, check=False, env=environment
    )
    if "open_body" in line:  # two numbers, the same
        return done.returncode == 0 and len({each.split()[0] for each in done.stdout.splitlines()}) == 1
    return done.returncode == 0 and command.printed.removesuffix("…") in done.stdout


@pytest.mark.parametrize("kind", KINDS)
def test_every_command_of_the_report_does_what_it_says(made: Path, kind: str) -> None:
    found = commands(made / kind)
    assert len(found) == {"record": 10, "redacted": 7, "none": 4}[kind]
    for command in found:
        assert holds(made / kind, command), command


def test_every_command_notices_a_changed_byte(made: Path) -> None:
    for command in commands(made / "record"):
        (altered,) = [path for start, path in ALTERED.items() if command.line.startswith(start)]
        content = (made / "record" / altered).read_bytes()
        at = len(content) - 70 if len(content) > 140 else 5
        (made / "record" / altered).write_bytes(content[:at] + bytes([content[at] ^ 1]) + content[at + 1 :])
        try:
            assert not holds(made / "record", command), command
        finally:
            (made / "record" / altered).write_bytes(content)


@pytest.mark.parametrize("kind", KINDS)
def test_every_tool_in_the_folder_is_named_by_a_command_and_every_named_file_is_there(made: Path, kind: str) -> None:
    lines = " ".join(command.line.replace("\\", "/") for command in commands(made / kind))
    if kind == "record":
        assert {name for name in TOOLS if f"tools/{name}" in lines} == set(TOOLS)
    for path in re.findall(r"(?:evidence|tools)/[\w./-]+", lines):
        assert (made / kind / path).is_file(), path
