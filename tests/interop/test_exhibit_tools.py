"""Go's sumdb tools verify what an exhibit has: its proofs, a negative one's whole folder, and headquarters' own log."""

import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from provisioning.audit.opened.records import iso
from provisioning.custody.log import CustodyLog
from tests.exhibit_post import EVENING_S, MORNING_S, SCREENED, a_day, hq
from tests.interop.conftest import GOCODE
from tests.scenarios.auditor import flip
from tests.scenarios.made_headquarters import headquarters

pytestmark = pytest.mark.interop

Run = Callable[..., subprocess.CompletedProcess[str]]
TOOL = Path(__file__).parents[2] / "provisioning/exhibit/templates/check_log.go"


@pytest.fixture(scope="module")
def check_log(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """The program that an exhibit's `tools/` has, built as its report says."""
    if shutil.which("go") is None or not (GOCODE / "src/golang.org/x/mod/sumdb/tlog").is_dir():
        pytest.skip("needs Debian's golang-go and golang-golang-x-mod-dev")
    built = tmp_path_factory.mktemp("go") / "check_log"
    environment = {**os.environ, "GO111MODULE": "off", "GOPATH": str(GOCODE), "GOCACHE": str(built.parent / "cache")}
    subprocess.run(["go", "build", "-o", built, TOOL], check=True, env=environment)
    return lambda *arguments: subprocess.run([built, *arguments], check=False, capture_output=True, text=True)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three things of one post: `record`, `none`, and `custody` with the log's key beside it."""
    folder = tmp_path_factory.mktemp("post")
    box = a_day(headquarters(folder / "hq"), folder / "box")
    assert hq(box.home, "exhibit", SCREENED, "--out", folder / "record") == 0
    since, until = (iso(seconds * 1000)[:19] for seconds in (MORNING_S - 1_000, EVENING_S + 1_000))
    asked = ("--none", "--number", "PX9", "--box", "LA-0001", "--from", since, "--to", until)
    assert hq(box.home, "exhibit", "--out", folder / "none", *asked) == 0
    shutil.copytree(box.home.folder / "custody", folder / "custody")
    (folder / "custody.vkey").write_text(CustodyLog(box.home).verifier.vkey())
    return folder


def test_go_proves_each_entry_of_an_exhibit_and_refuses_an_altered_one(
    made: Path, check_log: Run, tmp_path: Path
) -> None:
    evidence = Path(shutil.copytree(made / "record/evidence", tmp_path / "evidence"))
    keys = (evidence / "log.vkey", evidence / "cosigners.vkey")
    folders = [evidence, *(evidence / "entries").iterdir(), evidence / "release"]
    pairs = [(each / "proof.tlog-proof", each / "statement.cose") for each in folders]
    pairs += [(each / "epoch.tlog-proof", each / "epoch.cose") for each in folders]
    pairs.append((evidence / "before.tlog-proof", evidence / "statement.cose"))
    for proof, leaf in pairs:
        done = check_log(proof, leaf, *keys)
        assert done.returncode == 0, (proof, done.stderr)
        flip(leaf)
        assert check_log(proof, leaf, *keys).returncode == 1, proof
        flip(leaf)
        flip(proof, 40)
        assert check_log(proof, leaf, *keys).returncode == 1, proof
        flip(proof, 40)


def test_go_proves_who_had_it_in_their_hands(made: Path, check_log: Run) -> None:
    custody = made / "record/evidence/custody"
    acts = sorted(custody.glob("[0-9]*.tlog-proof"))
    assert acts
    for proof in acts:
        done = check_log(proof, proof.with_suffix(".cbor"), custody / "log.vkey")
        assert done.returncode == 0, done.stderr


def test_go_verifies_a_negative_exhibits_folder_and_headquarters_own_log_as_logs(made: Path, verify_log: Run) -> None:
    evidence = made / "none/evidence"
    assert verify_log(evidence, (evidence / "log.vkey").read_text()).returncode == 0
    assert verify_log(made / "custody", (made / "custody.vkey").read_text()).returncode == 0
    sums = ["sha256sum", "--check", "--strict", "--quiet", "SHA256SUMS"]
    assert subprocess.run(sums, cwd=made / "none", check=False).returncode == 0
