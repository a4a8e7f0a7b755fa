"""Reset: a box that begins another log says what became of the one before, and is held to what is here of it."""

from collections.abc import Callable

import pytest

from appliance.errors import Untrusted
from appliance.formats.identity import PreviousOrigin
from appliance.formats.merkle import leaf_hash, root_hash
from tests.merkle_nodes import Nodes
from tests.scenarios.auditor import run
from tests.scenarios.made_headquarters import DOMAIN, Box, Epoch

FIRST, SECOND = f"{DOMAIN}/la-0001.1", f"{DOMAIN}/la-0001.2"


def former(box: Box, size: int, **changes: object) -> PreviousOrigin:
    """What an honest box that still knows `size` entries of its first log says."""
    nodes = Nodes()
    for leaf in box.leaves[:size]:
        nodes.append(leaf_hash(leaf))
    fields = {"size": size, "root": root_hash(size, nodes), "cosigned_size": 0, "cosigned_root": None, **changes}
    return PreviousOrigin(**{"origin": FIRST, **fields})


def begin_again(box: Box, previous: PreviousOrigin | None) -> None:
    """Open the log that follows, as a recorder does that has lost what it published."""
    box.origin, box.leaves, box.epoch = SECOND, [], Epoch(-1)
    box.start_epoch(previous=previous)
    box.event()
    box.publish()


Said = Callable[[], str]


@pytest.fixture
def said(capsys: pytest.CaptureFixture[str]) -> Said:
    return lambda: capsys.readouterr().out


def test_a_log_that_follows_another_is_found_pulled_and_verified(box: Box, said: Said) -> None:
    assert run(box.home, "pull", str(box.state)) == 0
    begin_again(box, former(box, 9))
    assert run(box.home, "pull", str(box.state)) == 0
    assert f"{SECOND}: 2 entries, 2 of them new, all signed and in place" in said()
    assert run(box.home, "verify") == 0
    assert [line.partition(":")[0] for line in said().splitlines()] == [FIRST, SECOND]
    assert run(box.home, "open") == 0


def test_what_the_box_lost_after_it_had_signed_it_is_named(box: Box, said: Said) -> None:
    assert run(box.home, "pull", str(box.state)) == 0
    begin_again(box, former(box, 5))
    for verb in (("pull", str(box.state)), ("verify",)):
        said()
        assert run(box.home, *verb) == 1
        assert f"the box lost entries 5 to 8 of {FIRST} after it had signed them" in said()


def test_entries_that_headquarters_never_had_of_the_former_log_are_no_contradiction(box: Box) -> None:
    assert run(box.home, "pull", str(box.state)) == 0
    known = former(box, 9)
    box.event()
    begin_again(box, former(box, 10, origin=FIRST))
    assert known.size == 9
    assert run(box.home, "pull", str(box.state)) == 0


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"root": bytes(32)}, f"fork: the tree that it names of {FIRST} at 9 entries is not the one here"),
        ({"cosigned_size": 5, "cosigned_root": bytes(32)}, f"fork: the cosigned tree that it names of {FIRST}"),
        ({"origin": f"{DOMAIN}/la-0002.1"}, "which is no earlier log of this box"),
        ({"origin": SECOND}, "which is no earlier log of this box"),
        ({"origin": f"{DOMAIN}/la-0001.3"}, "which is no earlier log of this box"),
    ],
)
def test_what_the_box_says_of_the_former_log_and_is_not_so_is_named(
    box: Box, said: Said, changes: dict[str, object], named: str
) -> None:
    assert run(box.home, "pull", str(box.state)) == 0
    begin_again(box, former(box, 9, **changes))
    for verb in (("pull", str(box.state)), ("verify",)):
        said()
        assert run(box.home, *verb) == 1
        assert named in said()


def test_a_box_that_does_not_say_what_became_of_its_log_was_reset(box: Box, said: Said) -> None:
    assert run(box.home, "pull", str(box.state)) == 0
    begin_again(box, None)
    assert run(box.home, "pull", str(box.state)) == 1
    assert f"{SECOND} entry 0: reset: the box began another log and does not say" in said()


def test_no_log_far_beyond_the_last_is_taken_from_a_box(box: Box) -> None:
    assert run(box.home, "pull", str(box.state)) == 0
    box.origin = f"{DOMAIN}/la-0001.18"
    box.leaves, box.epoch = [], Epoch(-1)
    box.start_epoch(previous=None)
    box.publish()
    with pytest.raises(Untrusted, match="none of the enrolled boxes"):
        run(box.home, "pull", str(box.state))
