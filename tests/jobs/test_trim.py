"""Trimming the log: what is older than a day goes from its beginning, and leaves no hole."""

from collections.abc import AsyncIterator, Collection
from datetime import timedelta
from uuid import UUID

import pytest

from database import Database
from jobs import relay
from jobs.relay import (
    LOG_KEPT,
    number_changes_once,
    trim_changes_once,
)
from live.bus import Bus
from steps.stream_locks import LOCK_STREAM
from tests.seat_rows import change, new_event, revisions_of

A_MOMENT = timedelta(minutes=1)


@pytest.fixture
async def bus() -> AsyncIterator[Bus]:
    """A bus within this process."""
    bus = Bus(None)
    await bus.start()
    yield bus
    await bus.stop()


async def stream_of(database: Database, event_id: UUID) -> int:
    rows = await database.rows("SELECT revision FROM streams WHERE event_id = $1", event_id)
    return rows[0]["revision"]


async def age(database: Database, event_id: UUID, revisions: Collection[int], by: timedelta) -> None:
    async with database.transaction() as tx:
        await tx.rows(
            """UPDATE seat_changes SET changed_at = changed_at - $3::interval
               WHERE event_id = $1 AND revision = ANY($2::int[])""",
            event_id,
            list(revisions),
            by,
        )


async def test_the_log_loses_what_is_older_than_a_day_and_nothing_else(database: Database, bus: Bus) -> None:
    event_id = await new_event(database)
    await change(database, event_id, range(10), "H")
    await number_changes_once(database, bus)
    await change(database, event_id, [0], "S")
    await age(database, event_id, range(1, 5), LOG_KEPT + A_MOMENT)
    await age(database, event_id, range(5, 9), LOG_KEPT - A_MOMENT)
    assert await trim_changes_once(database) == 4
    assert await trim_changes_once(database) == 0
    assert await revisions_of(database, event_id) == [*range(5, 11), None]
    assert await stream_of(database, event_id) == 10


async def test_an_old_change_that_has_no_revision_yet_stays(database: Database, bus: Bus) -> None:
    event_id = await new_event(database)
    await change(database, event_id, [0], "H")
    async with database.transaction() as tx:
        await tx.rows("UPDATE seat_changes SET changed_at = changed_at - $1::interval", LOG_KEPT + A_MOMENT)
    assert await trim_changes_once(database) == 0
    assert await number_changes_once(database, bus) == 1
    assert await trim_changes_once(database) == 1


async def test_trimming_leaves_no_hole_where_a_late_commit_has_an_older_change(
    database: Database, bus: Bus
) -> None:
    event_id = await new_event(database)
    await change(database, event_id, range(5), "H")
    await number_changes_once(database, bus)
    await age(database, event_id, [1, 2, 4], LOG_KEPT + A_MOMENT)
    assert await trim_changes_once(database) == 2
    assert await revisions_of(database, event_id) == [3, 4, 5]
    assert await trim_changes_once(database) == 0


async def test_trimming_goes_on_in_batches_and_passes_by_a_busy_event(
    database: Database, bus: Bus, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(relay, "CHANGES_PER_BATCH_MAX", 4)
    event_id = await new_event(database)
    await change(database, event_id, range(10), "H")
    await number_changes_once(database, bus)
    await age(database, event_id, range(1, 10), LOG_KEPT + A_MOMENT)
    async with database.transaction() as tx:
        await tx.row(LOCK_STREAM, event_id)
        assert await trim_changes_once(database) == 0
    assert [await trim_changes_once(database) for _ in range(4)] == [4, 4, 1, 0]
    assert await revisions_of(database, event_id) == [10]
