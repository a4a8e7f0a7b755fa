"""A wait ends when its time has passed for certain: a wrong clock ends none at once and keeps none for ever (I9)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from appliance.clock import Grade, Instant
from appliance.formats.rules import DEFAULT_RULES
from appliance.inquiry.life import LIFE_MS_MAX, UNVOUCHED_WAIT_MS, due, left_ms, waited_ms
from appliance.recorded import Stage
from tests.inquiry_world import case_at, hit, later, rebooted
from tests.small_post import NOW

ASKED = case_at(Stage.CONFIRMATION_REQUESTED)
"""Of a red notice: the default rules wait 120 minutes."""
LONG = case_at(Stage.CONFIRMATION_REQUESTED, hit(notice=""))
"""Of no notice: 5,760 minutes."""
MINUTE, HOUR, DAY = 60_000, 3_600_000, 86_400_000
YEAR = 365 * DAY


def test_a_wait_ends_with_the_minutes_of_the_rules() -> None:
    assert left_ms(ASKED, DEFAULT_RULES, NOW) == 120 * MINUTE
    assert not due(ASKED, DEFAULT_RULES, later(NOW, 119.9))
    assert due(ASKED, DEFAULT_RULES, later(NOW, 120))


@pytest.mark.parametrize("stage", [stage for stage in Stage if stage is not Stage.CONFIRMATION_REQUESTED])
def test_no_other_stage_waits(stage: Stage) -> None:
    assert not due(case_at(stage), DEFAULT_RULES, later(NOW, 10_000))


@pytest.mark.parametrize("leap_ms", [-20 * YEAR, -DAY, DAY, 20 * YEAR])
def test_within_a_boot_no_leap_of_the_clock_changes_a_wait(leap_ms: int) -> None:
    leapt = structs.replace(later(NOW, 30), wall_ms=NOW.wall_ms + leap_ms)
    assert left_ms(ASKED, DEFAULT_RULES, leapt) == 90 * MINUTE


def test_over_a_restart_two_vouched_clocks_say_how_long_it_was() -> None:
    up = rebooted(NOW, up_minutes=5, wall_ms=NOW.wall_ms + 50 * HOUR, grade=Grade.RTC)
    assert left_ms(LONG, DEFAULT_RULES, up) == 46 * HOUR


@pytest.mark.parametrize("grade", Grade)
def test_a_clock_that_wakes_years_ahead_does_not_end_a_wait_at_once(grade: Grade) -> None:
    up = rebooted(NOW, up_minutes=1, wall_ms=NOW.wall_ms + 3 * YEAR, grade=grade)
    assert not due(LONG, DEFAULT_RULES, up)
    assert not due(ASKED, DEFAULT_RULES, up)


@pytest.mark.parametrize("wall_ms", [0, NOW.wall_ms - YEAR, NOW.wall_ms, NOW.wall_ms + YEAR])
@pytest.mark.parametrize("grade", Grade)
def test_no_clock_keeps_a_wait_for_ever(wall_ms: int, grade: Grade) -> None:
    """After a restart with any clock it ends when the box has been on for four hours, unless it is known to last."""
    up = rebooted(NOW, up_minutes=UNVOUCHED_WAIT_MS / MINUTE, wall_ms=wall_ms, grade=grade)
    known = up.trusted and 0 <= up.wall_ms - NOW.wall_ms <= LIFE_MS_MAX
    assert due(LONG, DEFAULT_RULES, up) is not known
    assert due(LONG, DEFAULT_RULES, later(up, 5_760))


def test_a_box_that_was_off_longer_than_the_wait_ends_it_when_headquarters_time_comes() -> None:
    up = structs.replace(rebooted(NOW, up_minutes=1, wall_ms=0), lower_bound_ms=NOW.wall_ms + 5 * DAY)
    assert due(LONG, DEFAULT_RULES, up)


def test_a_request_made_under_an_unvouched_clock_is_not_aged_by_what_is_proven_later() -> None:
    """A box whose clock lags three weeks asks; an hour later headquarters' signed time arrives."""
    lagging = structs.replace(NOW, wall_ms=NOW.wall_ms - 21 * DAY, grade=Grade.NONE)
    asked = case_at(Stage.CONFIRMATION_REQUESTED, hit(notice=""), asked=lagging)
    up = structs.replace(rebooted(NOW, up_minutes=60, wall_ms=NOW.wall_ms, grade=Grade.NETWORK))
    up = structs.replace(up, lower_bound_ms=NOW.wall_ms)
    assert waited_ms(lagging, up) == HOUR
    assert not due(asked, DEFAULT_RULES, up)


instants = st.builds(
    Instant,
    wall_ms=st.integers(0, 2 * NOW.wall_ms),
    grade=st.sampled_from(Grade),
    lower_bound_ms=st.integers(NOW.lower_bound_ms, NOW.lower_bound_ms + YEAR),
    boot_id=st.sampled_from(["0" * 32, "1" * 32]),
    boot_ms=st.integers(0, YEAR),
)


@given(asked=instants, now=instants)
def test_whatever_the_clocks_say_a_wait_is_never_negative_and_ends_with_time(asked: Instant, now: Instant) -> None:
    case = structs.replace(ASKED, asked=asked)
    left = left_ms(case, DEFAULT_RULES, now)
    assert 0 <= left <= 120 * MINUTE
    assert waited_ms(asked, now) >= (0 if asked.boot_id == now.boot_id else now.boot_ms)
    on = later(now, 120 + max(0, asked.boot_ms - now.boot_ms) / MINUTE + 1)
    assert due(case, DEFAULT_RULES, on)
