"""The note of entries with bodies spares a pull work and is believed in nothing: `verify` misses a body without it."""

import hashlib
from collections.abc import Callable
from pathlib import Path

import pytest

from appliance.formats.merkle import HASH_BYTES
from provisioning.audit.sealed_note import NOTE
from tests.scenarios.auditor import flip, kept, pull_from, verify_of, words
from tests.scenarios.made_headquarters import Box, day_at_the_post, headquarters

LATE = 3
"""An entry whose body arrives after the first pull."""


@pytest.fixture
def box(tmp_path: Path) -> Box:
    """Pulled without one body, which has arrived at the source since."""
    made = Box(headquarters(tmp_path / "hq"), tmp_path / "box")
    day_at_the_post(made)
    late = made.body(LATE).read_bytes()
    made.body(LATE).unlink()
    pulled = pull_from(made)
    assert (pulled.bodies, pulled.awaited) == (6, 1)
    made.body(LATE).write_bytes(late)
    return made


def note(box: Box) -> Path:
    return kept(box).folder / NOTE


def rewrite(box: Box, change: Callable[[bytearray], None]) -> None:
    """Change what is noted, as somebody does who knows the format."""
    noted = bytearray(note(box).read_bytes()[HASH_BYTES:])
    change(noted)
    note(box).write_bytes(hashlib.sha256(noted).digest() + noted)


def say(index: int, sealed: int) -> Callable[[bytearray], None]:
    def change(noted: bytearray) -> None:
        noted[HASH_BYTES + index] = sealed

    return change


def test_the_note_has_a_byte_an_entry_bound_to_the_tree(box: Box) -> None:
    content = note(box).read_bytes()
    assert content[HASH_BYTES : 2 * HASH_BYTES] == kept(box).checkpoint().root
    assert list(content[2 * HASH_BYTES :]) == [0, 1, 0, 1, 1, 1, 1, 1, 1]


def test_a_pull_with_nothing_new_opens_no_entry_but_those_whose_body_may_be_had(box: Box) -> None:
    box.body(LATE).unlink()
    (kept(box).folder / "tile/entries").rename(kept(box).folder / "away")
    assert pull_from(box).awaited == 1


def test_a_body_that_was_taken_away_here_is_fetched_again(box: Box) -> None:
    kept(box).body_path(1).unlink()
    assert (pull_from(box).bodies, verify_of(box).problems) == (2, [])


def test_a_note_that_hides_a_missing_body_does_not_hide_it_from_verify(box: Box) -> None:
    rewrite(box, say(LATE, 0))
    assert pull_from(box).bodies == 0
    found = words(verify_of(box).problems)
    assert f"entry {LATE}: its body is not here" in found
    assert f"{note(box)} was altered" in found
    note(box).unlink()  # as it says
    assert pull_from(box).bodies == 1
    assert verify_of(box).problems == []


def test_a_note_that_claims_a_body_where_there_is_none_fetches_nothing_and_is_named(box: Box) -> None:
    rewrite(box, say(2, 1))
    (box.state / "bodies/2.2.age").write_bytes(b"no entry names this")
    assert pull_from(box).bodies == 1
    assert not kept(box).body_path(2).exists()
    assert f"{note(box)} was altered" in words(verify_of(box).problems)


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-1])


def empty(path: Path) -> None:
    path.write_bytes(b"")


@pytest.mark.parametrize("damage", [Path.unlink, empty, cut, flip])
def test_a_note_that_is_not_whole_is_made_again(box: Box, damage: Callable[[Path], object]) -> None:
    whole = note(box).read_bytes()
    damage(note(box))
    assert pull_from(box).bodies == 1
    assert note(box).read_bytes() == whole
    assert verify_of(box).problems == []


def longer(noted: bytearray) -> None:
    noted.append(1)


def of_another_tree(noted: bytearray) -> None:
    noted[0] ^= 1


def test_a_note_of_another_tree_or_of_a_longer_one_is_not_believed(box: Box) -> None:
    whole = note(box).read_bytes()
    for change in (longer, of_another_tree):
        rewrite(box, change)
        pull_from(box)
        assert note(box).read_bytes() == whole


def test_a_note_that_is_behind_goes_on_from_there(box: Box) -> None:
    behind = note(box).read_bytes()
    box.canary()
    box.event()
    box.publish()
    assert pull_from(box).bodies == 2
    ahead = note(box).read_bytes()
    assert list(ahead[2 * HASH_BYTES :]) == [*behind[2 * HASH_BYTES :], 1, 0]
    note(box).write_bytes(behind)  # as a power cut between the checkpoint and the note leaves it
    kept(box).body_path(9).unlink()
    assert pull_from(box).bodies == 1
    assert note(box).read_bytes() == ahead
