"""aics-tlog and aics-witness, which others wrote: a second verifier of our log, and a witness of another authority.

`make test` installs them (tests/interop/install-aics) and says when it cannot; then these tests are left out.
"""

import base64
import json
import shutil
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from appliance.formats.merkle import consistency_proof, inclusion_proof, leaf_hash, root_hash
from tests.merkle_nodes import Nodes
from tests.scenarios.auditor import flip, kept, run
from tests.scenarios.made_headquarters import Box, headquarters
from tests.scenarios.rehearsed import free_port

pytestmark = pytest.mark.interop

BIN = Path(__file__).parents[2] / ".aics" / "bin"
NAME = "witness.other.example/w1"
WAIT_S = 30.0


@pytest.fixture(scope="session", autouse=True)
def installed() -> None:
    if not (BIN / "aics-witness").exists():
        pytest.skip("needs aics-tlog and aics-witness (tests/interop/install-aics)")


def aics(*arguments: object, code: int = 0) -> str:
    """Run one of their commands to its end; everything that it wrote."""
    program, *rest = map(str, arguments)
    done = subprocess.run([BIN / program, *rest], capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode == 0) is (code == 0), done.stdout + done.stderr
    return done.stdout + done.stderr


@dataclass
class Other:
    """The other authority's witness."""

    folder: Path
    port: int
    process: "subprocess.Popen[bytes] | None" = None

    @property
    def config(self) -> Path:
        return self.folder / "witness.json"

    @property
    def vkey(self) -> str:
        said = aics("aics-witness", "init", "--config", self.config, "--name", NAME)
        return next(word for word in said.split() if word.startswith(f"{NAME}+"))

    def trust(self, origin: str, vkey: str) -> None:
        aics("aics-witness", "add-log", "--config", self.config, "--origin", origin, "--vkey", vkey)

    def start(self) -> None:
        with (self.folder / "out").open("ab") as out:
            self.process = subprocess.Popen(
                [BIN / "aics-witness", "serve", "--config", self.config, "--listen", f"127.0.0.1:{self.port}"],
                stdout=out,
                stderr=out,
            )
        deadline = time.monotonic() + WAIT_S
        while True:
            try:
                socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
            except OSError:
                assert time.monotonic() < deadline, (self.folder / "out").read_text()
                assert self.process.poll() is None, (self.folder / "out").read_text()
                threading.Event().wait(0.05)
            else:
                return

    def stop(self) -> None:
        if self.process is not None:
            self.process.send_signal(signal.SIGTERM)
            self.process.wait(WAIT_S)
            self.process = None


@pytest.fixture
def other(tmp_path: Path) -> Iterator[Other]:
    folder = tmp_path / "other"
    folder.mkdir()
    made = Other(folder, free_port())
    yield made
    made.stop()


def require(box: Box, other: Other, *, url: bool = True) -> None:
    """Write the policy: headquarters and the other authority, both."""
    keys = json.loads((box.home.roster_file).read_bytes())["keys"]
    own = next(key["vkey"] for key in keys if key["role"] == "cosign-ed25519")
    address = f" http://127.0.0.1:{other.port}" if url else ""
    (box.home.folder / "witness.policy").write_text(
        f"witness headquarters {own}\nwitness other {other.vkey}{address}\n"
        "group both all headquarters other\nquorum both\n"
    )


# --- a second verifier ------------------------------------------------------------------------------------------------


@pytest.fixture
def pulled(box: Box, tmp_path: Path) -> Path:
    """A pulled log of 600 entries; its key came another way, as aics-tlog wants it."""
    while len(box.leaves) < 600:
        box.event()
    box.publish()
    assert run(box.home, "pull", str(box.state)) == 0
    (tmp_path / "log.vkey").write_text(kept(box).log.verifier.vkey() + "\n")
    for index in (0, 255, 256, 300, 599):
        (tmp_path / f"leaf-{index}").write_bytes(box.leaves[index])
    return kept(box).folder


def included(folder: Path, pulled: Path, leaf: int, at: int, *, code: int = 0) -> None:
    source = ("--tiles", pulled, "--vkey-file", folder / "log.vkey")
    aics("aics-tlog", "verify-inclusion", "--leaf", folder / f"leaf-{leaf}", "--index", at, *source, code=code)


