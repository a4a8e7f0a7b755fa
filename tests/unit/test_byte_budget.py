"""A device that babbles runs its budget dry; one that sends documents never does."""

import pytest

from drivers.api import DeviceError
from drivers.serial_port import ByteBudget


def test_a_full_line_at_115200_baud_lasts_for_ever() -> None:
    budget = ByteBudget(rate_bytes_per_s=16_384, burst_bytes=65_536, now_s=0)
    for tenth in range(10_000):
        budget.spend(1152, tenth / 10)


def test_more_than_the_burst_at_once_is_a_fault() -> None:
    budget = ByteBudget(rate_bytes_per_s=16_384, burst_bytes=65_536, now_s=0)
    budget.spend(65_536, 0)
    with pytest.raises(DeviceError, match="16384 bytes a second"):
        budget.spend(1, 0)


def test_rest_fills_it_up_to_the_burst_and_no_further() -> None:
    budget = ByteBudget(rate_bytes_per_s=100, burst_bytes=1000, now_s=0)
    budget.spend(1000, 0)
    budget.spend(100, 1)
    budget.spend(1000, 1000)
    with pytest.raises(DeviceError):
        budget.spend(1, 1000)
