"""The hub: a snapshot and then every change, over lost messages, restarts, slow readers and reconnects."""

import asyncio
import logging
import random
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from urllib.parse import urlsplit, urlunsplit
from uuid import UUID, uuid4

import asyncpg
import pytest

import live.hub
from database import Database
from jobs.loop import Jobs
from jobs.relay import LOG_KEPT, Relay, number_changes_once, trim_changes_once
from live.bus import Bus
from live.changes import Change, encode, seats_channel
from live.hub import Hub
from live.ring import RING_CHANGES_MAX
from live.updates import Changes, Snapshot, Update
from settings import Settings
from tests.live.valkey import Valkey
from tests.seat_rows import change, new_event, revisions_of, statuses_of, until


@dataclass
class Client:
    """What somebody does with the updates: a map of its own, and a sharp eye for what is missing."""

    revision: int | None = None
    statuses: list[str] = field(default_factory=list)
    snapshots: int = 0

    def take(self, update: Update) -> None:
        if isinstance(update, Snapshot):
            self.snapshots += 1
            self.statuses = list(update.statuses)
        else:
            assert self.revision is not None
            revisions = [change.revision for change in update.changes]
            assert revisions == list(range(self.revision + 1, update.revision + 1))
            for each in update.changes:
                self.statuses[each.index] = each.status
        assert update.available == self.statuses.count("A")
        self.revision = update.revision

    async def follow(self, updates: AsyncIterator[Update], until_revision: int) -> None:
        """Read until the map is at this revision."""
        async with asyncio.timeout(30):
            while self.revision is None or self.revision < until_revision:
                self.take(await anext(updates))

    @property
    def map(self) -> str:
        return "".join(self.statuses)


@asynccontextmanager
async def running(database: Database, url: str | None) -> AsyncIterator[tuple[Hub, Bus]]:
    """A process: a bus and a hub."""
    bus = Bus(url)
    await bus.start()
    hub = Hub(database, bus)
    await hub.start()
    try:
        yield hub, bus
    finally:
        await hub.stop()
        await bus.stop()


@pytest.fixture
async def hub(database: Database, bus: Bus) -> AsyncIterator[Hub]:
    hub = Hub(database, bus)
    await hub.start()
    yield hub
    await hub.stop()


async def next_of(updates: AsyncIterator[Update]) -> Update:
    async with asyncio.timeout(30):
        return await anext(updates)


async def changed(database: Database, bus: Bus, event_id: UUID, *changes: tuple[int, str]) -> None:
    """Make these changes one by one, each numbered and told at once."""
    for index, status in changes:
        await change(database, event_id, [index], status)
        await number_changes_once(database, bus, {event_id})


async def test_a_watcher_gets_a_snapshot_and_then_each_change(database: Database, bus: Bus, hub: Hub) -> None:
    event_id = await new_event(database, seats=4)
    await changed(database, bus, event_id, (1, "H"))
    async with hub.watch(event_id) as updates:
        assert await next_of(updates) == Snapshot(1, "AHAA", 3)
        await changed(database, bus, event_id, (1, "S"))
        assert await next_of(updates) == Changes(2, (Change(2, 1, 2, "S"),), 3)
        await changed(database, bus, event_id, (0, "B"))
        assert await next_of(updates) == Changes(3, (Change(3, 0, 1, "B"),), 2)


async def test_a_snapshot_may_be_newer_than_its_revision_and_the_changes_still_end_right(
    database: Database, bus: Bus, hub: Hub
) -> None:
    event_id = await new_event(database, seats=2)
    await change(database, event_id, [0], "H")
    await change(database, event_id, [0], "S")
    async with hub.watch(event_id) as updates:
        assert await next_of(updates) == Snapshot(0, "SA", 1)
        await number_changes_once(database, bus)
        assert await next_of(updates) == Changes(2, (Change(1, 0, 1, "H"), Change(2, 0, 2, "S")), 1)


async def test_changes_of_one_moment_come_together(database: Database, bus: Bus, hub: Hub) -> None:
    event_id = await new_event(database, seats=50)
    async with hub.watch(event_id) as updates:
        await next_of(updates)
        for nth in range(1, 51):
            await bus.publish(seats_channel(event_id), encode(event_id, [Change(nth, nth - 1, 1, "H")]))
        first, second = await next_of(updates), await next_of(updates)
        assert isinstance(first, Changes)
        assert isinstance(second, Changes)
        assert [c.revision for c in first.changes + second.changes] == list(range(1, 51))
        assert len(first.changes) < len(second.changes)