def test_aics_verifies_a_pulled_checkpoint_and_entries_through_the_tiles(pulled: Path, tmp_path: Path) -> None:
    said = aics("aics-tlog", "verify-checkpoint", "--tiles", pulled, "--vkey-file", tmp_path / "log.vkey")
    assert json.loads(said)["size"] == 600
    for index in (0, 255, 256, 599):
        included(tmp_path, pulled, index, index)
    included(tmp_path, pulled, 0, 599, code=1)


def test_aics_refuses_a_log_in_which_a_bit_was_flipped(pulled: Path, tmp_path: Path) -> None:
    included(tmp_path, pulled, 300, 300)
    flip(pulled / "tile/0/001", at=5)
    included(tmp_path, pulled, 300, 300, code=1)


def test_aics_verifies_our_consistency_and_inclusion_proofs(tmp_path: Path) -> None:
    nodes = Nodes()
    for number in range(600):
        nodes.append(leaf_hash(b"%d" % number))

    def lines(hashes: tuple[bytes, ...]) -> Path:
        path = tmp_path / "proof"
        path.write_text("".join(f"{base64.b64encode(each).decode()}\n" for each in hashes))
        return path

    def root(size: int) -> str:
        return base64.b64encode(root_hash(size, nodes)).decode()

    for old, new in ((1, 2), (255, 256), (256, 257), (300, 600), (599, 600)):
        proof = lines(consistency_proof(old, new, nodes))
        sizes = ("--old-size", old, "--new-size", new, "--proof", proof)
        aics("aics-tlog", "verify-consistency", *sizes, "--old-root", root(old), "--new-root", root(new))
        aics("aics-tlog", "verify-consistency", *sizes, "--old-root", root(old), "--new-root", root(1), code=1)
    leaf = tmp_path / "leaf"
    leaf.write_bytes(b"300")
    proof = lines(inclusion_proof(300, 600, nodes))
    place = ("--leaf", leaf, "--size", 600, "--root", root(600), "--proof", proof)
    aics("aics-tlog", "verify-inclusion", *place, "--index", 300)
    aics("aics-tlog", "verify-inclusion", *place, "--index", 301, code=1)


def test_aics_checks_a_proof_that_a_box_signed_two_trees(box: Box, tmp_path: Path) -> None:
    """The folder of a proof is checked as its README.txt says, without our software."""
    assert run(box.home, "pull", str(box.state)) == 0
    box.leaves = box.leaves[:3]
    while len(box.leaves) < 12:
        box.event()
    box.publish()
    assert run(box.home, "pull", str(box.state)) == 76
    (proof,) = kept(box).proofs()
    notes = [(proof / name).read_text().splitlines() for name in ("seen.note", "shown.note")]
    for name in ("seen.note", "shown.note"):
        aics("aics-tlog", "verify-checkpoint", "--note", proof / name, "--vkey-file", proof / "log.vkey")
    size, root, *hashes = (proof / "consistency").read_text().splitlines()
    (tmp_path / "proof").write_text("\n".join([*hashes, ""]))
    sizes = ("--old-size", size, "--new-size", notes[1][1], "--new-root", notes[1][2], "--proof", tmp_path / "proof")
    aics("aics-tlog", "verify-consistency", *sizes, "--old-root", root)
    assert size == notes[0][1]
    assert root != notes[0][2]
    aics("aics-tlog", "verify-consistency", *sizes, "--old-root", notes[0][2], code=1)


# --- a second witness -------------------------------------------------------------------------------------------------


def test_a_pull_asks_the_other_authoritys_witness_and_verify_wants_both(box: Box, other: Other) -> None:
    require(box, other)
    other.trust(box.origin, kept(box).log.verifier.vkey())
    other.start()
    for _ in range(3):  # the witness is asked from 0, then from where it stands
        assert run(box.home, "pull", str(box.state)) == 0
        assert run(box.home, "verify") == 0
        box.event()
        box.publish()
    note = kept(box).folder / "checkpoint"
    vkey = ("--log-key", kept(box).log.verifier.vkey(), "--witness-key", other.vkey, "--quorum", 1)
    assert '"ok": true' in aics("aics-tlog", "verify-checkpoint", "--note", note, *vkey)


