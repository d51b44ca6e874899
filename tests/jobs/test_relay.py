"""The relay: one change, exactly one revision, without gaps, whoever commits and numbers when."""

import asyncio
import random
from collections.abc import AsyncIterator
from datetime import timedelta
from uuid import UUID

import pytest

from database import Database
from jobs import relay
from jobs.loop import Jobs
from jobs.relay import (
    CHANGES_PER_BATCH_MAX,
    LOG_KEPT,
    Relay,
    number_changes_once,
)
from live.bus import Bus, Subscription
from live.changes import CHANGES_PER_MESSAGE_MAX, Change, decode, seats_channel
from steps.stream_locks import LOCK_STREAM
from tests.seat_rows import change, change_in, new_event, revisions_of, until, until_someone_waits_for_a_row

A_MOMENT = timedelta(minutes=1)


@pytest.fixture
async def bus() -> AsyncIterator[Bus]:
    """A bus within this process."""
    bus = Bus(None)
    await bus.start()
    yield bus
    await bus.stop()


async def told(messages: Subscription, until_revision: int) -> list[Change]:
    """What was told on the bus, up to a revision."""
    changes: list[Change] = []
    async with asyncio.timeout(20):
        while not changes or changes[-1].revision < until_revision:
            message = await anext(messages)
            assert isinstance(message, str)
            assert len(decode(message)) <= CHANGES_PER_MESSAGE_MAX
            changes += decode(message)
    return changes


async def stream_of(database: Database, event_id: UUID) -> int:
    (row,) = await database.rows("SELECT revision FROM streams WHERE event_id = $1", event_id)
    return int(row["revision"])


async def test_committed_changes_get_the_next_revisions_and_are_told(database: Database, bus: Bus) -> None:
    event_id = await new_event(database)
    async with bus.subscribe(seats_channel(event_id)) as messages:
        await change(database, event_id, [3, 5], "H")
        assert await number_changes_once(database, bus, {event_id}) == 2
        await change(database, event_id, [3], "S")
        assert await number_changes_once(database, bus, {event_id}) == 1
        assert await number_changes_once(database, bus, {event_id}) == 0
        assert await told(messages, 3) == [
            Change(1, 3, 1, "H"),
            Change(2, 5, 1, "H"),
            Change(3, 3, 2, "S"),
        ]
    assert await stream_of(database, event_id) == 3


async def test_an_open_transaction_leaves_no_gap_when_a_later_one_commits_first(
    database: Database, bus: Bus
) -> None:
    event_id = await new_event(database)
    async with database.transaction() as first:
        await change_in(first, event_id, [0], "H")
        async with database.transaction() as second:
            await change_in(second, event_id, [1], "H")
            await change_in(second, event_id, [1], "S")
        assert await number_changes_once(database, bus, {event_id}) == 2
        assert await revisions_of(database, event_id) == [1, 2]
    assert await number_changes_once(database, bus) == 1
    assert await revisions_of(database, event_id) == [1, 2, 3]


async def test_a_rolled_back_change_gets_no_revision(database: Database, bus: Bus) -> None:
    event_id = await new_event(database)
    with pytest.raises(ZeroDivisionError):
        async with database.transaction() as tx:
            await change_in(tx, event_id, [0], "H")
            raise ZeroDivisionError
    await change(database, event_id, [1], "H")
    assert await number_changes_once(database, bus) == 1
    assert await revisions_of(database, event_id) == [1]


async def test_a_relay_that_waited_goes_on_where_the_other_ended(database: Database, bus: Bus) -> None:
    event_id = await new_event(database)
    await change(database, event_id, [0, 1], "H")
    async with database.transaction() as tx:
        assert len(await relay._number_batch(tx, event_id, LOCK_STREAM)) == 2
        await change(database, event_id, [2], "H")
        second = asyncio.create_task(number_changes_once(database, bus, {event_id}))
        await until_someone_waits_for_a_row(database)
    assert await second == 1
    assert await revisions_of(database, event_id) == [1, 2, 3]


async def test_a_sweep_passes_by_what_another_relay_numbers(database: Database, bus: Bus) -> None:
    busy, other = await new_event(database), await new_event(database)
    for event_id in (busy, other):
        await change(database, event_id, [0], "H")
    async with database.transaction() as tx:
        await tx.row(LOCK_STREAM, busy)
        assert await number_changes_once(database, bus) == 1
        assert await revisions_of(database, busy) == [None]
        assert await revisions_of(database, other) == [1]
    assert await number_changes_once(database, bus) == 1
    assert await revisions_of(database, busy) == [1]


async def test_many_relays_at_once_give_each_change_exactly_one_revision(
    database: Database, bus: Bus
) -> None:
    event_ids = [await new_event(database, seats=20) for _ in range(2)]
    writing = True

    async def write(seed: int) -> None:
        choice = random.Random(seed)
        for _ in range(40):
            seats = choice.sample(range(20), 3)
            await change(database, choice.choice(event_ids), seats, choice.choice("AHS"))

    async def keep_numbering(which: set[UUID] | None) -> int:
        numbered = 0
        while writing or await number_changes_once(database, bus, which):
            numbered += await number_changes_once(database, bus, which)
        return numbered

    relays = [asyncio.create_task(keep_numbering(which)) for which in (None, set(event_ids), set(event_ids))]
    await asyncio.gather(*(write(seed) for seed in range(4)))
    writing = False
    await asyncio.gather(*relays)
    await number_changes_once(database, bus)
    every = [await revisions_of(database, event_id) for event_id in event_ids]
    assert sum(len(revisions) for revisions in every) == 4 * 40 * 3
    assert every == [list(range(1, len(revisions) + 1)) for revisions in every]
    assert [await stream_of(database, event_id) for event_id in event_ids] == [len(r) for r in every]


