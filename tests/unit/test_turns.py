"""One box's share of the collector: a few requests at once, one of them in a thread."""

import asyncio
import threading

import pytest
from starlette.exceptions import HTTPException

from provisioning.collector.turns import REQUESTS_MAX, Turns

HOSTILE, OTHER = "LA-0001", "LA-0002"
WAIT_S = 10


class Work:
    """Calls in threads that last until `over`."""

    def __init__(self) -> None:
        self.over = threading.Event()
        self.begun = threading.Semaphore(0)
        self._counting = threading.Lock()
        self._now = 0
        self.at_once = 0

    def last(self) -> None:
        with self._counting:
            self._now += 1
            self.at_once = max(self.at_once, self._now)
        self.begun.release()
        assert self.over.wait(WAIT_S)
        with self._counting:
            self._now -= 1


async def ask(turns: Turns, serial: str, work: Work) -> None:
    with turns.request(serial):
        await turns.work(serial, work.last)


def test_one_box_holds_one_thread_however_much_it_asks_and_another_is_served_meanwhile() -> None:
    async def attack() -> None:
        turns, hostile, other = Turns(), Work(), Work()
        asked = [asyncio.create_task(ask(turns, HOSTILE, hostile)) for _ in range(REQUESTS_MAX)]
        assert await asyncio.to_thread(hostile.begun.acquire, timeout=WAIT_S)
        other.over.set()
        await asyncio.wait_for(ask(turns, OTHER, other), WAIT_S)
        hostile.over.set()
        await asyncio.gather(*asked)
        assert hostile.at_once == 1

    asyncio.run(attack())


def test_what_is_too_much_of_one_box_is_told_to_come_again_and_comes_in_when_there_is_room() -> None:
    async def attack() -> None:
        turns, hostile = Turns(), Work()
        asked = [asyncio.create_task(ask(turns, HOSTILE, hostile)) for _ in range(60)]
        assert await asyncio.to_thread(hostile.begun.acquire, timeout=WAIT_S)
        hostile.over.set()
        ended = await asyncio.gather(*asked, return_exceptions=True)
        refused = [each for each in ended if isinstance(each, HTTPException)]
        assert len(refused) == 60 - REQUESTS_MAX
        assert {(each.status_code, (each.headers or {}).get("Retry-After")) for each in refused} == {(503, "5")}
        await asyncio.wait_for(ask(turns, HOSTILE, hostile), WAIT_S)

    asyncio.run(attack())


@pytest.mark.parametrize("trouble", [ValueError, asyncio.CancelledError])
def test_a_request_that_ends_badly_gives_its_place_back(trouble: type[BaseException]) -> None:
    turns = Turns()
    for _ in range(2 * REQUESTS_MAX):
        with pytest.raises(trouble), turns.request(HOSTILE):
            raise trouble
