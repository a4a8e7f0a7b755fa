"""The kernel's clocks: who vouches for them is read from files, and no more often than somebody could notice."""

import threading
import time

from appliance.clock import BUILT_AT_MS, GRADE_S, Grade, SystemClock


def test_a_grade_is_read_once_for_many_looks_and_anew_within_a_second() -> None:
    said, asked = [Grade.NONE], list[Grade]()

    def grade() -> Grade:
        asked.append(said[0])
        return said[0]

    clock = SystemClock(grade=grade, lower_bound_ms=lambda: 0)
    began = time.monotonic()
    looks = [clock.now() for _ in range(20)]
    assert asked == [Grade.NONE] or time.monotonic() - began >= GRADE_S
    assert {look.grade for look in looks} == {Grade.NONE}
    assert {look.lower_bound_ms for look in looks} == {BUILT_AT_MS}
    said[0] = Grade.NETWORK
    while clock.now().grade is Grade.NONE:
        assert time.monotonic() - began < 10
        threading.Event().wait(0.05)
