"""The hub: first a snapshot or the changes since, then each change; shared by all, and gone with the last."""

import asyncio
from contextlib import AsyncExitStack
from uuid import UUID, uuid4

import pytest

import live.hub
from database import Database
from jobs.relay import LOG_KEPT, trim_changes_once
from live.bus import Bus
from live.changes import Change, seats_channel
from live.hub import Hub
from live.updates import Changes, Snapshot
from tests.live.valkey import Valkey
from tests.live.watching import changed, next_of, rest_of, running
from tests.seat_rows import (
    new_event,
    until,
)


async def test_a_watcher_gets_a_snapshot_and_then_each_change(database: Database, bus: Bus, hub: Hub) -> None:
    event_id = await new_event(database, seats=4)
    await changed(database, bus, event_id, (1, "H"))
    async with hub.watch(event_id) as updates:
        assert await next_of(updates) == Snapshot(1, "AHAA", 3)
        await changed(database, bus, event_id, (1, "S"))
        assert await next_of(updates) == Changes(2, (Change(2, 1, 2, "S"),), 3)
        await changed(database, bus, event_id, (0, "B"))
        assert await next_of(updates) == Changes(3, (Change(3, 0, 1, "B"),), 2)


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


async def test_a_log_with_a_hole_is_used_only_after_it(database: Database, bus: Bus, hub: Hub) -> None:
    event_id = await new_event(database, seats=4)
    await changed(database, bus, event_id, (0, "H"), (1, "H"), (0, "S"), (1, "S"))
    async with database.transaction() as tx:
        await tx.rows("DELETE FROM seat_changes WHERE event_id = $1 AND revision = 2", event_id)
    async with hub.watch(event_id, after=1) as updates:
        assert await next_of(updates) == Snapshot(4, "SSAA", 2)
    async with hub.watch(event_id, after=2) as updates:
        assert await next_of(updates) == Changes(4, (Change(3, 0, 2, "S"), Change(4, 1, 2, "S")), 2)


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
        assert await rest_of(one) == await rest_of(other) == []
    async with hub.watch(event_id) as late:
        assert await rest_of(late) == []
    assert hub.watched_events == 0
