"""No watcher misses a change, whatever goes down: the bus, the database, or the watcher itself."""

import asyncio
import logging
import random
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from urllib.parse import urlsplit, urlunsplit
from uuid import UUID

import asyncpg
import pytest

import live.hub
from database import Database
from jobs.loop import Jobs
from jobs.relay import Relay
from live.bus import Bus
from live.changes import Change, encode, seats_channel
from live.hub import Hub
from live.updates import Snapshot
from settings import Settings
from tests.live.valkey import Valkey
from tests.live.watching import Client, changed, first_of, next_of, running
from tests.seat_rows import (
    change,
    new_event,
    revisions_of,
    statuses_of,
    until,
)


async def test_no_watcher_misses_a_change_while_the_bus_restarts(
    database: Database, valkey: Valkey, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live.hub, "POLL_SECONDS", 3_600)
    event_id = await new_event(database, seats=10)
    client = Client()
    async with (
        running(database, valkey.url) as (hub, bus),
        running(database, valkey.url) as (_, other_bus),
        hub.watch(event_id) as updates,
    ):
        await until(lambda: bus.connected and other_bus.connected)
        await changed(database, other_bus, event_id, (0, "H"))
        await client.follow(updates, 1)
        await valkey.kill()
        await changed(database, other_bus, event_id, (1, "H"))
        await client.follow(updates, 2)
        await valkey.start()
        await until(lambda: bus.connected and other_bus.connected)
        await changed(database, other_bus, event_id, (2, "H"))
        await client.follow(updates, 3)
    assert (client.map, client.snapshots) == ("HHH" + "A" * 7, 1)


async def test_a_bus_that_is_down_at_the_start_holds_up_nothing(
    database: Database, valkey: Valkey, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live.hub, "POLL_SECONDS", 3_600)
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


async def test_a_gap_on_the_bus_is_filled_from_the_log(
    database: Database, valkey: Valkey, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live.hub, "POLL_SECONDS", 3_600)
    monkeypatch.setattr(live.hub, "POLL_SECONDS_WITHOUT_BUS", 3_600)
    event_id = await new_event(database, seats=4)
    client = Client()
    async with running(database, valkey.url) as (hub, bus), hub.watch(event_id) as updates:
        client.take(await next_of(updates))
        await valkey.kill()
        await changed(database, bus, event_id, (0, "H"))
        await valkey.start()
        await client.follow(updates, 1)
    assert (client.map, client.snapshots) == ("HAAA", 1)
