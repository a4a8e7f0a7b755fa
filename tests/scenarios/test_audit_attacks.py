"""Every attack on a log, its bodies and its copies is named, by pull, verify or open."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from appliance.errors import Malformed, Untrusted
from appliance.formats.age import generate_identity
from appliance.formats.statement import EventEntry
from appliance.model import Mode
from appliance.recorded import Canary
from provisioning.authority.home import Home
from tests.scenarios.auditor import flip, kept, open_of, pull_from, verify_of, words
from tests.scenarios.made_headquarters import (
    Box,
    Epoch,
    outcome,
    picture,
    screened,
)

ENTRIES_OF_THE_DAY = 9
SEALED_OF_THE_DAY = 7


# --- flipped bits -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["tile/0/000.p/9", "tile/entries/000.p/9", "checkpoint"])
def test_a_bit_flipped_at_the_source_is_refused_or_named(box: Box, path: str) -> None:
    flip(box.state / "log" / path, at=35 if path == "checkpoint" else -1)
    try:
        pulled = pull_from(box)
    except (Malformed, Untrusted):
        assert kept(box).note() is None
    else:
        assert path in words(pulled.problems)


def test_an_entry_altered_at_the_source_is_named_by_its_index(box: Box) -> None:
    flip(box.state / "log" / "tile/entries/000.p/9", at=-5)
    with pytest.raises(Untrusted, match=r"entry 8 was altered; nothing was kept"):
        pull_from(box)


@pytest.mark.parametrize(
    ("path", "named"),
    [
        ("tile/0/000.p/9", "entry 8: tile/0/000.p/9 is not what the entries give"),
        ("tile/entries/000.p/9", "entry 8"),
        ("bodies/4.age", "entry 4: its body was altered"),
        ("checkpoint", "the signature by landlink.example/la-0001.1 does not hold"),
    ],
)
def test_a_bit_flipped_in_the_kept_copy_is_named(box: Box, path: str, named: str) -> None:
    pull_from(box)
    flip(kept(box).folder / path, at=-5 if path != "checkpoint" else 33)
    assert named in words(verify_of(box).problems)


def test_every_bit_of_a_statement_counts(box: Box) -> None:
    """The log's key signs the tree, so a statement altered by who holds it is caught by the epoch's key alone."""
    leaf = box.leaves[2]
    for at in range(0, len(leaf), 7):
        altered = bytearray(leaf)
        altered[at] ^= 0x10
        box.leaves[2] = bytes(altered)
        box.publish()
        shutil.rmtree(kept(box).folder, ignore_errors=True)
        assert any(problem.index == 2 for problem in pull_from(box).problems), f"byte {at}"


def test_a_body_altered_at_the_source_is_not_kept(box: Box) -> None:
    flip(box.body(4))
    pulled = pull_from(box)
    assert "entry 4: its body was altered" in words(pulled.problems)
    assert kept(box).body(4) is None
    assert pulled.bodies == SEALED_OF_THE_DAY - 1


def test_a_missing_tile_a_stray_body_and_a_missing_body_are_named(box: Box) -> None:
    pull_from(box)
    copy = kept(box)
    (copy.folder / "tile/0/000.p/9").unlink()
    copy.keep_body(2, b"nobody's")
    copy.body_path(6).unlink()
    found = words(verify_of(box).problems)
    assert "tile/0/000.p/9 is missing" in found
    assert "entry 2: a body lies here that no statement names" in found
    assert "entry 6: its body is not here" in found


# --- the copy itself ------------------------------------------------------------------------------------------------


def test_an_altered_own_copy_is_noticed_before_it_is_built_upon(box: Box) -> None:
    pull_from(box)
    flip(kept(box).folder / "tile/0/000.p/9")
    box.event()
    box.publish()
    with pytest.raises(Untrusted, match=r"own copy .* was altered"):
        pull_from(box)


# --- statements under the wrong key, log, mode or epoch ---------------------------------------------------------------


def event(box: Box) -> EventEntry:
    assert box.leaves
    return EventEntry(event="page_started", fields={})


def by_the_last_epoch(box: Box) -> None:
    last = box.epoch
    box.start_epoch()
    box.append(box.statement(event(box)), last)


def by_a_stranger(box: Box) -> None:
    box.append(box.statement(event(box)), Epoch(box.epoch.number))


def for_another_log(box: Box) -> None:
    box.append(box.statement(event(box), origin="landlink.example/la-0002.1"))


def for_training(box: Box) -> None:
    box.append(box.statement(event(box), mode=Mode.TRAINING))


def of_another_epoch(box: Box) -> None:
    box.append(box.statement(event(box), epoch=box.epoch.number + 1))


def epoch_from_elsewhere(box: Box) -> None:
    box.start_epoch(first_index=2)


def epoch_again(box: Box) -> None:
    box.start_epoch(Epoch(0))


def not_a_statement(box: Box) -> None:
    box.leaves.append(b"not a statement")


@pytest.mark.parametrize(
    ("attack", "named"),
    [
        (by_the_last_epoch, "signed by another key"),
        (by_a_stranger, "signed by another key"),
        (for_another_log, "signed for another log"),
        (for_training, "of mode training"),
        (of_another_epoch, "of epoch 1, valid here is 0"),
        (epoch_from_elsewhere, "an epoch that starts at entry 2"),
        (epoch_again, "which is past"),
        (not_a_statement, "malformed"),
    ],
)
def test_a_statement_that_its_place_does_not_allow_is_named_by_pull_and_verify(
    box: Box, attack: Callable[[Box], None], named: str
) -> None:
    attack(box)
    index = len(box.leaves) - 1
    box.publish()
    problems = pull_from(box).problems
    assert [problem.index for problem in problems] == [index]
    assert named in words(problems)
    assert words(verify_of(box).problems) == words(problems)


def test_an_epoch_certified_by_another_box_is_refused_with_all_that_follows(
    home: Home, box: Box, tmp_path: Path
) -> None:
    box.identity = Box(home, tmp_path / "other", serial="LA-0002").identity
    start = box.start_epoch()
    box.event()
    box.publish()
    assert [problem.index for problem in pull_from(box).problems] == [start, start + 1]


def test_a_walk_resumed_in_the_second_bundle_knows_the_epoch_of_the_first(home: Home, tmp_path: Path) -> None:
    box = Box(home, tmp_path / "box")
    for _ in range(300):
        box.event()
    box.publish()
    pull_from(box)
    box.event()
    by_a_stranger(box)
    box.publish()
    assert [problem.index for problem in pull_from(box).problems] == [302]


# --- bodies that do not open ------------------------------------------------------------------------------------------


def sealed_to_others(box: Box) -> None:
    (box.home.folder / "stranger.identity").write_text(generate_identity().encode())
    box.seal(box.record(screened()), recipients=("stranger",))


def for_another_origin(box: Box) -> None:
    box.seal(box.record(screened(), origin="landlink.example/la-0002.1"))


def a_training_record(box: Box) -> None:
    box.seal(box.record(screened(), mode=Mode.TRAINING))


def another_commitment(box: Box) -> None:
    box.seal(box.record(screened()), commitment=bytes(32))


def a_canary_of_another_epoch(box: Box) -> None:
    box.seal(box.record(Canary(epoch=7, recipients_version=1), crossing=None, person=None))


@pytest.mark.parametrize(
    ("attack", "named"),
    [
        (sealed_to_others, "no recipient stanza opens with this identity"),
        (for_another_origin, "made for another log (landlink.example/la-0002.1)"),
        (a_training_record, "its record is of mode training"),
        (another_commitment, "not the one that the statement commits to"),
        (a_canary_of_another_epoch, "another epoch"),
    ],
)
def test_a_body_that_is_not_what_its_statement_says_is_not_opened(
    box: Box, attack: Callable[[Box], None], named: str
) -> None:
    attack(box)
    box.publish()
    assert pull_from(box).problems == []  # only the record key can see it
    opened = open_of(box)
    assert named in words(opened.problems).lower()
    assert len(opened.lines) == 3
    assert opened.opened_through == len(box.leaves) - 2


@pytest.mark.parametrize(
    ("body", "named"),
    [
        (outcome("dd" * 16), "its outcome is for a record that has not been opened"),
        (picture("dd" * 16), "its picture belongs to a record that has not been opened"),
    ],
)
def test_what_belongs_to_no_record_is_named(box: Box, body: object, named: str) -> None:
    box.seal(box.record(body))
    box.publish()
    pull_from(box)
    assert named in words(open_of(box).problems)


def test_a_second_record_of_the_same_name_does_not_replace_the_first(box: Box) -> None:
    box.seal(box.record(screened(number="PX9999999"), "aa" * 16))
    box.publish()
    pull_from(box)
    opened = open_of(box)
    assert "its record has the identifier of entry 4" in words(opened.problems)
    assert [line.index for line in opened.lines] == [4, 6, 7]


def test_a_tree_that_does_not_hold_is_not_opened_at_all(box: Box) -> None:
    pull_from(box)
    flip(kept(box).folder / "tile/entries/000.p/9", at=-5)
    opened = open_of(box)
    assert (opened.lines, opened.opened_through) == ([], -1)
    assert "do not give the root" in words(opened.problems)
