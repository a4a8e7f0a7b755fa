"""Rollback: a log is shown shorter than headquarters has seen it."""

import shutil

import pytest

from appliance.errors import Untrusted
from appliance.formats.checkpoint import Checkpoint, sign_checkpoint
from appliance.formats.note import LogSigner
from provisioning.audit.proof import verify_proof
from tests.scenarios.auditor import flip, kept, pull_from, verify_of, words
from tests.scenarios.made_headquarters import Box


def test_a_rollback_is_refused_and_both_checkpoints_are_kept(box: Box) -> None:
    pull_from(box)
    box.publish(leaves=box.leaves[:5])
    with pytest.raises(Untrusted, match=r"rollback: .* has 5 entries, headquarters already has 9"):
        pull_from(box)
    (proof,) = kept(box).proofs()
    assert (proof / "seen.note").read_bytes() == kept(box).note()
    assert (proof / "shown.note").read_bytes() == (box.state / "log/checkpoint").read_bytes()
    assert "shown shorter" in (proof / "README.txt").read_text()


def test_a_rollback_alone_does_not_convict_the_box_since_a_mirror_may_be_behind(box: Box) -> None:
    pull_from(box)
    box.publish(leaves=box.leaves[:5])
    with pytest.raises(Untrusted):
        pull_from(box)
    (proof,) = kept(box).proofs()
    assert verify_proof(proof, kept(box).log.verifier) == ""
    assert verify_of(box).problems == []


def test_an_empty_tree_of_another_root_convicts_by_itself(box: Box) -> None:
    pull_from(box)
    empty = Checkpoint(origin=box.origin, size=0, root=bytes(32))
    (box.state / "log/checkpoint").write_bytes(sign_checkpoint(empty, [LogSigner(box.origin, box.log_key)]))
    with pytest.raises(Untrusted, match=r"^fork: "):
        pull_from(box)
    assert "fork proven: the log's key signed a tree of no entries" in words(verify_of(box).problems)


@pytest.mark.parametrize("size", range(9))
def test_a_rollback_to_any_size_is_named(box: Box, size: int) -> None:
    pull_from(box)
    box.publish(leaves=box.leaves[:size])
    with pytest.raises(Untrusted, match=f"rollback: .* has {size} entries"):
        pull_from(box)
    assert verify_of(box).problems == []


def test_a_proof_of_a_rollback_that_was_altered_is_named(box: Box) -> None:
    pull_from(box)
    box.publish(leaves=box.leaves[:5])
    with pytest.raises(Untrusted):
        pull_from(box)
    (proof,) = kept(box).proofs()
    for name in ("seen.note", "shown.note"):
        shutil.copytree(proof, proof.with_name("rollback-5-copy"))
        flip(proof.with_name("rollback-5-copy") / name, at=40)
        assert "does not hold" in words(verify_of(box).problems)
        shutil.rmtree(proof.with_name("rollback-5-copy"))