async def test_an_unknown_event_is_a_lookup_error(hub: Hub) -> None:
    for _ in range(2):
        with pytest.raises(LookupError):
            async with hub.watch(uuid4()):
                pass
    await until(lambda: hub.watched_events == 0)


async def test_an_event_without_seats_has_an_empty_map(database: Database, hub: Hub) -> None:
    event_id = await new_event(database, seats=0)
    async with hub.watch(event_id) as updates:
        assert await next_of(updates) == Snapshot(0, "", 0)


async def test_a_returning_watcher_gets_the_changes_since(database: Database, bus: Bus, hub: Hub) -> None:
    event_id = await new_event(database, seats=4)
    await changed(database, bus, event_id, (0, "H"), (1, "H"), (0, "S"))
    async with hub.watch(event_id, after=1) as updates:
        since_one = Changes(3, (Change(2, 1, 1, "H"), Change(3, 0, 2, "S")), 2)
        assert await next_of(updates) == since_one
        await changed(database, bus, event_id, (2, "H"))
        assert await next_of(updates) == Changes(4, (Change(4, 2, 1, "H"),), 1)
    async with hub.watch(event_id, after=4) as updates:
        assert await next_of(updates) == Changes(4, (), 1)
    async with hub.watch(event_id, after=0) as updates:
        first = await next_of(updates)
        assert isinstance(first, Changes)
        assert [c.revision for c in first.changes] == [1, 2, 3, 4]


@pytest.mark.parametrize("after", [-1, 4, 2**31, -(2**70)])
async def test_an_after_that_cannot_be_gets_a_snapshot(
    database: Database, bus: Bus, hub: Hub, after: int
) -> None:
    event_id = await new_event(database, seats=4)
    await changed(database, bus, event_id, (0, "H"), (1, "H"), (0, "S"))
    async with hub.watch(event_id, after=after) as updates:
        assert await next_of(updates) == Snapshot(3, "SHAA", 2)
        await changed(database, bus, event_id, (2, "H"))
        assert await next_of(updates) == Changes(4, (Change(4, 2, 1, "H"),), 1)


async def test_an_after_that_is_trimmed_gets_a_snapshot(database: Database, bus: Bus, hub: Hub) -> None:
    event_id = await new_event(database, seats=4)
    await changed(database, bus, event_id, (0, "H"), (1, "H"), (0, "S"))
    async with database.transaction() as tx:
        await tx.rows(
            "UPDATE seat_changes SET changed_at = changed_at - $1::interval WHERE revision < 3", 2 * LOG_KEPT
        )
    assert await trim_changes_once(database) == 2
    async with hub.watch(event_id, after=1) as updates:
        assert await next_of(updates) == Snapshot(3, "SHAA", 2)
    async with hub.watch(event_id, after=2) as updates:
        assert await next_of(updates) == Changes(3, (Change(3, 0, 2, "S"),), 2)


async def test_a_log_that_is_trimmed_to_nothing_still_has_its_revision(
    database: Database, bus: Bus, hub: Hub
) -> None:
    event_id = await new_event(database, seats=2)
    await changed(database, bus, event_id, (0, "H"), (0, "S"))
    async with database.transaction() as tx:
        await tx.rows("UPDATE seat_changes SET changed_at = changed_at - $1::interval", 2 * LOG_KEPT)
    assert await trim_changes_once(database) == 2
    async with hub.watch(event_id, after=1) as updates:
        assert await next_of(updates) == Snapshot(2, "SA", 1)
    async with hub.watch(event_id, after=2) as updates:
        assert await next_of(updates) == Changes(2, (), 1)


async def test_a_lost_message_is_read_from_the_log_when_the_next_one_comes(
    database: Database, bus: Bus, hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live.hub, "POLL_SECONDS", 3_600)
    event_id, nowhere = await new_event(database, seats=4), Bus(None)
    client = Client()
    async with hub.watch(event_id) as updates:
        client.take(await next_of(updates))
        await changed(database, nowhere, event_id, (0, "H"), (1, "H"))
        await changed(database, bus, event_id, (2, "H"))
        await client.follow(updates, 3)
    assert (client.map, client.snapshots) == ("HHHA", 1)


