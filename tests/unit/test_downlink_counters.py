"""Each counter of a role is taken once, late ones too, and what lies too far back is refused."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.errors import Malformed, Untrusted
from appliance.record.counters import Counters, RoleTaken, Taken


def taken(*counters: int) -> RoleTaken:
    role = RoleTaken()
    for counter in counters:
        role = role.take(counter)
    return role


def takes(role: RoleTaken, counter: int) -> bool:
    try:
        role.take(counter)
    except Untrusted:
        return False
    return True


@given(st.lists(st.integers(1, 3_000), max_size=60))
def test_a_role_takes_exactly_what_it_has_not_taken_within_its_window(counters: list[int]) -> None:
    role, known = RoleTaken(), set[int]()
    for counter in counters:
        expected = counter not in known and counter >= max(known, default=0) - 1_024
        assert takes(role, counter) is expected
        if expected:
            role = role.take(counter)
            known.add(counter)


@pytest.mark.parametrize("gap", [1, 2, 1_023, 1_024, 1_025, 5_000_000_000])
def test_the_window_reaches_1024_back_and_no_further(gap: int) -> None:
    role = taken(1, 1 + gap)
    assert takes(role, 1 + gap) is takes(role, 1) is False
    edge = taken(2_000)
    assert takes(edge, 2_000 - 1_024)
    assert not takes(edge, 2_000 - 1_025)


@pytest.mark.parametrize("counter", [0, -1, 10_000_000_000, 2**63])
def test_a_counter_that_no_message_has_is_malformed(counter: int) -> None:
    with pytest.raises(Malformed):
        RoleTaken().take(counter)


def test_roles_count_apart() -> None:
    both = Taken().take("answers", 1).take("directives", 1)
    assert (both.answers.highest, both.directives.highest) == (1, 1)


def test_what_a_journal_says_counts_more_than_the_file_and_a_torn_file_is_no_loss(tmp_path: Path) -> None:
    path = tmp_path / "counters"
    older, newer = Taken().take("answers", 1), Taken().take("answers", 1).take("answers", 2)
    Counters(path).write(older)
    counters = Counters(path)
    counters.load([None])
    assert counters.taken == older
    counters.load([None, newer, None])
    assert counters.taken == newer
    path.write_bytes(path.read_bytes()[:10])
    torn = Counters(path)
    torn.load([newer])
    assert torn.taken == newer
