"""The bus: who listens hears everything or is told of a gap, whatever happens to Redis."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial

import pytest

import live.bus
from live.bus import BUFFER_MESSAGES_MAX, GAP, Bus, Gap, Subscription
from tests.live.valkey import Valkey
from tests.seat_rows import until

CHANNEL = "rowlock:test"


@asynccontextmanager
async def running(url: str | None) -> AsyncIterator[Bus]:
    bus = Bus(url)
    await bus.start()
    try:
        yield bus
    finally:
        await bus.stop()


async def heard(messages: Subscription) -> str | Gap:
    async with asyncio.timeout(20):
        return await anext(messages)


async def heard_last(messages: Subscription) -> str:
    """Read until the message that is the last one, and return it."""
    while (message := await heard(messages)) != "last":
        pass
    assert isinstance(message, str)
    return message


async def test_a_message_reaches_the_listeners_of_its_channel_in_every_process(valkey: Valkey) -> None:
    async with running(valkey.url) as here, running(valkey.url) as there:
        await until(lambda: here.connected and there.connected)
        async with here.subscribe(CHANNEL) as near, there.subscribe(CHANNEL) as far:
            assert await heard(near) is GAP
            assert await heard(far) is GAP
            await here.publish("rowlock:other", "not for us")
            await here.publish(CHANNEL, "hello")
            assert [await heard(near), await heard(far)] == ["hello", "hello"]


async def test_the_first_channel_of_a_bus_hears_its_messages(valkey: Valkey) -> None:
    for _ in range(20):
        async with running(valkey.url) as bus, bus.subscribe(CHANNEL) as messages:
            assert await heard(messages) is GAP
            await bus.publish(CHANNEL, "hello")
            assert await heard(messages) == "hello"


@pytest.mark.parametrize("first_is_connected", [True, False])
async def test_simultaneous_first_subscribers_of_a_channel_all_hear(
    valkey: Valkey, first_is_connected: bool
) -> None:
    async with running(valkey.url) as bus, AsyncExitStack() as stack:
        if first_is_connected:
            await until(lambda: bus.connected)
        joins = [stack.enter_async_context(bus.subscribe(CHANNEL)) for _ in range(20)]
        subscriptions = await asyncio.gather(*joins)
        for messages in subscriptions:
            assert await heard(messages) is GAP
        await bus.publish(CHANNEL, "hello")
        assert [await heard(messages) for messages in subscriptions] == ["hello"] * 20
        assert await valkey.listeners(CHANNEL) == 1


async def test_a_restart_of_redis_is_told_as_a_gap_and_messages_come_again(valkey: Valkey) -> None:
    async with running(valkey.url) as bus, bus.subscribe(CHANNEL) as messages:
        assert await heard(messages) is GAP
        for word in ("before", "after", "after the second time"):
            await bus.publish(CHANNEL, word)
            assert await heard(messages) == word
            await valkey.kill()
            await until(lambda: not bus.connected)
            await bus.publish(CHANNEL, "nobody hears this")
            await valkey.start()
            assert await heard(messages) is GAP


async def test_a_killed_connection_is_told_as_a_gap(valkey: Valkey) -> None:
    async with running(valkey.url) as bus, bus.subscribe(CHANNEL) as messages:
        assert await heard(messages) is GAP
        await valkey.ask("CLIENT", "KILL", "TYPE", "pubsub")
        assert await heard(messages) is GAP
        await bus.publish(CHANNEL, "hello")
        assert await heard(messages) == "hello"


async def test_a_redis_that_falls_silent_counts_as_down(
    valkey: Valkey, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live.bus, "SILENCE_SECONDS_MAX", 0.1)
    async with running(valkey.url) as bus, bus.subscribe(CHANNEL) as messages:
        assert await heard(messages) is GAP
        valkey.freeze()
        await until(lambda: not bus.connected)
        valkey.thaw()
        assert await heard(messages) is GAP
        await bus.publish(CHANNEL, "hello")
        while (message := await heard(messages)) is GAP:
            pass
        assert message == "hello"


async def test_a_message_that_redis_does_not_take_is_given_up_without_a_fault(
    valkey: Valkey, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(live.bus, "PUBLISH_SECONDS_MAX", 0.1)
    async with running(valkey.url) as bus:
        await until(lambda: bus.connected)
        valkey.freeze()
        await bus.publish(CHANNEL, "nobody hears this")
        valkey.thaw()
    assert [record.getMessage()[:27] for record in caplog.records] == ["a message was not published"]


async def pinged_often(valkey: Valkey) -> bool:
    statistics = await valkey.ask("INFO", "COMMANDSTATS")
    assert isinstance(statistics, dict)
    return bool(statistics["cmdstat_ping"]["calls"] > 10)


async def test_a_quiet_channel_stays_connected(valkey: Valkey, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live.bus, "SILENCE_SECONDS_MAX", 0.05)
    async with running(valkey.url) as bus, bus.subscribe(CHANNEL) as messages:
        assert await heard(messages) is GAP
        await until(lambda: pinged_often(valkey))
        await bus.publish(CHANNEL, "hello")
        assert await heard(messages) == "hello"


async def test_a_redis_that_is_down_at_the_start_is_waited_for_in_the_background(valkey: Valkey) -> None:
    await valkey.kill()
    async with running(valkey.url) as bus, bus.subscribe(CHANNEL) as messages:
        await bus.publish(CHANNEL, "nobody hears this")
        assert not bus.connected
        await valkey.start()
        assert await heard(messages) is GAP
        await bus.publish(CHANNEL, "hello")
        assert await heard(messages) == "hello"


async def test_a_reader_that_falls_behind_keeps_a_bounded_buffer_and_is_told_of_the_gap(
    valkey: Valkey,
) -> None:
    async with running(valkey.url) as bus, bus.subscribe(CHANNEL) as slow, bus.subscribe(CHANNEL) as fast:
        assert await heard(slow) is GAP
        assert await heard(fast) is GAP
        for nth in range(20 * BUFFER_MESSAGES_MAX):
            await bus.publish(CHANNEL, str(nth))
            assert await heard(fast) == str(nth)
        await bus.publish(CHANNEL, "last")
        assert await heard_last(fast) == "last"
        assert len(slow) <= BUFFER_MESSAGES_MAX
        assert await heard(slow) is GAP
        assert await heard_last(slow) == "last"


async def test_a_burst_is_passed_on_while_it_comes_and_never_piles_up(valkey: Valkey) -> None:
    burst = 10 * BUFFER_MESSAGES_MAX
    script = "for i = 1, ARGV[1] do redis.call('PUBLISH', KEYS[1], i) end"
    async with running(valkey.url) as bus, bus.subscribe(CHANNEL) as messages:
        assert await heard(messages) is GAP
        await valkey.ask("EVAL", script, "1", CHANNEL, str(burst))
        assert [await heard(messages) for _ in range(burst)] == [str(nth + 1) for nth in range(burst)]


async def nobody_listens(valkey: Valkey, channel: str) -> bool:
    return await valkey.listeners(channel) == 0


async def test_who_leaves_is_forgotten_also_by_redis(valkey: Valkey) -> None:
    async with running(valkey.url) as bus:
        async with bus.subscribe(CHANNEL) as messages:
            assert await heard(messages) is GAP
            assert await valkey.listeners(CHANNEL) == 1
        await until(lambda: nobody_listens(valkey, CHANNEL))
        async with bus.subscribe(CHANNEL) as messages:
            assert await heard(messages) is GAP
            await bus.publish(CHANNEL, "hello")
            assert await heard(messages) == "hello"


async def test_joins_and_abrupt_leaves_at_once_leave_nothing_behind(valkey: Valkey) -> None:
    async def listen(bus: Bus, nth: int) -> None:
        async with bus.subscribe(f"{CHANNEL}:{nth % 7}") as messages:
            async for _ in messages:
                pass

    async with running(valkey.url) as bus:
        await until(lambda: bus.connected)
        tasks_before = len(asyncio.all_tasks())
        for _ in range(5):
            listeners = [asyncio.create_task(listen(bus, nth)) for nth in range(200)]
            await asyncio.sleep(0)
            for task in listeners:
                task.cancel()
            await asyncio.gather(*listeners, return_exceptions=True)
        await until(lambda: len(asyncio.all_tasks()) <= tasks_before)
        for nth in range(7):
            await until(partial(nobody_listens, valkey, f"{CHANNEL}:{nth}"))
        async with bus.subscribe(CHANNEL) as messages:
            assert await heard(messages) is GAP


async def test_stopping_the_bus_ends_every_subscription(valkey: Valkey) -> None:
    bus = Bus(valkey.url)
    await bus.start()
    async with bus.subscribe(CHANNEL) as messages:
        assert await heard(messages) is GAP
        await bus.stop()
        async with asyncio.timeout(20):
            assert [message async for message in messages] == []
        assert not bus.connected
        await bus.publish(CHANNEL, "nobody hears this")
    await bus.stop()


async def test_a_bus_without_redis_reaches_its_own_process(bus: Bus) -> None:
    assert bus.connected
    async with bus.subscribe(CHANNEL) as one, bus.subscribe(CHANNEL) as other:
        await bus.publish("rowlock:other", "not for us")
        await bus.publish(CHANNEL, "hello")
        assert [await heard(one), await heard(other)] == ["hello", "hello"]


async def test_a_burst_on_a_bus_without_redis_stays_bounded(bus: Bus) -> None:
    async with bus.subscribe(CHANNEL) as messages:
        for nth in range(10 * BUFFER_MESSAGES_MAX):
            await bus.publish(CHANNEL, str(nth))
        await bus.publish(CHANNEL, "last")
        assert len(messages) <= BUFFER_MESSAGES_MAX
        assert await heard_last(messages) == "last"
