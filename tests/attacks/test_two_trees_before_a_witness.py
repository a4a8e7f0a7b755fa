"""Headquarters as a witness (C2SP tlog-witness): whatever a log tries, it gets no cosignature on a second tree."""

import http
import http.client
import json
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from appliance.formats.checkpoint import Checkpoint, sign_checkpoint
from appliance.formats.merkle import EMPTY_ROOT, consistency_proof, leaf_hash, root_hash
from appliance.formats.note import Ed25519Cosigner, LogSigner, open_note, parse_vkey
from provisioning.authority.home import Home
from provisioning.witness.add_checkpoint import AddCheckpoint, encode_add_checkpoint, parse_add_checkpoint
from provisioning.witness.witness import SIZE_TYPE, Answer, Witness
from tests.delivery_post import BIN
from tests.merkle_nodes import Nodes

ORIGIN = "other.example/log"
KEY = LogSigner(ORIGIN, Ed25519PrivateKey.from_private_bytes(b"\x07" * 32))
COSIGNER = Ed25519Cosigner("landlink.example/headquarters", Ed25519PrivateKey.generate(), at_s=1_795_000_000)
OK, BAD, FORBIDDEN, UNKNOWN = (
    http.HTTPStatus.OK,
    http.HTTPStatus.BAD_REQUEST,
    http.HTTPStatus.FORBIDDEN,
    http.HTTPStatus.NOT_FOUND,
)
CONFLICT, UNPROCESSABLE = http.HTTPStatus.CONFLICT, http.HTTPStatus.UNPROCESSABLE_ENTITY


@pytest.fixture
def witness(tmp_path: Path) -> Witness:
    return Witness(tmp_path / "witness", [KEY.verifier], lambda: [COSIGNER])


def tree(count: int, salt: str = "") -> Nodes:
    nodes = Nodes()
    for number in range(count):
        nodes.append(leaf_hash(f"{salt}{number}".encode()))
    return nodes


def note(nodes: Nodes, size: int, signer: LogSigner = KEY, origin: str = ORIGIN) -> bytes:
    return sign_checkpoint(Checkpoint(origin=origin, size=size, root=root_hash(size, nodes)), [signer])


def request(nodes: Nodes, old: int, size: int, **changes: object) -> bytes:
    proof = consistency_proof(old, size, nodes) if 0 < old < size else ()
    fields = {"old_size": old, "proof": proof, "note": note(nodes, size), **changes}
    return encode_add_checkpoint(AddCheckpoint(**fields))


def evidence(witness_folder: Path) -> int:
    folder = witness_folder / "witness" / "evidence"
    return len(list(folder.iterdir())) if folder.is_dir() else 0


def test_a_log_that_only_grows_is_cosigned_at_each_step(witness: Witness) -> None:
    nodes = tree(600)
    old = 0
    for size in (1, 1, 2, 255, 256, 257, 600):
        answer = witness.add_checkpoint(request(nodes, old, size))
        assert answer.status is OK
        text = note(nodes, size).partition(b"\n\n")[0]
        opened = open_note(text + b"\n\n" + answer.body, [COSIGNER.verifier])
        assert [(each.verifier, each.at_s) for each in opened.signatures] == [(COSIGNER.verifier, 1_795_000_000)]
        old = size


def test_another_old_size_is_answered_with_the_one_that_was_cosigned_last(witness: Witness) -> None:
    nodes = tree(20)
    witness.add_checkpoint(request(nodes, 0, 9))
    for old in (0, 5, 12):
        assert witness.add_checkpoint(request(nodes, old, 20)) == Answer(status=CONFLICT, body=b"9\n", kind=SIZE_TYPE)


def test_a_fork_is_refused_and_kept_as_evidence(witness: Witness, tmp_path: Path) -> None:
    honest, other = tree(20), tree(20, "other")
    witness.add_checkpoint(request(honest, 0, 9))
    assert witness.add_checkpoint(request(other, 9, 20)).status is UNPROCESSABLE
    assert witness.add_checkpoint(request(other, 9, 9)).status is UNPROCESSABLE
    assert evidence(tmp_path) == 2
    assert witness.add_checkpoint(request(honest, 9, 20)).status is OK


def test_another_tree_of_the_cosigned_size_is_kept_whatever_old_size_comes_with_it(
    witness: Witness, tmp_path: Path
) -> None:
    witness.add_checkpoint(request(tree(9), 0, 9))
    assert witness.add_checkpoint(request(tree(9, "other"), 0, 9)).status is CONFLICT
    assert evidence(tmp_path) == 1


def test_a_rollback_is_refused(witness: Witness) -> None:
    nodes = tree(20)
    witness.add_checkpoint(request(nodes, 0, 20))
    assert witness.add_checkpoint(request(nodes, 20, 9, proof=())).status is BAD
    assert witness.add_checkpoint(request(nodes, 9, 9)).body == b"20\n"
    assert witness.add_checkpoint(request(nodes, 0, 9)).body == b"20\n"


@pytest.mark.parametrize("proof", [(), (bytes(32),), tuple(consistency_proof(9, 20, tree(20))[:-1]), (bytes(32),) * 63])
def test_a_proof_that_does_not_lead_there_is_refused(witness: Witness, proof: tuple[bytes, ...]) -> None:
    nodes = tree(20)
    witness.add_checkpoint(request(nodes, 0, 9))
    assert witness.add_checkpoint(request(nodes, 9, 20, proof=proof)).status is UNPROCESSABLE