def test_a_checkpoint_without_the_quorum_is_named_by_pull_and_verify(
    box: Box, other: Other, capsys: pytest.CaptureFixture[str]
) -> None:
    require(box, other)  # nobody listens there
    for arguments in (("pull", str(box.state)), ("verify",)):
        assert run(box.home, *arguments) == 1
        said = capsys.readouterr().out
        assert "without the quorum of witnesses (both): not witnessed by other" in said
    (box.home.folder / "witness.policy").unlink()
    assert run(box.home, "verify") == 0


def test_the_other_witness_refuses_the_second_tree_and_the_pull_says_so(
    box: Box, other: Other, capsys: pytest.CaptureFixture[str]
) -> None:
    """Headquarters itself would show two trees: its own copy is lost, or swapped, and pulled from a forked box."""
    require(box, other)
    other.trust(box.origin, kept(box).log.verifier.vkey())
    other.start()
    assert run(box.home, "pull", str(box.state)) == 0
    shutil.rmtree(kept(box).folder)
    box.leaves = box.leaves[:3]
    while len(box.leaves) < 12:
        box.event()
    box.publish()
    capsys.readouterr()
    assert run(box.home, "pull", str(box.state)) == 1
    said = capsys.readouterr().out
    assert "witness other: " in said
    assert "has seen another tree of this log" in said
    assert "without the quorum" in said
    assert '"evidence"' in aics("aics-witness", "status", "--config", other.config, "--json")


def test_cosignatures_are_carried_by_hand_where_the_witness_has_no_network(
    box: Box, other: Other, tmp_path: Path, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    require(box, other, url=False)
    other.trust(box.origin, kept(box).log.verifier.vkey())
    other.start()
    assert run(box.home, "pull", str(box.state)) == 1
    capfdbinary.readouterr()
    assert run(box.home, "witness", "--ask", box.origin) == 0
    request = capfdbinary.readouterr().out
    answer = post(other.port, request)
    (tmp_path / "answer").write_bytes(answer)
    assert run(box.home, "witness", "--take", box.origin, str(tmp_path / "answer")) == 0
    assert run(box.home, "verify") == 0


def post(port: int, body: bytes) -> bytes:
    import http.client

    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=WAIT_S)
    connection.request("POST", "/add-checkpoint", body=body)
    answer = connection.getresponse()
    content = answer.read()
    connection.close()
    assert answer.status == 200, content
    return content


def test_headquarters_is_a_witness_that_their_verifier_believes(box: Box, tmp_path: Path) -> None:
    """The log is that of another authority; the request comes as a file, the cosignature is checked by aics-tlog."""
    theirs = headquarters(tmp_path / "theirs")
    own = next(
        key["vkey"] for key in json.loads(theirs.roster_file.read_bytes())["keys"] if key["role"] == "cosign-ed25519"
    )
    folder = theirs.folder / "witness"
    folder.mkdir()
    (folder / "logs").write_text(f"log {kept(box).log.verifier.vkey()}\nquorum none\n")
    assert run(box.home, "pull", str(box.state)) == 0
    (box.home.folder / "witness.policy").write_text(f"witness theirs {own}\nquorum theirs\n")
    assert run(box.home, "verify") == 1
    command = [Path(__file__).parents[2] / ".venv" / "bin" / "landlink-hq", "--home"]
    asked = subprocess.run([*command, box.home.folder, "witness", "--ask", box.origin], capture_output=True, check=True)
    answered = subprocess.run([*command, theirs.folder, "witness"], input=asked.stdout, capture_output=True, check=True)
    (tmp_path / "answer").write_bytes(answered.stdout)
    assert run(box.home, "witness", "--take", box.origin, str(tmp_path / "answer")) == 0
    assert run(box.home, "verify") == 0
    again = subprocess.run([*command, theirs.folder, "witness"], input=asked.stdout, capture_output=True, check=False)
    assert again.returncode == 76
    assert b"cosigned 9 entries of the log last" in again.stderr
    vkey = ("--log-key", kept(box).log.verifier.vkey(), "--witness-key", own, "--quorum", 1)
    aics("aics-tlog", "verify-checkpoint", "--note", kept(box).folder / "checkpoint", *vkey)
