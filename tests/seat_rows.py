"""Events with plain seats, and changes of them as the steps write them, for tests of what comes after."""

import asyncio
from collections.abc import Callable, Sequence
from inspect import isawaitable
from typing import Any
from uuid import UUID, uuid4

from database import Database, Transaction
from steps.outbox import log_of

WAIT_SECONDS_MAX = 20

CHANGE_SEATS = f"""
    WITH changed AS (
        UPDATE seats SET version = version + 1, status = $3,
               held_until = CASE WHEN $3 = 'H' THEN statement_timestamp() + interval '5 minutes' END,
               order_id = CASE WHEN $3 IN ('A', 'B') THEN NULL ELSE $4::uuid END
        WHERE event_id = $1 AND index = ANY($2::int[])
        RETURNING event_id, index, version, status
    ), logged AS ({log_of("changed")})
    SELECT count(*) FROM changed"""

NEW_EVENT = """
    WITH venue AS (INSERT INTO venues (id, name, address) VALUES ($1, 'House', 'Street 1') RETURNING id),
    hall AS (
        INSERT INTO halls (id, venue_id, code, name) SELECT $2, id, 'H1', 'Hall' FROM venue RETURNING id
    ),
    event AS (
        INSERT INTO events (id, hall_id, name, description, category, starts_at, ends_at, timezone, currency,
                            status, total_seats)
        SELECT $3, id, 'Show', '', '', now() + interval '1 day', now() + interval '2 days', 'UTC', 'EUR',
               'DRAFT', $4
        FROM hall RETURNING id
    ), stream AS (INSERT INTO streams (event_id) SELECT id FROM event),
    tier AS (
        INSERT INTO tiers (event_id, number, name, price_minor, currency, general_admission, capacity)
        SELECT id, 1, 'Stalls', 1000, 'EUR', false, greatest($4, 1) FROM event RETURNING event_id
    )
    INSERT INTO seats (event_id, index, tier, section, row, number)
    SELECT event_id, n, 1, 'A', '1', n::text FROM tier, generate_series(0, $4 - 1) n"""


async def new_event(database: Database, seats: int = 10) -> UUID:
    """Make an event with so many free seats, and return its id."""
    event_id = uuid4()
    async with database.transaction() as tx:
        await tx.rows(NEW_EVENT, uuid4(), uuid4(), event_id, seats)
    return event_id


async def change_in(tx: Transaction, event_id: UUID, indexes: Sequence[int], status: str) -> None:
    """Change these seats in an open transaction, each with its row in the log."""
    await tx.rows(CHANGE_SEATS, event_id, sorted(indexes), status, uuid4())
    tx.changed_events.add(event_id)


async def change(database: Database, event_id: UUID, indexes: Sequence[int], status: str) -> None:
    """Change these seats in a transaction of its own."""
    async with database.transaction() as tx:
        await change_in(tx, event_id, indexes, status)


async def statuses_of(database: Database, event_id: UUID) -> str:
    rows = await database.rows("SELECT status FROM seats WHERE event_id = $1 ORDER BY index", event_id)
    return "".join(row["status"] for row in rows)


async def revisions_of(database: Database, event_id: UUID) -> list[int | None]:
    """The revisions of an event's log in their order, those that are still to come last."""
    rows = await database.rows(
        "SELECT revision FROM seat_changes WHERE event_id = $1 ORDER BY revision", event_id
    )
    return [row["revision"] for row in rows]


async def until(true: Callable[[], Any]) -> None:
    """Wait until something is so, or until its coroutine says that it is."""
    async with asyncio.timeout(WAIT_SECONDS_MAX):
        while not (await answer if isawaitable(answer := true()) else answer):
            await asyncio.sleep(0.005)


async def until_someone_waits_for_a_row(database: Database) -> None:
    """Ask PostgreSQL, rather than the clock, whether another transaction has reached a lock of ours."""
    waiting = """SELECT count(*) FROM pg_stat_activity
                 WHERE datname = current_database() AND wait_event_type = 'Lock'"""

    async def is_waiting() -> bool:
        return bool((await database.rows(waiting))[0]["count"])

    await until(is_waiting)
