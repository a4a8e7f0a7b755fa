"""Parts of large bodies: what is told is on disk, and the newest request holds the place."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from appliance.errors import Malformed
from provisioning.collector.partial import Fence, Partial, Superseded

ORIGIN = "landlink.example/la-0001.1"
ADDRESS = "/v1/up/landlink.example/la-0001.1/7/00"


async def chunks(*pieces: bytes) -> AsyncIterator[bytes]:
    for piece in pieces:
        yield piece


def partial(folder: Path) -> Partial:
    return Partial(folder, ORIGIN, 7, bytes(32))


def test_what_came_is_counted_and_goes_on_where_it_stopped(tmp_path: Path) -> None:
    assert partial(tmp_path).offset() == 0
    assert asyncio.run(partial(tmp_path).append(chunks(b"abc", b"de"), size=8)) == 5
    assert partial(tmp_path).offset() == 5
    assert asyncio.run(partial(tmp_path).append(chunks(b"fgh"), size=8)) == 8
    assert partial(tmp_path).content() == b"abcdefgh"
    partial(tmp_path).drop()
    assert partial(tmp_path).offset() == 0


def test_nothing_beyond_the_length_is_kept(tmp_path: Path) -> None:
    with pytest.raises(Malformed, match="longer than its Upload-Length of 4"):
        asyncio.run(partial(tmp_path).append(chunks(b"abc", b"de"), size=4))
    assert partial(tmp_path).content() == b"abc"


def test_a_newer_request_ends_the_one_that_holds_the_address() -> None:
    async def both() -> list[str]:
        fence, said = Fence(), []
        holding = asyncio.Event()

        async def older(ticket: int) -> None:
            try:
                async with fence.hold(ADDRESS, ticket):
                    holding.set()
                    await asyncio.Event().wait()
            except Superseded:
                said.append("older superseded")

        task = asyncio.create_task(older(fence.ticket(ADDRESS)))
        await holding.wait()
        async with fence.hold(ADDRESS, fence.ticket(ADDRESS)):
            said.append("newer holds")
        await task
        return said

    assert asyncio.run(both()) == ["older superseded", "newer holds"]


def test_a_request_that_arrived_earlier_never_overtakes_even_after_the_newer_has_left() -> None:
    async def late() -> None:
        fence = Fence()
        earlier, later = fence.ticket(ADDRESS), fence.ticket(ADDRESS)
        async with fence.hold(ADDRESS, later):
            pass
        with pytest.raises(Superseded):
            async with fence.hold(ADDRESS, earlier):
                pass

    asyncio.run(late())


def test_other_addresses_do_not_wait_for_each_other() -> None:
    async def two() -> None:
        fence = Fence()
        async with fence.hold(ADDRESS, fence.ticket(ADDRESS)), fence.hold("/other", fence.ticket("/other")):
            pass

    asyncio.run(two())


def test_an_end_from_outside_is_not_mistaken_for_a_newer_request() -> None:
    async def cancelled() -> None:
        fence = Fence()
        holding = asyncio.Event()

        async def hold() -> None:
            async with fence.hold(ADDRESS, fence.ticket(ADDRESS)):
                holding.set()
                await asyncio.Event().wait()

        task = asyncio.create_task(hold())
        await holding.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(cancelled())
