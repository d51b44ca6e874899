"""A queue at a real broker, whoever handles it: what hangs, what kills, and how many are in hand."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from messages import broker_queue
from messages.broker_queue import DELIVERIES_MAX, IN_HAND_MAX, WHY, WHY_CHARACTERS_MAX, Hopeless
from settings import Settings
from tests.broker import System, Watched, consuming, system, tell


@pytest.fixture
async def other(with_broker: Settings) -> AsyncIterator[System]:
    async with system(with_broker) as found:
        yield found


async def nothing(_: bytes) -> None:
    pass


async def test_what_hangs_is_left_and_a_long_reason_is_cut(
    with_broker: Settings, other: System, monkeypatch: pytest.MonkeyPatch
) -> None:
    tries = 0

    async def hang_then_refuse(_: bytes) -> None:
        nonlocal tries
        tries += 1
        if tries == 1:
            await asyncio.Event().wait()
        raise Hopeless("\u2603" * 200_000)

    monkeypatch.setattr(broker_queue, "HANDLE_SECONDS_MAX", 0.5)
    async with consuming(Watched(with_broker, hang_then_refuse)) as queue:
        await tell(other, queue, b"hangs")
        dead = await other.got(queue.dead)
    assert dead.headers[WHY] == "\u2603" * WHY_CHARACTERS_MAX


async def test_only_so_many_are_in_hand_at_once(with_broker: Settings, other: System) -> None:
    in_hand, release = 0, asyncio.Event()

    async def hold_on(_: bytes) -> None:
        nonlocal in_hand
        in_hand += 1
        await release.wait()

    async with consuming(Watched(with_broker, hold_on)) as queue:
        await tell(other, queue, *[b"x"] * (IN_HAND_MAX + 3))
        async with asyncio.timeout(20):
            while in_hand < IN_HAND_MAX:
                await asyncio.sleep(0.01)
        assert (in_hand, await queue.waiting()) == (IN_HAND_MAX, 3)
        release.set()
        await queue.until_taken(IN_HAND_MAX + 3)


async def test_what_nobody_settles_is_put_aside_by_the_broker(with_broker: Settings, other: System) -> None:
    queue = Watched(with_broker, nothing)
    await queue._declare(other.channel)
    await tell(other, queue, b"kills whoever reads it")
    given_out = await other.channel.get_queue(queue.name, ensure=False)
    for _ in range(DELIVERIES_MAX + 1):
        async with asyncio.timeout(20):
            while (message := await given_out.get(fail=False)) is None:
                await asyncio.sleep(0.01)
        await message.reject(requeue=True)
    assert (await other.got(queue.dead)).body == b"kills whoever reads it"