async def test_a_lost_last_message_is_found_by_asking_for_the_last_revision(
    database: Database, hub: Hub
) -> None:
    event_id, nowhere = await new_event(database, seats=4), Bus(None)
    client = Client()
    async with hub.watch(event_id) as updates:
        client.take(await next_of(updates))
        await changed(database, nowhere, event_id, (0, "H"))
        await client.follow(updates, 1)
    assert (client.map, client.snapshots) == ("HAAA", 1)


async def test_messages_twice_in_the_wrong_order_or_without_sense_do_no_harm(
    database: Database, bus: Bus, hub: Hub
) -> None:
    event_id, nowhere = await new_event(database, seats=4), Bus(None)
    channel, client = seats_channel(event_id), Client()
    async with hub.watch(event_id) as updates:
        client.take(await next_of(updates))
        await changed(database, nowhere, event_id, (0, "H"), (1, "H"), (0, "S"))
        third = encode(event_id, [Change(3, 0, 2, "S")])
        for message in (
            third,
            encode(event_id, [Change(1, 0, 1, "H"), Change(2, 1, 1, "H")]),
            third,
            "nonsense",
            '{"changes": [[4, 0, 1]]}',
            '{"changes": [["4", 0, 1, "A"]]}',
            '{"changes": [[4, 0, 1, "SOLD"]]}',
            '{"changes": 4}',
            encode(event_id, [Change(4, 99, 1, "A")]),
            encode(event_id, [Change(4, -1, 1, "A")]),
        ):
            await bus.publish(channel, message)
        await changed(database, bus, event_id, (3, "B"))
        await client.follow(updates, 4)
    assert client.map == await statuses_of(database, event_id) == "SHAB"


async def test_more_than_the_log_is_read_for_is_a_snapshot(database: Database, bus: Bus, hub: Hub) -> None:
    event_id, nowhere = await new_event(database, seats=1_000), Bus(None)
    client = Client()
    async with hub.watch(event_id) as updates:
        client.take(await next_of(updates))
        for status in "HSA":
            await change(database, event_id, range(1_000), status)
        await number_changes_once(database, nowhere)
        await changed(database, bus, event_id, (7, "B"))
        await client.follow(updates, 3_001)
    assert (client.map, client.snapshots) == (await statuses_of(database, event_id), 2)


async def test_a_slow_watcher_gets_a_snapshot_and_no_backlog_is_kept(
    database: Database, bus: Bus, hub: Hub
) -> None:
    event_id = await new_event(database, seats=500)
    slow, fast = Client(), Client()
    async with hub.watch(event_id) as slow_updates, hub.watch(event_id) as fast_updates:
        slow.take(await next_of(slow_updates))
        fast.take(await next_of(fast_updates))
        for nth in range(1, 13):
            await change(database, event_id, range(500), "AHS"[nth % 3])
            await number_changes_once(database, bus)
            await fast.follow(fast_updates, 500 * nth)
        ring = hub._channels[event_id].ring
        kept = [ring.at(number) for number in range(ring.first, ring.end)]
        assert sum(len(update.changes) for update in kept) <= RING_CHANGES_MAX
        assert fast.snapshots == 1

        update = await next_of(slow_updates)
        assert isinstance(update, Snapshot)
        slow.take(update)
        assert (slow.revision, slow.map) == (6_000, fast.map)
        await changed(database, bus, event_id, (0, "B"))
        await slow.follow(slow_updates, 6_001)
    assert slow.map == await statuses_of(database, event_id)


async def test_a_late_reader_still_gets_each_update_that_is_kept(
    database: Database, bus: Bus, hub: Hub
) -> None:
    event_id = await new_event(database, seats=4)
    late, prompt = Client(), Client()
    async with hub.watch(event_id) as late_updates, hub.watch(event_id) as prompt_updates:
        late.take(await next_of(late_updates))
        for nth, status in enumerate("HSAB", start=1):
            await changed(database, bus, event_id, (0, status))
            await prompt.follow(prompt_updates, nth)
        await late.follow(late_updates, 4)
    assert (late.snapshots, late.map) == (1, "BAAA")


