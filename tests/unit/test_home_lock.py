"""One command at a time has a lock; the others wait or are told."""

import threading
from pathlib import Path

import pytest

from appliance.errors import Refused
from provisioning.lock import alone


def test_who_comes_second_waits_until_the_first_is_done(tmp_path: Path) -> None:
    entered, order = threading.Event(), list[str]()

    def second() -> None:
        entered.set()
        with alone(tmp_path / "lock"):
            order.append("second")

    waiting = threading.Thread(target=second)
    with alone(tmp_path / "lock"):
        waiting.start()
        assert entered.wait(10)
        waiting.join(0.1)
        order.append("first")
    waiting.join(10)
    assert order == ["first", "second"]


def test_who_does_not_wait_is_told_why_and_the_lock_is_free_afterwards(tmp_path: Path) -> None:
    lock = tmp_path / "made" / "lock"
    with alone(lock), pytest.raises(Refused, match="somebody else pulls"), alone(lock, busy="somebody else pulls"):
        pass
    with alone(lock, busy="somebody else pulls"):
        assert lock.stat().st_mode & 0o777 == 0o600
        assert lock.parent.stat().st_mode & 0o777 == 0o700
