"""The simulated scanners answer as the manual of the real ones says; whatever a box sends them, they go on."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.simulators.faults import Fault, Pause, Write, script
from drivers.simulators.scanners import ElyctisDevice

LINES = ["AB", "CD"]
REPORT = b"I\x00\x05AB\rCD"


def armed() -> ElyctisDevice:
    device = ElyctisDevice()
    device.receive(bytes.fromhex("43000101"))
    return device


@pytest.mark.parametrize(("request_hex", "answer"), [("43000101", "43000101"), ("43000100", "43000100")])
def test_continuous_mode_is_echoed(request_hex: str, answer: str) -> None:
    assert ElyctisDevice().receive(bytes.fromhex(request_hex)) == bytes.fromhex(answer)


def test_continuous_mode_ends_with_a_good_reading_and_outlasts_a_bad_one() -> None:
    device = armed()
    assert device.report([]) == bytes.fromhex("490000")
    assert device.armed
    assert device.report(LINES) == REPORT
    assert not device.armed


def test_inquire_answers_what_was_read_last_and_length_zero_when_nothing_was() -> None:
    device = armed()
    assert device.receive(bytes.fromhex("490000")) == bytes.fromhex("490000")
    device.report(LINES)
    assert device.receive(bytes.fromhex("490000")) == REPORT
    assert device.receive(bytes.fromhex("4c0000")) == b"L\x00\x02AB"


def test_losing_power_forgets_every_mode() -> None:
    device = armed()
    device.receive(b"C\x00")
    device.reset()
    assert not device.armed
    assert device.receive(bytes.fromhex("43000101")) == bytes.fromhex("43000101")


@given(st.lists(st.binary(max_size=32), max_size=16))
def test_any_bytes_from_a_box_leave_the_device_able_to_answer(chunks: list[bytes]) -> None:
    device = ElyctisDevice()
    for chunk in chunks:
        device.receive(chunk)
    device.reset()
    assert device.receive(bytes.fromhex("560000")).startswith(b"V\x00")


@pytest.mark.parametrize(
    ("fault", "wire"),
    [
        (Fault.NONE, b"abcd"),
        (Fault.DROP, b"abd"),
        (Fault.CORRUPT, b"ab\x9cd"),
        (Fault.REPEAT, b"ababcd"),
        (Fault.SPLIT, b"abcd"),
        (Fault.STALL, b"abcd"),
        (Fault.OVERSIZED, b"ab" + b"<" * 6000 + b"cd"),
    ],
)
def test_a_fault_does_what_its_name_says_at_its_byte(fault: Fault, wire: bytes) -> None:
    steps = script(b"abcd", fault, at=2, for_s=1.5)
    assert b"".join(step.content for step in steps if isinstance(step, Write)) == wire


def test_an_unplugging_sends_no_more_on_that_line() -> None:
    assert script(b"abcd", Fault.UNPLUG, at=2, for_s=1.5) == [Write(content=b"ab"), Pause(for_s=1.5, unplugged=True)]


@given(report=st.binary(max_size=8), fault=st.sampled_from(Fault), at=st.integers(0, 4096))
def test_every_fault_can_happen_at_every_place_of_every_report(report: bytes, fault: Fault, at: int) -> None:
    assert script(report, fault, at=at, for_s=0) or not report
