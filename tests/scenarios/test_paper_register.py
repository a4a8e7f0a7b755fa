"""`landlink-hq fingerprint`: what an officer wrote into the book, held against the log that headquarters pulled."""

from pathlib import Path

import pytest

from appliance.errors import Malformed
from appliance.formats.checkpoint import Checkpoint
from appliance.formats.fingerprint import log_fingerprint
from appliance.formats.merkle import Frontier, leaf_hash
from tests.scenarios.auditor import pull_from, run
from tests.scenarios.made_headquarters import Box, day_at_the_post, headquarters


@pytest.fixture
def box(tmp_path: Path) -> Box:
    made = Box(headquarters(tmp_path / "hq"), tmp_path)
    day_at_the_post(made)
    pull_from(made)
    return made


def written(box: Box, size: int, leaves: list[bytes] | None = None) -> str:
    """What the page showed when the box had so many entries."""
    frontier = Frontier()
    for leaf in (leaves or box.leaves)[:size]:
        frontier.append(leaf_hash(leaf))
    return log_fingerprint(Checkpoint(origin=box.origin, size=size, root=frontier.root()))


@pytest.mark.parametrize("size", [1, 5, 9])
def test_a_line_of_the_book_is_found_with_its_size_whenever_it_was_written(
    box: Box, capsys: pytest.CaptureFixture[str], size: int
) -> None:
    assert run(box.home, "fingerprint", written(box, size).lower().replace("-", " "), "--entries", str(size)) == 0
    assert f"these are its first {size} entries of 9, unaltered since" in capsys.readouterr().out


def test_a_past_that_was_signed_again_contradicts_the_book(box: Box, capsys: pytest.CaptureFixture[str]) -> None:
    other = [*box.leaves[:3], box.leaves[4], box.leaves[3], *box.leaves[5:]]
    assert run(box.home, "fingerprint", written(box, 6, other), "--entries", "6") == 1
    assert "its first 6 entries are others; the log that is here, or the book, was altered" in capsys.readouterr().out


def test_a_line_of_later_than_what_was_pulled_says_to_pull(box: Box, capsys: pytest.CaptureFixture[str]) -> None:
    box.event()
    assert run(box.home, "fingerprint", written(box, 10), "--entries", "10") == 1
    assert "it may be of a later one: landlink-hq pull" in capsys.readouterr().out


def test_a_number_of_entries_that_is_not_the_fingerprints_is_named(
    box: Box, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(box.home, "fingerprint", written(box, 5), "--entries", "7") == 1
    assert "one of the two was written down wrong" in capsys.readouterr().out


def test_a_slip_of_the_pen_is_told_from_a_contradiction(box: Box) -> None:
    code = written(box, 5)
    slip = ("2" if code[0] != "2" else "3") + code[1:]
    with pytest.raises(Malformed, match="a character of it is wrong"):
        run(box.home, "fingerprint", slip)
