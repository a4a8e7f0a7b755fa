"""A log that contradicts what headquarters has, however long it is: refused by name, with a tile of it in memory."""

import tracemalloc
from collections.abc import Callable
from pathlib import Path

import pytest

from appliance.errors import Untrusted
from appliance.formats.checkpoint import Checkpoint, open_checkpoint, sign_checkpoint
from appliance.formats.edge import Edge
from appliance.formats.note import LogSigner
from provisioning.audit.contradiction import Suspect
from provisioning.audit.source import folder_sources
from provisioning.audit.when import CosignedHead
from tests.scenarios.auditor import kept, pull_from
from tests.scenarios.made_headquarters import Box, day_at_the_post, headquarters

SHORT, LONG = 600, 12_000
LEAF_BYTES = 400


@pytest.fixture
def box(tmp_path: Path) -> Box:
    made = Box(headquarters(tmp_path / "hq"), tmp_path / "box")
    day_at_the_post(made)
    pull_from(made)
    return made


def show(box: Box, size: int, *, altered: bool = False) -> Suspect:
    """Another tree of so many entries, which begins as the true one does, signed by the log's own key."""
    edge, log = Edge(), box.state / "log"
    for index in range(size):
        edge.append(box.leaves[index] if index < 5 else index.to_bytes(4, "big") * (LEAF_BYTES // 4))
        for path, content in edge.take_full():
            (log / path).parent.mkdir(parents=True, exist_ok=True)
            (log / path).write_bytes(content)
    for path, content in edge.publish():
        (log / path).parent.mkdir(parents=True, exist_ok=True)
        (log / path).write_bytes(content)
    if altered:
        last = log / f"tile/entries/{size // 256 - 1:03}"
        last.write_bytes(last.read_bytes()[:-1] + b"!")
    head = Checkpoint(origin=box.origin, size=size, root=edge.root())
    note = sign_checkpoint(head, [LogSigner(box.origin, box.log_key)])
    (log / "checkpoint").write_bytes(note)
    return Suspect(kept(box), folder_sources(box.state)[box.origin], note, head)


def growth(box: Box, suspect: Suspect) -> None:
    with pytest.raises(Untrusted, match=r"fork: .* entry 5 is not the one that headquarters has"):
        suspect.refuse_growth(kept(box).checkpoint())


def cosigned(box: Box, suspect: Suspect) -> None:
    note = kept(box).note()
    assert note is not None
    checkpoint, _ = open_checkpoint(note, kept(box).log.verifier)
    with pytest.raises(Untrusted, match="of 9 entries headquarters has cosigned another tree"):
        suspect.refuse_cosigned(CosignedHead(checkpoint=checkpoint, note=note, first_ms=1, last_ms=1))


def peak(box: Box, size: int, refuse: Callable[[Box, Suspect], None], *, altered: bool = False) -> int:
    """Bytes that the refusal needed at most."""
    suspect = show(box, size, altered=altered)
    tracemalloc.start()
    refuse(box, suspect)
    found = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return found


@pytest.mark.parametrize("refuse", [growth, cosigned])
def test_a_refusal_of_a_longer_tree_needs_no_more_memory(box: Box, refuse: Callable[[Box, Suspect], None]) -> None:
    short, long = peak(box, SHORT, refuse), peak(box, LONG, refuse)
    assert long - short < LONG * LEAF_BYTES / 8
    assert not (kept(box).folder / "shown").exists()


def damaged(box: Box, suspect: Suspect) -> None:
    with pytest.raises(Untrusted, match=r"entry \d+ was altered; nothing was kept"):
        suspect.refuse_growth(Checkpoint(origin=box.origin, size=9, root=bytes(32)))


def test_a_longer_tree_that_is_damaged_needs_no_more_memory(box: Box) -> None:
    short, long = peak(box, SHORT, damaged, altered=True), peak(box, LONG, damaged, altered=True)
    assert long - short < LONG * LEAF_BYTES / 8


def test_both_signed_checkpoints_of_a_long_fork_are_kept_with_the_consistency_proof(box: Box) -> None:
    growth(box, show(box, LONG))
    (proof,) = kept(box).proofs()
    assert {path.name for path in proof.iterdir()} >= {"seen.note", "shown.note", "consistency", "log.vkey"}


def test_what_a_killed_comparison_left_is_tidied_by_the_next_pull(box: Box) -> None:
    left = kept(box).folder / "shown" / "tile" / "0"
    left.mkdir(parents=True)
    (left / "000").write_bytes(b"half")
    pull_from(box)
    assert not (kept(box).folder / "shown").exists()
