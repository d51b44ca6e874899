"""Running a step: again where it may be, and errors of the database as what they mean."""

import asyncio

import asyncpg
import pytest

from database import Database, Transaction
from settings import Settings
from steps.create_catalogue import create_hall, create_venue
from steps.refusals import InFlight, RefusalCode
from steps.transact import TRIES_MAX, Unavailable, transact
from tests.world import new_user, refusal_of


async def test_a_deadlock_runs_the_step_again(database: Database) -> None:
    alice, bob = sorted([await new_user(database), await new_user(database)], key=lambda user: user.id)
    met = asyncio.Barrier(2)
    runs: list[int] = []

    async def step(tx: Transaction, *, order: list[object], number: int) -> None:
        runs.append(number)
        await tx.rows("SELECT 1 FROM users WHERE id = $1 FOR NO KEY UPDATE", order[0])
        if len(runs) <= 2:
            await met.wait()
        await tx.rows("SELECT 1 FROM users WHERE id = $1 FOR NO KEY UPDATE", order[1])

    await asyncio.gather(
        transact(database, step, order=[alice.id, bob.id], number=1),
        transact(database, step, order=[bob.id, alice.id], number=2),
    )
    assert len(runs) == 3


async def test_a_step_that_never_succeeds_ends_in_busy(database: Database) -> None:
    runs = []

    async def step(tx: Transaction) -> None:
        runs.append(1)
        await tx.rows("DO $$ BEGIN RAISE SQLSTATE '40001'; END $$")

    refused = await refusal_of(transact(database, step))
    assert (refused.code, refused.retry_after_seconds, len(runs)) == (RefusalCode.BUSY, 1, TRIES_MAX)


async def test_a_lock_that_does_not_come_is_busy_and_not_tried_again(
    settings: Settings, database: Database
) -> None:
    hurried = Database(settings.model_copy(update={"lock_timeout_ms": 20}))
    alice = await new_user(database)
    runs = []

    async def step(tx: Transaction) -> None:
        runs.append(1)
        await tx.rows("SELECT 1 FROM users WHERE id = $1 FOR NO KEY UPDATE", alice.id)

    async with database.transaction() as first:
        await first.rows("SELECT 1 FROM users FOR NO KEY UPDATE")
        refused = await refusal_of(transact(hurried, step))
    assert (refused.code, len(runs)) == (RefusalCode.BUSY, 1)
    await hurried.close()


async def test_a_collision_is_tried_once_more_and_may_wait_then(database: Database) -> None:
    seen = []

    async def step(tx: Transaction) -> None:
        seen.append(tx.may_wait)
        raise InFlight(RefusalCode.SEAT_UNAVAILABLE)

    assert (await refusal_of(transact(database, step))).code is RefusalCode.SEAT_UNAVAILABLE
    assert seen == [False, True]


async def test_a_lost_connection_is_tried_again_only_under_a_key(database: Database) -> None:
    runs = []

    async def step(tx: Transaction, key: object = None) -> int:
        runs.append(1)
        if len(runs) == 1:
            pid = await tx.value("SELECT pg_backend_pid()")
            await database.rows("SELECT pg_terminate_backend($1)", pid)
        return await tx.value("SELECT 7")

    with pytest.raises(Unavailable):
        await transact(database, step)
    runs.clear()
    assert await transact(database, step, key="any") == 7
    assert len(runs) == 2


async def test_an_error_that_nobody_foresaw_stays_itself(database: Database) -> None:
    async def step(tx: Transaction) -> None:
        await tx.rows("SELECT 1/0")

    with pytest.raises(asyncpg.DivisionByZeroError):
        await transact(database, step)


async def test_no_database_at_all_is_said_so(settings: Settings) -> None:
    nowhere = Database(settings.model_copy(update={"database_url": "postgresql://nobody@127.0.0.1:1/none"}))

    async def step(tx: Transaction) -> None:
        raise AssertionError

    with pytest.raises(Unavailable):
        await transact(nowhere, step)
    await nowhere.close()


async def test_what_a_constraint_forbids_is_a_refusal(database: Database) -> None:
    await new_user(database, email="alice@example.com")
    refused = await refusal_of(new_user(database, email="ALICE@example.com"))
    assert refused.code is RefusalCode.EMAIL_ALREADY_EXISTS
    venue = await transact(database, create_venue, name="House", address="Street 1")
    for code in (None, RefusalCode.VALIDATION_ERROR):
        attempt = transact(database, create_hall, venue_id=venue.id, code="A", name="Hall")
        if code is None:
            await attempt
        else:
            assert (await refusal_of(attempt)).problems[0].field == "input.code"