async def test_many_first_watchers_at_once_share_one_subscription_and_one_snapshot(
    database: Database, valkey: Valkey
) -> None:
    event_id = await new_event(database, seats=4)
    async with running(database, valkey.url) as (hub, bus), AsyncExitStack() as stack:
        watches = [stack.enter_async_context(hub.watch(event_id)) for _ in range(50)]
        streams = await asyncio.gather(*watches)
        snapshots = [await next_of(updates) for updates in streams]
        assert all(snapshot is snapshots[0] for snapshot in snapshots)
        assert hub.watched_events == len(bus._subscriptions) == 1
        await until(lambda: listens_once(valkey, event_id))
        await changed(database, bus, event_id, (0, "H"))
        updates_seen = [await next_of(updates) for updates in streams]
        assert all(update is updates_seen[0] for update in updates_seen)


async def listens_once(valkey: Valkey, event_id: UUID) -> bool:
    return await valkey.listeners(seats_channel(event_id)) == 1


async def test_a_thousand_joins_and_abrupt_leaves_leave_nothing_behind(
    database: Database, valkey: Valkey, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live.hub, "LINGER_SECONDS", 0)
    event_ids = [await new_event(database, seats=4) for _ in range(5)]

    async def watch(hub: Hub, event_id: UUID) -> None:
        async with hub.watch(event_id) as updates:
            async for _ in updates:
                pass

    async with running(database, valkey.url) as (hub, bus):
        await until(lambda: bus.connected)
        tasks_before = asyncio.all_tasks()
        watchers = [asyncio.create_task(watch(hub, event_ids[nth % 5])) for nth in range(1_000)]
        for nth, watcher in enumerate(watchers):
            if nth % 100 == 0:
                await changed(database, bus, event_ids[nth // 200], (0, "AHSB"[nth // 100 % 4]))
            watcher.cancel()
        await asyncio.gather(*watchers, return_exceptions=True)
        await until(lambda: hub.watched_events == 0)
        await until(lambda: asyncio.all_tasks() <= tasks_before)
        assert not bus._subscriptions
        assert not bus._broadcast._subscribers
        await until(lambda: not_listening(valkey, event_ids))
        async with hub.watch(event_ids[0]) as updates:
            assert isinstance(await next_of(updates), Snapshot)


async def not_listening(valkey: Valkey, event_ids: list[UUID]) -> bool:
    return not any([await valkey.listeners(seats_channel(event_id)) for event_id in event_ids])


async def test_a_watcher_that_comes_back_soon_finds_its_channel(
    database: Database, bus: Bus, hub: Hub
) -> None:
    event_id = await new_event(database, seats=4)
    async with hub.watch(event_id) as updates:
        snapshot = await next_of(updates)
    async with hub.watch(event_id) as updates:
        assert await next_of(updates) is snapshot


async def test_stopping_the_hub_ends_every_stream(database: Database, bus: Bus) -> None:
    event_id = await new_event(database, seats=4)
    hub = Hub(database, bus)
    await hub.start()
    async with hub.watch(event_id) as one, hub.watch(event_id) as other:
        await next_of(one)
        await hub.stop()
        assert [update async for update in one] == []
        assert [update async for update in other] == []
    async with hub.watch(event_id) as late:
        assert [update async for update in late] == []
    assert hub.watched_events == 0


async def test_no_watcher_misses_a_change_while_the_bus_restarts(database: Database, valkey: Valkey) -> None:
    event_id = await new_event(database, seats=10)
    client = Client()
    async with (
        running(database, valkey.url) as (hub, _),
        running(database, valkey.url) as (_, other_bus),
        hub.watch(event_id) as updates,
    ):
        await changed(database, other_bus, event_id, (0, "H"))
        await client.follow(updates, 1)
        await valkey.kill()
        await changed(database, other_bus, event_id, (1, "H"))
        await client.follow(updates, 2)
        await valkey.start()
        await changed(database, other_bus, event_id, (2, "H"))
        await client.follow(updates, 3)
    assert (client.map, client.snapshots) == ("HHH" + "A" * 7, 1)


async def test_a_bus_that_is_down_at_the_start_holds_up_nothing(database: Database, valkey: Valkey) -> None:
    await valkey.kill()
    event_id = await new_event(database, seats=3)
    client = Client()
    async with running(database, valkey.url) as (hub, bus), hub.watch(event_id) as updates:
        await changed(database, bus, event_id, (0, "H"))
        await client.follow(updates, 1)
        await valkey.start()
        await changed(database, bus, event_id, (1, "H"))
        await client.follow(updates, 2)
    assert client.map == "HHA"


@asynccontextmanager
async def database_away(settings: Settings) -> AsyncIterator[None]:
    """Close the database to everybody while the block lasts."""
    assert settings.database_url
    parts = urlsplit(settings.database_url)
    name = parts.path.removeprefix("/")
    admin = await asyncpg.connect(urlunsplit(parts._replace(path="/postgres")))
    try:
        await admin.execute(f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS false')
        await admin.fetch(
            "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = $1", name
        )
        yield
    finally:
        await admin.execute(f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS true')
        await admin.close()


async def first_of(hub: Hub, event_id: UUID) -> Update:
    async with hub.watch(event_id) as updates:
        return await next_of(updates)


async def test_a_watcher_keeps_its_stream_while_the_database_is_away(
    database: Database, settings: Settings, bus: Bus, hub: Hub, caplog: pytest.LogCaptureFixture
) -> None:
    event_id, other_id = await new_event(database, seats=4), await new_event(database, seats=4)
    client = Client()
    async with hub.watch(event_id) as updates:
        client.take(await next_of(updates))
        async with database_away(settings):
            await bus.publish(seats_channel(event_id), encode(event_id, [Change(2, 1, 1, "H")]))
            newcomer = asyncio.create_task(first_of(hub, other_id))
            await until(
                lambda: {str(event_id), str(other_id)} <= {r.getMessage()[19:55] for r in caplog.records}
            )
            assert {record.levelno for record in caplog.records} == {logging.WARNING}
        await changed(database, bus, event_id, (0, "H"), (1, "H"), (2, "H"))
        await client.follow(updates, 3)
        assert await newcomer == Snapshot(0, "AAAA", 4)
    assert client.map == "HHHA"


async def storm(database: Database, event_ids: list[UUID], seed: int) -> None:
    choice = random.Random(seed)
    for _ in range(60):
        seats = choice.sample(range(30), choice.randint(1, 5))
        await change(database, choice.choice(event_ids), seats, choice.choice("AHSCB"))


async def come_and_go(hub: Hub, event_id: UUID, client: Client, seed: int) -> None:
    """Watch for a few updates, leave, and come back with the revision that one has."""
    choice = random.Random(seed)
    while True:
        async with hub.watch(event_id, client.revision) as updates:
            for _ in range(choice.randint(1, 5)):
                client.take(await anext(updates))


@pytest.mark.parametrize("restarts", [0, 2])
async def test_snapshot_and_updates_make_the_fresh_state_over_a_storm_and_restarts_of_the_bus(
    database: Database, valkey: Valkey, restarts: int
) -> None:
    event_ids = [await new_event(database, seats=30) for _ in range(2)]
    clients = [(Client(), event_id) for event_id in event_ids for _ in range(3)]
    async with AsyncExitStack() as stack:
        processes = [await stack.enter_async_context(running(database, valkey.url)) for _ in range(2)]
        relays = [Relay(database, bus) for _, bus in processes]
        jobs = Jobs([relay.job for relay in relays])
        database.on_commit = relays[0].wake
        await jobs.start()
        stack.push_async_callback(jobs.stop)
        watching = [
            asyncio.create_task(come_and_go(processes[nth % 2][0], event_id, client, nth))
            for nth, (client, event_id) in enumerate(clients)
        ]
        storms = asyncio.gather(*(storm(database, event_ids, seed) for seed in range(4)))
        for _ in range(restarts):
            await valkey.kill()
            await valkey.start()
        await storms
        await until(lambda: everything_is_numbered(database, event_ids))
        ends = {event_id: len(await revisions_of(database, event_id)) for event_id in event_ids}
        await until(
            lambda: (
                any(task.done() for task in watching)
                or all(client.revision == ends[event_id] for client, event_id in clients)
            )
        )
        for task in watching:
            task.cancel()
        outcomes = await asyncio.gather(*watching, return_exceptions=True)
        assert {type(outcome) for outcome in outcomes} == {asyncio.CancelledError}, outcomes
    for client, event_id in clients:
        assert client.map == await statuses_of(database, event_id)
        assert client.snapshots >= 1


async def everything_is_numbered(database: Database, event_ids: list[UUID]) -> bool:
    return not any([None in await revisions_of(database, event_id) for event_id in event_ids])
