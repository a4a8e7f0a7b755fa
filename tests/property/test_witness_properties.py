"""Whatever bytes come: policies, requests to a witness, pages of a collector; and whatever bit of a proof flips."""

from functools import cache
from pathlib import Path
from tempfile import mkdtemp

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import example, given, settings
from hypothesis import strategies as st

from appliance.errors import Malformed, Untrusted
from appliance.formats.checkpoint import Checkpoint, sign_checkpoint
from appliance.formats.merkle import leaf_hash, root_hash
from appliance.formats.note import COSIGNATURE_ED25519, ED25519, LogSigner, Verifier
from provisioning.audit.proof import Contradiction, Fault, consistency_of, verify_proof, write_proof
from provisioning.audit.testimony_pages import COSIGNED, ITEMS_A_PAGE, RECEIPTS, encode_page, parse_page
from provisioning.witness.add_checkpoint import AddCheckpoint, encode_add_checkpoint, parse_add_checkpoint
from provisioning.witness.policy import Group, Policy, Witness, parse_policy
from tests.merkle_nodes import Nodes

ORIGIN = "landlink.example/la-0001.1"
SIGNER = LogSigner(ORIGIN, Ed25519PrivateKey.from_private_bytes(b"\x05" * 32))
LOG = Verifier(ORIGIN, ED25519, SIGNER.verifier.public)
WITNESSES = {
    b"%d" % number: Witness(verifier=Verifier(f"w/{number}", COSIGNATURE_ED25519, bytes([number]) * 32), url="")
    for number in range(6)
}
WORDS = st.sampled_from([b"log", b"witness", b"group", b"quorum", b"none", b"any", b"all", b"1", b"2", b"a", b"b"])
LINES = st.lists(st.lists(WORDS, max_size=6).map(b" ".join), max_size=8).map(lambda lines: b"\n".join(lines) + b"\n")


@given(st.one_of(st.binary(max_size=400), LINES))
@example(b"quorum none\n")
def test_whatever_stands_in_a_policy_it_is_one_or_malformed(data: bytes) -> None:
    try:
        policy = parse_policy(data)
    except Malformed:
        return
    policy.require(LOG, ()) if policy.quorum is None else None


@given(st.sets(st.sampled_from(sorted(WITNESSES))), st.sets(st.sampled_from(sorted(WITNESSES))), st.integers(1, 3))
def test_a_witness_more_never_undoes_a_quorum(first: set[bytes], more: set[bytes], threshold: int) -> None:
    groups = {
        b"x": Group(threshold=threshold, members=(b"0", b"1", b"2")),
        b"y": Group(threshold=1, members=(b"3", b"4", b"5")),
        b"both": Group(threshold=2, members=(b"x", b"y")),
    }
    policy = Policy(logs=(), witnesses=WITNESSES, groups=groups, quorum=b"both")

    def reached(names: set[bytes]) -> bool:
        try:
            policy.require(LOG, {WITNESSES[name].verifier for name in names})
        except Untrusted:
            return False
        return True

    assert reached(first) == (len(first & {b"0", b"1", b"2"}) >= threshold and bool(first & {b"3", b"4", b"5"}))
    assert reached(first | more) >= reached(first)


@given(st.one_of(st.binary(max_size=400), st.binary(max_size=100).map(lambda rest: b"old 3\n" + rest)))
def test_whatever_a_witness_is_sent_it_is_a_request_or_malformed(body: bytes) -> None:
    try:
        request = parse_add_checkpoint(body)
    except Malformed:
        return
    assert parse_add_checkpoint(encode_add_checkpoint(request)) == request


@given(st.integers(0, 2**63 - 1), st.lists(st.binary(min_size=32, max_size=32), max_size=63), st.binary(max_size=200))
def test_every_request_reads_back_as_it_was_written(old_size: int, proof: list[bytes], note: bytes) -> None:
    request = AddCheckpoint(old_size=old_size, proof=tuple(proof), note=note)
    assert parse_add_checkpoint(encode_add_checkpoint(request)) == request


@given(st.sampled_from([COSIGNED, RECEIPTS]), st.lists(st.binary(max_size=80), max_size=64), st.binary(max_size=90))
def test_a_page_reads_back_and_what_is_none_is_malformed(kind: str, items: list[bytes], junk: bytes) -> None:
    page = encode_page(items)
    assert parse_page(page, kind) == tuple(items)
    try:
        read = parse_page(page + junk, kind)
    except Malformed:
        return
    assert read[: len(items)] == tuple(items)
    assert len(read) <= ITEMS_A_PAGE[kind]


@cache
def proof() -> Path:
    """A proof that a log signed two trees, of 9 and of 12 entries."""
    trees = []
    for salt in (b"one", b"other"):
        nodes = Nodes()
        for number in range(12):
            nodes.append(leaf_hash(salt + b"%d" % number if number > 3 else b"%d" % number))
        trees.append(nodes)
    notes = [
        sign_checkpoint(Checkpoint(origin=ORIGIN, size=size, root=root_hash(size, nodes)), [SIGNER])
        for size, nodes in zip((9, 12), trees, strict=True)
    ]
    found = Contradiction(
        fault=Fault.RESIGNED, seen=notes[0], shown=notes[1], consistency=consistency_of(9, 12, trees[1])
    )
    return write_proof(Path(mkdtemp(prefix="proof-")), LOG, found)


def test_the_whole_proof_holds() -> None:
    assert verify_proof(proof(), LOG).startswith("re-signed proven: the log's key signed another tree of 9 entries")


@settings(deadline=None)
@given(st.sampled_from(["seen.note", "shown.note", "consistency"]), st.data())
def test_no_bit_of_a_proof_can_be_flipped(name: str, data: st.DataObject) -> None:
    path = proof() / name
    whole = path.read_bytes()
    at = data.draw(st.integers(0, len(whole) * 8 - 1))
    flipped = bytearray(whole)
    flipped[at // 8] ^= 1 << at % 8
    path.write_bytes(flipped)
    try:
        with pytest.raises((Malformed, Untrusted)):
            verify_proof(proof(), LOG)
    finally:
        path.write_bytes(whole)
