"""News: who watches a thing looks again after each touch of it, in every process, not after a rollback."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

import orjson
import pytest

import live.news
from database import Database
from live.bus import Bus
from live.news import CHANNEL, TOPICS_PER_MESSAGE_MAX, TOPICS_UNTOLD_MAX, WATCHERS_A_TURN, News
from steps.transact import Unavailable
from tests.live.valkey import Valkey
from tests.seat_rows import until

TOPIC = "order:one"


@asynccontextmanager
async def process(redis_url: str | None = None) -> AsyncIterator[tuple[News, Bus]]:
    """The news of a process of its own."""
    bus = Bus(redis_url)
    news = News(bus)
    await bus.start()
    await news.start()
    yield news, bus
    await news.stop()
    await bus.stop()


async def due(ticks: AsyncIterator[None]) -> None:
    async with asyncio.timeout(20):
        await anext(ticks)


async def is_quiet(ticks: AsyncIterator[None]) -> bool:
    """Whether nobody has said to look, once everything that is ready now has been done."""
    waiting = asyncio.ensure_future(anext(ticks))
    for _ in range(20):
        await asyncio.sleep(0)
    is_quiet = not waiting.done()
    waiting.cancel()
    return is_quiet


async def quiet(ticks: AsyncIterator[None]) -> None:
    """Look as often as is said, until nobody says so any more."""
    async with asyncio.timeout(20):
        while not await is_quiet(ticks):
            pass


async def all_listen(valkey: Valkey, processes: int) -> bool:
    return await valkey.listeners(CHANNEL) == processes


async def has_heard_all(bus: Bus) -> None:
    """Wait until a process that listens has heard what was said before."""
    async with asyncio.timeout(20), bus.subscribe(CHANNEL) as messages:
        await bus.publish(CHANNEL, '["nobody"]')
        while await anext(messages) != '["nobody"]':
            pass


async def test_a_watcher_looks_at_once_and_then_once_for_many_touches(never_by_itself: None) -> None:
    async with process() as (news, _), news.watch(TOPIC) as ticks, news.watch("order:other") as others:
        await due(ticks)
        await due(others)
        assert await is_quiet(ticks)
        for _ in range(3):
            news.tell({TOPIC, "order:of nobody"})
        await due(ticks)
        assert await is_quiet(ticks)
        assert await is_quiet(others)


async def test_a_touch_during_a_look_makes_another_look(never_by_itself: None) -> None:
    async with process() as (news, _), news.watch(TOPIC) as ticks:
        await due(ticks)
        news.tell({TOPIC})
        await due(ticks)
        news.tell({TOPIC})
        await due(ticks)


async def test_a_touch_reaches_the_watchers_of_another_process(valkey: Valkey, never_by_itself: None) -> None:
    async with (
        process(valkey.url) as (here, bus),
        process(valkey.url) as (there, their_bus),
        there.watch(TOPIC) as ticks,
        there.watch("order:last") as last,
        here.watch(TOPIC) as own,
        here.watch("order:reply") as reply,
    ):
        await until(lambda: all_listen(valkey, 2))
        await has_heard_all(bus)
        await has_heard_all(their_bus)
        for each in (ticks, last, own, reply):
            await quiet(each)
        here.tell({TOPIC})
        await due(ticks)
        await due(own)
        await bus.publish(CHANNEL, "{not ours")
        await bus.publish(CHANNEL, '{"nor": "this"}')
        here.tell({"order:last"})
        await due(last)
        there.tell({"order:reply"})
        await due(reply)
        assert await is_quiet(ticks)
        assert await is_quiet(own)  # it was woken by the commit, and not again by its own message


async def test_after_a_gap_everybody_looks_again(valkey: Valkey, never_by_itself: None) -> None:
    async with process(valkey.url) as (news, bus), news.watch(TOPIC) as ticks:
        await until(lambda: all_listen(valkey, 1))
        await has_heard_all(bus)
        await quiet(ticks)
        await valkey.kill()
        await until(lambda: not bus.connected)
        await valkey.start()
        await due(ticks)


async def test_without_a_bus_a_watcher_looks_by_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live.news, "LOOK_SECONDS", 0.01)
    async with process("redis://127.0.0.1:9/0") as (news, bus), news.watch(TOPIC) as ticks:
        for _ in range(3):
            await due(ticks)
        assert not bus.connected


async def test_everybody_looks_however_many_they_are(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live.news, "LOOK_SECONDS", 0.02)
    async with process() as (news, _), AsyncExitStack() as stack:
        topics = [f"order:{number}" for number in range(3 * WATCHERS_A_TURN + 1)]
        everybody = [await stack.enter_async_context(news.watch(topic)) for topic in topics]
        for _ in range(3):
            await asyncio.gather(*(due(ticks) for ticks in everybody))


async def test_who_leaves_is_forgotten_and_who_stays_is_ended_with_the_news() -> None:
    async with process() as (news, _):
        async with news.watch(TOPIC):
            async with news.watch(TOPIC):
                assert news.watched_topics == 1
            assert news.watched_topics == 1
        assert news.watched_topics == 0
        async with news.watch(TOPIC) as ticks:
            await news.stop()
            assert [tick async for tick in ticks] == []
        async with news.watch(TOPIC) as ticks:
            assert [tick async for tick in ticks] == []


async def test_many_topics_travel_in_messages_of_a_bounded_size_and_too_many_are_left_to_the_next_look() -> (
    None
):
    async with process() as (news, bus), bus.subscribe(CHANNEL) as messages:
        many = {f"order:{number}" for number in range(TOPICS_UNTOLD_MAX)}
        news.tell(many)
        news.tell({"order:one too many"})
        told: set[str] = set()
        while told != many:
            async with asyncio.timeout(20):
                message = await anext(messages)
            assert isinstance(message, str)
            _, *topics = orjson.loads(message)
            assert len(topics) <= TOPICS_PER_MESSAGE_MAX
            told.update(topics)
        news.tell({"order:next"})
        async with asyncio.timeout(20):
            assert orjson.loads(str(await anext(messages)))[1:] == ["order:next"]


async def test_a_commit_tells_what_it_touched_and_a_rollback_tells_nothing(database: Database) -> None:
    told: list[set[str]] = []
    database.on_touched = told.append
    async with database.transaction() as tx:
        tx.touched.add(TOPIC)
        assert told == []
    assert told == [{TOPIC}]
    with pytest.raises(ZeroDivisionError):
        async with database.transaction() as tx:
            tx.touched.add(TOPIC)
            await tx.value("SELECT 1")
            raise ZeroDivisionError
    async with database.transaction() as tx:
        await tx.value("SELECT 1")
    assert told == [{TOPIC}]


async def test_a_fault_that_passes_ends_nothing_but_a_first_look(never_by_itself: None) -> None:
    answers: list[object] = []

    async def look() -> object:
        answer = answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    async with process() as (news, _):
        answers[:] = [Unavailable("away")]
        async with news.follow(look, TOPIC) as seen:
            with pytest.raises(Unavailable):
                await anext(seen)
        answers[:] = ["as it is", Unavailable("away"), "as it is", "changed", ZeroDivisionError()]
        async with asyncio.timeout(20), news.follow(look, TOPIC) as seen:
            assert await anext(seen) == "as it is"
            following = asyncio.ensure_future(anext(seen))
            while answers[1:]:
                news.tell({TOPIC})
                await asyncio.sleep(0)
            assert await following == "changed"
            news.tell({TOPIC})
            with pytest.raises(ZeroDivisionError):
                await anext(seen)
        answers[:] = [None]
        async with news.follow(look, TOPIC) as seen:
            assert [each async for each in seen] == []
