"""Fork, clone, re-signed past, reset: one key, two trees; told apart by the first entry that differs."""

import base64
from collections.abc import Callable

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from appliance.errors import Untrusted
from appliance.formats.note import open_note, parse_vkey
from provisioning.audit.proof import verify_proof
from tests.scenarios.auditor import flip, kept, pull_from, verify_of, words
from tests.scenarios.made_headquarters import Box, Epoch

HONEST = 9


def signs_the_past_again(box: Box) -> None:
    """The running recorder, with the epoch's key in memory, signs other entries where it had signed some."""
    box.leaves = box.leaves[:3]


def goes_on_from_an_old_copy(box: Box) -> None:
    """A second machine starts from a copy of the card as it was at entry 3."""
    box.leaves = box.leaves[:3]
    box.start_epoch()


def begins_again(box: Box) -> None:
    """The log is wiped and begun again with the same keys."""
    box.leaves = []
    box.epoch = Epoch(-1)
    box.start_epoch()


def signs_a_tree_of_nonsense(box: Box) -> None:
    """The log's key alone, without the epoch's."""
    box.leaves = [*box.leaves[:3], b"no statement"]


ATTACKS = [
    (signs_the_past_again, "re-signed", "entry 3"),
    (goes_on_from_an_old_copy, "clone", "entry 3"),
    (begins_again, "reset", "entry 0"),
    (signs_a_tree_of_nonsense, "fork", "entry 3"),
]


@pytest.mark.parametrize("extra", [0, 3, -2], ids=["same size", "longer", "shorter"])
@pytest.mark.parametrize(("attack", "name", "where"), ATTACKS, ids=[name for _, name, _ in ATTACKS])
def test_a_second_tree_is_refused_by_name_with_a_proof_that_convicts(
    box: Box, attack: Callable[[Box], None], name: str, where: str, extra: int
) -> None:
    pull_from(box)
    attack(box)
    while len(box.leaves) < HONEST + extra:
        box.event()
    box.publish()
    with pytest.raises(Untrusted, match=rf"^{name}: .*{where} is not the one that headquarters has"):
        pull_from(box)
    assert kept(box).checkpoint().size == HONEST
    (proof,) = kept(box).proofs()
    assert verify_proof(proof, kept(box).log.verifier).startswith(f"{name} proven")
    assert f"{name} proven" in words(verify_of(box).problems)


def test_the_clone_of_a_box_is_named_whichever_of_the_two_is_seen_first(box: Box) -> None:
    """The first machine stays in its epoch, the second one starts its own; seen in the other order."""
    stayed = [*box.leaves]
    box.leaves = box.leaves[:5]
    box.start_epoch()
    box.publish()
    pull_from(box)
    box.publish(leaves=stayed)
    with pytest.raises(Untrusted, match=r"^clone: .*entry 5"):
        pull_from(box)


def test_a_proof_needs_nothing_but_its_folder_and_any_note_verifier(box: Box) -> None:
    pull_from(box)
    signs_the_past_again(box)
    for _ in range(6):
        box.event()
    box.publish()
    with pytest.raises(Untrusted):
        pull_from(box)
    (proof,) = kept(box).proofs()
    key = parse_vkey((proof / "log.vkey").read_text())
    texts = [open_note((proof / name).read_bytes(), [key]).text.splitlines() for name in ("seen.note", "shown.note")]
    assert [text[:2] for text in texts] == [[box.origin, "9"], [box.origin, "9"]]
    assert texts[0][2] != texts[1][2]
    assert "cannot sign both" in (proof / "README.txt").read_text()


def test_the_second_attack_is_kept_beside_the_first(box: Box) -> None:
    pull_from(box)
    for attack in (signs_the_past_again, begins_again):
        attack(box)
        while len(box.leaves) < HONEST:
            box.event()
        box.publish()
        with pytest.raises(Untrusted):
            pull_from(box)
    assert [proof.name.partition("-9-")[0] for proof in kept(box).proofs()] == ["re-signed", "reset"]


@pytest.mark.parametrize("name", ["seen.note", "shown.note", "consistency"])
def test_a_proof_that_was_altered_is_said_not_to_hold(box: Box, name: str) -> None:
    pull_from(box)
    signs_the_past_again(box)
    while len(box.leaves) < HONEST + 2:
        box.event()
    box.publish()
    with pytest.raises(Untrusted):
        pull_from(box)
    (proof,) = kept(box).proofs()
    flip(proof / name, at=40)
    assert "does not hold" in words(verify_of(box).problems)


def test_a_consistency_proof_of_a_root_that_somebody_made_up_does_not_hold(box: Box) -> None:
    """Nobody can frame a box that was only shown shorter: the larger tree's root is not theirs to choose."""
    pull_from(box)
    box.publish(leaves=box.leaves[:5])
    with pytest.raises(Untrusted):
        pull_from(box)
    (honest,) = kept(box).proofs()
    framed = honest.with_name(honest.name.replace("rollback", "fork"))
    honest.rename(framed)
    assert "do not contradict each other" in words(verify_of(box).problems)
    size, _, *hashes = (framed / "consistency").read_text().splitlines()
    made_up = base64.b64encode(bytes(32)).decode()
    (framed / "consistency").write_text("\n".join([size, made_up, *hashes, ""]))
    assert "does not lead to both roots" in words(verify_of(box).problems)


def test_another_key_under_the_logs_name_is_refused_and_both_checkpoints_are_kept(box: Box) -> None:
    """The box was wiped and provisioned anew under its old serial, or somebody pretends to be it."""
    pull_from(box)
    box.publish(key=Ed25519PrivateKey.generate())
    with pytest.raises(Untrusted, match=r"^foreign: .*another key than the enrolled one.*provisioned anew"):
        pull_from(box)
    (proof,) = kept(box).proofs()
    assert "proves nothing about the box" in (proof / "README.txt").read_text()
    assert verify_of(box).problems == []


def test_another_key_is_refused_before_anything_was_ever_pulled(box: Box) -> None:
    box.publish(key=Ed25519PrivateKey.generate())
    with pytest.raises(Untrusted, match=r"^foreign: "):
        pull_from(box)
    assert kept(box).note() is None
