"""One watched event: in the order of its revisions and without a hole, whatever the bus loses."""

import asyncio

import pytest

from database import Database
from jobs import relay
from jobs.relay import number_changes_once
from live.bus import Bus
from live.changes import Change, encode, seats_channel
from live.hub import Hub
from live.ring import RING_CHANGES_MAX
from live.updates import Changes, Snapshot
from steps.stream_locks import LOCK_STREAM
from tests.live.watching import Client, changed, first_of, next_of
from tests.seat_rows import change, change_in, new_event, statuses_of, until, until_someone_waits_for_a_row


async def test_a_snapshot_is_never_older_than_its_revision(database: Database, hub: Hub) -> None:
    event_id = await new_event(database, seats=2)
    async with database.transaction() as tx:
        await tx.rows("LOCK TABLE streams IN ACCESS EXCLUSIVE MODE")
        watcher = asyncio.create_task(first_of(hub, event_id))
        await until_someone_waits_for_a_row(database)
        await change_in(tx, event_id, [0], "H")
        await relay._number_batch(tx, event_id, LOCK_STREAM)
    assert await watcher == Snapshot(1, "HA", 1)


@pytest.mark.usefixtures("never_polled")
async def test_what_is_told_while_the_snapshot_is_read_is_not_missed(
    database: Database, bus: Bus, hub: Hub
) -> None:
    event_id = await new_event(database, seats=2)
    client = Client()

    async def watch() -> None:
        async with hub.watch(event_id) as updates:
            await client.follow(updates, 1)

    async with database.transaction() as tx:
        await tx.rows("LOCK TABLE seats IN ACCESS EXCLUSIVE MODE")
        watcher = asyncio.create_task(watch())
        await until_someone_waits_for_a_row(database)
        await change_in(tx, event_id, [0], "H")
        (told,) = await relay._number_batch(tx, event_id, LOCK_STREAM)
        await bus.publish(seats_channel(event_id), encode(event_id, [told]))
        await asyncio.sleep(0)
    await watcher
    assert (client.map, client.revision) == ("HA", 1)


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


@pytest.mark.usefixtures("never_polled")
async def test_a_lost_message_is_read_from_the_log_when_the_next_one_comes(
    database: Database, bus: Bus, hub: Hub
) -> None:
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
        ):
            await bus.publish(channel, message)
        await client.follow(updates, 3)
        for index in (99, -1):
            await bus.publish(channel, encode(event_id, [Change(4, index, 1, "A")]))
        await until(lambda: not len(hub._channels[event_id]._messages))
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


async def test_a_missing_change_that_the_log_has_lost_is_a_snapshot(
    database: Database, bus: Bus, hub: Hub
) -> None:
    event_id, nowhere = await new_event(database, seats=4), Bus(None)
    client = Client()
    async with hub.watch(event_id) as updates:
        client.take(await next_of(updates))
        await changed(database, nowhere, event_id, (0, "H"), (1, "H"))
        async with database.transaction() as tx:
            await tx.rows("DELETE FROM seat_changes WHERE event_id = $1 AND revision = 1", event_id)
        await changed(database, bus, event_id, (2, "H"))
        await client.follow(updates, 3)
    assert (client.map, client.snapshots) == ("HHHA", 2)


async def test_changes_that_wait_for_their_moment_are_dropped_when_the_map_is_read_again(
    database: Database, bus: Bus, hub: Hub
) -> None:
    event_id, nowhere = await new_event(database, seats=4), Bus(None)
    client = Client()
    async with hub.watch(event_id) as updates:
        client.take(await next_of(updates))
        await changed(database, nowhere, event_id, (0, "H"), (1, "H"), (2, "H"), (3, "H"))
        async with database.transaction() as tx:
            await tx.rows("DELETE FROM seat_changes WHERE event_id = $1 AND revision = 3", event_id)
        for change in (Change(1, 0, 1, "H"), Change(2, 1, 1, "H"), Change(4, 3, 1, "H")):
            await bus.publish(seats_channel(event_id), encode(event_id, [change]))
        await client.follow(updates, 4)
        assert hub._channels[event_id].revision == 4
        await changed(database, bus, event_id, (0, "S"))
        await client.follow(updates, 5)
    assert client.map == "SHHH"


async def test_a_database_that_went_back_in_time_is_a_snapshot(
    database: Database, bus: Bus, hub: Hub
) -> None:
    event_id = await new_event(database, seats=2)
    await changed(database, bus, event_id, (0, "H"), (0, "S"))
    async with hub.watch(event_id) as updates:
        assert await next_of(updates) == Snapshot(2, "SA", 1)
        async with database.transaction() as tx:
            await tx.rows("DELETE FROM seat_changes WHERE event_id = $1 AND revision = 2", event_id)
            await tx.rows("UPDATE streams SET revision = 1 WHERE event_id = $1", event_id)
        assert await next_of(updates) == Snapshot(1, "SA", 1)


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