def test_a_first_request_with_a_proof_or_an_empty_tree_of_another_root_is_refused(witness: Witness) -> None:
    assert witness.add_checkpoint(request(tree(3), 0, 3, proof=(bytes(32),))).status is UNPROCESSABLE
    for root, status in ((bytes(32), UNPROCESSABLE), (EMPTY_ROOT, OK)):
        empty = sign_checkpoint(Checkpoint(origin=ORIGIN, size=0, root=root), [KEY])
        assert witness.add_checkpoint(request(tree(1), 0, 1, note=empty)).status is status


def test_a_stranger_is_told_so_and_nothing_is_kept_of_it(witness: Witness, tmp_path: Path) -> None:
    nodes = tree(3)
    stranger = LogSigner(ORIGIN, Ed25519PrivateKey.generate())
    elsewhere = LogSigner("third.example/log", Ed25519PrivateKey.generate())
    assert witness.add_checkpoint(request(nodes, 0, 3, note=note(nodes, 3, stranger))).status is FORBIDDEN
    unknown = note(nodes, 3, elsewhere, "third.example/log")
    assert witness.add_checkpoint(request(nodes, 0, 3, note=unknown)).status is UNKNOWN
    signed = bytearray(note(nodes, 3))
    signed[-10] ^= 1
    assert witness.add_checkpoint(request(nodes, 0, 3, note=bytes(signed))).status in (FORBIDDEN, BAD)
    assert evidence(tmp_path) == 0


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"old 0",
        b"old 0\n\n",
        b"old 00\n\n" + note(tree(1), 1),
        b"old -1\n\n" + note(tree(1), 1),
        b"old 99999999999999999999\n\n" + note(tree(1), 1),
        b"new 0\n\n" + note(tree(1), 1),
        b"old 0\nAA==\n\n" + note(tree(1), 1),
        b"old 0\n!\n\n" + note(tree(1), 1),
        b"old 0\n" + b"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n" * 64 + b"\n" + note(tree(1), 1),
        bytes(100_000),
    ],
)
def test_what_is_no_request_is_refused(witness: Witness, body: bytes) -> None:
    assert witness.add_checkpoint(body).status in (BAD, UNKNOWN)


def test_a_request_reads_back_as_it_was_written() -> None:
    nodes = tree(20)
    asked = AddCheckpoint(old_size=9, proof=consistency_proof(9, 20, nodes), note=note(nodes, 20))
    assert parse_add_checkpoint(encode_add_checkpoint(asked)) == asked


def test_two_processes_at_once_never_cosign_two_trees(tmp_path: Path) -> None:
    """Many threads, each a witness of its own on one folder, are shown different trees: one of them is cosigned."""
    from concurrent.futures import ThreadPoolExecutor

    def one(number: int) -> Answer:
        own = Witness(tmp_path / "witness", [KEY.verifier], lambda: [COSIGNER])
        return own.add_checkpoint(request(tree(5, f"tree {number} "), 0, 5))

    with ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(one, range(32)))
    assert [answer.status for answer in answers].count(OK) == 1


# --- over HTTP, by the real command -----------------------------------------------------------------------------------


@pytest.fixture
def address(home: Home) -> Iterator[tuple[str, int]]:
    """`landlink-hq witness --listen`, which knows one log."""
    (home.folder / "witness").mkdir()
    (home.folder / "witness" / "logs").write_text(f"log {KEY.verifier.vkey()}\nquorum none\n")
    command = [BIN / "landlink-hq", "--home", home.folder, "witness", "--listen", "127.0.0.1:0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        said = process.stdout.readline()
        assert said.startswith("witness: listening on "), said
        host, _, port = said.split()[-1].rpartition(":")
        yield host, int(port)
        process.terminate()


def post(address: tuple[str, int], body: bytes, path: str = "/add-checkpoint") -> tuple[int, str | None, bytes]:
    connection = http.client.HTTPConnection(*address, timeout=30)
    connection.request("POST", path, body=body)
    answer = connection.getresponse()
    content = answer.read()
    connection.close()
    return answer.status, answer.getheader("Content-Type"), content


def test_the_command_answers_as_the_specification_has_it(home: Home, address: tuple[str, int]) -> None:
    honest, other = tree(20), tree(20, "other")
    status, _, lines = post(address, request(honest, 0, 9))
    assert status == 200
    vkeys = [key["vkey"] for key in json.loads(home.roster_file.read_bytes())["keys"] if key["vkey"]]
    text = note(honest, 9).partition(b"\n\n")[0]
    signed = open_note(text + b"\n\n" + lines, [parse_vkey(vkey) for vkey in vkeys]).signatures
    assert sorted(each.verifier.type for each in signed) == [0x04, 0x06]
    assert post(address, request(honest, 5, 20)) == (409, SIZE_TYPE, b"9\n")
    assert post(address, request(other, 9, 20))[0] == 422
    assert post(address, b"nothing")[0] == 400
    assert post(address, bytes(200_000))[0] == 413
    assert post(address, request(honest, 9, 20), "/elsewhere")[0] == 404
    assert post(address, request(honest, 9, 20))[0] == 200
