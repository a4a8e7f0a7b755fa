"""Each counter of a role is taken once, late ones too, and what lies too far back is refused."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from appliance.errors import Malformed, Untrusted
from appliance.formats.cbor import pack, parse
from appliance.formats.voice import CASE_SYMBOLS, case_code
from appliance.model import Noun
from appliance.record.counters import ASKED_MAX, TAKEN_BYTES_MAX, Counters, RoleTaken, Taken


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


def test_headquarters_is_asked_once_by_a_code_until_two_thousand_others_were() -> None:
    first = f"{0:032x}"
    taken = Taken().ask(first)
    for number in range(1, ASKED_MAX):
        taken = taken.ask(f"{number:032x}")
    with pytest.raises(Malformed):
        taken.ask(first)
    assert len(pack(taken)) <= TAKEN_BYTES_MAX
    taken = taken.ask(f"{ASKED_MAX:032x}")
    assert taken.ask(first).asked[-CASE_SYMBOLS:].decode() == case_code(first).replace("-", "")[:CASE_SYMBOLS]


def test_codes_that_stand_behind_each_other_are_no_third_code() -> None:
    asked = Taken().ask(f"{1:032x}").ask(f"{2:032x}")
    shifted = structs.replace(asked, asked=b"0" + asked.asked[:-1])
    assert shifted.ask(f"{1:032x}").asked.startswith(shifted.asked)


class TakenBefore(Noun, frozen=True, kw_only=True):
    """The file as it was before it said what was asked."""

    answers: RoleTaken
    directives: RoleTaken


def test_a_file_of_before_is_read_as_it_is() -> None:
    old = pack(TakenBefore(answers=RoleTaken().take(1), directives=RoleTaken()))
    assert parse(old, Taken, what="counters", bytes_max=TAKEN_BYTES_MAX) == Taken().take("answers", 1)