async def test_the_revisions_of_a_seat_follow_its_versions(database: Database, bus: Bus) -> None:
    event_id = await new_event(database, seats=CHANGES_PER_BATCH_MAX)
    everywhere = range(CHANGES_PER_BATCH_MAX)
    async with bus.subscribe(seats_channel(event_id)) as messages:
        for status in "HSA":
            await change(database, event_id, everywhere, status)
        assert await number_changes_once(database, bus, {event_id}) == 3 * CHANGES_PER_BATCH_MAX
        changes = await told(messages, 3 * CHANGES_PER_BATCH_MAX)
    assert [c.revision for c in changes] == list(range(1, len(changes) + 1))
    of_one_seat = [(c.version, c.status) for c in changes if c.index == 7]
    assert of_one_seat == [(1, "H"), (2, "S"), (3, "A")]


async def test_one_round_is_bounded_and_the_next_one_goes_on(
    database: Database, bus: Bus, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(relay, "CHANGES_PER_BATCH_MAX", 2)
    monkeypatch.setattr(relay, "BATCHES_PER_ROUND_MAX", 2)
    event_id = await new_event(database)
    await change(database, event_id, range(10), "H")
    assert [await number_changes_once(database, bus) for _ in range(4)] == [4, 4, 2, 0]
    assert await revisions_of(database, event_id) == list(range(1, 11))


async def test_changes_are_numbered_by_version_and_then_by_index_also_in_small_batches(
    database: Database, bus: Bus, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(relay, "CHANGES_PER_BATCH_MAX", 2)
    event_id = await new_event(database)
    for indexes in ([1, 0], [0], [2, 0]):
        await change(database, event_id, indexes, "H")
    await number_changes_once(database, bus)
    rows = await database.rows("SELECT version, index FROM seat_changes ORDER BY revision")
    assert [tuple(row) for row in rows] == [(1, 0), (1, 1), (1, 2), (2, 0), (3, 0)]


async def test_a_woken_relay_numbers_a_burst_of_commits(
    database: Database, bus: Bus, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(relay, "SWEEP_SECONDS", 3_600)
    event_ids = [await new_event(database) for _ in range(3)]
    woken = Relay(database, bus)
    database.on_commit = woken.wake
    jobs = Jobs([woken.job])
    await jobs.start()
    try:
        for nth in range(10):
            await asyncio.gather(*(change(database, event_id, [nth], "H") for event_id in event_ids))
        await until(lambda: all_numbered(database, event_ids, 10))
    finally:
        await jobs.stop()


async def all_numbered(database: Database, event_ids: list[UUID], revision: int) -> bool:
    return {await stream_of(database, event_id) for event_id in event_ids} == {revision}


async def test_a_relay_finds_what_nobody_woke_it_for_also_while_it_is_busy(
    database: Database, bus: Bus
) -> None:
    busy, forgotten = await new_event(database), await new_event(database)
    await change(database, forgotten, [0], "H")
    relay = Relay(database, bus)
    for nth in range(3):
        await change(database, busy, [nth], "H")
        relay.wake({busy})
        await relay.job.once()
    assert await revisions_of(database, forgotten) == [1]
    assert await revisions_of(database, busy) == [1, 2, 3]


async def test_numbering_needs_no_bus(database: Database) -> None:
    event_id = await new_event(database)
    await change(database, event_id, [0], "H")
    bus = Bus("redis://127.0.0.1:1/0")
    await bus.start()
    assert await number_changes_once(database, bus) == 1
    await bus.stop()
    assert await revisions_of(database, event_id) == [1]


async def test_the_relay_reads_the_log_by_its_partial_indexes(database: Database, bus: Bus) -> None:
    event_id = await new_event(database, seats=5_000)
    await change(database, event_id, range(5_000), "H")
    await number_changes_once(database, bus)
    await change(database, event_id, range(20), "S")
    assert "seat_changes_unnumbered" in await plan_of(database, relay.EVENTS_WITH_UNNUMBERED_CHANGES, 100)
    assert "seat_changes_unnumbered" in await plan_of(database, relay.NUMBER_CHANGES, event_id, 1, 1_000)
    assert "seat_changes_revision_key" in await plan_of(
        database, relay.TRIM_CHANGES, event_id, LOG_KEPT, 1_000
    )


async def plan_of(database: Database, statement: str, *values: object) -> str:
    async with database.transaction() as tx:
        await tx.rows("ANALYZE seat_changes")
        lines = await tx.rows(f"EXPLAIN {statement}", *values)
    return "\n".join(line["QUERY PLAN"] for line in lines)
