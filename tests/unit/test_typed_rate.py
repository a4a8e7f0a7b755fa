"""Typed documents are bounded: sixty at once, thirty a minute after that."""

import msgspec
import pytest

from appliance.booth.typed_rate import TypedRate
from appliance.clock import Instant
from appliance.errors import Refused
from tests.screen_world import instant


def at(second: float) -> Instant:
    return msgspec.structs.replace(instant(), boot_ms=int(second * 1000))


def admitted(rate: TypedRate, moments: list[float]) -> int:
    count = 0
    for moment in moments:
        try:
            rate.admit(at(moment))
        except Refused as error:
            assert "Wait two seconds" in str(error)  # noqa: PT017 - of some moments
        else:
            count += 1
    return count


def test_a_busload_is_typed_at_once() -> None:
    assert admitted(TypedRate(), [100.0] * 60) == 60


def test_the_next_one_waits_two_seconds() -> None:
    rate = TypedRate()
    assert admitted(rate, [100.0] * 61) == 60
    with pytest.raises(Refused, match="Too many documents"):
        rate.admit(at(101.9))
    rate.admit(at(102))
    with pytest.raises(Refused):
        rate.admit(at(102))


def test_whoever_tries_as_fast_as_he_can_for_an_hour_gets_thirty_a_minute_and_sixty() -> None:
    assert admitted(TypedRate(), [100 + tick / 10 for tick in range(36_000)]) == 60 + 1_799


def test_a_refusal_costs_nothing() -> None:
    rate = TypedRate()
    admitted(rate, [100.0] * 1_000)
    assert admitted(rate, [102.0] * 10) == 1


def test_an_officers_hand_is_never_refused() -> None:
    assert admitted(TypedRate(), [100 + 10.0 * number for number in range(2_000)]) == 2_000
